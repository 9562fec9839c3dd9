"""Faces that could change a mark -> items to decide, most valuable first. Pure.

One item is one person of one session: faces alike are grouped, so that one key press settles them all. What
cannot change a mark is not shown: the reviewer's time is the scarcest thing.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from attendance.desk.groups import (
    Bond,
    Group,
    Likeness,
    OpenFace,
    SecondSays,
    grouped,
    mean_distance,
)

__all__ = [
    "Bond",
    "Item",
    "ItemCandidate",
    "Kind",
    "Likeness",
    "OpenFace",
    "Report",
    "RollState",
    "SecondSays",
    "SessionFaces",
    "build_items",
]

MAX_CANDIDATES = 5
SEEN_AGAIN = 2
"""A face nobody recognises is somebody who stays when it was seen in this many photos."""

CHANCE_AGAIN = 0.02
"""Below this chance of being anybody whose mark it could change, a face is not shown."""

CHANCE_ONCE = 0.2
"""The same for an unknown face seen in one photo only: most of these are passers-by."""

WORTH_UNMEASURED = 0.75
"""Worth of an unsure face where no probability was fitted."""

WORTH_OF_RESOLVING = 0.5
"""At least this much where either answer turns *to check* into a mark."""

WORTH_NEVER_SEEN = 0.25
"""Of a student no camera ever recognised, while somebody nobody knows sits in the room."""


class Kind(StrEnum):
    REPORT = "report"
    """A student said: that wasn't me; or: I was there."""
    DISAGREEMENT = "disagreement"
    """The two networks name different students."""
    UNCERTAIN = "uncertain"
    CLAIMED_TWICE = "claimed_twice"
    SEEN_TOO_SELDOM = "seen_too_seldom"
    STRANGER = "stranger"
    NEVER_SEEN = "never_seen"
    """An enrolled student whom no camera ever recognised: one of the unnamed faces?"""


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
    early_until: dt.datetime | None = None
    """Marked late by the camera: a face before this instant could change that."""
    gone_from: dt.datetime | None = None
    """Marked as having left early by the camera: a face after this instant could change that."""
    missing: bool = False
    """The session is over, the student could have been recognised and was not, and nobody has said anything."""
    never_seen: bool = False
    """In no session of the course of late was this student recognised."""

    def could_change(self, faces: Iterable[OpenFace]) -> bool:
        """Whether being told that these faces are the student could change the mark."""
        if self.open:
            return True
        times = [face.taken_at for face in faces]
        early = self.early_until is not None and any(time < self.early_until for time in times)
        return early or (self.gone_from is not None and any(time > self.gone_from for time in times))


@dataclass(frozen=True, slots=True)
class Report:
    """A student's objection; ``sighting_id`` None for "I was there"."""

    contest_id: int
    student_id: int
    sighting_id: int | None
    words: str = ""


@dataclass(frozen=True, slots=True)
class SessionFaces:
    """Everything the desk knows of one session."""

    faces: Sequence[OpenFace]
    roll: Mapping[int, RollState]
    same_person_distance: float
    bonds: Sequence[Bond] = ()
    reports: Sequence[Report] = ()
    visitors: Sequence[OpenFace] = ()
    """Faces of the course that a person said are of nobody of the class."""


@dataclass(frozen=True, slots=True)
class ItemCandidate:
    likeness: Likeness
    open: bool
    """Choosing this student could change a mark."""
    already_in_photo: bool
    """Named on another face of one of the same photos: it cannot well be both."""
    seen_in: int
    """Photos of the session in which this student is named."""

    @property
    def possible(self) -> bool:
        return self.open and not self.already_in_photo


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    kind: Kind
    faces: tuple[OpenFace, ...]
    """Best first; the first one is shown large. Empty where the item is about a student."""
    candidates: tuple[ItemCandidate, ...]
    worth: float
    """Marks a decision is expected to change, 0 to 1."""
    reasons: tuple[str, ...]
    student_id: int | None = None
    """Whom it is about: a student never seen, or one who reported."""
    groups: tuple[tuple[OpenFace, ...], ...] = ()
    """Unnamed people of the session who may be that student, likeliest first."""
    report: Report | None = None

    @property
    def probe(self) -> OpenFace:
        return self.faces[0]

    @property
    def photos(self) -> int:
        return len({face.photo_id for face in self.faces})

    @property
    def address(self) -> str:
        """Finds this item again, also after its group has grown: ``face-12``, ``student-7``, ``report-3``."""
        if self.report is not None:
            return f"report-{self.report.contest_id}"
        if self.faces:
            return f"face-{min(face.sighting_id for face in self.faces)}"
        return f"student-{self.student_id}"

    def answers_to(self, address: str) -> bool:
        """Whether ``address`` means this item: any face of a group means its group."""
        return address == self.address or any(address == f"face-{face.sighting_id}" for face in self.faces)


def build_items(session: SessionFaces) -> list[Item]:
    """Items of one session, most valuable first; the order of the faces does not matter."""
    reported = {report.sighting_id: report for report in session.reports}
    about = [face for face in session.faces if face.sighting_id in reported]
    others = [face for face in session.faces if face.sighting_id not in reported]
    groups = grouped(others, session.same_person_distance, session.bonds)
    items = [_item(group, session.roll) for group in groups if not _known_visitor(group, session)]
    items = [item for item in items if item.worth > 0]
    items += [_face_report(face, reported[face.sighting_id], session.roll) for face in about]
    unnamed = [group for group in groups if not any(face.named is not None for face in group)]
    items += [_mark_report(each, unnamed) for each in session.reports if each.sighting_id is None]
    items += _never_seen(session.roll, unnamed, items)
    return sorted(items, key=lambda item: (-item.worth, -item.photos, item.address))


def _item(group: Group, roll: Mapping[int, RollState]) -> Item:
    faces = _best_first(group)
    candidates = _candidates(faces, roll)
    kind = _kind(faces)
    reasons = tuple(dict.fromkeys(face.reason for face in faces if face.reason))
    return Item(kind, faces, candidates, _worth(kind, faces, candidates, roll), reasons)


def _best_first(group: Iterable[OpenFace]) -> tuple[OpenFace, ...]:
    return tuple(sorted(group, key=lambda face: (-face.quality, face.sighting_id)))


def _kind(faces: Sequence[OpenFace]) -> Kind:
    if any(face.disputed for face in faces):
        return Kind.DISAGREEMENT
    if any(face.named is not None for face in faces):
        return Kind.SEEN_TOO_SELDOM
    if not any(face.unsure for face in faces):
        return Kind.STRANGER
    return Kind.CLAIMED_TWICE if any(face.reason == "taken_in_photo" for face in faces) else Kind.UNCERTAIN


def _candidates(faces: Sequence[OpenFace], roll: Mapping[int, RollState]) -> tuple[ItemCandidate, ...]:
    """Students of the roll, by the mean likeness over the faces they were compared with; ties by id."""
    near: dict[int, list[Likeness]] = defaultdict(list)
    for face in faces:
        for likeness in face.candidates:
            if likeness.student_id in roll:
                near[likeness.student_id].append(likeness)
    own_photos = {face.photo_id for face in faces}
    own_names = {face.named for face in faces}
    found = [
        ItemCandidate(
            _mean(likenesses),
            open=roll[student_id].could_change(faces),
            already_in_photo=student_id not in own_names and bool(roll[student_id].seen_on & own_photos),
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
    named = next((face.named for face in faces if face.named is not None), None)
    if named is not None:
        state = roll.get(named)
        return 1.0 if state is not None and state.to_check else 0.0
    possible = [each for each in candidates if each.possible]
    if not possible:
        return 0.0
    chances = [each.likeness.probability for each in possible]
    if None in chances:
        return 0.05 if kind is Kind.STRANGER else WORTH_UNMEASURED
    best = max(chance for chance in chances if chance is not None)
    # The likeliest student's mark waits for this very face: yes and no both settle it.
    if any(face.unsure for face in faces) and possible[0] is candidates[0]:
        state = roll[possible[0].likeness.student_id]
        if state.to_check:
            return max(WORTH_OF_RESOLVING, best)
    once = kind is Kind.STRANGER and len({face.photo_id for face in faces}) < SEEN_AGAIN
    return best if best >= (CHANCE_ONCE if once else CHANCE_AGAIN) else 0.0


def _known_visitor(group: Group, session: SessionFaces) -> bool:
    """Nobody recognises this person, and a person has said of this face that it is of nobody of the class."""
    if not session.visitors or any(face.unsure or face.named is not None for face in group):
        return False
    return any(mean_distance(group, [known]) < session.same_person_distance for known in session.visitors)


def _face_report(face: OpenFace, report: Report, roll: Mapping[int, RollState]) -> Item:
    """Somebody waits for an answer: nothing is worth more."""
    candidates = tuple(
        replace(each, already_in_photo=False) if each.likeness.student_id == report.student_id else each
        for each in _candidates([face], roll)
    )
    reasons = (face.reason,) if face.reason else ()
    return Item(Kind.REPORT, (face,), candidates, 1.0, reasons, student_id=report.student_id, report=report)


def _mark_report(report: Report, unnamed: Sequence[Group]) -> Item:
    groups = _choices(report.student_id, unnamed)
    return Item(Kind.REPORT, (), (), 1.0, (), student_id=report.student_id, groups=groups, report=report)


def _never_seen(roll: Mapping[int, RollState], unnamed: Sequence[Group], items: Sequence[Item]) -> list[Item]:
    """Missing students whom no camera ever recognised, while people nobody knows stayed in the room."""
    stayed = [group for group in unnamed if len({face.photo_id for face in group}) >= SEEN_AGAIN]
    offered = {each.likeness.student_id for item in items for each in item.candidates[:1] if each.possible}
    offered |= {item.student_id for item in items if item.student_id is not None}
    return [
        Item(
            Kind.NEVER_SEEN,
            (),
            (),
            WORTH_NEVER_SEEN,
            (),
            student_id=student_id,
            groups=_choices(student_id, stayed),
        )
        for student_id, state in sorted(roll.items())
        if state.missing and state.never_seen and stayed and student_id not in offered
    ]


def _choices(student_id: int, groups: Sequence[Group]) -> tuple[tuple[OpenFace, ...], ...]:
    """Groups by the mean chance of being the student, then by how often they were seen."""

    def key(group: Group) -> tuple[float, int, int]:
        chance = sum(face.chance(student_id) for face in group) / len(group)
        return -chance, -len({face.photo_id for face in group}), min(face.sighting_id for face in group)

    return tuple(_best_first(group) for group in sorted(groups, key=key)[:MAX_CANDIDATES])
