"""The image pyramid of dlib's MMOD detector, laid out in one tile as ``input_rgb_image_pyramid`` does it.

pyramid_down<6> with padding 10 and outer padding 11 (dlib/image_transforms/image_pyramid.h, create_tiled_pyramid).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from recognition.types import Image

Corners: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom; both ends inside the rectangle."""

_RATE = 5.0 / 6.0
UP = 6.0 / 5.0
"""One level up: first divided and then multiplied, as dlib does it, which decides ties of rounding."""
_PADDING = 10
_OUTER = 11
_SMALLEST = 5


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each level of the pyramid lies in the tile: (left, top, width, height) a level."""

    height: int
    width: int
    levels: tuple[tuple[int, int, int, int], ...]

    def level_of(self, x: float, y: float) -> int:
        """The level a point of the tile belongs to: the first that contains it, else the nearest."""
        nearest, best = 0, math.inf
        for index, (left, top, width, height) in enumerate(self.levels):
            aside = max(left - x, 0.0, x - (left + width - 1))
            above = max(top - y, 0.0, y - (top + height - 1))
            distance = aside * aside + above * above
            if distance < best:
                nearest, best = index, distance
        return nearest

    def in_image(self, window: Corners, level: int) -> Corners:
        """A window of the tile in pixels of level 0, not rounded."""
        left, top = self.levels[level][:2]
        corners = (window[0] - left, window[1] - top, window[2] - left, window[3] - top)
        for _ in range(level):
            corners = tuple(value * UP + 0.3 for value in corners)  # type: ignore[assignment]
        return corners


def level_sizes(height: int, width: int) -> list[tuple[int, int]]:
    """(height, width) of every level; none smaller than five rows but the first."""
    sizes: list[tuple[int, int]] = []
    while height * width > 0 and (height >= _SMALLEST or not sizes):
        sizes.append((height, width))
        height, width = math.floor(_RATE * height), math.floor(_RATE * width)
    return sizes


def layout(height: int, width: int) -> Layout:
    """The tile of an image: a left column from the top down, then a right column from the bottom up."""
    sizes = level_sizes(height, width)
    total = sum(rows + _PADDING for rows, _ in sizes) - 2 * _PADDING
    column, previous = 0, 0
    for rows, columns in sizes:
        if columns <= width - previous - _PADDING and (column - height) * 2 >= total - height:
            break
        column += rows + _PADDING
        previous = columns
    column -= _PADDING
    places = []
    y, index = _OUTER, 0
    while y < column + _OUTER and index < len(sizes):
        rows, columns = sizes[index]
        places.append((_OUTER, y, columns, rows))
        y, index = y + rows + _PADDING, index + 1
    y -= _PADDING
    for rows, columns in sizes[index:]:
        left, top = _OUTER + width - columns, y - rows
        if top < _OUTER + height and left < _OUTER + width:
            break
        places.append((left, top, columns, rows))
        y -= rows + _PADDING
    return Layout(column + 2 * _OUTER, width + 2 * _OUTER, tuple(places))


def normalised(image: Image, averages: Tensor) -> Tensor:
    """(1, 3, h, w) float32, (value - average) / 256, channels_last."""
    pixels = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]
    return (pixels.float() - averages.view(1, 3, 1, 1)).mul_(1 / 256)


def shrunk(level: Tensor, height: int, width: int) -> Tensor:
    """The next level: bilinear with aligned corners and no smoothing, as dlib's resize_image."""
    return functional.interpolate(level, (height, width), mode="bilinear", align_corners=True)


def tiled(level: Tensor, plan: Layout) -> Tensor:
    """The tile (1, 3, height, width) with all levels made from level 0; zero, the mean colour, between them."""
    tile = torch.zeros((1, 3, plan.height, plan.width)).contiguous(memory_format=torch.channels_last)
    for index, (left, top, width, height) in enumerate(plan.levels):
        if index:
            level = shrunk(level, height, width)
        tile[:, :, top : top + height, left : left + width] = level
    return tile
