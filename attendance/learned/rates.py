"""How often recognition is right here: by confidence, and as error rates with their intervals. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from attendance.learned.facts import Face, Likeness, Session
from recognition.policy import MatchPolicy

BANDS = (0.0, 0.5, 0.8, 0.95, 0.99, 1.0)
"""Edges of the bands of confidence; the last one takes its upper edge in."""
Z = 1.959964
"""Two-sided 95 % of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Share:
    """``hits`` of ``trials``; ``low`` and ``high`` bound the true share with 95 % (Wilson's score interval)."""

    hits: int
    trials: int

    @property
    def value(self) -> float | None:
        return self.hits / self.trials if self.trials else None

    @property
    def low(self) -> float:
        return self._bounds()[0]

    @property
    def high(self) -> float:
        return self._bounds()[1]

    def _bounds(self) -> tuple[float, float]:
        """E. B. Wilson, JASA 22 (1927) 209; (0, 1) without a trial."""
        if not self.trials:
            return 0.0, 1.0
        n, p = self.trials, self.hits / self.trials
        middle = p + Z * Z / (2 * n)
        half = Z * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
        low, high = (middle - half) / (1 + Z * Z / n), (middle + half) / (1 + Z * Z / n)
        return (0.0 if self.hits == 0 else low), (1.0 if self.hits == n else high)


@dataclass(frozen=True, slots=True)
class Band:
    """Settled faces whose likeliest student had a chance in ``low``..``high``, and how many of those it was."""

    low: float
    high: float
    right: Share


def bands(faces: Iterable[Face], best: Callable[[Face], Likeness | None]) -> list[Band]:
    """Confirmed right and wrong by confidence. ``best``: the likeliest student one model gives a face.

    Counted are faces of which a person said who it is, that it is nobody of the class, or that it is not this one.
    """
    hits, trials = [0] * (len(BANDS) - 1), [0] * (len(BANDS) - 1)
    for face in faces:
        likely = best(face)
        if likely is None or likely.probability is None:
            continue
        if not face.settled and likely.student_id not in face.rejected:
            continue
        place = max(i for i in range(len(BANDS) - 1) if likely.probability >= BANDS[i])
        trials[place] += 1
        hits[place] += face.truth == likely.student_id
    return [
        Band(low, high, Share(hits[i], trials[i])) for i, (low, high) in enumerate(itertools.pairwise(BANDS))
    ]


def first_model(face: Face) -> Likeness | None:
    return face.candidates[0] if face.candidates else None


def second_model(face: Face) -> Likeness | None:
    return face.second


@dataclass(frozen=True, slots=True)
class Rates:
    """Errors one comparison at a time, at the threshold from which a name is given (ISO/IEC 19795-1).

    ``false_match``: comparisons with somebody else that reached it. ``false_non_match``: comparisons with the
    right student that did not. ``wrong_names``: faces that were given a name a person then took away, of all that
    were given one.
    """

    false_match: Share
    false_non_match: Share
    wrong_names: Share
    settled: int
    """Faces of which a person said who they are."""
    left_standing: int
    """Faces that were named and that nobody objected to: counted as right."""


def measure(sessions: Sequence[Session], policy: MatchPolicy) -> Rates:
    """The rates of these lessons. A student who is not among a face's candidates scored below all of them."""
    false_matches = impostors = misses = genuine = wrong = named = settled = standing = 0
    for session in sessions:
        accept, _review = policy.thresholds(max(session.enrolled, 1))
        for face in session.faces:
            truth = true_student(face)
            if face.named is not None:
                named += 1
                wrong += face.named in face.rejected or (face.settled and truth != face.named)
            if truth is None:
                continue
            settled += face.settled
            standing += not face.settled
            own = next((c.score for c in face.candidates if c.student_id == truth), -math.inf)
            enrolled = session.roster.get(truth, False)
            genuine += enrolled
            misses += enrolled and own < accept
            others = [c for c in face.candidates if c.student_id != truth]
            false_matches += sum(c.score >= accept for c in others)
            impostors += max(session.enrolled - enrolled, len(others))
    return Rates(
        Share(false_matches, impostors), Share(misses, genuine), Share(wrong, named), settled, standing
    )


def true_student(face: Face) -> int | None:
    """Whose face it is: what a person said, else the name that nobody objected to; ``NOBODY`` for a stranger."""
    if face.settled:
        return face.truth
    if face.named is not None and face.named not in face.rejected:
        return face.named
    return None
