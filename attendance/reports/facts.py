"""Reads facts for the tables from the database: a fixed number of queries, however many rows."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from attendance import excuses, holidays, rules, schooltime, tallies
from attendance.counts import number_of
from attendance.models import ClassSession, Course, Excuse, Mark, RosterEntry, Student
from attendance.reports.document import word
from attendance.reports.matrix import (
    CellFact,
    CourseFacts,
    Missing,
    Rule,
    SessionFact,
    StudentFact,
    missing_rolls,
)
from attendance.reports.tables import FULL, Credit, Tally, tally_of
from attendance.rules import RuleSet


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
        session.is_cancelled,
        session.cancel_reason,
    )


def course_rule(course: Course) -> Rule:
    """The course's rule, or the school's: what every number of this course goes by."""
    return rule_of(rules.rules_for(course))


def rule_of(found: RuleSet) -> Rule:
    return Rule(
        found.in_a_row,
        found.least_percent / 100,
        found.from_lessons,
        found.window_absences,
        found.window_lessons,
        credit_of(found),
    )


def credit_of(found: RuleSet) -> Credit:
    return Credit(found.late_counts, found.early_counts)


def course_facts(course: Course, days: Days) -> CourseFacts:
    """Everything a course report says, in three queries; cancelled sessions bring no marks.

    ``course`` comes with its term.
    """
    sessions, students = course_sessions(course, days), course_students(course, days)
    cells = course_cells(course, days)
    return CourseFacts(course.pk, course.code, course.name, course.term.name, students, sessions, cells)


def course_sessions(course: Course, days: Days) -> list[SessionFact]:
    zone = schooltime.school_zone()
    return [session_fact(one, zone) for one in _within(course.sessions.select_related("room"), days)]


def _course_marks(course: Course, days: Days) -> QuerySet[Mark]:
    start, end = days.bounds
    return Mark.objects.filter(
        session__course=course,
        session__state=ClassSession.State.CLOSED,
        session__cancelled_at__isnull=True,
        session__starts_at__gte=start,
        session__starts_at__lt=end,
    ).order_by()


def course_students(course: Course, days: Days) -> list[StudentFact]:
    """Who is on the roster, and everybody with a mark in these days."""
    on_roster = Q(roster_entries__course=course, roster_entries__left_on__isnull=True)
    marked = Q(pk__in=_course_marks(course, days).values("student_id"))
    found = Student.objects.filter(on_roster | marked).distinct()
    return [StudentFact(one.pk, one.number, one.sort_name, one.email) for one in found.iterator(1000)]


def course_cells(course: Course, days: Days, students: Sequence[StudentFact] | None = None) -> list[CellFact]:
    """The marks of the course, or of some of its students only."""
    marks = _course_marks(course, days)
    if students is not None:
        marks = marks.filter(student_id__in=[one.id for one in students])
    rows = marks.values_list(
        "session_id", "student_id", "status", "to_check", "minutes_late", "minutes_early", "source", "first_seen_at",
    )  # fmt: skip
    # Ids and words come anew with each row; kept once, a large matrix takes half the memory.
    ids: dict[int, int] = {}
    words: dict[str, str] = {}
    return [
        CellFact(
            ids.setdefault(lesson, lesson), ids.setdefault(who, who), words.setdefault(status, status), check,
            late, early, words.setdefault(source, source), seen,
        )
        for lesson, who, status, check, late, early, source, seen in rows.iterator(5000)
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lesson:
    """One lesson of one student, in any course."""

    course_code: str
    course_name: str
    session: SessionFact
    cell: CellFact
    note: str
    credit: Credit = FULL

    @property
    def counts_as(self) -> str:
        """Effective status; blank in a cancelled session, which counts nowhere."""
        return "" if self.session.cancelled else self.cell.effective


def student_lessons(student: Student, courses: QuerySet[Course], days: Days) -> list[Lesson]:
    """The student's marks in closed sessions of these courses, and the cancelled sessions, oldest first.

    A fixed number of queries. An excuse's reason stands in the note.
    """
    zone = schooltime.school_zone()
    start, end = days.bounds
    marks = (
        Mark.objects.filter(
            student=student,
            session__course__in=courses,
            session__state=ClassSession.State.CLOSED,
            session__cancelled_at__isnull=True,
            session__starts_at__gte=start,
            session__starts_at__lt=end,
        )
        .select_related("session__course", "session__room")
        .order_by("session__starts_at", "session_id")
    )
    why = excuses.covering_student(student.pk, [mark.session for mark in marks])
    credits = {
        pk: credit_of(found) for pk, found in rules.rules_of({one.session.course_id for one in marks}).items()
    }
    lessons = [
        Lesson(
            mark.session.course.code,
            mark.session.course.name,
            session_fact(mark.session, zone),
            CellFact(
                mark.session_id, mark.student_id, mark.status, mark.to_check, mark.minutes_late, mark.minutes_early,
                mark.source, mark.first_seen_at,
            ),
            noted(mark, why.get(mark.session_id)),
            credits[mark.session.course_id],
        )
        for mark in marks
    ]  # fmt: skip
    lessons += _cancelled_lessons(student, courses, days)
    return sorted(lessons, key=lambda one: (one.session.starts_at, one.session.id))


def noted(mark: Mark, excuse: Excuse | None) -> str:
    """The note of a mark; why the student is excused, whether or not they came; and what a person corrected."""
    corrected = mark.source == Mark.Source.MANUAL and mark.machine_status not in (
        mark.status,
        Mark.Status.NOT_EVALUATED,
    )
    said = _("corrected; the camera said: %(status)s") % {"status": word(mark.machine_status)}
    parts = [excuses.in_words(excuse) if excuse else "", said if corrected else "", mark.note]
    return " · ".join(filter(None, parts))


def _cancelled_lessons(student: Student, courses: QuerySet[Course], days: Days) -> list[Lesson]:
    """Sessions that did not take place while the student was on the roster; one query."""
    zone = schooltime.school_zone()
    sessions = _within(ClassSession.objects.filter(course__in=courses, cancelled_at__isnull=False), days)
    entries = list(RosterEntry.objects.filter(student=student, course__in=courses))
    lessons = []
    for one in sessions.select_related("course", "room"):
        fact = session_fact(one, zone)
        day = fact.starts_at.date()
        if any(
            entry.course_id == one.course_id
            and entry.enrolled_on <= day
            and (entry.left_on is None or day < entry.left_on)
            for entry in entries
        ):
            cell = CellFact(one.pk, student.pk, Mark.Status.NOT_EVALUATED)
            lessons.append(Lesson(one.course.code, one.course.name, fact, cell, one.cancel_reason))
    return lessons


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


def lessons_that_count(courses: QuerySet[Course], days: Days) -> QuerySet[ClassSession]:
    """Closed sessions of these courses in these days, without the cancelled ones."""
    return tallies.counting(_within(ClassSession.objects.filter(course__in=courses), days))


def missing_in(courses: QuerySet[Course], days: Days) -> list[tuple[Course, Missing]]:
    """Lessons of these courses without a usable roll, oldest first; a fixed number of queries.

    Planned lessons in a holiday miss nothing, and cancelled ones neither.
    """
    zone = schooltime.school_zone()
    unseen = tallies.unseen(lessons_that_count(courses, days))
    sessions = _within(
        ClassSession.objects.filter(course__in=courses, cancelled_at__isnull=True), days
    ).filter(Q(pk__in=unseen) | ~Q(state=ClassSession.State.CLOSED))
    off = holidays.between(days.first, days.last)
    by_id = {
        one.pk: one
        for one in sessions.select_related("course__term", "room")
        if one.state != ClassSession.State.PLANNED or not holidays.falls_on(one.starts_at, off, zone)
    }
    facts = [session_fact(one, zone) for one in by_id.values()]
    return [(by_id[one.session.id].course, one) for one in missing_rolls(facts, unseen, timezone.now())]


def course_summaries(courses: QuerySet[Course], days: Days) -> list[CourseSummary]:
    """Every course in one line; the database counts, so that memory stays flat."""
    lessons = lessons_that_count(courses, days)
    credits = {
        pk: credit_of(found)
        for pk, found in rules.rules_of(courses.order_by().values_list("pk", flat=True)).items()
    }
    numbers = {pk: tally_of(found, credits[pk]) for pk, found in tallies.by_course(lessons).items()}
    rows = (
        courses.select_related("term")
        .annotate(
            enrolled=number_of(RosterEntry.objects.filter(left_on__isnull=True), "course"),
            taken=number_of(tallies.counting(_within(ClassSession.objects.all(), days)), "course"),
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
            numbers.get(one.pk, Tally()),
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
            session__cancelled_at__isnull=True,
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
