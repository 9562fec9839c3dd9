"""The rules of the school and of its courses: what a roll needs, what counts, who is at risk.

What a course leaves empty is the school's; what the school leaves empty is the default here. Sessions take
their minutes and photos from the rules when they are planned and keep them once a roll has begun.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from attendance import errors, schooltime
from attendance.models import AttendanceRules, ClassSession, Course

Values = Mapping[str, int | bool | None]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules with every blank filled in."""

    late_after_minutes: int = 10
    early_before_minutes: int = 10
    min_sightings: int = 2
    min_usable_photos: int = 3
    late_counts: int = 100
    """Per cent of a lesson a late arrival counts as attended."""
    early_counts: int = 100
    least_percent: int = 80
    from_lessons: int = 3
    in_a_row: int = 3
    window_absences: int = 0
    window_lessons: int = 10
    by_clock: bool = True

    def session_policy(self) -> dict[str, int]:
        """What a new session starts with."""
        return {name: getattr(self, name) for name in POLICY}


class RulesRefused(errors.RollcallError):
    code = "rules_refused"
    status = 422
    message = _("These rules cannot hold together.")


NAMES = tuple(field.name for field in fields(RuleSet))
POLICY = ("late_after_minutes", "early_before_minutes", "min_sightings", "min_usable_photos")
LIMITS: Mapping[str, tuple[int, int]] = {
    "late_after_minutes": (0, 240),
    "early_before_minutes": (0, 240),
    "min_sightings": (1, 50),
    "min_usable_photos": (0, 100),
    "late_counts": (0, 100),
    "early_counts": (0, 100),
    "least_percent": (0, 100),
    "from_lessons": (1, 100),
    "in_a_row": (0, 99),
    "window_absences": (0, 99),
    "window_lessons": (1, 99),
}
"""Smallest and largest value of each rule that is a number."""


def _filled(base: RuleSet, row: AttendanceRules | Values | None) -> RuleSet:
    if row is None:
        return base
    said = row if isinstance(row, Mapping) else {name: getattr(row, name) for name in NAMES}
    known: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
    return replace(base, **known)


def school_rules() -> RuleSet:
    return _filled(RuleSet(), AttendanceRules.objects.filter(school__isnull=False).first())


def rules_for(course: Course) -> RuleSet:
    """The rules of one course; one query."""
    return rules_of([course.pk])[course.pk]


def rules_of(course_ids: Iterable[int], of_school: RuleSet | None = None) -> dict[int, RuleSet]:
    """The rules of several courses; one query. ``of_school``: as if these were the school's."""
    wanted = list(course_ids)
    rows = list(AttendanceRules.objects.filter(Q(school__isnull=False) | Q(course__in=wanted)))
    school = of_school or _filled(RuleSet(), next((row for row in rows if row.course_id is None), None))
    own = {row.course_id: row for row in rows if row.course_id is not None}
    return {pk: _filled(school, own.get(pk)) for pk in wanted}


def own_values(course: Course | None) -> dict[str, int | bool | None]:
    """What is said at this level itself; None is *as above*."""
    row = _row(course)
    return {name: getattr(row, name) if row else None for name in NAMES}


def with_values(course: Course | None, values: Values) -> RuleSet:
    """The rules as they would be with ``values`` at this level. Raises RulesRefused."""
    would = _filled(RuleSet() if course is None else school_rules(), values)
    check(would)
    return would


def check(found: RuleSet) -> None:
    """Raises RulesRefused for what no roll could be taken by."""
    for name, (least, most) in LIMITS.items():
        if not least <= getattr(found, name) <= most:
            raise RulesRefused
    if found.window_absences > found.window_lessons:
        raise RulesRefused(
            _("%(absences)d absences cannot happen among the last %(lessons)d lessons.")
            % {"absences": found.window_absences, "lessons": found.window_lessons}
        )


def change(course: Course | None, values: Values, by: User) -> int:
    """Store the rules of a course, or of the school (None); how many planned sessions follow. Raises RulesRefused."""
    with_values(course, values)
    with transaction.atomic():
        keys = {"course": course} if course else {"school": schooltime.get_school()}
        row, _created = AttendanceRules.objects.get_or_create(**keys)
        for name in NAMES:
            setattr(row, name, values.get(name))
        row.changed_by = by
        row.save()
        return _planned_sessions_follow(course)


def _row(course: Course | None) -> AttendanceRules | None:
    if course is None:
        return AttendanceRules.objects.filter(school__isnull=False).first()
    return AttendanceRules.objects.filter(course=course).first()


def _planned_sessions_follow(course: Course | None) -> int:
    """Sessions of the timetable still to come take the rules; those planned one by one keep what was said then."""
    to_come: QuerySet[ClassSession] = ClassSession.objects.filter(
        Q(slot__isnull=False) | Q(import_key__isnull=False),
        state=ClassSession.State.PLANNED,
        starts_at__gt=timezone.now(),
    )
    if course is not None:
        to_come = to_come.filter(course=course)
    followed = 0
    course_ids = list(to_come.order_by().values_list("course_id", flat=True).distinct())
    for pk, found in rules_of(course_ids).items():
        followed += to_come.filter(course_id=pk).update(**found.session_policy())
    return followed
