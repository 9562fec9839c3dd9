"""The reports page: choose what, when and which format; see its first lines; take the file."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from attendance import permissions, schooltime
from attendance.models import ClassSession, Course, Student
from attendance.reports import documents, files, lms
from attendance.reports.document import Document, Kind, Row, for_people, text_of
from attendance.reports.facts import Days
from attendance.reports.files import File
from attendance.reports.matrix import Rule
from attendance.web.answers import page

Response = TypeVar("Response", bound=HttpResponseBase)
PREVIEW_ROWS = 12
CANVAS_LIMIT = 5 * 1024 * 1024

WHAT: dict[str, str | Promise] = {
    "course": gettext_lazy("A course: students and sessions"),
    "session": gettext_lazy("A session: the roll"),
    "student": gettext_lazy("A student: every lesson"),
    "missing": gettext_lazy("Rolls that are missing"),
    "summary": gettext_lazy("All courses, one line each"),
}
ABOUT_ONE = ("course", "session", "student")
"""Reports about one thing, which is named by its id; the others are about all courses of the reader."""
FORMATS: dict[str, tuple[str | Promise, str]] = {
    "xlsx": (gettext_lazy("Excel"), "file-spreadsheet"),
    "pdf": (gettext_lazy("PDF to print"), "file-text"),
    "csv": ("CSV", "file-spreadsheet"),
    "json": ("JSON", "file-text"),
}
SYSTEMS: dict[str, dict[str, tuple[str | Promise, str | Promise]]] = {
    "session": {"moodle": (gettext_lazy("Moodle attendance"), gettext_lazy("marks of this session"))},
    "course": {
        "moodle-grades": (gettext_lazy("Moodle grades"), gettext_lazy("attendance in per cent")),
        "canvas": (gettext_lazy("Canvas gradebook"), gettext_lazy("a new column, 100 points")),
        "sis": (gettext_lazy("Student information system"), gettext_lazy("one line a mark")),
    },
    "student": {}, "missing": {},
    "summary": {"sis": (gettext_lazy("Student information system"), gettext_lazy("one line a mark, all courses"))},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    status: str
    number: bool


def days_of(request: HttpRequest, course: Course | None = None) -> Days:
    """``from`` and ``to`` of the address; else the course's term up to today, else the last 90 days."""
    today = schooltime.today()
    first = course.term.starts_on if course else today - dt.timedelta(days=90)
    last = min(course.term.ends_on, today) if course else today
    asked = _day(request.GET.get("from", "")) or first, _day(request.GET.get("to", "")) or max(last, first)
    return Days(min(asked), max(asked))


def rule_of(request: HttpRequest) -> Rule:
    """``run`` and ``rate`` of the address, within sense; else the rule as it is."""
    plain = Rule()
    run = _number(request.GET.get("run", ""), 1, 99)
    rate = _number(request.GET.get("rate", ""), 0, 100)
    return Rule(run or plain.in_a_row, plain.least_rate if rate is None else rate / 100, plain.from_lessons)


def _day(text: str) -> dt.date | None:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1970 <= day.year <= 2200 else None


def _number(text: str, least: int, most: int) -> int | None:
    known = text.isascii() and text.isdecimal() and len(text) < 19 and least <= int(text) <= most
    return int(text) if known else None


def _download(file: File) -> HttpResponse:
    return _as_attachment(HttpResponse(file.content, content_type=file.content_type), file.name)


def _as_attachment(response: Response, name: str) -> Response:
    disposition = content_disposition_header(as_attachment=True, filename=name)
    response["Content-Disposition"] = disposition or "attachment"
    response["Cache-Control"] = "private, no-store"
    return response


def _course(request: HttpRequest, pk: int) -> Course:
    return get_object_or_404(permissions.courses_for(request.user).select_related("term"), pk=pk)


def _document(request: HttpRequest, what: str, pk: int) -> tuple[Document, Days]:
    """The report, if it is the reader's to see; somebody else's is a 404."""
    mine = permissions.courses_for(request.user)
    if what == "course":
        course = _course(request, pk)
        days = days_of(request, course)
        return documents.course(files.course_matrix(course, days, rule_of(request)), days), days
    days = days_of(request)
    if what == "session":
        return files.session_document(get_object_or_404(permissions.sessions_for(request.user), pk=pk)), days
    if what == "student":
        found = get_object_or_404(permissions.students_for(request.user), pk=pk)
        return files.student_document(found, mine, days), days
    return (files.missing_document if what == "missing" else files.summary_document)(mine, days), days


def _file(request: HttpRequest, what: str, pk: int, kind: str) -> HttpResponseBase:
    if kind in files.TABLES:
        document, _days = _document(request, what, pk)
        bom = request.GET.get("bom") != "0"
        return _download(files.written(document, kind, timezone.localtime(), bom=bom))
    if kind not in SYSTEMS[what]:
        raise Http404
    if what == "session":
        session = get_object_or_404(permissions.sessions_for(request.user), pk=pk)
        return _download(files.moodle_marks(session))
    if what == "summary":
        name, pieces = files.all_marks_for_sis(permissions.courses_for(request.user), days_of(request))
        return _as_attachment(StreamingHttpResponse(pieces, content_type=files.CSV), name)
    course = _course(request, pk)
    days = days_of(request, course)
    return _download(files.for_systems(files.course_matrix(course, days), days, kind))


@page
@require_GET
def report_file(request: HttpRequest, what: str, pk: int, kind: str) -> HttpResponseBase:
    """A session, a course or a student as a file."""
    if what not in ABOUT_ONE:
        raise Http404
    return _file(request, what, pk, kind)


@page
@require_GET
def overview_file(request: HttpRequest, what: str, kind: str) -> HttpResponseBase:
    """What is missing, or all courses, as a file: of the courses the reader sees."""
    if what not in WHAT or what in ABOUT_ONE:
        raise Http404
    return _file(request, what, 0, kind)


@page
@require_POST
def fill_canvas(request: HttpRequest, course_id: int) -> HttpResponse:
    """Takes a gradebook exported from Canvas and gives it back with one column filled. Nothing is kept."""
    course = _course(request, course_id)
    upload = request.FILES.get("gradebook")
    if upload is None or (upload.size or 0) > CANVAS_LIMIT:
        raise lms.CanvasFileRefused(_("Choose the CSV file exported from Canvas, 5 MB at most."))
    try:
        text = upload.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise lms.CanvasFileRefused from error
    matrix = files.course_matrix(course, days_of(request, course))
    filled = lms.fill_canvas(text, matrix, request.POST.get("column", ""))
    if not filled.filled:
        raise lms.CanvasFileRefused(
            _("No student of this course is in the file, so there is nothing to fill.")
        )
    response = _download(File(f"canvas {course.code} filled.csv", filled.text.encode(), files.CSV))
    response["X-Rollcall-Filled"], response["X-Rollcall-Unmatched"] = (
        str(filled.filled),
        str(filled.unmatched),
    )
    return response


@page
@require_GET
def reports(request: HttpRequest) -> HttpResponse:
    what = request.GET.get("what", "course")
    if what not in WHAT:
        raise Http404
    return render(request, "web/reports/reports.html", _context(request, what))


def _context(request: HttpRequest, what: str) -> dict[str, object]:
    courses = list(
        permissions.courses_for(request.user)
        .select_related("term")
        .order_by("-term__starts_on", "name", "pk")
    )
    session = _chosen_session(request) if what == "session" else None
    course = _chosen_course(request, courses, session)
    context: dict[str, object] = {
        "what": what, "whats": WHAT.items(), "courses": courses, "course": course, "session": session,
        "needs_course": what in ABOUT_ONE,
        "needs_days": what != "session",
    }  # fmt: skip
    pk = 0
    if what in ABOUT_ONE:
        if course is None:
            return context
        pk = course.pk
    if what == "session" and course is not None:
        sessions = list(
            course.sessions.exclude(state=ClassSession.State.PLANNED).order_by("-starts_at")[:400]
        )
        session = session or next(iter(sessions), None)
        context |= {"sessions": sessions, "session": session}
        pk = session.pk if session else 0
    if what == "student" and course is not None:
        students = list(Student.objects.filter(roster_entries__course=course).distinct())
        chosen = _number(request.GET.get("student", ""), 1, 2**62)
        student = next((one for one in students if one.pk == chosen), next(iter(students), None))
        context |= {"students": students, "student": student}
        pk = student.pk if student else 0
    if what in ("session", "student") and not pk:
        return context
    document, days = _document(request, what, pk)
    document = for_people(document)
    query = {} if what == "session" else {"from": days.first.isoformat(), "to": days.last.isoformat()}
    if what == "course":
        query |= {key: request.GET[key] for key in ("run", "rate") if key in request.GET}
    return context | {"days": days, "query": urlencode(query), **_offer(document, what, pk, urlencode(query))}


def _offer(document: Document, what: str, pk: int, query: str) -> dict[str, object]:
    """The preview and the addresses of the files."""

    def address(kind: str) -> str:
        path = (
            reverse("web:report-file", args=[what, pk, kind])
            if pk
            else reverse("web:overview-file", args=[what, kind])
        )
        return f"{path}?{query}" if query else path

    return {
        "document": document,
        "rows": [_cells(document, row) for row in document.rows[:PREVIEW_ROWS]],
        "totals": _cells(document, document.totals) if document.totals else None,
        "formats": [(kind, name, icon, address(kind)) for kind, (name, icon) in FORMATS.items()],
        "systems": [(kind, name, about, address(kind)) for kind, (name, about) in SYSTEMS[what].items()],
    }


def _cells(document: Document, row: Row) -> list[Cell]:
    cells = []
    for column, value in zip(document.columns, row, strict=True):
        marks = column.kind in (Kind.STATUS, Kind.LETTER) and isinstance(value, str)
        number = column.kind in (Kind.NUMBER, Kind.PERCENT, Kind.LETTER)
        cells.append(Cell(text_of(value, column), str(value) if marks else "", number))
    return cells


def _chosen_session(request: HttpRequest) -> ClassSession | None:
    """The session of the address. Somebody else's is a 404; one of another course than chosen is let go."""
    pk = _number(request.GET.get("session", ""), 1, 2**62)
    if pk is None:
        return None
    session = get_object_or_404(permissions.sessions_for(request.user), pk=pk)
    course = _number(request.GET.get("course", ""), 1, 2**62)
    return session if course in (None, session.course_id) else None


def _chosen_course(
    request: HttpRequest, courses: list[Course], session: ClassSession | None
) -> Course | None:
    pk = session.course_id if session else _number(request.GET.get("course", ""), 1, 2**62)
    if pk is None:
        student = _number(request.GET.get("student", ""), 1, 2**62)
        theirs = (
            set(Course.objects.filter(roster_entries__student=student).values_list("pk", flat=True))
            if student
            else set()
        )
        return next((one for one in courses if one.pk in theirs), next(iter(courses), None))
    course = next((one for one in courses if one.pk == pk), None)
    if course is None:
        raise Http404
    return course
