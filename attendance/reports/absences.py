"""Who has been away lessons in a row, and who is excused, also for days to come."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Exists, F, OuterRef, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils.translation import gettext as _

from attendance import schooltime
from attendance.models import ClassSession, Course, Excuse, Mark, Student
from attendance.reports import facts
from attendance.reports.document import Column, Document, Kind, Row
from attendance.reports.documents import days_text
from attendance.reports.facts import Days
from attendance.reports.matrix import StudentFact
from attendance.reports.tables import ATTENDED, absences_in_a_row, effective

LEAST_RUN = 2
"""Absences in a row from which somebody stands on the list of absences."""


@dataclass(frozen=True, slots=True)
class Absences:
    """Somebody who missed the last lessons of a course one after the other."""

    course_code: str
    course_name: str
    student: StudentFact
    in_a_row: int
    since: dt.date
    """The first of them."""


def absences_in_courses(courses: QuerySet[Course], days: Days) -> list[Absences]:
    """Whoever was absent from at least two lessons in a row up to the last, the longest first; four queries.

    Cancelled lessons are none; excused and not evaluated ones neither break a run nor add to it. Only the marks of
    those are read who may be on the list.
    """
    zone = schooltime.school_zone()
    lessons = facts.lessons_that_count(courses, days)
    candidates = _may_be_away(lessons)
    marks = (
        Mark.objects.filter(session__in=lessons)
        .filter(
            session__course__in={course for course, _student in candidates},
            student__in={student for _course, student in candidates},
        )
        .order_by("session__course_id", "student_id", "session__starts_at", "session_id")
        .values_list(
            "session__course_id", "student_id", "session__course__code", "session__course__name",
            "session__starts_at", "status", "to_check",
        )
    )  # fmt: skip
    rows = (row for row in marks.iterator(5000) if row[:2] in candidates)
    found = []
    for (_course, student_id), theirs in itertools.groupby(rows, key=lambda row: row[:2]):
        listed = list(theirs)
        run, _longest = absences_in_a_row(effective(row[5], row[6]) for row in listed)
        if run >= LEAST_RUN:
            missed = [row for row in listed if effective(row[5], row[6]) == Mark.Status.ABSENT]
            found.append((listed[0], student_id, run, schooltime.school_day(missed[-run][4], zone)))
    students = Student.objects.in_bulk({student_id for _row, student_id, _run, _since in found})
    answer = [
        Absences(
            row[2],
            row[3],
            StudentFact(
                student_id,
                students[student_id].number,
                students[student_id].sort_name,
                students[student_id].email,
            ),
            run,
            since,
        )
        for row, student_id, run, since in found
    ]
    return sorted(answer, key=lambda one: (-one.in_a_row, one.student.sort_name.casefold(), one.course_name))


def _may_be_away(lessons: QuerySet[ClassSession]) -> set[tuple[int, int]]:
    """(course, student) of those with as many absences as a run needs, who came to none of the course's last lessons.

    Whoever came to one of as many last lessons has a shorter run at the end, or none.
    """
    newest_first = Window(
        RowNumber(), partition_by=F("course_id"), order_by=[F("starts_at").desc(), F("pk").desc()]
    )
    last = lessons.order_by().annotate(place=newest_first).filter(place__lte=LEAST_RUN)
    came = Mark.objects.filter(
        session__in=list(last.values_list("pk", flat=True)),
        session__course=OuterRef("session__course"),
        student=OuterRef("student"),
        status__in=ATTENDED,
        to_check=False,
    )
    absent = Mark.objects.filter(session__in=lessons, status=Mark.Status.ABSENT, to_check=False)
    often = (
        absent.filter(~Exists(came))
        .order_by()
        .values_list("session__course_id", "student_id")
        .annotate(times=Count("session_id"))
        .filter(times__gte=LEAST_RUN)
    )
    return {(course, student) for course, student, _times in often}


def absences_document(found: Sequence[Absences], days: Days) -> Document:
    """Who missed the last lessons of a course one after the other."""
    columns = (
        Column("student_number", _("Number")),
        Column("name", _("Name")),
        Column("email", _("E-mail")),
        Column("course_code", _("Code")),
        Column("course", _("Course")),
        Column("absences_in_a_row", _("absences in a row"), Kind.NUMBER),
        Column("since", _("Since"), Kind.DATE),
    )
    rows: list[Row] = [
        (
            one.student.number, one.student.sort_name, one.student.email, one.course_code, one.course_name,
            one.in_a_row, one.since,
        )
        for one in found
    ]  # fmt: skip
    return Document(
        f"absences {days.first} {days.last}", _("Absences in a row"), ((_("Days"), days_text(days)),), columns, rows,
        notes=(_("Two or more lessons missed up to the last one. Excused and cancelled lessons are left out."),),
        frozen=2,
    )  # fmt: skip


def away_document(found: Sequence[Excuse], days: Days) -> Document:
    """Who is excused, or asks to be, in these days."""
    columns = (
        Column("student_number", _("Number")),
        Column("name", _("Name")),
        Column("first_day", _("First day"), Kind.DATE),
        Column("last_day", _("Last day"), Kind.DATE),
        Column("course", _("Course")),
        Column("reason", _("Reason")),
        Column("note", _("Note")),
        Column("state", _("State")),
    )
    rows: list[Row] = [
        (
            one.student.number, one.student.sort_name, one.first_day, one.last_day,
            one.course.name if one.course else _("all courses"), str(Excuse.Reason(one.reason).label), one.note,
            str(Excuse.State(one.state).label),
        )
        for one in found
    ]  # fmt: skip
    return Document(
        f"excused {days.first} {days.last}", _("Excused absences"), ((_("Days"), days_text(days)),), columns, rows,
        frozen=2,
    )  # fmt: skip
