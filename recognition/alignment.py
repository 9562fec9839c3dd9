"""Aligned chips: faces brought to one pose, 150 x 150, as dlib's encoder wants them.

Two ways to place a chip: from dlib's five landmarks (eye corners and nose base), or directly from a detector's five
points. Two ways to sample it: exactly as ``dlib.get_face_chips`` does (bit for bit), or with OpenCV, ten times faster
and at most a grey level or so away. A placement is a matrix (2, 3): chip (column, row, 1) -> image (x, y).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from recognition.errors import ImageError
from recognition.types import CHIP_SIZE, Box, Chips, Image, checked_image

FloatArray: TypeAlias = npt.NDArray[np.float64]

_PADDING = 0.25
# Mean shape of dlib's five landmarks (dlib/image_transforms/interpolation.h, get_face_chip_details).
_DLIB5 = np.array(
    [
        (0.8595674595992, 0.2134981538014),
        (0.6460604764104, 0.2289674387677),
        (0.1205750620789, 0.2137274526848),
        (0.3340850613712, 0.2290642403242),
        (0.4901123135679, 0.6277975316475),
    ]
)
_DLIB5_IN_CHIP = (_DLIB5 + _PADDING) / (2 * _PADDING + 1) * CHIP_SIZE
_ANY_POINTS = np.array([(45.6, 45.4), (103.7, 46.3), (75.2, 78.3), (50.5, 104.0), (99.7, 104.3)])
POINTS_IN_CHIP = {
    "centerface": np.array([(46.6, 46.0), (102.6, 45.2), (74.6, 78.3), (50.5, 104.1), (97.5, 103.5)]),
    "yunet": _ANY_POINTS,
}
"""Where each detector's five points lie in dlib's chip: medians over LFW."""
BOX_CENTRE_IN_CHIP = (71.6, 72.0)
BOX_SIDE_IN_CHIP = 127.0
"""dlib's HOG box in the same chip."""


@dataclass(frozen=True, slots=True)
class ChipRectangle:
    """dlib's chip_details: an upright rectangle, inclusive corners, to be turned by ``angle`` about its centre."""

    left: float
    top: float
    right: float
    bottom: float
    angle: float

    @property
    def area(self) -> float:
        return (self.right - self.left + 1) * (self.bottom - self.top + 1)

    def down(self) -> ChipRectangle:
        """The rectangle one level down dlib's pyramid (dlib's point mapping, not the exact one)."""
        return ChipRectangle(
            self.left / 2 - 1.25,
            self.top / 2 - 0.75,
            self.right / 2 - 1.25,
            self.bottom / 2 - 0.75,
            self.angle,
        )

    def moved(self, right: float, down: float) -> ChipRectangle:
        return ChipRectangle(
            self.left + right, self.top + down, self.right + right, self.bottom + down, self.angle
        )

    def corners(self) -> FloatArray:
        """(4, 2): top left, top right, bottom left, bottom right after turning."""
        centre = np.array([(self.left + self.right) / 2, (self.top + self.bottom) / 2])
        upright = np.array(
            [
                (self.left, self.top),
                (self.right, self.top),
                (self.left, self.bottom),
                (self.right, self.bottom),
            ]
        )
        cosine, sine = math.cos(self.angle), math.sin(self.angle)
        return np.asarray((upright - centre) @ np.array([(cosine, sine), (-sine, cosine)]) + centre)

    def placement(self) -> FloatArray:
        """(2, 3): pixel 0 of the chip on the left edge, pixel 149 on the right edge."""
        top_left, top_right, bottom_left, _ = self.corners()
        last = CHIP_SIZE - 1
        return np.stack([(top_right - top_left) / last, (bottom_left - top_left) / last, top_left], 1)

    def level(self) -> tuple[int, ChipRectangle]:
        """The pyramid level dlib samples from, and the rectangle there."""
        level, rectangle = 0, self
        while rectangle.down().area > CHIP_SIZE * CHIP_SIZE:
            level, rectangle = level + 1, rectangle.down()
        return level, rectangle


def similarity(source: FloatArray, target: FloatArray) -> FloatArray:
    """Least-squares similarity (2, 3) that brings ``source`` (n, 2) to ``target`` (n, 2); Umeyama 1991."""
    f, t = source - source.mean(0), target - target.mean(0)
    size = (f * f).sum()
    a = (f * t).sum() / size
    b = (f[:, 0] * t[:, 1] - f[:, 1] * t[:, 0]).sum() / size
    turn = np.array([(a, -b), (b, a)])
    return np.column_stack([turn, target.mean(0) - turn @ source.mean(0)])


def chip_rectangle(landmarks: FloatArray) -> ChipRectangle:
    """dlib's chip for five dlib landmarks (5, 2)."""
    matrix = similarity(_DLIB5_IN_CHIP, landmarks)
    scale, angle = math.hypot(matrix[0, 0], matrix[1, 0]), math.atan2(matrix[1, 0], matrix[0, 0])
    x, y = matrix @ (CHIP_SIZE / 2, CHIP_SIZE / 2, 1)
    half = (CHIP_SIZE * scale - 1) / 2
    return ChipRectangle(x - half, y - half, x + half, y + half, angle)


def points_placement(points: npt.NDArray[np.floating], detector: str) -> FloatArray:
    """Placement (2, 3) of a chip straight from a detector's five points (5, 2)."""
    return similarity(POINTS_IN_CHIP.get(detector, _ANY_POINTS), points.astype(np.float64))


def face_box(points: npt.NDArray[np.floating], detector: str) -> Box:
    """The box dlib's HOG detector would put around a face with these five points: the framing of every detector."""
    matrix = points_placement(points, detector)
    scale = math.hypot(matrix[0, 0], matrix[1, 0])
    x, y = matrix @ (*BOX_CENTRE_IN_CHIP, 1)
    side = BOX_SIDE_IN_CHIP * scale
    return Box(x - side / 2, y - side / 2, side, side)


def fast_chip(image: Image, placement: FloatArray) -> Image:
    """One chip (150, 150, 3) sampled with OpenCV: halved until less than twice too large, then bilinear.

    Where the chip reaches beyond the image it is black, as dlib's is.
    """
    matrix = placement.copy()
    crop, origin = _crop(image, matrix)
    matrix[:, 2] -= origin
    while math.hypot(matrix[0, 0], matrix[1, 0]) > 2.0 and min(crop.shape[:2]) > 8:
        crop = np.asarray(cv2.pyrDown(crop), np.uint8)
        matrix /= 2
    chip = cv2.warpAffine(
        crop.astype(np.float32), matrix, (CHIP_SIZE, CHIP_SIZE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )
    return chip.astype(np.uint8)


def fast_chips(image: Image, placements: list[FloatArray]) -> Chips:
    """(n, 150, 150, 3) for n placements (2, 3), n may be 0. Raises ImageError for other shapes."""
    image = checked_image(image)
    if any(np.shape(placement) != (2, 3) for placement in placements):
        raise ImageError(f"placements have the shape (2, 3), not {[np.shape(one) for one in placements]}")
    chips = np.empty((len(placements), CHIP_SIZE, CHIP_SIZE, 3), np.uint8)
    for row, placement in enumerate(placements):
        chips[row] = fast_chip(image, placement)
    return chips


def _crop(image: Image, placement: FloatArray) -> tuple[Image, FloatArray]:
    """The part of the image a chip needs (at least one pixel), and where it begins (x, y)."""
    height, width = image.shape[:2]
    last = CHIP_SIZE - 1
    corners = np.array([(0, 0, 1), (last, 0, 1), (0, last, 1), (last, last, 1)]) @ placement.T
    margin = 3 * math.hypot(placement[0, 0], placement[1, 0]) + 3
    left, top = np.clip(np.floor(corners.min(0) - margin), 0, (width - 1, height - 1)).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(0) + margin), (left + 1, top + 1), (width, height)).astype(
        int
    )
    return image[top:bottom, left:right], np.array([left, top], np.float64)


def exact_chips(image: Image, landmarks: FloatArray) -> Chips:
    """What ``dlib.get_face_chips`` gives for these landmarks (n, 5, 2) in one call, bit for bit: (n, 150, 150, 3).

    dlib crops the image to all faces of the call before it makes the pyramid, so large faces depend a little on the
    others; call with one face to get what ``dlib.get_face_chip`` gives. Raises ImageError for other shapes.
    """
    image = checked_image(image)
    if len(landmarks) and np.shape(landmarks)[1:] != (5, 2):
        raise ImageError(f"landmarks have the shape (n, 5, 2), not {np.shape(landmarks)}")
    rectangles = [chip_rectangle(points) for points in landmarks]
    if not rectangles:
        return np.empty((0, CHIP_SIZE, CHIP_SIZE, 3), np.uint8)
    levels = [rectangle.level()[0] for rectangle in rectangles]
    left, top, right, bottom = _dlib_crop(image, rectangles, levels)
    pyramid = [image[top : bottom + 1, left : right + 1]]
    for _ in range(max(levels)):
        pyramid.append(_dlib_half(pyramid[-1]))
    chips = []
    for rectangle in rectangles:
        level, inside = rectangle.moved(-left, -top).level()
        chips.append(_dlib_sample(pyramid[level], inside.placement()))
    return np.stack(chips)


def _dlib_crop(image: Image, rectangles: list[ChipRectangle], levels: list[int]) -> tuple[int, int, int, int]:
    """Inclusive left, top, right, bottom of the part of the image dlib works on."""
    height, width = image.shape[:2]
    parts = []
    for rectangle, level in zip(rectangles, levels, strict=True):
        grow = 2
        for _ in range(level):
            grow = 2 * grow + 2
        corners = rectangle.corners()
        low = np.maximum(corners.min(0) - grow, 0)
        high = np.minimum(corners.max(0) + grow, (width - 1, height - 1))
        if (low <= high).all():
            parts.append(np.floor(np.concatenate([low, high]) + 0.5))
    if not parts:
        return 0, 0, 0, 0
    edges = np.stack(parts)
    left, top = edges[:, :2].min(0).astype(int)
    right, bottom = edges[:, 2:].max(0).astype(int)
    return int(left), int(top), int(right), int(bottom)


def _dlib_half(image: Image) -> Image:
    """dlib's pyramid_down<2>: binomial 5 x 5, whole numbers, truncated, no border."""
    rows, columns = (image.shape[0] - 3) // 2, (image.shape[1] - 3) // 2
    wide = image.astype(np.int32)
    across = sum(
        weight * wide[:, start : start + 2 * columns : 2][:, :columns]
        for start, weight in enumerate((1, 4, 6, 4, 1))
    )
    both = sum(
        weight * np.asarray(across)[start : start + 2 * rows : 2][:rows]
        for start, weight in enumerate((1, 4, 6, 4, 1))
    )
    return (np.asarray(both) // 256).astype(np.uint8)


def _dlib_sample(image: Image, placement: FloatArray) -> Image:
    """Bilinear in double, truncated; black where one of the four neighbours is missing."""
    steps = np.arange(CHIP_SIZE, dtype=np.float64)
    x = placement[0, 0] * steps[None, :] + placement[0, 1] * steps[:, None] + placement[0, 2]
    y = placement[1, 0] * steps[None, :] + placement[1, 1] * steps[:, None] + placement[1, 2]
    left, top = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    height, width = image.shape[:2]
    inside = (left >= 0) & (top >= 0) & (left + 1 < width) & (top + 1 < height)
    chip = np.zeros((CHIP_SIZE, CHIP_SIZE, 3), np.uint8)
    across, along = (x - left)[inside][:, None], (y - top)[inside][:, None]
    left, top = left[inside], top[inside]
    upper = (1 - across) * image[top, left] + across * image[top, left + 1]
    lower = (1 - across) * image[top + 1, left] + across * image[top + 1, left + 1]
    chip[inside] = ((1 - along) * upper + along * lower).astype(np.uint8)
    return chip
