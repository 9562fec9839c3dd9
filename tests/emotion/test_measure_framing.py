"""Pictures as photos: the square comes back where it was put."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emotion import detectors, measure_framing
from emotion.classifier import Classifier
from emotion.framing import Framing

from .conftest import made_part


def test_a_detector_that_draws_the_square_itself_needs_no_shift(weights_file: Path) -> None:
    margin, side = measure_framing.MARGIN, measure_framing.SIDE
    box = (float(margin), float(margin), float(side), float(side))
    fit = measure_framing.measure(
        made_part(14), Classifier.from_file(weights_file), lambda _: [box], Framing(side=1.0, below=0.0)
    )
    assert (fit.found, fit.of) == (14, 14)
    assert (fit.side, fit.below) == pytest.approx((1.0, 0.0))
    assert fit.accuracy_as_cut == fit.accuracy_as_drawn == pytest.approx(fit.accuracy_as_is, abs=0.15)
    assert (fit.cost, fit.cost_error) == (0.0, 0.0)


def test_pictures_without_one_clear_face_are_left_out(weights_file: Path) -> None:
    fit = measure_framing.measure(
        made_part(3), Classifier.from_file(weights_file), lambda _: [], Framing(side=1.0, below=0.0)
    )
    assert (fit.found, fit.of) == (0, 3)


def test_centerface_and_hog_find_real_faces(shared_data: Path) -> None:
    from PIL import Image

    with Image.open(shared_data / "extra" / "obama_plain.jpg") as opened:
        photo = np.asarray(opened.convert("RGB"))
    for find, _ in (detectors.centerface(), detectors.hog(), detectors.hog(1)):
        boxes = find(photo)
        assert len(boxes) == 1
        left, top, width, height = boxes[0]
        assert 0 < left < left + width < photo.shape[1]
        assert 0 < top < top + height < photo.shape[0]


def test_a_photo_without_faces_has_no_boxes(shared_data: Path) -> None:
    from PIL import Image

    with Image.open(shared_data / "extra" / "no_face_landscape.jpg") as opened:
        photo = np.asarray(opened.convert("RGB"))
    assert detectors.centerface()[0](photo) == []


def test_yunet_reads_the_given_file(shared_data: Path) -> None:
    find, _ = detectors.yunet(shared_data / "models" / "face_detection_yunet_2023mar.onnx")
    assert find(np.full((120, 160, 3), 128, np.uint8)) == []
