"""Chips: bit for bit dlib's own, the fast way close to it, and straight from five points."""

from __future__ import annotations

from pathlib import Path

import dlib
import numpy as np
import pytest

from recognition import alignment, dlib_reference
from recognition.evaluate.detect import read_image
from recognition.recipes import Jitter
from recognition.types import Box, Image
from tests.recognition.faces import drawn_face


def dlib_chips(image: Image, landmarks: list[list[tuple[int, int]]]) -> np.ndarray:
    shapes = dlib.full_object_detections()
    for points in landmarks:
        shapes.append(
            dlib.full_object_detection(dlib.rectangle(0, 0, 9, 9), [dlib.point(x, y) for x, y in points])
        )
    return np.array(dlib.get_face_chips(image, shapes, 150, 0.25))


def landmarks_at(x: float, y: float, scale: float, turn: float) -> list[tuple[int, int]]:
    """dlib's five landmarks of a face with its chip's middle at (x, y)."""
    middle = np.array([75.0, 75.0])
    turned = np.array([(np.cos(turn), -np.sin(turn)), (np.sin(turn), np.cos(turn))])
    points = (alignment._DLIB5_IN_CHIP - middle) * scale @ turned.T + (x, y)
    return [(round(px), round(py)) for px, py in points]


@pytest.fixture(scope="module")
def texture() -> Image:
    rng = np.random.default_rng(5)
    return rng.integers(0, 256, (700, 900, 3), np.uint8)


@pytest.mark.parametrize("scale", [0.2, 0.5, 0.97, 1.0, 1.4, 1.98, 2.02, 2.6, 4.1])
@pytest.mark.parametrize("turn", [0.0, 0.31, -2.0])
def test_one_face_bit_for_bit(texture: Image, scale: float, turn: float) -> None:
    points = landmarks_at(430, 330, scale, turn)
    ours = alignment.exact_chips(texture, np.array([points], np.float64))
    assert np.array_equal(ours, dlib_chips(texture, [points]))


def test_several_faces_of_one_call_bit_for_bit(texture: Image) -> None:
    faces = [
        landmarks_at(200, 200, 0.6, 0.2),
        landmarks_at(600, 400, 2.3, -0.1),
        landmarks_at(501, 301, 4.3, 0.5),
    ]
    ours = alignment.exact_chips(texture, np.array(faces, np.float64))
    assert np.array_equal(ours, dlib_chips(texture, faces))


@pytest.mark.parametrize(("x", "y"), [(0, 0), (899, 350), (450, 699), (-20, 720)])
def test_faces_cut_by_the_edge_bit_for_bit(texture: Image, x: int, y: int) -> None:
    points = landmarks_at(x, y, 0.8, 0.1)
    ours = alignment.exact_chips(texture, np.array([points], np.float64))
    assert np.array_equal(ours, dlib_chips(texture, [points]))


def test_no_faces(texture: Image) -> None:
    assert alignment.exact_chips(texture, np.empty((0, 5, 2))).shape == (0, 150, 150, 3)
    assert alignment.fast_chips(texture, []).shape == (0, 150, 150, 3)


@pytest.mark.parametrize("scale", [0.3, 1.0, 1.9])
def test_fast_chip_is_within_a_grey_level_inside(scale: float) -> None:
    image = drawn_face(300)
    points = np.array(landmarks_at(300, 300, scale, 0.15), np.float64)
    exact = alignment.exact_chips(image, points[None])[0].astype(int)
    fast = alignment.fast_chip(image, alignment.chip_rectangle(points).placement()).astype(int)
    inside = exact[2:-2, 2:-2].sum(2) > 0
    assert np.abs(exact - fast)[2:-2, 2:-2][inside].max() <= 3
    assert np.abs(exact - fast)[2:-2, 2:-2][inside].mean() < 0.2


def test_fast_chip_of_a_large_face_does_not_alias() -> None:
    image = drawn_face(600)
    points = np.array(landmarks_at(600, 600, 4.5, 0.0), np.float64)
    exact = alignment.exact_chips(image, points[None])[0].astype(int)
    fast = alignment.fast_chip(image, alignment.chip_rectangle(points).placement()).astype(int)
    assert np.abs(exact - fast).mean() < 3


@pytest.mark.parametrize("box", [(-500.0, 10.0), (2000.0, 2000.0)])
def test_chip_wholly_outside_is_black(box: tuple[float, float]) -> None:
    placement = np.array([(1.0, 0.0, box[0]), (0.0, 1.0, box[1])])
    assert alignment.fast_chip(drawn_face(60), placement)[5:-5, 5:-5].max() in range(256)
    assert alignment.fast_chip(np.full((40, 40, 3), 9, np.uint8), placement).shape == (150, 150, 3)


def test_similarity_finds_what_was_applied() -> None:
    rng = np.random.default_rng(2)
    source = rng.normal(size=(5, 2))
    matrix = np.array([(0.6, -1.1, 30.0), (1.1, 0.6, -4.0)])
    found = alignment.similarity(source, source @ matrix[:, :2].T + matrix[:, 2])
    assert np.allclose(found, matrix)


def test_five_points_on_their_places_give_the_picture_itself() -> None:
    image = drawn_face(75)
    points = alignment.POINTS_IN_CHIP["centerface"].astype(np.float32)
    assert np.allclose(alignment.points_placement(points, "centerface"), [(1, 0, 0), (0, 1, 0)], atol=1e-5)
    assert np.abs(alignment.fast_chip(image, np.eye(2, 3)).astype(int) - image).max() == 0


def test_framed_box_moves_and_grows_with_the_points() -> None:
    points = alignment.POINTS_IN_CHIP["yunet"].astype(np.float32)
    once = alignment.face_box(points, "yunet")
    assert once.centre == pytest.approx(alignment.BOX_CENTRE_IN_CHIP, abs=1e-3)
    twice = alignment.face_box(points * 2 + 10, "yunet")
    assert twice.width == pytest.approx(2 * once.width, rel=1e-5)
    assert twice.left == pytest.approx(2 * once.left + 10, abs=1e-3)


def test_jitter_moves_the_chip_as_it_says() -> None:
    placement = np.array([(2.0, 0.0, 40.0), (0.0, 2.0, 60.0)])
    moved = Jitter(right=4, down=-3).applied(placement)
    assert np.allclose(moved @ (74.5 + 4, 74.5 - 3, 1), placement @ (74.5, 74.5, 1))
    larger = Jitter(scale=1.1).applied(placement)
    assert np.allclose(np.hypot(larger[0, 0], larger[1, 0]), 2 / 1.1)
    turned = Jitter(turn=90).applied(placement)
    assert np.allclose(turned @ (74.5, 84.5, 1), placement @ (84.5, 74.5, 1))


def test_dlib_landmarks_of_the_drawn_face() -> None:
    image = drawn_face(200)
    points = dlib_reference.landmarks5(image, [Box(100, 120, 200, 200)])
    assert points.shape == (1, 5, 2)
    right, left, nose = points[0, :2].mean(0), points[0, 2:4].mean(0), points[0, 4]
    assert left[0] < nose[0] < right[0]
    assert nose[1] > max(left[1], right[1])
    assert dlib_reference.landmarks5(image, []).shape == (0, 5, 2)


def test_real_photos_bit_for_bit(shared_data: Path) -> None:
    image = read_image(shared_data / "groups" / "dlib_2007_007763.jpg")
    detector = dlib.get_frontal_face_detector()
    boxes = [Box(r.left(), r.top(), r.width(), r.height()) for r in detector(image, 1)]
    points = dlib_reference.landmarks5(image, boxes)
    faces = [[(int(x), int(y)) for x, y in five] for five in points]
    assert len(faces) >= 5
    assert np.array_equal(alignment.exact_chips(image, points), dlib_chips(image, faces))
    one = np.concatenate([alignment.exact_chips(image, five[None]) for five in points])
    assert np.array_equal(one, dlib_reference.dlib_chips(image, boxes))
