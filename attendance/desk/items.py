"""Faces that could change a mark -> items to decide, most valuable first. Pure.

One item is one person of one session: faces alike are grouped, so that one key press settles them all. What
cannot change a mark is not shown: the reviewer's time is the scarcest thing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from attendance.desk.groups import Bond, Group, Likeness, OpenFace, SecondSays, grouped, mean_distance
from attendance.desk.parts import Item, ItemCandidate, Kind, Report, RollState, SessionFaces
from attendance.desk.worth import SEEN_AGAIN, worth_of

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

WORTH_NEVER_SEEN = 0.25
"""Of a student no camera ever recognised, while somebody nobody knows sits in the room."""


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
    return Item(kind, faces, candidates, worth_of(kind, faces, candidates, roll), reasons)


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
