"""One report in one format, as a file to keep. What the reports page, exports and tests all go through."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from django.db.models import QuerySet

from attendance import logos, schooltime
from attendance.models import ClassSession, Course, Excuse, SignInArrival, Student
from attendance.reports import absences, documents, facts, lms, matrix
from attendance.reports.csv import document_csv, stream_csv
from attendance.reports.document import Document
from attendance.reports.facts import Days
from attendance.reports.json import document_json
from attendance.reports.matrix import CellFact, CourseFacts, Matrix, Rule, StudentFact
from attendance.reports.pdf import document_pdf
from attendance.reports.rolls import roll_of
from attendance.reports.xlsx import document_xlsx

CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TYPES = {"csv": CSV, "xlsx": XLSX, "pdf": "application/pdf", "json": "application/json"}
"""Content types by format; files for other systems are CSV."""
TABLES = ("csv", "xlsx", "pdf", "json")
"""Formats every report has."""


@dataclass(frozen=True, slots=True)
class File:
    name: str
    content: bytes
    content_type: str


def written(document: Document, kind: str, made_at: dt.datetime, *, bom: bool = True) -> File:
    """The document in one of ``TABLES``. Raises ``KeyError`` for another."""
    writers: Mapping[str, tuple[str, Callable[[], bytes]]] = {
        "csv": (CSV, lambda: document_csv(document, bom=bom).encode()),
        "xlsx": (XLSX, lambda: document_xlsx(document)),
        "pdf": (
            "application/pdf",
            lambda: document_pdf(
                document, school=schooltime.get_school().name, made_at=made_at, logo=logos.png()
            ),
        ),
        "json": ("application/json", lambda: document_json(document).encode()),
    }
    content_type, write = writers[kind]
    return File(f"{document.name}.{kind}", write(), content_type)


def course_matrix(course: Course, days: Days, rule: Rule | None = None) -> Matrix:
    """By the course's own rule, unless another one is asked for."""
    return matrix.build(facts.course_facts(course, days), rule or facts.course_rule(course))


def session_matrix(session: ClassSession) -> Matrix:
    """One session as it stands now, open or closed; who signed in by code came when they did so."""
    fact = replace(facts.session_fact(session, schooltime.school_zone()), state=ClassSession.State.CLOSED)
    came = dict(SignInArrival.objects.filter(session=session).values_list("student_id", "at"))
    marks = list(session.marks.select_related("student"))
    students = [
        StudentFact(one.student_id, one.student.number, one.student.sort_name, one.student.email)
        for one in marks
    ]
    cells = [
        CellFact(
            session.pk, one.student_id, one.status, one.to_check, one.minutes_late, one.minutes_early, one.source,
            one.first_seen_at or came.get(one.student_id),
        )
        for one in marks
    ]  # fmt: skip
    course = session.course
    found = CourseFacts(course.pk, course.code, course.name, "", students, [fact], cells)
    return matrix.build(found, facts.course_rule(course))


def session_document(session: ClassSession) -> Document:
    fact = facts.session_fact(session, schooltime.school_zone())
    return documents.roll(fact, session.course, roll_of(session))


def student_document(student: Student, courses: QuerySet[Course], days: Days) -> Document:
    """The student's lessons in those of ``courses`` they are in."""
    lessons = facts.student_lessons(student, courses, days)
    return documents.student(student.full_name, student.number, lessons, days)


def summary_document(courses: QuerySet[Course], days: Days) -> Document:
    return documents.summary(facts.course_summaries(courses, days), days)


def missing_document(courses: QuerySet[Course], days: Days) -> Document:
    return documents.missing(facts.missing_in(courses, days), days)


def absences_document(courses: QuerySet[Course], days: Days) -> Document:
    return absences.absences_document(absences.absences_in_courses(courses, days), days)


def away_document(excuses: QuerySet[Excuse], days: Days) -> Document:
    """Excuses that hold or wait, of days that touch these; ``excuses`` are those the reader may see."""
    found = excuses.filter(
        state__in=[Excuse.State.APPROVED, Excuse.State.ASKED],
        first_day__lte=days.last,
        last_day__gte=days.first,
    )
    listed = found.select_related("student", "course").order_by("first_day", "student__family_name", "pk")
    return absences.away_document(list(listed), days)


def moodle_marks(session: ClassSession) -> File:
    day = schooltime.school_day(session.starts_at)
    return File(
        f"moodle marks {session.course.code} {day}.csv", lms.moodle_marks(roll_of(session)).encode(), CSV
    )


def for_systems(found: Matrix, days: Days, kind: str) -> File:
    """A course for another system: ``moodle-grades``, ``canvas`` or ``sis``. Raises ``KeyError`` for another."""
    writers: Mapping[str, Callable[[], str]] = {
        "moodle-grades": lambda: lms.moodle_grades(found),
        "canvas": lambda: lms.canvas_gradebook(found),
        "sis": lambda: document_csv(documents.marks_for_sis(found, days), bom=False),
    }
    return File(f"{kind} {found.course.code} {days.first} {days.last}.csv", writers[kind]().encode(), CSV)


def all_marks_for_sis(courses: QuerySet[Course], days: Days) -> tuple[str, Iterator[str]]:
    """(file name, text piece by piece) of one line a mark in all these courses, however many there are."""
    rows = (documents.sis_row(*mark) for mark in facts.every_mark(courses, days))
    return f"sis {days.first} {days.last}.csv", stream_csv(documents.SIS_KEYS, rows)
