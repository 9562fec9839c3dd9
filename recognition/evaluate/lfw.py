"""LFW verification: the 6,000 official pairs in ten folds, and the same with one picture made small.

``distance``: plain Euclidean distance of the two encodings, the usual protocol. ``normalised``: the score that
identification uses, with a normaliser fitted for each fold on people of whom no pair of that fold shows a picture
(the folds' people are disjoint; labelled data of the other nine folds may be used under the unrestricted
protocol). The threshold of a fold is the best of the other nine. ``calibrated``: distance and normaliser weighed by a
logistic regression on the other nine folds, which also decides: one person where the odds are even or better.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.evaluate.encoded import Encoded
from recognition.evaluate.fit_normaliser import fit_normaliser
from recognition.evaluate.lfw_data import Lfw, Pairs
from recognition.evaluate.logistic import logistic_fit

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


@dataclass(frozen=True, slots=True)
class Terms:
    """What the scores of a pair are made of: the logarithm of its distance (pairs,), and the mean of what ten
    normalisers say of its two faces (10, pairs), the n-th fitted on people of whom no pair of fold n shows a picture.

    NaN where either picture has no face.
    """

    near: FloatArray
    strangers: FloatArray
    fold: NDArray[np.int64]

    @property
    def normalised(self) -> FloatArray:
        """The score that identification uses."""
        scores = self.strangers[self.fold, np.arange(len(self.fold))] - self.near
        return np.where(np.isfinite(scores), scores, -np.inf)

    def calibrated(self, same: NDArray[np.bool_]) -> FloatArray:
        """Log odds that a pair shows one person: a logistic regression on both terms, fitted on the other folds."""
        odds = np.empty(len(self.fold))
        for fold in np.unique(self.fold):
            terms, test = np.column_stack([self.near, self.strangers[fold]]), self.fold == fold
            fitted = ~test & np.isfinite(terms).all(axis=1)
            slopes, intercept = logistic_fit(terms[fitted], same[fitted], np.ones(fitted.sum()))
            odds[test] = terms[test] @ slopes + intercept
        return np.where(np.isfinite(odds), odds, -np.inf)


def normalised_terms(data: Lfw, whole: Encoded, pairs: Pairs, *, seed: int = 0) -> Terms:
    """Distances and what ten normalisers say, each of which never saw the people of its fold."""
    strangers = np.empty((FOLDS, len(pairs.same)))
    for fold in range(FOLDS):
        rows = pairs.fold == fold
        shown = set(data.person[np.concatenate([pairs.first[rows], pairs.second[rows]])])
        others = set(data.rows_of) - shown
        normaliser = fit_normaliser(data, whole.encodings, others, whole.found, seed=seed)
        said = normaliser(whole.encodings)
        strangers[fold] = (said[pairs.first] + said[pairs.second]) / 2
    apart = whole.encodings[pairs.first] - whole.encodings[pairs.second]
    return Terms(np.log(np.sqrt(np.square(apart).sum(axis=1))), strangers, pairs.fold)


def verification(scores: FloatArray, pairs: Pairs, threshold: float | None = None) -> Verification:
    """Accuracy, FMR and FNMR by the ten-fold protocol; with ``threshold`` at that one, for scores that carry what was
    fitted on the other folds."""
    folds = []
    for fold in np.unique(pairs.fold):
        test = pairs.fold == fold
        at = best_threshold(scores[~test], pairs.same[~test]) if threshold is None else threshold
        said = scores[test] > at
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
