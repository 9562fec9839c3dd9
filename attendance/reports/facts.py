"""Reads facts for the tables from the database: a fixed number of queries, however many rows."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from attendance import schooltime
from attendance.models import ClassSession, Course, Mark, Student
from attendance.reports.matrix import CellFact, CourseFacts, Missing, SessionFact, StudentFact, missing_rolls
from attendance.reports.tables import TALLIED, Tally, tally_of


@dataclass(frozen=True, slots=True)
class Days:
    """From one day at the school to another, both included."""

    first: dt.date
    last: dt.date

    @property
    def bounds(self) -> tuple[dt.datetime, dt.datetime]:
        return schooltime.day_bounds(self.first)[0], schooltime.day_bounds(self.last)[1]


def _within(sessions: QuerySet[ClassSession], days: Days) -> QuerySet[ClassSession]:
    start, end = days.bounds
    return sessions.filter(starts_at__gte=start, starts_at__lt=end)


def session_fact(session: ClassSession, zone: dt.tzinfo) -> SessionFact:
    return SessionFact(
        session.pk,
        session.starts_at.astimezone(zone),
        session.ends_at.astimezone(zone),
        session.state,
        session.room.name if session.room else "",
    )


def course_facts(course: Course, days: Days) -> CourseFacts:
    """Everything a course report says, in three queries. ``course`` comes with its term."""
    zone = schooltime.school_zone()
    sessions = [session_fact(one, zone) for one in _within(course.sessions.select_related("room"), days)]
    start, end = days.bounds
    marks = Mark.objects.filter(
        session__course=course,
        session__state=ClassSession.State.CLOSED,
        session__starts_at__gte=start,
        session__starts_at__lt=end,
    ).order_by()
    rows = marks.values_list(
        "session_id", "student_id", "status", "to_check", "minutes_late", "minutes_early", "source", "first_seen_at",
    )  # fmt: skip
    # Ids and words come anew with each row; kept once, a large matrix takes half the memory.
    ids: dict[int, int] = {}
    words: dict[str, str] = {}
    cells = [
        CellFact(
            ids.setdefault(lesson, lesson), ids.setdefault(who, who), words.setdefault(status, status), check,
            late, early, words.setdefault(source, source), seen,
        )
        for lesson, who, status, check, late, early, source, seen in rows.iterator(5000)
    ]  # fmt: skip
    on_roster = Q(roster_entries__course=course, roster_entries__left_on__isnull=True)
    students = [
        StudentFact(one.pk, one.number, one.sort_name, one.email)
        for one in Student.objects.filter(on_roster | Q(pk__in=marks.values("student_id"))).distinct()
    ]
    return CourseFacts(course.pk, course.code, course.name, course.term.name, students, sessions, cells)


@dataclass(frozen=True, slots=True)
class Lesson:
    """One lesson of one student, in any course."""

    course_code: str
    course_name: str
    session: SessionFact
    cell: CellFact
    note: str


def student_lessons(student: Student, courses: QuerySet[Course], days: Days) -> list[Lesson]:
    """The student's marks in closed sessions of these courses, oldest first; one query."""
    zone = schooltime.school_zone()
    start, end = days.bounds
    marks = (
        Mark.objects.filter(
            student=student,
            session__course__in=courses,
            session__state=ClassSession.State.CLOSED,
            session__starts_at__gte=start,
            session__starts_at__lt=end,
        )
        .select_related("session__course", "session__room")
        .order_by("session__starts_at", "session_id")
    )
    return [
        Lesson(
            mark.session.course.code,
            mark.session.course.name,
            session_fact(mark.session, zone),
            CellFact(
                mark.session_id, mark.student_id, mark.status, mark.to_check, mark.minutes_late, mark.minutes_early,
                mark.source, mark.first_seen_at,
            ),
            mark.note,
        )
        for mark in marks
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class CourseSummary:
    """One line of the summary of all courses."""

    code: str
    name: str
    term: str
    students: int
    taken: int
    missing: int
    tally: Tally


def _counted(courses: QuerySet[Course], days: Days, by: str) -> dict[int, Tally]:
    start, end = days.bounds
    numbers: dict[int, dict[str, int]] = defaultdict(lambda: dict.fromkeys(TALLIED, 0))
    rows = (
        Mark.objects.filter(
            session__course__in=courses,
            session__state=ClassSession.State.CLOSED,
            session__starts_at__gte=start,
            session__starts_at__lt=end,
        )
        .order_by()
        .values_list(by, "status", "to_check")
        .annotate(number=Count("pk"))
    )
    for key, status, to_check, number in rows:
        numbers[key]["to_check" if to_check else status] += number
    return {key: tally_of(found) for key, found in numbers.items()}


def missing_in(courses: QuerySet[Course], days: Days) -> list[tuple[Course, Missing]]:
    """Lessons of these courses without a usable roll, oldest first; three queries."""
    zone = schooltime.school_zone()
    unseen = [
        session_id
        for session_id, tally in _counted(courses, days, "session_id").items()
        if tally.total == tally.not_evaluated + tally.to_check
    ]
    sessions = _within(ClassSession.objects.filter(course__in=courses), days).filter(
        Q(pk__in=unseen) | ~Q(state=ClassSession.State.CLOSED)
    )
    by_id = {one.pk: one for one in sessions.select_related("course__term", "room")}
    facts = [session_fact(one, zone) for one in by_id.values()]
    return [(by_id[one.session.id].course, one) for one in missing_rolls(facts, unseen, timezone.now())]


def course_summaries(courses: QuerySet[Course], days: Days) -> list[CourseSummary]:
    """Every course in one line; the database counts, so that memory stays flat."""
    tallies = _counted(courses, days, "session__course_id")
    start, end = days.bounds
    closed = Q(sessions__state=ClassSession.State.CLOSED)
    rows = list(
        courses.select_related("term")
        .annotate(
            enrolled=Count("roster_entries", filter=Q(roster_entries__left_on__isnull=True), distinct=True),
            taken=Count(
                "sessions",
                filter=closed & Q(sessions__starts_at__gte=start, sessions__starts_at__lt=end),
                distinct=True,
            ),
        )
        .order_by("name", "code", "pk")
    )
    missing: dict[int, int] = defaultdict(int)
    for course, _missing in missing_in(courses, days):
        missing[course.pk] += 1
    return [
        CourseSummary(
            one.code,
            one.name,
            one.term.name,
            one.enrolled,
            one.taken,
            missing[one.pk],
            tallies.get(one.pk, Tally()),
        )
        for one in rows
    ]


def every_mark(
    courses: QuerySet[Course], days: Days
) -> Iterator[tuple[str, str, dt.datetime, dt.datetime, CellFact]]:
    """(student number, course code, start, end, mark) of closed sessions, one by one: memory stays flat."""
    zone = schooltime.school_zone()
    start, end = days.bounds
    rows = (
        Mark.objects.filter(
            session__course__in=courses,
            session__state=ClassSession.State.CLOSED,
            session__starts_at__gte=start,
            session__starts_at__lt=end,
        )
        .order_by("session_id", "pk")
        .values_list(
            "student__number", "session__course__code", "session__starts_at", "session__ends_at",
            "session_id", "student_id", "status", "to_check", "minutes_late", "minutes_early",
        )
    )  # fmt: skip
    for number, code, starts, ends, session, student, status, check, late, early in rows.iterator(2000):
        cell = CellFact(session, student, status, check, late, early)
        yield number, code, starts.astimezone(zone), ends.astimezone(zone), cell
