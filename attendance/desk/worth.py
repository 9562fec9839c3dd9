"""What a decision is worth: how many marks it is expected to change. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attendance.desk.groups import OpenFace
from attendance.desk.parts import ItemCandidate, Kind, RollState

SEEN_AGAIN = 2
"""A face nobody recognises is somebody who stays when it was seen in this many photos."""

CHANCE_AGAIN = 0.02
"""Below this chance of being anybody whose mark it could change, a face is not shown."""

CHANCE_ONCE = 0.2
"""The same for an unknown face seen in one photo only: most of these are passers-by."""

LIKELIER_IF_THERE = 5.0
"""A chance is fitted for anybody's face. Who was recognised later in the lesson sits in its earlier photo about every
second time, among a handful of unnamed faces, and not in one of thirty."""

WORTH_UNMEASURED = 0.75
"""Worth of an unsure face where no probability was fitted."""

WORTH_OF_RESOLVING = 0.5
"""At least this much where either answer turns *to check* into a mark."""


def worth_of(
    kind: Kind, faces: Sequence[OpenFace], candidates: Sequence[ItemCandidate], roll: Mapping[int, RollState]
) -> float:
    """Marks, 0 to 1; 0 keeps an item off the desk. ``faces`` are one person, ``candidates`` best first."""
    named = next((face.named for face in faces if face.named is not None), None)
    if named is not None:
        state = roll.get(named)
        return 1.0 if state is not None and state.to_check else 0.0
    possible = [each for each in candidates if each.possible]
    if not possible:
        return 0.0
    if any(each.likeness.probability is None for each in possible):
        return 0.05 if kind is Kind.STRANGER else WORTH_UNMEASURED
    shares = _shares(candidates)
    # The likeliest student's mark waits for this very face: yes and no both settle it.
    first = possible[0].likeness.student_id
    if any(face.unsure for face in faces) and possible[0] is candidates[0] and roll[first].to_check:
        return max(WORTH_OF_RESOLVING, shares[first])
    once = kind is Kind.STRANGER and len({face.photo_id for face in faces}) < SEEN_AGAIN
    return max(
        _counted(shares[each.likeness.student_id], roll[each.likeness.student_id], once) for each in possible
    )


def _counted(share: float, state: RollState, once: bool) -> float:
    if not state.open:  # known to be in the lesson: only when is in question
        share = min(1.0, LIKELIER_IF_THERE * share)
    return share if share >= (CHANCE_ONCE if once and state.open else CHANCE_AGAIN) else 0.0


def _shares(candidates: Sequence[ItemCandidate]) -> dict[int, float]:
    """Each candidate's chance beside the others'. Every chance is fitted as if that student were the only one; odds
    add up, and one is left for nobody of the class. Who is named on another face of the photo is out."""
    odds = {
        each.likeness.student_id: _odds(each.likeness.probability or 0.0)
        for each in candidates
        if not each.already_in_photo
    }
    total = 1.0 + sum(odds.values())
    return {student_id: value / total for student_id, value in odds.items()}


def _odds(chance: float) -> float:
    return chance / max(1.0 - chance, 1e-6)
