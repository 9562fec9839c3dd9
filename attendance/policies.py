"""How strict recognition is in a course: as measured, unless an administrator decided otherwise for it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from attendance import errors
from attendance.learned.replay import shifted
from attendance.models import Course, PolicyOverride
from attendance.models.learning import WIDEST_SHIFT
from recognition.policy import MatchPolicy


def policy_for(course_id: int, engine_version: str) -> MatchPolicy:
    """The policy photos of this course are identified by from now on; one query."""
    measured = MatchPolicy.default_for(engine_version)
    shift = (
        PolicyOverride.objects.filter(course=course_id, engine_version=engine_version, undone_at__isnull=True)
        .values_list("shift", flat=True)
        .first()
    )
    return shifted(measured, shift) if shift else measured


def standing(course_id: int | None, engine_version: str) -> PolicyOverride | None:
    overrides = PolicyOverride.objects.filter(
        course=course_id, engine_version=engine_version, undone_at__isnull=True
    )
    return overrides.select_related("by").first()


def widest(engine_version: str) -> float:
    """The largest shift either way: one decade of the false match rate."""
    return min(MatchPolicy.default_for(engine_version).step_per_decade, WIDEST_SHIFT)


def apply(
    course: Course, engine_version: str, shift: float, by: User, shown: dict[str, Any] | None = None
) -> PolicyOverride:
    """Move the thresholds of one course by ``shift`` in score, in the place of what stood; for photos from now on.

    Raises PolicyOutOfBounds beyond ``widest`` or for no shift at all.
    """
    if not 0.0 < abs(shift) <= widest(engine_version) + 1e-9:
        raise errors.PolicyOutOfBounds
    with transaction.atomic():
        Course.objects.select_for_update().get(pk=course.pk)
        _end(course, engine_version, by)
        return PolicyOverride.objects.create(
            course=course,
            engine_version=engine_version,
            shift=shift,
            shown=shown or {},
            by=by,
            at=timezone.now(),
        )


def undo(course: Course, engine_version: str, by: User) -> None:
    """Back to what was measured. Raises NothingToUndo when nothing was decided for the course."""
    if not _end(course, engine_version, by):
        raise errors.NothingToUndo


def _end(course: Course, engine_version: str, by: User) -> int:
    return PolicyOverride.objects.filter(
        course=course, engine_version=engine_version, undone_at__isnull=True
    ).update(undone_at=timezone.now(), undone_by=by)
