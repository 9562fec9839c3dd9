"""Faces put together as one person: by likeness, and by what people said about it. Pure."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recognition import clustering

JOIN_CHANCE = 0.5
"""Faces that more likely than not are one student are one item, however unlike they look."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How near one face is to one student."""

    student_id: int
    distance: float
    score: float
    probability: float | None


@dataclass(frozen=True, slots=True)
class SecondSays:
    """The second network's answer for one face."""

    student_id: int | None
    probability: float | None
    agreement: str


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
    second: SecondSays | None = None
    quality_parts: dict[str, float] = field(default_factory=dict)

    @property
    def disputed(self) -> bool:
        """The two networks name different students."""
        return self.reason == "models_disagree" or (
            self.second is not None and self.second.agreement == "different"
        )

    def chance(self, student_id: int) -> float:
        """Of being this student; 0 where the face was never compared, or nothing was calibrated."""
        found = (each.probability for each in self.candidates if each.student_id == student_id)
        return next(found, None) or 0.0


@dataclass(frozen=True, slots=True)
class Bond:
    """A person's word about who belongs together: sighting ids; ``other`` only where they are kept apart."""

    together: bool
    one: frozenset[int]
    other: frozenset[int] = frozenset()


Group = list[OpenFace]


def grouped(faces: Sequence[OpenFace], threshold: float, bonds: Sequence[Bond] = ()) -> list[Group]:
    """One list of faces for each person, no face twice.

    What the camera named stays under its name, and draws in unnamed faces that more likely than not are the same
    student. The others are clustered (``recognition.clustering``, ``threshold`` being the mean distance), and a
    later word of ``bonds`` goes over an earlier one and over the clustering. A face without encoding stands alone.
    """
    named: dict[int, Group] = defaultdict(list)
    alone: list[Group] = []
    loose: Group = []
    for face in sorted(faces, key=lambda each: each.sighting_id):
        if face.named is not None:
            named[face.named].append(face)
        elif face.encoding is None:
            alone.append([face])
        else:
            loose.append(face)
    clusters = [part for cluster in _clustered(loose, threshold) for part in _told_apart(cluster)]
    groups = _joined([*named.values(), *clusters])
    for bond in bonds:
        groups = _together(groups, bond.one) if bond.together else _apart(groups, bond)
    return [*groups, *alone]


def share_a_photo(one: Sequence[OpenFace], other: Sequence[OpenFace]) -> bool:
    """Two faces of one photo cannot be one person."""
    return not {face.photo_id for face in one}.isdisjoint(face.photo_id for face in other)


def mean_distance(one: Sequence[OpenFace], other: Sequence[OpenFace]) -> float:
    """Between the faces of two groups; infinite where no encodings are left."""
    first = [face.encoding for face in one if face.encoding is not None]
    second = [face.encoding for face in other if face.encoding is not None]
    if not first or not second:
        return float("inf")
    apart = np.stack(first)[:, None, :] - np.stack(second)[None, :, :]
    return float(np.linalg.norm(apart, axis=2).mean())


def _clustered(loose: Group, threshold: float) -> list[Group]:
    if not loose:
        return []
    encodings = np.stack([face.encoding for face in loose if face.encoding is not None])
    labels = clustering.group(encodings, threshold, photos=[face.photo_id for face in loose])
    by_label: dict[int, Group] = defaultdict(list)
    for face, label in zip(loose, labels, strict=True):
        by_label[label].append(face)
    return list(by_label.values())


def _told_apart(cluster: Group) -> list[Group]:
    """Faces that look alike but more likely than not are different students are not one person."""
    by_student: dict[int | None, Group] = defaultdict(list)
    for face in cluster:
        by_student[_likely_student([face])].append(face)
    if len(by_student.keys() - {None}) < 2:
        return [cluster]
    return list(by_student.values())


def _joined(groups: list[Group]) -> list[Group]:
    """Groups whose every face more likely than not is one and the same student become one."""
    by_student: dict[int, Group] = {}
    rest: list[Group] = []
    for group in groups:
        student = _likely_student(group)
        known = by_student.get(student or 0)
        if student is None or (known is not None and share_a_photo(known, group)):
            rest.append(group)
        elif known is None:
            by_student[student] = list(group)
        else:
            known += group
    return [*by_student.values(), *rest]


def _likely_student(group: Group) -> int | None:
    """Whom the camera named, or whom every face of the group most likely is."""
    if group[0].named is not None:
        return group[0].named
    best = {face.candidates[0].student_id if face.candidates else None for face in group}
    student = best.pop() if len(best) == 1 else None
    if student is None or min(face.chance(student) for face in group) < JOIN_CHANCE:
        return None
    return student


def _together(groups: list[Group], ids: frozenset[int]) -> list[Group]:
    """The groups of these faces as one, unless they share a photo by now."""
    meant = [group for group in groups if any(face.sighting_id in ids for face in group)]
    photos = [face.photo_id for group in meant for face in group]
    if len(meant) < 2 or len(photos) != len(set(photos)):
        return groups
    return [*(group for group in groups if group not in meant), [face for group in meant for face in group]]


def _apart(groups: list[Group], bond: Bond) -> list[Group]:
    answer: list[Group] = []
    for group in groups:
        stays = [face for face in group if face.sighting_id not in bond.other]
        goes = [face for face in group if face.sighting_id in bond.other]
        if goes and any(face.sighting_id in bond.one for face in stays):
            answer += [stays, goes]
        else:
            answer.append(group)
    return answer
