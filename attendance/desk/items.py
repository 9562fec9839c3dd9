"""Faces that could change a mark -> items to decide, most valuable first. Pure.

One item is one person of one session: faces alike are grouped, so that one key press settles them all. What
cannot change a mark is not shown: the reviewer's time is the scarcest thing.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from recognition import clustering

MAX_CANDIDATES = 5
STRANGER_PHOTOS = 2
"""A face nobody recognises is worth a look when it was seen in this many photos."""

STRANGER_CHANCE = 0.02
"""Below this chance of being anybody who is missing, a stranger is a visitor."""


class Kind(StrEnum):
    UNCERTAIN = "uncertain"
    CLAIMED_TWICE = "claimed_twice"
    SEEN_TOO_SELDOM = "seen_too_seldom"
    STRANGER = "stranger"


@dataclass(frozen=True, slots=True)
class Likeness:
    """How near one face is to one student."""

    student_id: int
    distance: float
    score: float
    probability: float | None


@dataclass(frozen=True, slots=True, eq=False)
class OpenFace:
    """A face no person has settled yet."""

    sighting_id: int
    photo_id: int
    taken_at: dt.datetime
    named: int | None
    """The student the camera named; None for an unsure or unknown face."""
    unsure: bool
    reason: str
    quality: float
    pixels: float
    encoding: NDArray[np.float32] | None
    candidates: tuple[Likeness, ...]
    encoder_version: str = ""


@dataclass(frozen=True, slots=True)
class RollState:
    """What is known of a student on the roll of the session."""

    student_id: int
    open: bool
    """A decision could change the mark: nobody set it by hand and it says nothing good yet."""
    to_check: bool
    has_templates: bool
    seen_on: frozenset[int] = field(default_factory=frozenset)
    """Photos in which this student is named already."""


@dataclass(frozen=True, slots=True)
class ItemCandidate:
    likeness: Likeness
    open: bool
    already_in_photo: bool
    """Named on another face of one of the same photos: it cannot well be both."""
    seen_in: int
    """Photos of the session in which this student is named."""


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    kind: Kind
    faces: tuple[OpenFace, ...]
    """Best first; the first one is shown large."""
    candidates: tuple[ItemCandidate, ...]
    worth: float
    """Marks a decision is expected to change, 0 to 1."""
    reasons: tuple[str, ...]

    @property
    def probe(self) -> OpenFace:
        return self.faces[0]

    @property
    def photos(self) -> int:
        return len({face.photo_id for face in self.faces})


def build_items(
    faces: Sequence[OpenFace], roll: Mapping[int, RollState], same_person_distance: float
) -> list[Item]:
    """Items of one session, most valuable first; the order of ``faces`` does not matter."""
    faces = sorted(faces, key=lambda face: face.sighting_id)
    items = [_item(group, roll) for group in _groups(faces, same_person_distance)]
    worthy = [item for item in items if item.worth > 0]
    return sorted(worthy, key=lambda item: (-item.worth, -item.photos, item.probe.sighting_id))


def _groups(faces: Sequence[OpenFace], threshold: float) -> list[list[OpenFace]]:
    """Faces of one person together; what the camera named stays under its name."""
    groups: list[list[OpenFace]] = []
    named: dict[int, list[OpenFace]] = defaultdict(list)
    loose = []
    for face in faces:
        if face.named is not None:
            named[face.named].append(face)
        elif face.encoding is None:
            groups.append([face])
        else:
            loose.append(face)
    groups += named.values()
    if loose:
        encodings = np.stack([face.encoding for face in loose if face.encoding is not None])
        by_label: dict[int, list[OpenFace]] = defaultdict(list)
        labels = clustering.group(encodings, threshold, photos=[face.photo_id for face in loose])
        for face, label in zip(loose, labels, strict=True):
            by_label[label].append(face)
        groups += by_label.values()
    return groups


def _item(group: list[OpenFace], roll: Mapping[int, RollState]) -> Item:
    faces = tuple(sorted(group, key=lambda face: (-face.quality, face.sighting_id)))
    candidates = _candidates(faces, roll)
    kind = _kind(faces)
    reasons = tuple(dict.fromkeys(face.reason for face in faces if face.reason))
    return Item(kind, faces, candidates, _worth(kind, faces, candidates, roll), reasons)


def _kind(faces: Sequence[OpenFace]) -> Kind:
    if any(face.named is not None for face in faces):
        return Kind.SEEN_TOO_SELDOM
    if not any(face.unsure for face in faces):
        return Kind.STRANGER
    if all(face.reason == "taken_in_photo" for face in faces if face.unsure):
        return Kind.CLAIMED_TWICE
    return Kind.UNCERTAIN


def _candidates(faces: Sequence[OpenFace], roll: Mapping[int, RollState]) -> tuple[ItemCandidate, ...]:
    """Students of the roll, by the mean likeness over the faces they were compared with; ties by id."""
    near: dict[int, list[Likeness]] = defaultdict(list)
    for face in faces:
        for likeness in face.candidates:
            if likeness.student_id in roll:
                near[likeness.student_id].append(likeness)
    photos = {face.photo_id for face in faces}
    found = [
        ItemCandidate(
            _mean(likenesses),
            open=roll[student_id].open,
            already_in_photo=bool(roll[student_id].seen_on & photos),
            seen_in=len(roll[student_id].seen_on),
        )
        for student_id, likenesses in near.items()
    ]
    found.sort(key=lambda each: (-each.likeness.score, each.likeness.student_id))
    return tuple(found[:MAX_CANDIDATES])


def _mean(likenesses: Sequence[Likeness]) -> Likeness:
    chances = [each.probability for each in likenesses if each.probability is not None]
    return Likeness(
        likenesses[0].student_id,
        distance=sum(each.distance for each in likenesses) / len(likenesses),
        score=sum(each.score for each in likenesses) / len(likenesses),
        probability=sum(chances) / len(chances) if chances else None,
    )


def _worth(
    kind: Kind, faces: Sequence[OpenFace], candidates: Sequence[ItemCandidate], roll: Mapping[int, RollState]
) -> float:
    possible = [each for each in candidates if each.open and not each.already_in_photo]
    if kind is Kind.SEEN_TOO_SELDOM:
        state = roll.get(faces[0].named or 0)
        return 1.0 if state is not None and state.to_check else 0.0
    if kind is Kind.STRANGER:
        # Most strangers are visitors: worth a look only if seen again and somebody near is missing.
        if len({face.photo_id for face in faces}) < STRANGER_PHOTOS or not possible:
            return 0.0
        chance = possible[0].likeness.probability
        return 0.05 if chance is None else min(0.5, chance) if chance >= STRANGER_CHANCE else 0.0
    if not possible:
        return 0.0
    best = possible[0].likeness.probability
    return max(0.5, best) if best is not None else 0.75
