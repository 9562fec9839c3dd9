"""Two networks' answers beside each other and beside people's words: counts, shares, intervals. Pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

AGREEMENTS = ("same", "first_only", "second_only", "different", "neither")
"""Who names the face, in the order they are shown in."""
NORMAL_95 = 1.959964
"""Two-sided 95 % of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Group:
    """Faces of one course that got the same pair of answers; ``milliseconds``: the second network's, all together."""

    course_id: int
    agreement: str
    faces: int
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Judged:
    """A face both networks answered and a person settled.

    ``agreement``: one of ``AGREEMENTS``. ``truth``: the student it is, None for nobody of the class. ``*_named``: whom
    that network named, if anybody; ``*_guess``: who is nearest to the face in its view, named or not.
    """

    course_id: int
    agreement: str
    truth: int | None
    first_named: int | None
    first_guess: int | None
    second_named: int | None
    second_guess: int | None


@dataclass(frozen=True, slots=True)
class Share:
    """``hits`` of ``of``, with the 95 % interval of Wilson; ``value`` None where there is nothing to divide by."""

    hits: int
    of: int

    @property
    def value(self) -> float | None:
        return self.hits / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """E. B. Wilson, Probable inference, JASA 22 (1927); (0, 1) without any observation."""
        if not self.of:
            return 0.0, 1.0
        share, z2 = self.hits / self.of, NORMAL_95**2
        middle = share + z2 / (2 * self.of)
        half = NORMAL_95 * math.sqrt(share * (1 - share) / self.of + z2 / (4 * self.of**2))
        scale = 1 + z2 / self.of
        return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """One network against people's words.

    ``nearest``: of the students' faces, those whose nearest student was the right one. ``named``: of the names it
    gave, to students and to strangers, those that were right. ``silent``: reviewed faces it named nobody for.
    """

    nearest: Share
    named: Share
    silent: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the faces that got one kind of pair of answers: ``faces`` of them, ``reviewed`` of these settled
    by a person, and in how many of those the name each network gave was right."""

    faces: int
    reviewed: int
    first_right: int
    second_right: int


@dataclass(frozen=True, slots=True)
class Line:
    """One course, or all of them together (``course_id`` None)."""

    course_id: int | None
    outcomes: Mapping[str, Outcome]
    """By agreement, each of ``AGREEMENTS``, in that order."""
    milliseconds: float | None
    """The second network's mean time for a face."""
    reviewed: int
    first: Accuracy
    second: Accuracy

    @property
    def faces(self) -> int:
        return sum(outcome.faces for outcome in self.outcomes.values())

    @property
    def alike(self) -> Share:
        """Of the faces both name, those they name alike."""
        same, different = self.outcomes["same"].faces, self.outcomes["different"].faces
        return Share(same, same + different)


@dataclass(frozen=True, slots=True)
class Comparison:
    """All courses together first, then each by itself in the order given."""

    total: Line
    courses: tuple[Line, ...]


def compare(course_ids: Sequence[int], groups: Iterable[Group], judged: Iterable[Judged]) -> Comparison:
    """Lines for these courses; groups and faces of other courses are left out."""
    groups_of: dict[int, list[Group]] = defaultdict(list)
    judged_of: dict[int, list[Judged]] = defaultdict(list)
    for group in groups:
        groups_of[group.course_id].append(group)
    for face in judged:
        judged_of[face.course_id].append(face)
    courses = tuple(_line(pk, groups_of[pk], judged_of[pk]) for pk in course_ids)
    total = _line(
        None,
        [group for pk in course_ids for group in groups_of[pk]],
        [face for pk in course_ids for face in judged_of[pk]],
    )
    return Comparison(total, courses)


def _line(course_id: int | None, groups: Sequence[Group], judged: Sequence[Judged]) -> Line:
    answers: dict[str, list[Judged]] = {kind: [] for kind in AGREEMENTS}
    for face in judged:
        answers[face.agreement].append(face)
    outcomes = {
        kind: Outcome(
            sum(group.faces for group in groups if group.agreement == kind),
            len(own),
            sum(_right(face.truth, face.first_named) for face in own),
            sum(_right(face.truth, face.second_named) for face in own),
        )
        for kind, own in answers.items()
    }
    faces = sum(group.faces for group in groups)
    spent = sum(group.milliseconds for group in groups)
    return Line(
        course_id,
        outcomes,
        spent / faces if faces else None,
        len(judged),
        _accuracy([(face.truth, face.first_named, face.first_guess) for face in judged]),
        _accuracy([(face.truth, face.second_named, face.second_guess) for face in judged]),
    )


def _right(truth: int | None, named: int | None) -> bool:
    return named is not None and named == truth


def _accuracy(answers: Sequence[tuple[int | None, int | None, int | None]]) -> Accuracy:
    """From (truth, named, nearest) of each reviewed face."""
    students = [(truth, nearest) for truth, _named, nearest in answers if truth is not None]
    names = [(truth, named) for truth, named, _nearest in answers if named is not None]
    return Accuracy(
        Share(sum(truth == nearest for truth, nearest in students), len(students)),
        Share(sum(truth == named for truth, named in names), len(names)),
        sum(named is None for _truth, named, _nearest in answers),
    )
