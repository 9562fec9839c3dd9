"""From a detector's box to a face framed the way FER2013's pictures are.

FER2013's pictures end at the hair line, the chin and the ears, but every detector draws its own kind of box. The
figures below say how large FER2013's square is, and where its centre lies, in units of sqrt(width x height) of a
box: medians over pictures of FER2013's Training part, enlarged and found by the detector itself;
``python -m emotion.measure_framing`` measures them again, and how well the network reads what they cut out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion.errors import BadImage

Box: TypeAlias = Sequence[float]
"""left, top, width, height in pixels of the photo; it may reach beyond the photo."""


@dataclass(frozen=True, slots=True)
class Framing:
    """Side of FER2013's square, and how far its centre lies below the box's, in units of sqrt(width x height)."""

    side: float
    below: float


OUTLINE: Final = Framing(side=1.145, below=0.01)
"""Boxes drawn round the face from forehead to chin, taller than wide: CenterFace, YuNet, WIDER FACE."""
SQUARE: Final = Framing(side=1.28, below=-0.073)
"""dlib's squares, from the eyebrows to the chin: HOG and MMOD, and so face_recognition's."""


def check_photo(photo: NDArray[np.uint8]) -> None:
    """Raise BadImage unless the photo is RGB uint8 (H, W, 3) with at least one pixel."""
    if not isinstance(photo, np.ndarray) or photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3:
        shape = getattr(photo, "shape", type(photo).__name__)
        raise BadImage(f"a photo must be RGB uint8 (H, W, 3), got {getattr(photo, 'dtype', '')} {shape}")
    if photo.size == 0:
        raise BadImage("the photo has no pixels")


def face(
    photo: NDArray[np.uint8], box: Box, size: int = 48, framing: Framing = OUTLINE, *, colour: bool = False
) -> NDArray[np.uint8]:
    """Cut one face out of a photo as FER2013 would: grey uint8 (size, size), or RGB (size, size, 3) in colour.

    What lies beyond the photo's edge is filled with its nearest pixels.

    Raises:
        BadImage: the photo is not RGB uint8, or the box is not finite, has no area, or misses the photo.
    """
    check_photo(photo)
    if len(box) != 4 or not np.isfinite(np.asarray(box, dtype=np.float64)).all():
        raise BadImage(f"a box is four finite numbers (left, top, width, height), got {box}")
    left, top, width, height = (float(value) for value in box)
    rows, columns = photo.shape[:2]
    if width <= 0 or height <= 0:
        raise BadImage(f"the box {box} has no area")
    if left >= columns or top >= rows or left + width <= 0 or top + height <= 0:
        raise BadImage(f"the box {box} lies outside the photo of {columns} x {rows} pixels")
    unit = (width * height) ** 0.5
    side = max(1, round(unit * framing.side))
    x = round(left + width / 2 - side / 2)
    y = round(top + height / 2 + framing.below * unit - side / 2)
    inside = photo[max(y, 0) : min(y + side, rows), max(x, 0) : min(x + side, columns)]
    if inside.size == 0:
        raise BadImage(f"the face of box {box} lies outside the photo")
    pixels = inside if colour else cv2.cvtColor(np.ascontiguousarray(inside), cv2.COLOR_RGB2GRAY)
    missing = (max(-y, 0), max(y + side - rows, 0), max(-x, 0), max(x + side - columns, 0))
    if any(missing):
        pixels = cv2.copyMakeBorder(pixels, *missing, cv2.BORDER_REPLICATE)
    method = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (size, size), interpolation=method), dtype=np.uint8)


def faces(
    photo: NDArray[np.uint8],
    boxes: Sequence[Box],
    size: int = 48,
    framing: Framing = OUTLINE,
    *,
    colour: bool = False,
) -> NDArray[np.uint8]:
    """All faces of a photo as :func:`face` cuts them, (n, size, size) or in colour (n, size, size, 3); n may be 0.

    Raises:
        BadImage: as :func:`face`.
    """
    check_photo(photo)
    if not len(boxes):
        return np.zeros((0, size, size, 3) if colour else (0, size, size), np.uint8)
    return np.stack([face(photo, box, size, framing, colour=colour) for box in boxes])
