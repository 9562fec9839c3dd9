"""CenterFace (Xu, Yan, Sun 2019, arXiv 1911.03599; MIT) through OpenCV's DNN: boxes and five points."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from recognition import model_files
from recognition.detection.merging import without_doubles
from recognition.detection.views import detect_in_views, plan
from recognition.types import Box, Detection, Image, checked_image

FloatArray: TypeAlias = npt.NDArray[np.float32]

_ONE_AT_A_TIME = threading.Lock()
"""OpenCV's networks hold their input, and other threads run while they work."""
_OUTPUTS = ["537", "538", "539", "540"]
_CELL = 4
_STEP = 32
"""The network's input sides are multiples of this."""
SURE = 16
"""Width in the network's input from which nearly every face is found."""
LARGEST_SCALE = 2.0
"""More enlarging finds nothing more."""
COMFORTABLE_SIDE = 640
"""A photo is never shrunk below this longer side: it costs little and places the points better."""
THRESHOLD = 0.45
MAX_PIXELS = 1_500_000
"""Of one view; keeps the network's memory near 300 MiB."""
COARSE_SIDE = 512


@cache
def _network() -> Any:
    return cv2.dnn.readNetFromONNX(str(model_files.locate(model_files.CENTERFACE)))


class CenterFaceDetector:
    """Finds faces from about 12 pixels without enlarging; those under ``min_face_pixels`` are not looked for."""

    name = "centerface"

    def __init__(self, min_face_pixels: int = 32, *, threshold: float = THRESHOLD) -> None:
        self.scale = min(LARGEST_SCALE, SURE / min_face_pixels)
        self.threshold = threshold

    def detect(self, image: Image) -> list[Detection]:
        image = checked_image(image)
        height, width = image.shape[:2]
        scale = max(self.scale, min(1.0, COMFORTABLE_SIDE / max(height, width)))
        views = plan(height, width, scale, max_pixels=MAX_PIXELS, coarse_side=COARSE_SIDE, always_coarse=True)
        return detect_in_views(image, views, self._find)

    def _find(self, image: Image) -> list[Detection]:
        height, width = image.shape[:2]
        canvas = np.zeros((-(-height // _STEP) * _STEP, -(-width // _STEP) * _STEP, 3), np.uint8)
        canvas[:height, :width] = image
        # RGB as it is: the published code feeds BGR, with which far fewer small faces are found.
        blob = cv2.dnn.blobFromImage(canvas)
        with _ONE_AT_A_TIME:
            network = _network()
            network.setInput(blob)
            outputs = network.forward(_OUTPUTS)
            heat, sizes, offsets, points = (np.array(output[0], np.float32) for output in outputs)
        return without_doubles(_decode(heat, sizes, offsets, points, self.threshold))


def _decode(
    heat: FloatArray, sizes: FloatArray, offsets: FloatArray, points: FloatArray, threshold: float
) -> list[Detection]:
    """Detections of every cell above the threshold. Maps are (channels, rows, columns), cells of 4 pixels."""
    rows, columns = np.nonzero(heat[0] > threshold)
    if not len(rows):
        return []
    high, wide = _CELL * np.exp(sizes[:, rows, columns])
    top = _CELL * (rows + offsets[0, rows, columns] + 0.5) - high / 2
    left = _CELL * (columns + offsets[1, rows, columns] + 0.5) - wide / 2
    places = points[:, rows, columns]
    landmarks = np.stack([places[1::2] * wide + left, places[0::2] * high + top], -1).transpose(1, 0, 2)
    scores = heat[0, rows, columns]
    return [
        Detection(Box(float(x), float(y), float(w), float(h)), five, float(score))
        for x, y, w, h, five, score in zip(
            left, top, wide, high, landmarks.astype(np.float32), scores, strict=True
        )
    ]
