"""A report somebody asks for, by plain values: what it may show, how large it is, and its way into a file."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from attendance import errors, logos, permissions, schooltime
from attendance.models import ClassSession, Course, Mark, RosterEntry
from attendance.permissions import Viewer
from attendance.reports import facts, files
from attendance.reports.chunks import CourseInChunks, Progress, course_document, marks_document, quiet
from attendance.reports.csv import csv_pieces
from attendance.reports.document import Document
from attendance.reports.facts import Days
from attendance.reports.json import json_pieces
from attendance.reports.matrix import Rule
from attendance.reports.pdf import document_pdf
from attendance.reports.xlsx import write_xlsx

LARGE = 40_000
"""Marks (students times sessions) from which a report is made by a worker: about a second of work."""
LARGE_PDF = 8_000
"""The same for a PDF, which takes five times as long."""
PDF_MOST = 40_000
"""Marks a PDF may hold: it is laid out in memory, and 300 pages are for nobody."""
KINDS: dict[str, tuple[str, ...]] = {
    "course": (*files.TABLES, "moodle-grades", "canvas", "sis"),
    "session": (*files.TABLES, "moodle"),
    "student": files.TABLES,
    "missing": files.TABLES,
    "absences": files.TABLES,
    "away": files.TABLES,
    "summary": (*files.TABLES, "sis"),
}
"""Formats of each report."""
ABOUT_ONE = ("course", "session", "student")
AHEAD = dt.timedelta(days=30)
"""How far a report about who is away looks ahead."""


class PdfTooLarge(errors.RollcallError):
    code = "pdf_too_large"
    status = 422
    message = _(
        "This report is too large for a PDF: %(marks)d marks, and %(most)d fit. Take Excel or CSV, or fewer days."
    )


class UnknownReport(errors.RollcallError):
    code = "unknown_report"
    status = 422
    message = _("There is no such report in this format.")


@dataclass(frozen=True, slots=True)
class Order:
    """One report: ``what`` about ``subject_id`` (0 where it is about all courses) in these days as ``kind``."""

    what: str
    subject_id: int
    kind: str
    days: Days
    run: int | None = None
    rate: int | None = None
    """Absences in a row and per cent where the reader asked for another rule than the course's."""
    bom: bool = True

    def check(self) -> None:
        """Raises UnknownReport."""
        if self.kind not in KINDS.get(self.what, ()) or (self.what in ABOUT_ONE) != bool(self.subject_id):
            raise UnknownReport

    def rule_for(self, course: Course) -> Rule:
        rule = facts.course_rule(course)
        least = rule.least_rate if self.rate is None else self.rate / 100
        return replace(rule, in_a_row=rule.in_a_row if self.run is None else self.run, least_rate=least)


def courses_of(viewer: Viewer, order: Order) -> QuerySet[Course]:
    """What the order tells about and its reader may see, with terms.

    Raises ObjectDoesNotExist where the order's subject is not the reader's to see.
    """
    mine = permissions.courses_for(viewer).select_related("term")
    pk = order.subject_id
    if order.what == "course":
        return mine.filter(pk=mine.get(pk=pk).pk)
    if order.what == "session":
        return mine.filter(pk=permissions.sessions_for(viewer).get(pk=pk).course_id)
    if order.what == "student":
        permissions.students_for(viewer).get(pk=pk)
        return mine.filter(pk__in=_courses_with(pk))
    return mine


def course_of(viewer: Viewer, order: Order) -> Course:
    """The course of a report about one, with its term. Raises ObjectDoesNotExist as ``courses_of``."""
    return permissions.courses_for(viewer).select_related("term").get(pk=order.subject_id)


def _courses_with(student_id: int) -> list[int]:
    """Courses a student is or was in: on their rosters, or with a mark. Found from the student's own rows."""
    on_rosters = RosterEntry.objects.filter(student=student_id).order_by().values_list("course_id", flat=True)
    marked = (
        ClassSession.objects.filter(marks__student=student_id).order_by().values_list("course_id", flat=True)
    )
    return list(on_rosters.union(marked))


def marks_in(viewer: Viewer, order: Order) -> int:
    """How large it is, in marks; no more than it takes to know that it is large is counted."""
    if order.what == "course":
        course = course_of(viewer, order)
        start, end = order.days.bounds
        sessions = course.sessions.filter(starts_at__gte=start, starts_at__lt=end).count()
        return course.roster_entries.count() * sessions
    if order.what == "summary" and order.kind == "sis":
        start, end = order.days.bounds
        marks = Mark.objects.filter(
            session__course__in=courses_of(viewer, order),
            session__starts_at__gte=start,
            session__starts_at__lt=end,
        )
        return marks.order_by()[: LARGE + 1].count()
    return 0


def is_large(viewer: Viewer, order: Order) -> bool:
    """Whether a worker makes it. Raises PdfTooLarge where nobody does, UnknownReport, ObjectDoesNotExist."""
    order.check()
    marks = marks_in(viewer, order)
    if order.kind == "pdf" and marks > PDF_MOST:
        raise PdfTooLarge(str(PdfTooLarge.message) % {"marks": marks, "most": PDF_MOST})
    return marks > (LARGE_PDF if order.kind == "pdf" else LARGE)


def document(viewer: Viewer, order: Order, progress: Progress = quiet) -> Document:
    """The report, if it is the reader's to see; a course's rows are read while they are gone through.

    Raises ObjectDoesNotExist for somebody else's.
    """
    pk, days = order.subject_id, order.days
    if order.what == "course":
        return course_document(_chunks(order, course_of(viewer, order), progress))
    allowed = courses_of(viewer, order)
    if order.what == "session":
        return files.session_document(permissions.sessions_for(viewer).get(pk=pk))
    if order.what == "student":
        return files.student_document(permissions.students_for(viewer).get(pk=pk), allowed, days)
    if order.what == "away":
        return files.away_document(permissions.excuses_for(viewer), days)
    about_all = {"missing": files.missing_document, "absences": files.absences_document}
    return about_all.get(order.what, files.summary_document)(allowed, days)


def _chunks(order: Order, course: Course, progress: Progress) -> CourseInChunks:
    return CourseInChunks.read(course, order.days, order.rule_for(course), progress)


def write(
    viewer: Viewer,
    order: Order,
    out: BinaryIO,
    folder: Path,
    made_at: dt.datetime,
    progress: Progress = quiet,
) -> str:
    """Write the file; its name. ``folder`` takes what a workbook needs on the way. Raises as ``is_large``."""
    order.check()
    if order.kind not in files.TABLES:
        return _write_for_systems(viewer, order, out, progress)
    found = document(viewer, order, progress)
    if order.kind == "xlsx":
        write_xlsx(found, out, folder)
    elif order.kind == "pdf":
        is_large(viewer, order)
        school = schooltime.get_school().name
        out.write(document_pdf(found, school=school, made_at=made_at, logo=logos.png()))
    else:
        pieces = csv_pieces(found, bom=order.bom) if order.kind == "csv" else json_pieces(found)
        out.writelines(piece.encode() for piece in pieces)
    return f"{found.name}.{order.kind}"


def _write_for_systems(viewer: Viewer, order: Order, out: BinaryIO, progress: Progress) -> str:
    days = order.days
    if order.what == "summary":
        name, pieces = files.all_marks_for_sis(courses_of(viewer, order), days)
        for number, piece in enumerate(pieces, start=1):
            out.write(piece.encode())
            progress(number, 0)
        return name
    if order.what == "session":
        file = files.moodle_marks(permissions.sessions_for(viewer).get(pk=order.subject_id))
    else:
        course = course_of(viewer, order)
        whole = _chunks(order, course, progress)
        if order.kind == "sis":
            out.writelines(piece.encode() for piece in csv_pieces(marks_document(whole), bom=False))
            return f"sis {course.code} {days.first} {days.last}.csv"
        file = files.for_systems(whole.without_cells(), days, order.kind)
    out.write(file.content)
    return file.name
