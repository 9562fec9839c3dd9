"""Photos as cameras send them: group photos at 2 or 12 megapixels, no two alike."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

SIDES = {2: (1600, 1200), 12: (4000, 3000)}
"""Width and height by megapixels."""
QUALITY = 90
FEW_FACES = ("dlib_2008_001322.jpg", "dlib_2008_002506.jpg", "dlib_2009_004587.jpg", "ultraface_13.jpg")
"""Two or three faces each."""
CLASSES = (
    "bald_guys.jpg", "graduation_47.jpg", "solvay_1927.jpg", "ultraface_10.jpg", "ultraface_11.jpg",
    "ultraface_20.jpg", "ultraface_24.jpg", "dlib_2008_002079.jpg",
)  # fmt: skip
"""Ten to 47 faces each."""


class Source:
    """Gives one photo after the other; the same seed gives the same ones."""

    def __init__(self, folder: Path, names: Sequence[str], megapixels: int, seed: int = 1) -> None:
        self._pictures = [_framed(folder / name, SIDES[megapixels]) for name in names]
        self._random = random.Random(seed)  # noqa: S311 (which pixels, not a secret)
        self._next = 0

    def jpeg(self) -> bytes:
        """The next picture with a few pixels of its own."""
        picture = self._pictures[self._next % len(self._pictures)]
        self._next += 1
        height, width = picture.shape[:2]
        for _ in range(8):
            place = self._random.randrange(height), self._random.randrange(width)
            picture[place] = [self._random.randrange(256) for _ in range(3)]
        _ok, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        return encoded.tobytes()


def _framed(path: Path, size: tuple[int, int]) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """The picture in the middle of a frame of this size, as large as fits."""
    picture = cv2.imread(str(path))
    if picture is None:
        raise SystemExit(f"{path} is not a picture")
    width, height = size
    scale = min(width / picture.shape[1], height / picture.shape[0])
    small = cv2.resize(
        picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    )
    frame = np.full((height, width, 3), 90, np.uint8)
    top, left = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2
    frame[top : top + small.shape[0], left : left + small.shape[1]] = small
    return frame
