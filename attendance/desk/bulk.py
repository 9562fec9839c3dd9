"""Confirming many items at once: only what is likely, shown before, and taken back with one key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.contrib.auth.models import User

from attendance.desk.items import Kind
from attendance.desk.queue import DeskItem
from attendance.desk.settle import Confirmed, Pick, confirm_all
from attendance.desk.shown import shown
from attendance.models import Student

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


@dataclass(frozen=True, slots=True)
class Wanted:
    """An offer as somebody saw and ticked it."""

    key: str
    student_id: int
    sighting_ids: frozenset[int]


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


def confirm(wanted: Sequence[Wanted], standing: Sequence[Offer], by: User) -> Confirmed:
    """Confirm what was seen and still stands among ``standing``; the rest is left alone and counted."""
    offered = {offer.desk_item.key: offer for offer in standing}
    students = Student.objects.in_bulk({offer.student_id for offer in standing})
    picks, missed = [], 0
    for each in wanted:
        offer = offered.get(each.key)
        same = offer is not None and offer.student_id == each.student_id and bool(each.sighting_ids)
        if offer is None or not same or not each.sighting_ids <= set(offer.sighting_ids):
            missed += 1
            continue
        before = {**shown(offer.desk_item.item), "many": len(wanted)}
        faces = tuple(sorted(each.sighting_ids))
        picks.append(Pick(offer.desk_item.session, faces, students[offer.student_id], before))
    done = confirm_all(picks, by)
    return replace(done, overtaken=done.overtaken + missed)
