"""Doubles removed: from one network's map, from several scales, from overlapping tiles."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recognition.types import Detection

OVERLAP = 0.3
"""Two boxes that share this much (IoU) are one face."""
CONTAINED = 0.75
"""So are two of which the smaller lies this much inside the larger, unless their sizes differ threefold."""


def without_doubles(detections: list[Detection]) -> list[Detection]:
    """The detections, best score first, each face once."""
    order = sorted(detections, key=lambda found: -found.score)
    if len(order) < 2:
        return order
    corners = np.array([(d.box.left, d.box.top, d.box.right, d.box.bottom) for d in order])
    kept: list[int] = []
    alive = np.ones(len(order), np.bool_)
    for index in range(len(order)):
        if alive[index]:
            kept.append(index)
            alive[index + 1 :] &= ~_same_face(corners[index], corners[index + 1 :])
    return [order[index] for index in kept]


def _same_face(one: npt.NDArray[np.float64], others: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    low, high = np.maximum(others[:, :2], one[:2]), np.minimum(others[:, 2:], one[2:])
    shared = np.prod(np.clip(high - low, 0, None), 1)
    area, areas = np.prod(one[2:] - one[:2]), np.prod(others[:, 2:] - others[:, :2], 1)
    smaller, larger = np.minimum(area, areas), np.maximum(area, areas)
    iou = shared / np.maximum(area + areas - shared, 1e-9)
    inside = (shared > CONTAINED * smaller) & (larger < 9 * smaller)
    return np.asarray((iou > OVERLAP) | inside, np.bool_)
