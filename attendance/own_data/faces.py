"""Faces looked for more eagerly than for recognition: one too many is hidden rather than one too few."""

from __future__ import annotations

from functools import cache

from attendance.photos import UprightPhoto
from recognition.detection.centerface import CenterFaceDetector
from recognition.types import Box

SMALLEST = 20
"""Pixels; recognition takes no face under 32."""
THRESHOLD = 0.2
"""The detector's score; recognition asks for 0.45."""


@cache
def _detector() -> CenterFaceDetector:
    return CenterFaceDetector(SMALLEST, threshold=THRESHOLD)


def find(photo: UprightPhoto) -> list[Box]:
    """Boxes of everything that may be a face. Raises the errors of recognition where its files are damaged."""
    return [found.box for found in _detector().detect(photo)]
