"""Grouping unknown faces: how many rows a crowd of strangers becomes, and how pure the rows are.

B-cubed precision and recall (Bagga and Baldwin 1998): of the faces in a face's group, the share that are the same
person; of the faces of its person, the share that are in its group; both averaged over faces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from recognition.clustering import group
from recognition.evaluate.encoded import Encoded
from recognition.evaluate.sessions import SessionDraw

THRESHOLDS = tuple(float(value) for value in np.arange(0.50, 0.681, 0.02).round(2))
FloatArray = NDArray[np.float64]
Grouping = Callable[[FloatArray, NDArray[np.int64]], list[int]]


def b_cubed(groups: NDArray[np.int64], people: NDArray[np.int64]) -> tuple[float, float]:
    """(precision, recall) of groups of faces against who they are."""
    together = groups[:, None] == groups[None, :]
    same = people[:, None] == people[None, :]
    right = (together & same).sum(axis=1)
    return float((right / together.sum(axis=1)).mean()), float((right / same.sum(axis=1)).mean())


def measure(draws: Iterable[SessionDraw], encoded: Encoded, grouping: Grouping) -> tuple[float, float, float]:
    """Mean B-cubed precision and recall over sessions of 25 strangers in 12 photos each, and rows a person."""
    rows = []
    for draw in draws:
        photos, people = np.indices(draw.photos.shape)
        found = np.array(grouping(encoded.encodings[draw.photos.ravel()], photos.ravel()))
        rows.append((*b_cubed(found, people.ravel()), len(set(found.tolist())) / draw.photos.shape[1]))
    precision, recall, per_person = np.mean(rows, axis=0).tolist()
    return precision, recall, per_person


def average_linkage(threshold: float) -> Grouping:
    """What ``recognition.clustering`` does, two faces of one photo kept apart."""
    return lambda encodings, photos: group(encodings, threshold, photos=photos.tolist())


def chinese_whispers(threshold: float) -> Grouping:
    """dlib's ``chinese_whispers_clustering``, for comparison."""
    import dlib

    def grouping(encodings: FloatArray, _photos: NDArray[np.int64]) -> list[int]:
        return list(dlib.chinese_whispers_clustering([dlib.vector(row) for row in encodings], threshold))

    return grouping


def best_threshold(draws: Iterable[SessionDraw], encoded: Encoded) -> float:
    """The threshold of average linkage with the best B-cubed F1."""
    drawn = list(draws)

    def f1(threshold: float) -> float:
        precision, recall, _ = measure(drawn, encoded, average_linkage(threshold))
        return 2 * precision * recall / (precision + recall)

    return max(THRESHOLDS, key=f1)
