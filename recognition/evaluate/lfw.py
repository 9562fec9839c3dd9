"""LFW verification: the 6,000 official pairs in ten folds, and the same with one picture made small.

``distance``: plain Euclidean distance of the two encodings, the usual protocol. ``normalised``: the score that
identification uses, with a normaliser fitted for each fold on people of whom no pair of that fold shows a picture
(the folds' people are disjoint; labelled data of the other nine folds may be used under the unrestricted
protocol). The threshold of a fold is the best of the other nine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.evaluate.encoded import Encoded
from recognition.evaluate.fit_normaliser import fit_normaliser
from recognition.evaluate.lfw_data import Lfw, Pairs

FOLDS = 10
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Verification:
    """Means over the ten folds, each at the threshold of the other nine, and the accuracy's standard error."""

    accuracy: float
    accuracy_error: float
    fmr: float
    fnmr: float


def distance_scores(first: Encoded, second: Encoded) -> FloatArray:
    """Minus the distance of each pair; -inf where either picture has no face, which can only mean "different"."""
    distances = np.sqrt(np.square(first.encodings - second.encodings).sum(axis=1))
    return np.asarray(np.where(np.isfinite(distances), -distances, -np.inf))


def normalised_scores(data: Lfw, whole: Encoded, pairs: Pairs, *, seed: int = 0) -> FloatArray:
    """The normalised score of each pair, by ten normalisers that never saw the pair's fold."""
    scores = np.empty(len(pairs.same))
    for fold in range(FOLDS):
        rows = pairs.fold == fold
        shown = set(data.person[np.concatenate([pairs.first[rows], pairs.second[rows]])])
        others = set(data.rows_of) - shown
        normaliser = fit_normaliser(data, whole.encodings, others, whole.found, seed=seed)
        one, two = whole.encodings[pairs.first[rows]], whole.encodings[pairs.second[rows]]
        near = np.log(np.sqrt(np.square(one - two).sum(axis=1)))
        scores[rows] = 0.5 * (normaliser(one) + normaliser(two)) - near
    return np.where(np.isfinite(scores), scores, -np.inf)


def verification(scores: FloatArray, pairs: Pairs) -> Verification:
    """Accuracy, FMR and FNMR by the ten-fold protocol."""
    folds = []
    for fold in np.unique(pairs.fold):
        test = pairs.fold == fold
        said = scores[test] > best_threshold(scores[~test], pairs.same[~test])
        same = pairs.same[test]
        folds.append(((said == same).mean(), said[~same].mean(), (~said[same]).mean()))
    table = np.array(folds)
    means = table.mean(axis=0)
    error = table[:, 0].std(ddof=1) / np.sqrt(len(folds))
    return Verification(float(means[0]), float(error), float(means[1]), float(means[2]))


def best_threshold(scores: FloatArray, same: NDArray[np.bool_]) -> float:
    """The middle between the two neighbouring scores that divide most pairs rightly."""
    order = np.argsort(scores)
    right = np.concatenate([[same.sum()], same.sum() + np.cumsum(np.where(same[order], -1, 1))])
    cut = int(right.argmax())
    ordered = np.concatenate([[-np.inf], scores[order], [np.inf]])
    low, high = ordered[cut], ordered[cut + 1]
    if not np.isfinite(low) or not np.isfinite(high):
        return float(high if np.isfinite(high) else low)
    return float((low + high) / 2)


def fnmr_at(scores: FloatArray, same: NDArray[np.bool_], fmr: float) -> float:
    """Share of same pairs missed where a share ``fmr`` of the different ones passes."""
    return float((scores[same] <= threshold_at(scores, same, fmr)).mean())


def threshold_at(scores: FloatArray, same: NDArray[np.bool_], fmr: float) -> float:
    """The lowest score that at most a share ``fmr`` of the different pairs exceeds."""
    falling = np.sort(scores[~same])[::-1]
    return float(falling[int(fmr * len(falling))])


def fmr_at(scores: FloatArray, same: NDArray[np.bool_], threshold: float) -> float:
    """Share of different pairs above a threshold."""
    return float((scores[~same] > threshold).mean())
