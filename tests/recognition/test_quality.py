"""Quality of a face, and what is wrong with a portrait."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from recognition import quality
from recognition.engine import load_engine
from recognition.evaluate.detect import read_image
from recognition.quality import PortraitProblem, portrait_problems
from recognition.types import Box, Face, Image
from tests.recognition.faces import drawn_face


def chip_of(image: Image) -> Image:
    return np.asarray(cv2.resize(image, (150, 150), interpolation=cv2.INTER_AREA), np.uint8)


def problems(image: Image, minimum: int = 32) -> list[PortraitProblem]:
    return portrait_problems(image, load_engine(min_face_pixels=minimum).analyse(image))


@pytest.fixture(scope="module")
def chip() -> Image:
    return chip_of(drawn_face(150)[60:240, 60:240])


def test_blur_lowers_sharpness(chip: Image) -> None:
    values = [
        quality.sharpness(np.asarray(cv2.GaussianBlur(chip, (0, 0), s), np.uint8)) for s in (0.5, 2, 4, 8)
    ]
    assert values == sorted(values, reverse=True)
    assert values[-1] == 0.0


def test_sharpness_does_not_depend_on_the_light(chip: Image) -> None:
    dimmed = (chip * 0.6 + 20).astype(np.uint8)
    assert quality.sharpness(dimmed) == pytest.approx(quality.sharpness(chip), abs=0.15)


def test_dark_and_washed_out_faces_have_no_light(chip: Image) -> None:
    assert quality.light(chip) == 1.0
    assert quality.light((chip * 0.08).astype(np.uint8)) == 0.0
    assert quality.light(np.full_like(chip, 252)) == 0.0
    assert quality.light(np.zeros_like(chip)) == 0.0


def test_one_colour_has_no_sharpness() -> None:
    assert quality.sharpness(np.full((150, 150, 3), 90, np.uint8)) == 0.0


FRONT = np.array([(46.6, 46.0), (102.6, 45.2), (74.6, 78.3), (50.5, 104.1), (97.5, 103.5)], np.float32)


def test_pose_from_the_front_and_turned() -> None:
    assert quality.pose(FRONT) == 1.0
    aside = FRONT.copy()
    aside[2, 0] += 36
    assert quality.pose(aside) == 0.0
    assert quality.pose(None) == 1.0


@pytest.mark.parametrize("degrees", [-60, -30, 30, 90])
def test_turning_in_the_pictures_plane_is_no_pose(degrees: float) -> None:
    angle = np.deg2rad(degrees)
    turn = np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])
    assert quality.pose(FRONT @ turn.T) == pytest.approx(1.0, abs=1e-6)


def test_pose_of_points_that_fall_together() -> None:
    assert quality.pose(np.zeros((5, 2), np.float32)) == 0.0


@pytest.mark.parametrize(
    ("box", "share"),
    [
        (Box(10, 10, 20, 20), 1.0),
        (Box(-10, 0, 20, 20), 0.5),
        (Box(-10, -10, 20, 20), 0.25),
        (Box(95, 0, 10, 10), 0.5),
        (Box(200, 200, 10, 10), 0.0),
        (Box(10, 10, 0, 0), 0.0),
    ],
)
def test_completeness(box: Box, share: float) -> None:
    assert quality.completeness(np.zeros((100, 100, 3), np.uint8), box) == pytest.approx(share)


def test_measures_are_between_0_and_1_and_overall_is_their_product() -> None:
    (face,) = load_engine().analyse(drawn_face(150))
    measured = face.quality
    parts = (measured.sharpness, measured.size, measured.pose, measured.light, measured.completeness)
    assert all(0 <= part <= 1 for part in parts)
    assert measured.overall == pytest.approx(float(np.prod(parts)))
    assert 110 < measured.face_pixels < 200


def test_a_good_portrait_has_no_problem() -> None:
    assert problems(drawn_face(150)) == []


def test_no_face() -> None:
    assert problems(np.full((200, 200, 3), 120, np.uint8)) == [PortraitProblem.NO_FACE]


def test_several_faces() -> None:
    assert PortraitProblem.SEVERAL_FACES in problems(np.hstack([drawn_face(150), drawn_face(150)]))


def test_passer_by_far_behind_is_no_second_face() -> None:
    image = np.hstack([drawn_face(240), np.full((480, 160, 3), (150, 165, 180), np.uint8)])
    image[40:140, 500:600] = drawn_face(50)
    assert len(load_engine(min_face_pixels=20).analyse(image)) == 2
    assert PortraitProblem.SEVERAL_FACES not in problems(image, 20)


def test_small_face() -> None:
    assert PortraitProblem.TOO_SMALL in problems(drawn_face(40))


def test_blurred_face() -> None:
    assert PortraitProblem.BLURRED in problems(
        np.asarray(cv2.GaussianBlur(drawn_face(200), (0, 0), 7), np.uint8)
    )


def faces_with(**changes: float) -> list[Face]:
    (face,) = load_engine().analyse(drawn_face(150))
    values = {name: getattr(face.quality, name) for name in quality.Quality.__slots__} | changes
    return [Face(face.detection, face.chip, face.encoding, quality.Quality(**values))]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"completeness": 0.7}, PortraitProblem.CUT_OFF),
        ({"pose": 0.2}, PortraitProblem.TURNED_AWAY),
        ({"face_pixels": 30.0}, PortraitProblem.TOO_SMALL),
        ({"light": 0.1}, PortraitProblem.TOO_BRIGHT),
    ],
)
def test_each_measure_has_its_problem(changes: dict[str, float], problem: PortraitProblem) -> None:
    assert portrait_problems(drawn_face(150), faces_with(**changes)) == [problem]


@pytest.mark.parametrize("size", [60, 90, 150, 300])
def test_a_sharp_face_is_not_blurred_because_it_is_small(size: int) -> None:
    assert PortraitProblem.BLURRED not in problems(drawn_face(size))


@pytest.mark.parametrize("size", [90, 150, 200])
@pytest.mark.parametrize("way", ["blurred", "across", "down", "aslant"])
def test_blur_and_movement_in_any_direction_are_seen(size: int, way: str) -> None:
    length = size // 5
    kernels = {
        "blurred": cv2.getGaussianKernel(length | 1, size * 0.05)
        @ cv2.getGaussianKernel(length | 1, size * 0.05).T,
        "across": np.full((1, length), 1 / length),
        "down": np.full((length, 1), 1 / length),
        "aslant": np.eye(length) / length,
    }
    image = np.asarray(cv2.filter2D(drawn_face(size), -1, kernels[way]), np.uint8)
    assert PortraitProblem.BLURRED in problems(image)


@pytest.mark.parametrize("left", [0.1, -3.3, 1 / 3, 1e5 + 0.7])
def test_no_measure_exceeds_1_by_rounding(left: float, chip: Image) -> None:
    canvas = np.zeros((40, 40, 3), np.uint8)
    for width in (0.1, 1 / 3, 7.7, 29.9999999):
        measured = quality.measure(canvas, Box(left, left, width, width), FRONT, chip)
        assert 0.0 <= measured.completeness <= 1.0
        assert 0.0 <= measured.overall <= 1.0


def test_dark_portrait_is_called_dark() -> None:
    (face,) = load_engine().analyse(drawn_face(150))
    chip = (face.chip * 0.08).astype(np.uint8)
    dark = quality.measure(chip, Box(0, 0, 100, 100), None, chip)
    found = portrait_problems(chip, [Face(face.detection, chip, face.encoding, dark)])
    assert PortraitProblem.TOO_DARK in found
    assert PortraitProblem.TOO_BRIGHT not in found


@pytest.mark.parametrize(
    ("suffix", "problem"),
    [("blur7", "blurred"), ("dark08", "too_dark"), ("plain", None)],
)
@pytest.mark.parametrize("who", ["obama", "kit_harington", "alex_lacamoire"])
def test_pictures_made_worse_on_purpose(
    shared_data: Path, who: str, suffix: str, problem: str | None
) -> None:
    found = problems(read_image(shared_data / "extra" / f"{who}_{suffix}.jpg"))
    assert found == [] if problem is None else problem in found


def test_good_portraits_are_accepted(shared_data: Path) -> None:
    paths = sorted((shared_data / "known_people" / "train").rglob("*.jpg"))
    found = {path.name: problems(read_image(path)) for path in paths}
    assert len(found) >= 5
    assert {name: some for name, some in found.items() if some} == {}
