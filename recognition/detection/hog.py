"""dlib's HOG detector as it is: finds upright frontal faces of 80 pixels, smaller ones after enlarging."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from recognition.detection.views import detect_in_views, plan
from recognition.types import Box, Detection, Image, checked_image

SMALLEST = 80
"""Width in pixels of the smallest face found without enlarging."""
MOST_UPSAMPLES = 2
MAX_PIXELS = 10_000_000
"""Of a tile after enlarging; 1080p enlarged once is looked at in one piece, as face_recognition does."""
COARSE_SIDE = 1024


@cache
def _detector() -> Any:
    import dlib

    return dlib.get_frontal_face_detector()


class HogDetector:
    """``dlib.get_frontal_face_detector``; gives no points. Photos too large for one go are cut into tiles."""

    name = "hog"

    def __init__(self, min_face_pixels: int = 32) -> None:
        """Enlarges by the power of two that comes nearest to what the smallest face needs, twice at most."""
        self.upsamples = min(MOST_UPSAMPLES, max(0, round(math.log2(SMALLEST / min_face_pixels))))

    def detect(self, image: Image) -> list[Detection]:
        image = checked_image(image)
        height, width = image.shape[:2]
        views = plan(height, width, 1.0, max_pixels=MAX_PIXELS >> 2 * self.upsamples, coarse_side=COARSE_SIDE)
        if len(views) == 1:
            return self._find(image)
        return detect_in_views(image, views, self._find)

    def _find(self, image: Image) -> list[Detection]:
        rectangles, scores, _ = _detector().run(image, self.upsamples, 0.0)
        return [
            Detection(Box(r.left(), r.top(), r.width(), r.height()), None, float(score))
            for r, score in zip(rectangles, scores, strict=True)
        ]
