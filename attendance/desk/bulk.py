"""Confirming many items at once: only what is likely, shown before, and taken back with one key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from attendance.desk.items import Kind
from attendance.desk.queue import DeskItem

KINDS = (Kind.UNCERTAIN, Kind.SEEN_TOO_SELDOM, Kind.STRANGER)
"""Where the models disagree, two faces claim one student or a student objects, a person looks at each."""

LEAST = 0.5
"""Below this chance nothing is offered, whatever is asked for."""


@dataclass(frozen=True, slots=True)
class Offer:
    """An item whose likeliest student may be confirmed unseen."""

    desk_item: DeskItem
    student_id: int
    chance: float

    @property
    def sighting_ids(self) -> tuple[int, ...]:
        return tuple(face.sighting_id for face in self.desk_item.item.faces)


def offers(items: Sequence[DeskItem], chance: float) -> list[Offer]:
    """Items whose likeliest student is at least that probable and whose mark it would change; surest first."""
    wanted = max(chance, LEAST)
    found = []
    for each in items:
        best = next(iter(each.item.candidates), None)
        if each.item.kind not in KINDS or best is None or not best.possible:
            continue
        probability = best.likeness.probability
        if probability is not None and probability >= wanted:
            found.append(Offer(each, best.likeness.student_id, probability))
    return sorted(found, key=lambda offer: (-offer.chance, offer.desk_item.key))
