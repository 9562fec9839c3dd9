"""Plain facts about faces that people settled or left standing. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

NOBODY = 0
"""The truth of a face that a person said is nobody of the class."""


@dataclass(frozen=True, slots=True)
class Likeness:
    student_id: int
    score: float
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Face:
    """One face of a photo, as recognition saw it and as people left it.

    ``named``: whom recognition named, None for an unsure or unknown face. ``truth``: the student a person said it
    is, ``NOBODY``, or None where nobody said. ``rejected``: students a person said it is not.
    """

    sighting_id: int
    photo_id: int
    decision: str
    reason: str
    named: int | None
    candidates: tuple[Likeness, ...]
    """Best first."""
    truth: int | None = None
    rejected: frozenset[int] = frozenset()
    second: Likeness | None = None
    """Whom the second network takes it for; its score is not used."""

    @property
    def settled(self) -> bool:
        return self.truth is not None


@dataclass(frozen=True, slots=True)
class Photo:
    photo_id: int
    taken_at: dt.datetime
    usable: bool
    camera_id: int | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """One lesson that is over, with what its roll was taken from.

    ``roster``: students and whether they have templates. ``said``: what people say a mark should be, only where a
    person decided: True for somebody who was there.
    """

    session_id: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    policy: Mapping[str, int]
    """Fields of ``rollcall.Policy``."""
    roster: Mapping[int, bool]
    photos: tuple[Photo, ...]
    faces: tuple[Face, ...]
    said: Mapping[int, bool] = field(default_factory=dict)

    @property
    def enrolled(self) -> int:
        """How many students can be recognised: the size of the gallery."""
        return sum(self.roster.values())
