"""CenterFace (Xu, Yan, Sun 2019, arXiv 1911.03599; MIT) through OpenCV's DNN: boxes and five points."""

from __future__ import annotations

import math
import threading
from functools import cache
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from recognition import alignment, model_files
from recognition.detection.merging import without_doubles
from recognition.detection.views import detect_in_views, plan
from recognition.types import CHIP_SIZE, Box, Detection, Image, Points, checked_image

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
LOOKS = ((96, 0.48, False), (96, 0.48, True), (128, 0.64, True))
"""Further looks at a face brought upright: side of the picture, its pixels to one of the chip, whether mirrored."""
LEAST_AGAIN = 0.2
"""A face is known to be there, so a weaker answer will do."""
FACES_AT_ONCE = 16


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

    def points_again(self, image: Image, detections: list[Detection]) -> list[Points]:
        """The five points of each face, (5, 2), as the mean of the first look's and those of ``LOOKS``.

        Each look errs differently. A look in which a face is not found again leaves it where it was. ``detections``
        must have points, as this detector's do; raises ImageError as ``detect`` does.
        """
        image = checked_image(image)
        means: list[Points] = []
        for start in range(0, len(detections), FACES_AT_ONCE):
            first = [found.landmarks for found in detections[start : start + FACES_AT_ONCE]]
            known = [points.astype(np.float64) for points in first if points is not None]
            looks = [known, *(_looked_again(image, known, *look) for look in LOOKS)]
            means += [
                np.mean(of_one_face, axis=0).astype(np.float32) for of_one_face in zip(*looks, strict=True)
            ]
        return means

    def _find(self, image: Image) -> list[Detection]:
        height, width = image.shape[:2]
        canvas = np.zeros((-(-height // _STEP) * _STEP, -(-width // _STEP) * _STEP, 3), np.uint8)
        canvas[:height, :width] = image
        (maps,) = _maps([canvas])
        return without_doubles(_decode(*maps, self.threshold))


def _maps(images: list[Image]) -> list[tuple[FloatArray, FloatArray, FloatArray, FloatArray]]:
    """Heat, sizes, offsets and points of pictures of one size, sides multiples of 32."""
    # RGB as it is: the published code feeds BGR, with which far fewer small faces are found.
    blob = cv2.dnn.blobFromImages(images)
    with _ONE_AT_A_TIME:
        network = _network()
        network.setInput(blob)
        heat, sizes, offsets, points = (np.array(output, np.float32) for output in network.forward(_OUTPUTS))
    return list(zip(heat, sizes, offsets, points, strict=True))


def _looked_again(
    image: Image, known: list[alignment.FloatArray], side: int, scale: float, mirrored: bool
) -> list[alignment.FloatArray]:
    """The points of faces, found again in pictures ``side`` wide with the chip in the middle, ``scale`` as large."""
    margin = (CHIP_SIZE - 1) / 2 - (side - 1) / 2 / scale
    to_chip = np.array([(1 / scale, 0, margin), (0, 1 / scale, margin), (0, 0, 1)])
    places = [alignment.points_placement(points, CenterFaceDetector.name) @ to_chip for points in known]
    pictures = [alignment.sampled(image, place, side) for place in places]
    if mirrored:
        pictures = [np.ascontiguousarray(picture[:, ::-1]) for picture in pictures]
    answers = []
    for points, place, maps in zip(known, places, _maps(pictures) if pictures else [], strict=True):
        seen = _middle_one(_decode(*maps, LEAST_AGAIN), side)
        if seen is not None and mirrored:
            seen = (seen * (-1, 1) + (side - 1, 0))[[1, 0, 2, 4, 3]]
        answers.append(points if seen is None else seen @ place[:, :2].T + place[:, 2])
    return answers


def _middle_one(found: list[Detection], side: int) -> alignment.FloatArray | None:
    """The points of the surest face whose middle lies within a fifth of the picture's side from its middle."""
    near = [
        one
        for one in found
        if one.landmarks is not None
        and math.hypot(one.box.centre[0] - side / 2, one.box.centre[1] - side / 2) < side / 5
    ]
    best = max(near, key=lambda one: one.score, default=None)
    return None if best is None or best.landmarks is None else best.landmarks.astype(np.float64)


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
