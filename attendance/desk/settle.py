"""A key press at the desk -> facts about every face of the item."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from attendance import errors, reviews
from attendance.models import ClassSession, Sighting, Student


@dataclass(frozen=True, slots=True)
class Pick:
    """Faces of one session that are confirmed as one student, together with others."""

    session: ClassSession
    sighting_ids: tuple[int, ...]
    student: Student
    shown: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Confirmed:
    batch: uuid.UUID
    faces: int
    marks: int
    """Marks that changed."""
    overtaken: int
    """Picks that somebody else settled in the meantime, or whose faces are gone."""


def settle(
    session: ClassSession,
    sighting_ids: Sequence[int],
    verdict: str,
    by: User,
    student: Student | None = None,
    *,
    shown: dict[str, Any] | None = None,
    batch: uuid.UUID | None = None,
) -> reviews.Decision:
    """Settle the faces of an item, all or none; the same key pressed twice is once.

    Raises AlreadyDecided when somebody else settled one of them in the meantime, or when a face is gone (its
    student withdrew, the photo was deleted); and what ``reviews.decide_all`` raises.
    """
    sightings = faces_of(session, sighting_ids)
    return reviews.decide_all(sightings, verdict, by, student, shown=shown, unless_decided=True, batch=batch)


def confirm_all(picks: Sequence[Pick], by: User) -> Confirmed:
    """Confirm many items with one key press, taken back together; what was overtaken is left alone and counted."""
    batch = uuid.uuid4()
    faces = moved = overtaken = 0
    with transaction.atomic():
        for pick in sorted(picks, key=lambda each: each.session.pk):
            try:
                shown = {**pick.shown, "bulk": True}
                decision = settle(
                    pick.session, pick.sighting_ids, "is", by, pick.student, shown=shown, batch=batch
                )
            except errors.AlreadyDecided:
                overtaken += 1
                continue
            faces += len(decision.reviews) if decision.batch == batch else 0
            moved += len(decision.moved)
    return Confirmed(batch, faces, moved, overtaken)


def faces_of(session: ClassSession, sighting_ids: Sequence[int]) -> list[Sighting]:
    """The session's faces of these ids. Raises AlreadyDecided when one of them is not there."""
    wanted = sorted(set(sighting_ids))
    sightings = list(
        Sighting.objects.filter(pk__in=wanted, snapshot__session=session)
        .select_related("snapshot__session")
        .order_by("pk")
    )
    if not sightings or len(sightings) != len(wanted):
        raise errors.AlreadyDecided
    return sightings
