"""The encoder in ONNX Runtime: the same numbers from the same weights, and a clear answer where it is not installed."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from recognition import encoding, onnx_runtime
from recognition.engine import Engine, load_engine
from recognition.errors import ImageError, RecognitionError, RuntimeMissing, UnknownName
from recognition.onnx_runtime import BATCH, OnnxEncoder
from tests.recognition.faces import drawn_face, made_chips


def test_encodings_are_torchs() -> None:
    chips = np.concatenate([made_chips(BATCH + 1), np.zeros((1, 150, 150, 3), np.uint8)])
    ours, torchs = OnnxEncoder(threads=1).encode(chips), encoding.shared_encoder().encode(chips)
    assert ours.shape == (BATCH + 2, 128)
    assert ours.dtype == np.float32
    assert np.abs(ours - torchs).max() < 2e-6


def test_no_chips() -> None:
    assert onnx_runtime.shared_encoder().encode(np.empty((0, 150, 150, 3), np.uint8)).shape == (0, 128)


@pytest.mark.parametrize(
    "chips",
    [
        np.zeros((150, 150, 3), np.uint8),
        np.zeros((1, 150, 149, 3), np.uint8),
        np.zeros((1, 150, 150, 1), np.uint8),
        np.zeros((1, 150, 150, 3), np.float32),
    ],
)
def test_wrong_chips(chips: np.ndarray) -> None:
    with pytest.raises(ImageError):
        onnx_runtime.shared_encoder().encode(chips)


def test_the_engine_takes_it_by_name_and_keeps_its_version() -> None:
    engine = load_engine(recipe="plain", runtime="onnx")
    assert isinstance(engine.encoder, OnnxEncoder)
    plain = load_engine(recipe="plain")
    assert engine.version == plain.version
    photo = drawn_face(150)
    (ours,), (torchs,) = engine.analyse(photo), plain.analyse(photo)
    assert np.abs(ours.encoding - torchs.encoding).max() < 2e-6


@pytest.mark.parametrize("name", ["default", "dlib"])
def test_runtimes_that_do_not_exist(name: str) -> None:
    with pytest.raises(UnknownName, match="tensorflow"):
        load_engine(name, runtime="tensorflow")


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_packages_that_are_not_installed(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(RuntimeMissing, match="pip install onnx onnxruntime") as caught:
        OnnxEncoder()
    assert isinstance(caught.value, RecognitionError)
    assert isinstance(load_engine(), Engine)
