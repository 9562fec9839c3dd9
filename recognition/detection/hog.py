"""dlib's HOG detector as it is: finds upright frontal faces of 80 pixels, smaller ones after enlarging."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from recognition.types import Box, Detection, Image, checked_image

SMALLEST = 80
"""Width in pixels of the smallest face found without enlarging."""


@cache
def _detector() -> Any:
    import dlib

    return dlib.get_frontal_face_detector()


class HogDetector:
    """``dlib.get_frontal_face_detector``; gives no points."""

    name = "hog"

    def __init__(self, min_face_pixels: int = 32) -> None:
        self.upsamples = max(0, round(math.log2(SMALLEST / min_face_pixels)))

    def detect(self, image: Image) -> list[Detection]:
        image = checked_image(image)
        rectangles, scores, _ = _detector().run(image, self.upsamples, 0.0)
        return [
            Detection(Box(r.left(), r.top(), r.width(), r.height()), None, float(score))
            for r, score in zip(rectangles, scores, strict=True)
        ]
