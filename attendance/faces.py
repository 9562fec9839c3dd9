"""What a face counts as, once people's words are laid over what recognition said. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Standing(StrEnum):
    NAMED = "named"
    """Recognised, and nobody objected; or named by a person."""
    TO_CHECK = "to_check"
    UNKNOWN = "unknown"
    STRANGER = "stranger"
    """A person said: nobody of this class."""
    NOT_A_FACE = "not_a_face"


class SightingLike(Protocol):
    @property
    def decision(self) -> str: ...
    @property
    def student_id(self) -> int | None: ...


class ReviewLike(Protocol):
    @property
    def verdict(self) -> str: ...
    @property
    def undone_at(self) -> object: ...
    @property
    def student_id(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class FaceStanding:
    standing: Standing
    student_id: int | None = None
    confirmed: bool = False
    """By a person."""


def standing_of(sighting: SightingLike, reviews: Iterable[ReviewLike]) -> FaceStanding:
    """A person's standing word wins; a rejected student is never named again for this face."""
    rejected: set[int | None] = set()
    for review in reviews:
        if review.undone_at is not None:
            continue
        if review.verdict == "is":
            return FaceStanding(Standing.NAMED, review.student_id, confirmed=True)
        if review.verdict == "not_in_class":
            return FaceStanding(Standing.STRANGER, confirmed=True)
        if review.verdict == "not_a_face":
            return FaceStanding(Standing.NOT_A_FACE, confirmed=True)
        rejected.add(review.student_id)
    if sighting.student_id is None or sighting.student_id in rejected or sighting.decision == "unknown":
        return FaceStanding(Standing.UNKNOWN)
    if sighting.decision == "recognised":
        return FaceStanding(Standing.NAMED, sighting.student_id)
    return FaceStanding(Standing.TO_CHECK, sighting.student_id)
