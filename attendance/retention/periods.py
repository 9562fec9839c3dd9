"""For how long: the school's days, a course's own, and which of the two holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from attendance import errors, schooltime
from attendance.models import Course, CourseRetention, School

LIMITS: Mapping[str, tuple[int, int]] = {
    "photo_days": (1, 365),
    "unknown_face_days": (1, 365),
    "template_days_after_term": (0, 365),
}
"""Smallest and largest number of days. A photo stays a day at least: somebody has to look at the doubtful faces."""
WORDS: Mapping[str, str | Promise] = {
    "photo_days": _("Classroom photos, with the faces in them"),
    "unknown_face_days": _("Faces nobody could name"),
    "template_days_after_term": _("Portraits and templates, after the term"),
}


class RetentionRefused(errors.RollcallError):
    code = "retention_refused"
    status = 422
    message = _("These days cannot be used.")

    def __init__(self, message: str | Promise, field: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Periods:
    """Days for which things are kept."""

    photo_days: int
    unknown_face_days: int
    template_days_after_term: int


NAMES = tuple(LIMITS)


def of_school(school: School | None = None) -> Periods:
    school = school or schooltime.get_school()
    return Periods(*(getattr(school, name) for name in NAMES))


def of_course(course: Course) -> Periods:
    """What holds for a course; two queries."""
    school = schooltime.get_school()
    row = CourseRetention.objects.filter(course=course).first()
    return _holding(school, row) if row else of_school(school)


def differing(school: School | None = None) -> dict[int, Periods]:
    """What holds in the courses that said something of their own, by course."""
    school = school or schooltime.get_school()
    return {row.course_id: _holding(school, row) for row in CourseRetention.objects.all()}


def longest(name: str) -> int:
    """No course keeps things for more days than these; two queries."""
    of_courses: int | None = CourseRetention.objects.aggregate(most=Max(name))["most"]
    days: int = getattr(schooltime.get_school(), name)
    return max(days, of_courses or 0)


def by_days(name: str, path: str) -> Iterator[tuple[int, Q]]:
    """Each number of days in force for ``name``, and which courses it holds for as a condition on ``path``."""
    school = schooltime.get_school()
    days_of = {course: getattr(own, name) for course, own in differing(school).items()}
    yield getattr(school, name), ~Q(**{f"{path}__in": list(days_of)}) if days_of else Q()
    for days in sorted(set(days_of.values())):
        yield days, Q(**{f"{path}__in": [course for course, own in days_of.items() if own == days]})


def set_school(periods: Periods, *, courses_may_keep_longer: bool) -> None:
    """Raises RetentionRefused. Courses that say less keep that; what they say beyond the school's follows it."""
    check(periods)
    school = schooltime.get_school()
    for name in NAMES:
        setattr(school, name, getattr(periods, name))
    school.courses_may_keep_longer = courses_may_keep_longer
    school.save(update_fields=[*NAMES, "courses_may_keep_longer"])


def set_course(course: Course, own: Mapping[str, int | None], by: User) -> None:
    """Days of one course; None is *as the school*, for all three: no row. Raises RetentionRefused."""
    school = schooltime.get_school()
    said = {name: own.get(name) for name in NAMES}
    above = of_school(school)
    check(replace(above, **{name: days for name, days in said.items() if days is not None}))
    for name, days in said.items():
        most = getattr(above, name)
        if days is not None and days > most and not school.courses_may_keep_longer:
            raise RetentionRefused(
                _("A course may keep things for a shorter time than the school's %(most)d days, not longer.")
                % {"most": most},
                name,
            )
    with transaction.atomic():
        if all(days is None for days in said.values()):
            CourseRetention.objects.filter(course=course).delete()
            return
        CourseRetention.objects.update_or_create(
            course=course, defaults={**said, "changed_by": by, "changed_at": timezone.now()}
        )


def check(periods: Periods) -> None:
    """Raises RetentionRefused for days out of bounds."""
    for name, (least, most) in LIMITS.items():
        if not least <= getattr(periods, name) <= most:
            raise RetentionRefused(between(name), name)


def between(name: str) -> str:
    """The sentence about the bounds of one number of days."""
    least, most = LIMITS[name]
    return str(_("Give a whole number of days, from %(least)d to %(most)d.")) % {"least": least, "most": most}


def _holding(school: School, row: CourseRetention) -> Periods:
    above = of_school(school)
    own = {name: getattr(row, name) for name in NAMES if getattr(row, name) is not None}
    if not school.courses_may_keep_longer:
        own = {name: min(days, getattr(above, name)) for name, days in own.items()}
    return replace(above, **own)
