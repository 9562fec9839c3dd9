"""Faces taken out of a photo for good: nothing of them can be computed back from what is left."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.types import Box

Photo = NDArray[np.uint8]

MARGIN = 0.45
"""Of a face's size, on each side: hair, ears and chin say who it is as well."""
CELLS = 4
"""A face becomes so many averages across; recognition and people fail long before (``tests/own_data``)."""
SAME = 0.4
"""Intersection over union from which a detection is the face it was compared with."""


def hide(photo: Photo, own: Sequence[Box], others: Sequence[Box]) -> Photo:
    """A copy of an RGB photo (H, W, 3) with every one of ``others`` averaged away, with a margin.

    A margin gives way to one of the student's ``own`` faces beside it; a face itself never does.
    """
    hidden = photo.copy()
    height, width = photo.shape[:2]
    faces, margins = (np.zeros((height, width), bool) for _ in range(2))
    for box in others:
        for mask, by in ((faces, 0.0), (margins, MARGIN)):
            part = _within(_grown(box, by), height, width)
            mask[part] = True
    for box in own:
        margins[_within(box, height, width)] = False
    gone = faces | margins
    for box in others:
        part = _within(_grown(box, MARGIN), height, width)
        if hidden[part].size:
            averaged = _averaged(hidden[part])
            hidden[part] = np.where(gone[part][..., None], averaged, hidden[part])
    return hidden


def others_among(found: Sequence[Box], own: Sequence[Box]) -> list[Box]:
    """The boxes that are none of the student's own faces."""
    return [box for box in found if not any(_is_same(box, mine) for mine in own)]


def around(photo: Photo, box: Box, margin: float = 0.35) -> Photo:
    """The part of the photo with this face in it."""
    return photo[_within(_grown(box, margin), *photo.shape[:2])]


def _is_same(one: Box, mine: Box) -> bool:
    return one.iou(mine) >= SAME or (_holds(one, mine.centre) and _holds(mine, one.centre))


def _holds(box: Box, point: tuple[float, float]) -> bool:
    return box.left <= point[0] <= box.right and box.top <= point[1] <= box.bottom


def _averaged(part: Photo) -> Photo:
    """``CELLS`` averages across and down, smoothed, in the size of the part; a faint blur hides the cells' edges."""
    height, width = part.shape[:2]
    few = cv2.resize(part, (min(CELLS, width), min(CELLS, height)), interpolation=cv2.INTER_AREA)
    large = cv2.resize(few, (width, height), interpolation=cv2.INTER_NEAREST)
    side = max(3, (min(height, width) // CELLS) | 1)
    return np.asarray(cv2.GaussianBlur(large, (side, side), 0), np.uint8)


def _grown(box: Box, margin: float) -> Box:
    wide, high = box.width * margin, box.height * margin
    return Box(box.left - wide, box.top - high, box.width + 2 * wide, box.height + 2 * high)


def _within(box: Box, height: int, width: int) -> tuple[slice, slice]:
    top, bottom = (int(np.clip(edge, 0, height)) for edge in (np.floor(box.top), np.ceil(box.bottom)))
    left, right = (int(np.clip(edge, 0, width)) for edge in (np.floor(box.left), np.ceil(box.right)))
    return slice(top, bottom), slice(left, right)
