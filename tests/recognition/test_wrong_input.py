"""What every public function that takes pictures or files says to wrong ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recognition import alignment, quality
from recognition.detection import mmod
from recognition.engine import load_engine
from recognition.errors import ImageError, PolicyFileDamaged, RecognitionError
from recognition.policy import WEIGHTS, read_policy
from recognition.types import Box, Image

WRONG_IMAGES = {
    "grey": np.zeros((40, 40), np.uint8),
    "with transparency": np.zeros((40, 40, 4), np.uint8),
    "of floats": np.zeros((40, 40, 3), np.float32),
    "without rows": np.zeros((0, 40, 3), np.uint8),
    "a list": [[(0, 0, 0)]],
}
FIVE = np.zeros((1, 5, 2)) + np.array([(30, 20), (25, 20), (10, 20), (15, 20), (20, 30)])
CHIP = np.zeros((150, 150, 3), np.uint8)
TAKES_AN_IMAGE: dict[str, Callable[[Image], object]] = {
    "exact_chips": lambda image: alignment.exact_chips(image, FIVE),
    "fast_chips": lambda image: alignment.fast_chips(image, [np.eye(2, 3)]),
    "exact_rectangles": mmod.exact_rectangles,
    "level_rectangles": mmod.level_rectangles,
    "measure": lambda image: quality.measure(image, Box(0, 0, 9, 9), None, CHIP),
    "encode": lambda image: load_engine().encode(image, load_engine().detector.detect(image)),
    "analyse": lambda image: load_engine().analyse(image),
}


@pytest.mark.parametrize("wrong", WRONG_IMAGES)
@pytest.mark.parametrize("name", TAKES_AN_IMAGE)
def test_wrong_images(name: str, wrong: str) -> None:
    with pytest.raises(ImageError, match="image must"):
        TAKES_AN_IMAGE[name](WRONG_IMAGES[wrong])  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(1, 4, 2), (5, 2), (1, 5, 3)])
def test_wrong_landmarks(shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageError, match="landmarks"):
        alignment.exact_chips(np.zeros((40, 40, 3), np.uint8), np.zeros(shape))


@pytest.mark.parametrize("shape", [(4, 2), (1, 5, 2), (5, 3)])
def test_wrong_points_have_no_quality(shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageError, match="landmarks"):
        quality.measure(np.zeros((40, 40, 3), np.uint8), Box(0, 0, 9, 9), np.zeros(shape), CHIP)


def test_wrong_placements() -> None:
    with pytest.raises(ImageError, match="placements"):
        alignment.fast_chips(np.zeros((40, 40, 3), np.uint8), [np.eye(3)])


def test_nothing_to_cut_out() -> None:
    image = np.zeros((40, 40, 3), np.uint8)
    assert alignment.exact_chips(image, np.zeros((0, 5, 2))).shape == (0, 150, 150, 3)
    assert alignment.fast_chips(image, []).shape == (0, 150, 150, 3)


@pytest.mark.parametrize("chip", [np.zeros((150, 149, 3), np.uint8), np.zeros((150, 150, 3), np.float32)])
def test_wrong_chips_have_no_quality(chip: Image) -> None:
    with pytest.raises(ImageError, match="chips must"):
        quality.measure(np.zeros((40, 40, 3), np.uint8), Box(0, 0, 9, 9), None, chip)


def test_no_faces_is_a_problem_of_the_portrait() -> None:
    assert quality.portrait_problems(np.zeros((40, 40, 3), np.uint8), []) == [quality.PortraitProblem.NO_FACE]


@pytest.mark.parametrize("kept", [0, 7, 100, 4000, -1])
def test_a_policy_cut_short_is_named(kept: int, tmp_path: Path) -> None:
    path = tmp_path / "decisions-cut.safetensors"
    path.write_bytes((WEIGHTS / "decisions-accurate.safetensors").read_bytes()[:kept])
    with pytest.raises(PolicyFileDamaged, match="decisions-cut") as caught:
        read_policy(path)
    assert isinstance(caught.value, RecognitionError)


def test_a_policy_that_is_missing_or_something_else_is_named(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    with pytest.raises(PolicyFileDamaged, match="none"):
        read_policy(tmp_path / "none.safetensors")
    foreign = tmp_path / "foreign.safetensors"
    save_file({"x": np.zeros(3, np.float32)}, str(foreign))
    with pytest.raises(PolicyFileDamaged, match="foreign"):
        read_policy(foreign)
    save_file({"x": np.zeros(3, np.float32)}, str(tmp_path / "other.safetensors"), metadata={"policy": "{}"})
    with pytest.raises(PolicyFileDamaged, match="other"):
        read_policy(tmp_path / "other.safetensors")
