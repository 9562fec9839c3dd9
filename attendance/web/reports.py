"""The reports page: choose what, when and which format; see its first lines; take the file."""

from __future__ import annotations

import io
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import content_disposition_header
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from attendance import permissions, report_jobs, scheduled_reports
from attendance.models import ClassSession, Course, SavedReport, Student
from attendance.reports import files, lms, orders
from attendance.reports.chunks import CourseInChunks
from attendance.reports.document import Document, Kind, Row, for_people, text_of
from attendance.reports.files import File
from attendance.reports.orders import Order
from attendance.web.answers import page, user_of
from attendance.web.job_screen import jobs_context, saved_rows
from attendance.web.report_params import days_of, number_in, order_of

Response = TypeVar("Response", bound=HttpResponseBase)
PREVIEW_ROWS = 12
CANVAS_LIMIT = 5 * 1024 * 1024

WHAT: dict[str, str | Promise] = {
    "course": gettext_lazy("A course: students and sessions"),
    "session": gettext_lazy("A session: the roll"),
    "student": gettext_lazy("A student: every lesson"),
    "missing": gettext_lazy("Rolls that are missing"),
    "absences": gettext_lazy("Absences in a row"),
    "away": gettext_lazy("Excused absences, also to come"),
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
    "student": {}, "missing": {}, "absences": {}, "away": {},
    "summary": {"sis": (gettext_lazy("Student information system"), gettext_lazy("one line a mark, all courses"))},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    status: str
    number: bool


def _download(file: File) -> HttpResponse:
    return as_attachment(HttpResponse(file.content, content_type=file.content_type), file.name)


def as_attachment(response: Response, name: str) -> Response:
    disposition = content_disposition_header(as_attachment=True, filename=name)
    response["Content-Disposition"] = disposition or "attachment"
    response["Cache-Control"] = "private, no-store"
    return response


def _course(request: HttpRequest, pk: int) -> Course:
    return get_object_or_404(permissions.courses_for(request.user).select_related("term"), pk=pk)


def order_from(request: HttpRequest, what: str, pk: int, kind: str) -> Order:
    """What the address asks for. A course that is not the reader's is a 404."""
    return order_of(request.GET.dict(), what, pk, kind, _course(request, pk) if what == "course" else None)


def _file(request: HttpRequest, what: str, pk: int, kind: str) -> HttpResponseBase:
    """The file; a large one is made by a worker, and the page says where it will be."""
    order = order_from(request, what, pk, kind)
    if kind not in orders.KINDS[what]:
        raise Http404
    try:
        if orders.is_large(request.user, order):
            report_jobs.ask(user_of(request), order, get_language() or "")
            messages.success(
                request, _("This is a large report. It is being made and will stand on this page.")
            )
            return redirect(f"{reverse('web:reports')}?{_query_of(what, pk, order)}#jobs")
        return _written(request, order)
    except ObjectDoesNotExist:
        raise Http404 from None


def _written(request: HttpRequest, order: Order) -> HttpResponse:
    with tempfile.TemporaryDirectory(prefix="rollcall-report-") as folder, io.BytesIO() as out:
        name = orders.write(request.user, order, out, Path(folder), timezone.localtime())
        return _download(File(name, out.getvalue(), files.TYPES.get(order.kind, files.CSV)))


def _query_of(what: str, pk: int, order: Order) -> str:
    about = {what: pk} if what in ABOUT_ONE else {}
    days = {"from": order.days.first.isoformat(), "to": order.days.last.isoformat()}
    return urlencode({"what": what, **about, **days})


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
    whole = CourseInChunks.read(course, days_of(request.GET.dict(), course))
    matrix = whole.without_cells()
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
    mine = permissions.courses_for(request.user).select_related("term")
    # Reports about all courses have none to choose.
    courses = list(mine.order_by("-term__starts_on", "name", "pk")) if what in ABOUT_ONE else []
    session = _chosen_session(request) if what == "session" else None
    course = _chosen_course(request, courses, session) if what in ABOUT_ONE else None
    context: dict[str, object] = {
        **jobs_context(request), "saved": saved_rows(request),
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
        chosen = number_in(request.GET.get("student", ""), 1, 2**62)
        student = next((one for one in students if one.pk == chosen), next(iter(students), None))
        context |= {"students": students, "student": student}
        pk = student.pk if student else 0
    if what in ("session", "student") and not pk:
        return context
    order = order_from(request, what, pk, "csv")
    try:
        large = orders.is_large(request.user, order)
        document = orders.document(request.user, order)
    except ObjectDoesNotExist:
        raise Http404 from None
    days = order.days
    query = {} if what == "session" else {"from": days.first.isoformat(), "to": days.last.isoformat()}
    if what == "course":
        query |= {key: request.GET[key] for key in ("run", "rate") if key in request.GET}
    return context | {
        "pk": pk, "days": days, "large": large, "query": urlencode(query),
        "spans": SavedReport.Span.choices if what in scheduled_reports.WHAT else (),
        **_offer(document, what, pk, urlencode(query), large),
    }  # fmt: skip


def _offer(document: Document, what: str, pk: int, query: str, large: bool) -> dict[str, object]:
    """The preview and the addresses of the files. Of a large report only the first lines are read."""
    lines = len(document.rows)
    document = for_people(
        replace(document, rows=document.rows[:PREVIEW_ROWS], closing=None) if large else document
    )

    def address(kind: str) -> str:
        path = (
            reverse("web:report-file", args=[what, pk, kind])
            if pk
            else reverse("web:overview-file", args=[what, kind])
        )
        return f"{path}?{query}" if query else path

    return {
        "document": document,
        "lines": lines,
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
    pk = number_in(request.GET.get("session", ""), 1, 2**62)
    if pk is None:
        return None
    session = get_object_or_404(permissions.sessions_for(request.user), pk=pk)
    course = number_in(request.GET.get("course", ""), 1, 2**62)
    return session if course in (None, session.course_id) else None


def _chosen_course(
    request: HttpRequest, courses: list[Course], session: ClassSession | None
) -> Course | None:
    pk = session.course_id if session else number_in(request.GET.get("course", ""), 1, 2**62)
    if pk is None:
        student = number_in(request.GET.get("student", ""), 1, 2**62)
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
