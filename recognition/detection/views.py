"""Photos of any size in bounded memory: the parts and scales a network is shown, and its answers put together.

A photo whose scaled copy has more than ``max_pixels`` is cut into overlapping tiles. Each tile answers for the faces
whose centre lies nearer to its own middle than to its neighbour's, so no face is counted twice and none is cut by a
tile's edge as long as it is smaller than the overlap. Larger faces are found in one more view: the whole photo, small.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from recognition.detection.merging import without_doubles
from recognition.types import Box, Detection, Image

OVERLAP = 256
"""Of neighbouring tiles, in pixels of the scaled photo."""
LARGEST = 0.75
"""Largest face that a tile answers for, in overlaps; the small view of the whole photo finds those beyond."""


@dataclass(frozen=True, slots=True)
class View:
    """A part of the photo (whole pixels) shown at ``scale``, and the part of it whose faces it answers for."""

    left: int
    top: int
    right: int
    bottom: int
    scale: float
    own: tuple[float, float, float, float]
    largest: float

    def pixels(self, image: Image) -> Image:
        part = image[self.top : self.bottom, self.left : self.right]
        if self.scale == 1.0:
            return np.ascontiguousarray(part)
        size = (max(1, round(part.shape[1] * self.scale)), max(1, round(part.shape[0] * self.scale)))
        how = cv2.INTER_AREA if self.scale < 1 else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(part, size, interpolation=how), np.uint8)

    def in_photo(self, found: Detection) -> Detection:
        """A detection in the view's pixels, in those of the photo."""
        box = found.box.scaled(1 / self.scale).moved(self.left, self.top)
        points = found.landmarks
        if points is not None:
            points = (points / self.scale + (self.left, self.top)).astype(np.float32)
        return Detection(box, points, found.score)

    def answers_for(self, box: Box) -> bool:
        x, y = box.centre
        left, top, right, bottom = self.own
        return left <= x < right and top <= y < bottom and max(box.width, box.height) <= self.largest


def _cuts(length: int, tile: int, overlap: int) -> list[tuple[int, int, float, float]]:
    """Tiles along one side: begin, end, and where the part they answer for begins and ends."""
    if length <= tile:
        return [(0, length, -math.inf, math.inf)]
    count = math.ceil((length - overlap) / (tile - overlap))
    starts = [round(index * (length - tile) / (count - 1)) for index in range(count)]
    seams = [(starts[i] + tile + starts[i + 1]) / 2 for i in range(count - 1)]
    edges = [-math.inf, *seams, math.inf]
    return [(start, start + tile, edges[i], edges[i + 1]) for i, start in enumerate(starts)]


def tiles(height: int, width: int, scale: float, max_pixels: int) -> list[View]:
    """Views that cover the photo at one scale, none above ``max_pixels``."""
    whole = height * width * scale * scale <= max_pixels
    # A long photo is cut into bands; only what is wide as well is cut both ways.
    overlap = math.ceil(OVERLAP / scale)
    across = min(
        width, max(2 * overlap, int(max_pixels / scale**2 / min(height, math.sqrt(max_pixels) / scale)))
    )
    along = max(2 * overlap, int(max_pixels / scale**2 / across))
    rows = [(0, height, -math.inf, math.inf)] if whole else _cuts(height, along, overlap)
    columns = [(0, width, -math.inf, math.inf)] if whole else _cuts(width, across, overlap)
    largest = math.inf if whole else LARGEST * overlap
    return [
        View(left, top, right, bottom, scale, (own_left, own_top, own_right, own_bottom), largest)
        for top, bottom, own_top, own_bottom in rows
        for left, right, own_left, own_right in columns
    ]


def plan(
    height: int, width: int, scale: float, *, max_pixels: int, coarse_side: int, always_coarse: bool = False
) -> list[View]:
    """The views of a photo: at ``scale``, and when that took tiles a small view of the whole, its longer side
    ``coarse_side`` pixels. ``always_coarse`` adds the small view whenever it is less than half as fine: for networks
    that miss faces of several hundred pixels."""
    views = tiles(height, width, scale, max_pixels)
    coarse = coarse_side / max(height, width)
    if coarse < scale and (len(views) > 1 or (always_coarse and coarse < scale / 2)):
        views += tiles(height, width, coarse, max_pixels)
    return views


def detect_in_views(
    image: Image, views: Iterable[View], find: Callable[[Image], list[Detection]]
) -> list[Detection]:
    """``find`` asked about each view; the answers in the photo's pixels, each face once, best score first."""
    found: list[Detection] = []
    for view in views:
        answers = (view.in_photo(answer) for answer in find(view.pixels(image)))
        found += [answer for answer in answers if view.answers_for(answer.box)]
    return without_doubles(found)
