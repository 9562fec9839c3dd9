"""A key press at the desk -> facts about every face of the item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import User

from attendance import errors, reviews
from attendance.models import ClassSession, Sighting, Student


def settle(
    session: ClassSession,
    sighting_ids: Sequence[int],
    verdict: str,
    by: User,
    student: Student | None = None,
    *,
    shown: dict[str, Any] | None = None,
) -> reviews.Decision:
    """Settle the faces of an item, all or none.

    Raises AlreadyDecided when somebody else settled one of them in the meantime, or when a face is gone (its
    student withdrew, the photo was deleted); and what ``reviews.decide_all`` raises.
    """
    wanted = sorted(set(sighting_ids))
    sightings = list(
        Sighting.objects.filter(pk__in=wanted, snapshot__session=session).select_related("snapshot__session")
    )
    if not sightings or len(sightings) != len(wanted):
        raise errors.AlreadyDecided
    return reviews.decide_all(sightings, verdict, by, student, shown=shown, unless_decided=True)
