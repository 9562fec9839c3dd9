"""The torch encoder against dlib itself, and what it refuses."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recognition.dlib_reference import DlibEncoder
from recognition.encoding import BATCH, TorchEncoder, shared_encoder
from recognition.errors import ImageError
from recognition.types import Chips, Encoder
from tests.recognition.faces import drawn_face, made_chips

ENCODERS: list[Callable[[], Encoder]] = [shared_encoder, DlibEncoder]


def test_equal_to_dlib_on_chips_of_every_kind() -> None:
    face = drawn_face(150)[75:225, 75:225]
    rng = np.random.default_rng(3)
    chips = np.concatenate(
        [
            made_chips(12),
            np.stack([face, face[:, ::-1], face[::-1], np.zeros_like(face), np.full_like(face, 255)]),
            rng.integers(0, 256, (3, 150, 150, 3), np.uint8),
        ]
    )
    ours, theirs = shared_encoder().encode(chips), DlibEncoder().encode(chips)
    assert np.abs(ours - theirs).max() < 2e-6
    assert 0.1 < np.abs(theirs).max() < 1


def test_batches_give_what_single_chips_give() -> None:
    chips = made_chips(BATCH + 3)
    together = shared_encoder().encode(chips)
    rows = (0, 1, BATCH - 1, BATCH, BATCH + 2)
    alone = np.concatenate([shared_encoder().encode(chips[row : row + 1]) for row in rows])
    assert np.abs(together[list(rows)] - alone).max() < 2e-6


def test_chips_in_any_memory_order() -> None:
    chips = made_chips(2)
    mirrored = chips[:, :, ::-1]
    expected = shared_encoder().encode(np.ascontiguousarray(mirrored))
    assert np.array_equal(shared_encoder().encode(mirrored), expected)


@pytest.mark.parametrize("make", ENCODERS)
def test_no_chips(make: Callable[[], Encoder]) -> None:
    empty = np.empty((0, 150, 150, 3), np.uint8)
    assert make().encode(empty).shape == (0, 128)
    assert make().encode(empty).dtype == np.float32


@pytest.mark.parametrize("make", ENCODERS)
@pytest.mark.parametrize(
    "chips",
    [
        np.zeros((150, 150, 3), np.uint8),
        np.zeros((1, 149, 150, 3), np.uint8),
        np.zeros((1, 160, 160, 3), np.uint8),
        np.zeros((1, 150, 150), np.uint8),
        np.zeros((1, 150, 150, 4), np.uint8),
        np.zeros((1, 3, 150, 150), np.uint8),
        np.zeros((1, 150, 150, 3), np.float32),
        np.zeros((0,), np.uint8),
    ],
)
def test_wrong_chips(make: Callable[[], Encoder], chips: Chips) -> None:
    with pytest.raises(ImageError):
        make().encode(chips)


def test_an_encoder_from_given_weights_is_the_same() -> None:
    from recognition.dlib_weights import read_encoder

    chips = made_chips(2)
    assert np.allclose(TorchEncoder(read_encoder()).encode(chips), shared_encoder().encode(chips), atol=1e-7)


def test_plain_torch_gives_the_same_as_the_fused_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs on CUDA, or where torch has no oneDNN."""
    layers = importlib.import_module("recognition.torch_layers")
    chips = made_chips(3)
    fused = shared_encoder().encode(chips)
    monkeypatch.setattr(layers, "_ONEDNN", False)
    assert np.abs(TorchEncoder().encode(chips) - fused).max() < 2e-6


def test_import_loads_no_heavy_library() -> None:
    code = (
        "import sys, os, recognition, recognition.types, recognition.engine\n"
        "assert os.environ['OMP_WAIT_POLICY'] == 'PASSIVE'\n"
        "print([name for name in ('torch', 'dlib', 'django', 'emotion') if name in sys.modules])"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout.strip() == "[]"


def test_lfw_chips_equal_dlib(shared_data: Path) -> None:
    from recognition.engine import load_engine
    from recognition.evaluate.detect import read_image

    chips = [
        face.chip
        for name in ("bald_guys.jpg",)
        for face in load_engine().analyse(read_image(shared_data / "groups" / name))
    ]
    ours, theirs = shared_encoder().encode(np.stack(chips)), DlibEncoder().encode(np.stack(chips))
    assert len(chips) >= 20
    assert np.abs(ours - theirs).max() < 2e-6
