"""YuNet (Wu, Peng, Yu 2023; MIT) through ``cv2.FaceDetectorYN``: boxes and five points, ten times CenterFace's speed.

Its file is in no package: a site brings it, see ``recognition.model_files.YUNET_VARIABLE``.
"""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from recognition import model_files
from recognition.detection.views import detect_in_views, plan
from recognition.types import Box, Detection, Image, checked_image

SURE = 12
"""Width in the network's input from which nearly every face is found."""
LARGEST_SCALE = 2.5
THRESHOLD = 0.6
MAX_PIXELS = 4_000_000
COARSE_SIDE = 512
_NMS = 0.3
_ONE_AT_A_TIME = threading.Lock()
_TOP = 5000


@cache
def _network(path: Path, threshold: float) -> Any:
    return cv2.FaceDetectorYN.create(str(path), "", (320, 320), threshold, _NMS, _TOP)


class YunetDetector:
    """Finds faces from about 12 pixels without enlarging. Raises ModelFileMissing, ModelFileDamaged when made."""

    name = "yunet"

    def __init__(
        self, min_face_pixels: int = 32, *, path: str | Path | None = None, threshold: float = THRESHOLD
    ) -> None:
        self._path = model_files.yunet_path(path)
        self.scale = min(LARGEST_SCALE, SURE / min_face_pixels)
        self.threshold = threshold

    def detect(self, image: Image) -> list[Detection]:
        image = checked_image(image)
        height, width = image.shape[:2]
        views = plan(
            height, width, self.scale, max_pixels=MAX_PIXELS, coarse_side=COARSE_SIDE, always_coarse=True
        )
        return detect_in_views(image, views, self._find)

    def _find(self, image: Image) -> list[Detection]:
        with _ONE_AT_A_TIME:
            network = _network(self._path, self.threshold)
            network.setInputSize((image.shape[1], image.shape[0]))
            _, rows = network.detect(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        if rows is None:
            return []
        return [
            Detection(
                Box(*(float(v) for v in row[:4])),
                np.array(row[4:14], np.float32).reshape(5, 2),
                float(row[14]),
            )
            for row in rows
        ]
