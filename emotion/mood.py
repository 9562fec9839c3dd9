"""The mood of a class: shares of the seven emotions over the faces of one photo, with honest intervals.

Pure: numbers in, dataclasses out; no files, no network, no persons. Only sums over a group leave this module.

**Shares.** A classifier that is right seven times in ten reports biased shares. What is read in a group is the sum of
its faces' probabilities; the shares here are adjusted for how the classifier reads (Forman, "Counting positives
accurately", ECML 2005; with probabilities: Bella et al., ICDM 2010): they are the shares p that make
sum_j n_j log(sum_i p_i M_ij) greatest, where n_j is what was read as emotion j and M_ij the mean probability of j for
faces of emotion i, found by expectation-maximisation (Vardi and Lee, J. R. Stat. Soc. B 1993) with a weak even prior.
Chosen on the validation part over counting the likeliest emotion and over averaging probabilities unadjusted.

**Intervals.** What was read is one draw: Dirichlet(n_j + 0.3) is pushed through the same adjustment and its 5th and
95th percentile are taken; for shares and valence, which come in steps of one face, they are widened to whole faces.
So intervals grow as faces get fewer. They hold the chance in n faces, not the weakness of expressions as evidence.

**Valence** is share(Happy) - share(Angry) - share(Disgust) - share(Fear) - share(Sad), -1..1: the pleasant against
the unpleasant half of Russell's circumplex (1980); Surprise and Neutral lie on its border and count 0.

**Engagement** is sum_i w_i p_i with the emotion weights of Sharma et al., arXiv 1909.12913 (their concentration
index without the gaze term): Neutral 0.9, Happy 0.6, Surprise 0.6, Sad 0.3, Fear 0.3, Angry 0.25, Disgust 0.2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emotion.labels import CHALLENGE

MINIMUM_GROUP: Final = 5
VALENCE: Final[Mapping[str, float]] = {
    "Angry": -1.0, "Disgust": -1.0, "Fear": -1.0, "Happy": 1.0, "Sad": -1.0, "Surprise": 0.0, "Neutral": 0.0,
}  # fmt: skip
ENGAGEMENT: Final[Mapping[str, float]] = {
    "Angry": 0.25, "Disgust": 0.2, "Fear": 0.3, "Happy": 0.6, "Sad": 0.3, "Surprise": 0.6, "Neutral": 0.9,
}  # fmt: skip

_PRIOR: Final = 0.1  # of a face, spread evenly
_DRAW_PRIOR: Final = 0.3
_ROUNDS: Final = 60
_DRAWS: Final = 400
_LOW, _HIGH = 5.0, 95.0


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """How the classifier reads: ``confusion[i, j]`` is its mean probability of j for faces of emotion i, (7, 7).

    Raises:
        ValueError: not 7 x 7, negative, or a row that does not add up to 1.
    """

    confusion: NDArray[np.float64]

    def __post_init__(self) -> None:
        size = len(CHALLENGE)
        if self.confusion.shape != (size, size):
            raise ValueError(f"a confusion matrix is {size} x {size}, got {self.confusion.shape}")
        if (self.confusion < 0).any() or not np.allclose(self.confusion.sum(axis=1), 1.0, atol=1e-3):
            raise ValueError("each row of a confusion matrix holds shares that add up to 1")

    @classmethod
    def perfect(cls) -> Calibration:
        """Of a classifier that is always right: adjusts nothing."""
        return cls(np.eye(len(CHALLENGE)))


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 90 % interval, ``low <= value <= high``."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ClassMood:
    """The mood of a group; nothing in it belongs to one person.

    read: the faces' probabilities of each emotion added up, in the order of :data:`emotion.labels.CHALLENGE`;
    shares: adjusted, 0..1, adding up to 1; valence -1..1; engagement 0.2..0.9.
    """

    n: int
    read: tuple[float, ...]
    shares: Mapping[str, Estimate]
    valence: Estimate
    engagement: Estimate


def adjusted_shares(read: ArrayLike, calibration: Calibration) -> NDArray[np.float64]:
    """True shares (..., 7), adding up to 1, from what was read as each emotion in a group, (..., 7)."""
    counts = np.asarray(read, dtype=np.float64)
    confusion = calibration.confusion
    flat = counts.reshape(-1, counts.shape[-1])
    shares = np.full_like(flat, 1.0 / flat.shape[1])
    prior = _PRIOR / flat.shape[1]
    for _ in range(_ROUNDS):
        expected = shares @ confusion
        ratio = flat / np.maximum(expected, 1e-12)
        shares = shares * (ratio @ confusion.T) + prior
        shares /= shares.sum(axis=1, keepdims=True)
    return shares.reshape(counts.shape)


def _estimate(value: float, draws: NDArray[np.float64]) -> Estimate:
    low, high = (float(bound) for bound in np.percentile(draws, [_LOW, _HIGH]))
    return Estimate(value, min(low, value), max(high, value))


def _of_faces(value: float, draws: NDArray[np.float64], n: int, lowest: float) -> Estimate:
    """A share of n faces, or a difference of shares, comes in steps of 1/n: its interval reaches to whole faces."""
    rough = _estimate(value, draws)
    steps = max(n, 1)
    low, high = math.floor(rough.low * steps) / steps, math.ceil(rough.high * steps) / steps
    return Estimate(value, max(lowest, low), min(1.0, high))


def mood_of_counts(n: int, read: Sequence[float], calibration: Calibration) -> ClassMood:
    """The mood of n faces with ``read[j]`` read as emotion j in all; the same answer for the same numbers."""
    counts = np.asarray(read, dtype=np.float64)
    shares = adjusted_shares(counts, calibration)
    draws = np.random.default_rng(0).dirichlet(counts + _DRAW_PRIOR, size=_DRAWS)
    drawn = adjusted_shares(draws * max(n, 1), calibration)
    valence = np.array([VALENCE[name] for name in CHALLENGE])
    engagement = np.array([ENGAGEMENT[name] for name in CHALLENGE])
    return ClassMood(
        n=n,
        read=tuple(float(count) for count in counts),
        shares={
            name: _of_faces(float(shares[at]), drawn[:, at], n, 0.0) for at, name in enumerate(CHALLENGE)
        },
        valence=_of_faces(float(shares @ valence), drawn @ valence, n, -1.0),
        engagement=_estimate(float(shares @ engagement), drawn @ engagement),
    )


def class_mood(
    probabilities: NDArray[np.floating[Any]],
    *,
    minimum_group: int = MINIMUM_GROUP,
    calibration: Calibration,
) -> ClassMood | None:
    """The mood of the faces of one photo, or None for a group smaller than ``minimum_group``.

    Args:
        probabilities: (n, 7), rows adding up to 1, from :meth:`emotion.classifier.Classifier.read`.
        minimum_group: at least 2, because a group of one is a person.
        calibration: the classifier's own, ``classifier.calibration``.

    Raises:
        ValueError: another shape, probabilities that are none, or a minimum under 2.
    """
    if minimum_group < 2:
        raise ValueError("a mood is of a group: the minimum is 2 faces")
    given = np.asarray(probabilities, dtype=np.float64)
    if given.ndim != 2 or given.shape[1] != len(CHALLENGE):
        raise ValueError(f"probabilities must be (n, {len(CHALLENGE)}), got {given.shape}")
    if len(given) < minimum_group:
        return None
    if (
        not np.isfinite(given).all()
        or (given < 0).any()
        or not np.allclose(given.sum(axis=1), 1.0, atol=1e-3)
    ):
        raise ValueError("each row must hold probabilities that add up to 1")
    return mood_of_counts(len(given), tuple(given.sum(axis=0)), calibration)


def smoothed(
    moods: Sequence[tuple[float, ClassMood]], calibration: Calibration, *, half_life: float = 300.0
) -> list[ClassMood]:
    """The moods of one session, each averaged with those before it.

    An earlier photo counts half as much for every ``half_life`` seconds that it is older, and in proportion to its
    faces. It is the same class again, not new people, so the averaged counts are scaled to the weighted mean number
    of faces: smoothing makes the line calmer, not the interval narrower.

    Args:
        moods: (seconds since any fixed moment, mood), in order of time.

    Raises:
        ValueError: out of order, or a half-life that is not positive.
    """
    if half_life <= 0:
        raise ValueError("the half-life is a positive number of seconds")
    if any(later[0] < earlier[0] for earlier, later in pairwise(moods)):
        raise ValueError("moods must be in order of time")
    answers: list[ClassMood] = []
    total, faces, weight, before = np.zeros(len(CHALLENGE)), 0.0, 0.0, None
    for moment, mood in moods:
        fade = 1.0 if before is None else 0.5 ** ((moment - before) / half_life)
        total = total * fade + np.asarray(mood.read)
        faces, weight, before = faces * fade + mood.n, weight * fade + 1.0, moment
        answers.append(mood_of_counts(round(faces / weight), tuple(total / weight), calibration))
    return answers
