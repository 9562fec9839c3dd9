"""Pictures made for the tests: a drawn face that dlib's HOG detector finds, and chips with structure."""

from __future__ import annotations

import cv2
import numpy as np

from recognition.types import Chips, Image


def drawn_face(size: int = 240, *, turn: float = 0.0) -> Image:
    """A frontal face drawn with ellipses, ``size`` pixels wide in a picture twice as large."""
    side = 2 * size
    image = np.full((side, side, 3), (150, 165, 180), np.uint8)
    middle, unit = size, size / 100

    def ellipse(
        x: float, y: float, a: float, b: float, colour: tuple[int, int, int], start: int = 0, end: int = 360
    ):
        centre = (round(middle + x * unit), round(middle + y * unit))
        cv2.ellipse(
            image, centre, (max(1, round(a * unit)), max(1, round(b * unit))), 0, start, end, colour, -1
        )

    ellipse(0, 118, 110, 50, (70, 84, 110))
    ellipse(0, 72, 24, 30, (188, 146, 122))
    ellipse(0, -14, 57, 66, (60, 42, 30))
    ellipse(0, 2, 48, 64, (214, 172, 146))
    ellipse(0, 8, 40, 52, (222, 182, 156))
    for side_of_face in (-1, 1):
        ellipse(side_of_face * 21, -22, 14, 3.5, (62, 44, 34))
        ellipse(side_of_face * 21, -10, 11, 8, (150, 110, 92))
        ellipse(side_of_face * 21, -10, 9, 5, (242, 240, 238))
        ellipse(side_of_face * 21, -10, 4.5, 4.5, (48, 34, 28))
    ellipse(0, 8, 6, 18, (196, 150, 126))
    ellipse(-5, 23, 5, 3, (120, 80, 66))
    ellipse(5, 23, 5, 3, (120, 80, 66))
    ellipse(0, 41, 20, 5, (150, 70, 70))
    ellipse(0, 47, 14, 4, (186, 140, 118))
    image = cv2.GaussianBlur(image, (0, 0), 0.012 * size)
    if turn:
        image = cv2.warpAffine(
            image,
            cv2.getRotationMatrix2D((middle, middle), turn, 1),
            (side, side),
            borderValue=(150, 165, 180),
        )
    noise = np.random.default_rng(7).normal(0, 3, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def made_chips(count: int, seed: int = 0) -> Chips:
    """Smooth and rough chips of many contrasts, (count, 150, 150, 3)."""
    rng = np.random.default_rng(seed)
    chips = []
    for index in range(count):
        coarse = rng.uniform(0, 255, (4 + index % 9, 4 + index % 9, 3)).astype(np.float32)
        chip = cv2.resize(coarse, (150, 150), interpolation=cv2.INTER_CUBIC) + rng.normal(
            0, index % 7, (150, 150, 3)
        )
        chips.append(np.clip(chip, 0, 255).astype(np.uint8))
    return np.stack(chips)
