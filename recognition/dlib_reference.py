"""dlib's own calls, as ``face_recognition`` makes them: the five landmarks and the reference encoder."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from recognition import model_files
from recognition.types import CHIP_SIZE, ENCODING_LENGTH, Box, Chips, Encodings, Image, checked_chips

PADDING = 0.25


@cache
def _predictor() -> Any:
    import dlib

    return dlib.shape_predictor(str(model_files.locate(model_files.LANDMARKS5)))


@cache
def _network() -> Any:
    import dlib

    return dlib.face_recognition_model_v1(str(model_files.locate(model_files.ENCODER)))


def _shapes(image: Image, boxes: list[Box]) -> list[Any]:
    import dlib

    predictor = _predictor()
    return [
        predictor(
            image,
            dlib.rectangle(round(box.left), round(box.top), round(box.right) - 1, round(box.bottom) - 1),
        )
        for box in boxes
    ]


def landmarks5(image: Image, boxes: list[Box]) -> npt.NDArray[np.float64]:
    """dlib's five points, (n, 5, 2) whole pixels: outer and inner corner of the right-hand eye, the same of the
    left-hand eye, base of the nose. The boxes are framed as dlib's HOG detector frames a face."""
    shapes = _shapes(image, boxes)
    points = [[(shape.part(i).x, shape.part(i).y) for i in range(5)] for shape in shapes]
    return np.array(points, np.float64).reshape(-1, 5, 2)


def dlib_chips(image: Image, boxes: list[Box]) -> Chips:
    """Chips cut by dlib itself, (n, 150, 150, 3), each face on its own."""
    import dlib

    chips = [dlib.get_face_chip(image, shape, CHIP_SIZE, PADDING) for shape in _shapes(image, boxes)]
    return np.array(chips, np.uint8).reshape(-1, CHIP_SIZE, CHIP_SIZE, 3)


class DlibEncoder:
    """The reference encoder: ``dlib.face_recognition_model_v1``."""

    version = "dlibresnet1"

    def encode(self, chips: Chips) -> Encodings:
        """(n, 128) float32. Raises ImageError for chips of another shape or dtype."""
        chips = checked_chips(chips)
        network = _network()
        rows = [network.compute_face_descriptor(chip) for chip in chips]
        return np.array(rows, np.float32).reshape(-1, ENCODING_LENGTH)
