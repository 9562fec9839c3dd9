"""How many photos wait to be looked at, and the bound beyond which no more are taken in."""

from __future__ import annotations

import functools
import operator
import random

from django.conf import settings
from django.core.cache import cache
from django.db.models import Q

from attendance import errors
from attendance.models import Snapshot

COUNTED_EVERY = 5
"""Seconds that one count serves all processes; so many photos more than the bound can come in."""
COME_BACK = (30, 90)
"""Seconds after which a sender may come again: drawn, so that a school's cameras do not all come at once."""
_KEY = "photos-waiting"


STATES = (Snapshot.State.RECEIVED, Snapshot.State.QUEUED, Snapshot.State.PROCESSING)
"""Of a photo that is accepted and not looked at yet."""


def photos() -> Q:
    """Photos in one of ``STATES``; each state is a stretch of one index."""
    return functools.reduce(operator.or_, (Q(state=state) for state in STATES))


def how_many() -> int:
    """Counted at most every few seconds."""
    known: int | None = cache.get(_KEY)
    if known is None:
        known = Snapshot.objects.filter(photos()).count()
        cache.set(_KEY, known, COUNTED_EVERY)
    return known


def is_full() -> bool:
    return how_many() >= int(settings.ROLLCALL_MAX_WAITING)


def check_room() -> None:
    """Raises QueueFull, before anything of a photo is stored."""
    if is_full():
        raise errors.QueueFull(retry_after=random.randint(*COME_BACK))  # noqa: S311 (no secret)
