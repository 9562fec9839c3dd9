"""The encoder: what it gives, what it refuses, and that broken files are told apart from missing ones."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from recognition.errors import ImageError, SecondOpinionUnavailable
from recognition.lfw_cnn import load_second_encoder, weight_files
from recognition.lfw_cnn.encode import framed, middle


def copied(weights_file: Path, folder: Path) -> Path:
    for path in weights_file.parent.iterdir():
        shutil.copy(path, folder)
    return folder / weights_file.name


def rewritten(weights_file: Path, folder: Path, details: dict[str, object], **tensors: torch.Tensor) -> Path:
    path = folder / "second.safetensors"
    save_file(load_file(weights_file) | tensors, path, metadata={"second_opinion": json.dumps(details)})
    weight_files.write_sums(folder)
    return path


GOOD = {"version": "x", "network": "compact", "dimensions": 128, "mirror": True}


def test_importing_the_package_does_not_import_torch() -> None:
    code = "import sys, recognition.lfw_cnn, recognition.lfw_cnn.opinion; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_encodings_have_unit_length_and_do_not_depend_on_the_batch(
    weights_file: Path, chips: np.ndarray
) -> None:
    encoder = load_second_encoder(weights_file)
    rows = encoder.encode(chips)
    assert rows.shape == (5, encoder.dimensions)
    assert rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    many = encoder.encode(np.concatenate([chips] * 8))
    assert (many[35:] * rows).sum(axis=1).min() > 0.999
    assert encoder.encode(chips[:0]).shape == (0, 128)


def test_a_face_and_its_mirror_image_are_one(weights_file: Path, chips: np.ndarray) -> None:
    encoder = load_second_encoder(weights_file)
    one, other = encoder.encode(chips), encoder.encode(np.ascontiguousarray(chips[:, :, ::-1]))
    assert (one * other).sum(axis=1).min() > 0.999


def test_the_projection_is_applied_to_unit_encodings(
    weights_file: Path, tmp_path: Path, chips: np.ndarray
) -> None:
    plain = load_second_encoder(weights_file).encode(chips).astype(np.float64)
    weight, bias = torch.diag(torch.linspace(0.5, 2, 128)), torch.full((128,), 0.01)
    path = rewritten(weights_file, tmp_path, GOOD, **{"projection.weight": weight, "projection.bias": bias})
    expected = plain * np.linspace(0.5, 2, 128) + 0.01
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert np.allclose(load_second_encoder(path).encode(chips), expected, atol=1e-4)


def test_it_is_loaded_once(weights_file: Path) -> None:
    assert load_second_encoder(weights_file) is load_second_encoder(weights_file)
    assert load_second_encoder(weights_file).version == "lfwcnn-test"


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((2, 96, 96, 3), np.uint8),
        np.zeros((150, 150, 3), np.uint8),
        np.zeros((1, 150, 150, 3), np.float32),
    ],
)
def test_wrong_chips_are_refused(weights_file: Path, wrong: np.ndarray) -> None:
    with pytest.raises(ImageError, match="chips must"):
        load_second_encoder(weights_file).encode(wrong)


def test_a_flat_chip_gives_finite_numbers(weights_file: Path) -> None:
    assert np.isfinite(load_second_encoder(weights_file).encode(np.full((1, 150, 150, 3), 9, np.uint8))).all()


def test_the_frame_is_the_whole_chip_and_the_middle_its_middle() -> None:
    chip = np.zeros((1, 150, 150, 3), np.uint8)
    chip[:, 15:135, 15:135] = 200
    frame = framed(chip)
    assert frame.shape == (1, 80, 80, 3)
    assert frame[0, 8:72, 8:72].min() == 200
    # Nothing but the bright square is left, and that is flat.
    assert float(middle(frame, 64).abs().max()) < 1e-3


def test_missing_weights_say_where_and_that_attendance_works(tmp_path: Path) -> None:
    with pytest.raises(SecondOpinionUnavailable, match=r"no .*nowhere\.safetensors: attendance works"):
        load_second_encoder(tmp_path / "nowhere.safetensors")


def test_damaged_weights_are_named(weights_file: Path, tmp_path: Path) -> None:
    path = copied(weights_file, tmp_path)
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    with pytest.raises(SecondOpinionUnavailable, match="damaged or another file"):
        load_second_encoder(path)


def test_a_missing_or_silent_list_of_sums_is_an_error(weights_file: Path, tmp_path: Path) -> None:
    path = copied(weights_file, tmp_path)
    (tmp_path / "SHA256SUMS").write_text("")
    with pytest.raises(SecondOpinionUnavailable, match="no line for"):
        load_second_encoder(path)
    (tmp_path / "SHA256SUMS").unlink()
    with pytest.raises(SecondOpinionUnavailable, match="cannot be read"):
        load_second_encoder(path)


def test_weights_of_another_shape_or_network_are_an_error(weights_file: Path, tmp_path: Path) -> None:
    for number, (details, tensors) in enumerate(
        (
            (GOOD | {"dimensions": 64}, {}),
            (GOOD | {"network": "huge"}, {}),
            ({"version": "x"}, {}),
            (GOOD, {"embed.weight": torch.zeros(2, 2)}),
            (GOOD, {"projection.weight": torch.eye(64)}),
        )
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        with pytest.raises(SecondOpinionUnavailable, match="holds no weights"):
            load_second_encoder(rewritten(weights_file, folder, details, **tensors))


def test_a_file_that_is_no_safetensors_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "second.safetensors"
    path.write_bytes(b"hello")
    weight_files.write_sums(tmp_path)
    with pytest.raises(SecondOpinionUnavailable, match="holds no weights"):
        load_second_encoder(path)


def test_the_shipped_weights_are_whole_and_small() -> None:
    encoder = load_second_encoder()
    from recognition.lfw_cnn import WEIGHTS, opinion

    assert WEIGHTS.stat().st_size < 20e6
    assert encoder.version == opinion.load_policy().version
