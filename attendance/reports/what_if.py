"""What another rule would change: who would newly be at risk, who no longer. Asked before it is stored."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import QuerySet

from attendance import rules, schooltime
from attendance.models import ClassSession, Course, Mark
from attendance.reports import facts
from attendance.reports.matrix import standing
from attendance.reports.tables import effective


@dataclass(frozen=True, slots=True)
class Effect:
    """Students of courses of running terms, by course and student: one in two courses counts twice."""

    students: int
    newly: int
    no_longer: int
    at_risk: int
    """With the new rule."""


def effect(course: Course | None, values: rules.Values) -> Effect:
    """The effect of ``values`` on one course, or on the school (None); four queries, flat memory.

    Raises RulesRefused.
    """
    would = rules.with_values(course, values)
    today = schooltime.today()
    courses = (
        Course.objects.filter(pk=course.pk)
        if course
        else Course.objects.filter(term__starts_on__lte=today, term__ends_on__gte=today)
    )
    before = {
        pk: facts.rule_of(found) for pk, found in rules.rules_of(courses.values_list("pk", flat=True)).items()
    }
    after = (
        {pk: facts.rule_of(would) for pk in before}
        if course
        else {pk: facts.rule_of(found) for pk, found in rules.rules_of(before, would).items()}
    )
    numbers = [
        (standing(statuses, before[pk]).at_risk, standing(statuses, after[pk]).at_risk)
        for pk, statuses in _rows(courses)
    ]
    return Effect(
        len(numbers),
        sum(now and not was for was, now in numbers),
        sum(was and not now for was, now in numbers),
        sum(now for _was, now in numbers),
    )


def _rows(courses: QuerySet[Course]) -> Iterator[tuple[int, list[str]]]:
    """(course, effective statuses in the order of time) of each student with a mark."""
    marks = (
        Mark.objects.filter(
            session__course__in=courses,
            session__state=ClassSession.State.CLOSED,
            session__cancelled_at__isnull=True,
        )
        .order_by("session__course_id", "student_id", "session__starts_at", "session_id")
        .values_list("session__course_id", "student_id", "status", "to_check")
    )
    for (course_id, _student), rows in itertools.groupby(marks.iterator(5000), key=lambda row: row[:2]):
        yield course_id, [effective(status, check) for _course, _who, status, check in rows]
