"""The shipped network: what it takes, what it refuses, and what happens when its file is missing or damaged."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

import emotion
from emotion import classifier as classifier_module
from emotion import evaluate, framing, live, measure_framing, mixtures, networks
from emotion.classifier import Classifier, check_sum, load_classifier, open_classifier
from emotion.errors import BadImage, WeightsDamaged, WeightsMissing
from emotion.predict import ZOOMED, folded

from .conftest import made_part


@pytest.fixture(scope="module")
def small(weights_file: Path) -> Classifier:
    return load_classifier(weights_file)


def photo(height: int = 120, width: int = 160) -> NDArray[np.uint8]:
    return np.random.default_rng(5).integers(0, 255, (height, width, 3), dtype=np.uint8)


def test_it_is_loaded_once_a_process(weights_file: Path, small: Classifier) -> None:
    assert load_classifier(weights_file) is small
    assert small.version == "rollcall-emotion-7"
    assert small.calibration.confusion.shape == (7, 7)


def test_faces_become_probabilities(small: Classifier) -> None:
    answers = small.probabilities(made_part(70).images)
    assert answers.shape == (70, 7)
    assert answers.dtype == np.float32
    assert answers.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_a_face_and_its_mirror_image_are_read_alike(small: Classifier) -> None:
    images = made_part(8).images
    mirrored = np.ascontiguousarray(images[:, :, ::-1])
    np.testing.assert_allclose(small.probabilities(images), small.probabilities(mirrored), atol=2e-2)


def test_the_answer_is_the_mean_over_the_views_the_file_names(small: Classifier) -> None:
    assert small.reader.views == ZOOMED
    images = torch.from_numpy(made_part(6).images).unsqueeze(1)
    alone = [replace(small.reader, views=(view,)).probabilities(images)["challenge"] for view in ZOOMED]
    together = small.reader.probabilities(images)["challenge"]
    torch.testing.assert_close(together, torch.stack(alone).mean(0), atol=2e-2, rtol=0)
    assert not torch.allclose(alone[0], alone[2], atol=1e-3)


def test_a_view_enlarges_round_the_middle(small: Classifier) -> None:
    image = torch.zeros(1, 1, 48, 48, dtype=torch.uint8)
    image[..., 18:30, 18:30] = 255
    plain = replace(small.reader, normalisation="none")
    area = {zoom: float(plain.prepare(image, zoom).sum()) for zoom in (0.5, 1.0, 2.0)}
    assert area[1.0] == 12 * 12
    assert area[0.5] == pytest.approx(6 * 6)
    assert area[2.0] == pytest.approx(24 * 24)


def test_the_size_of_a_batch_does_not_matter(small: Classifier) -> None:
    images = made_part(70).images
    one_by_one = np.concatenate([small.probabilities(images[at : at + 1]) for at in range(5)])
    np.testing.assert_allclose(small.probabilities(images)[:5], one_by_one, atol=2e-2)


def test_no_faces_no_answers(small: Classifier) -> None:
    assert small.probabilities(np.zeros((0, 48, 48), np.uint8)).shape == (0, 7)
    assert small.read(photo(), []).shape == (0, 7)


@pytest.mark.parametrize(
    "faces",
    [
        np.zeros((2, 48, 48, 3), np.uint8),
        np.zeros((48, 48), np.uint8),
        np.zeros((2, 40, 48), np.uint8),
        np.zeros((2, 48, 48), np.float32),
    ],
)
def test_what_is_no_grey_face_is_refused(small: Classifier, faces: NDArray[np.uint8]) -> None:
    with pytest.raises(BadImage, match="grey uint8"):
        small.probabilities(faces)


def test_a_photo_and_its_boxes(small: Classifier) -> None:
    answers = small.read(photo(), [(10, 10, 40, 50), (100.5, 60.2, 80, 90), (-20, -20, 40, 50)])
    assert answers.shape == (3, 7)
    assert answers.sum(axis=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("picture", "box"),
    [
        (np.zeros((50, 50), np.uint8), (0, 0, 20, 20)),
        (np.zeros((50, 50, 4), np.uint8), (0, 0, 20, 20)),
        (np.zeros((50, 50, 3), np.float64), (0, 0, 20, 20)),
        (np.zeros((0, 50, 3), np.uint8), (0, 0, 20, 20)),
        (photo(), (0, 0, 0, 20)),
        (photo(), (0, 0, 20, -1)),
        (photo(), (200, 0, 20, 20)),
        (photo(), (float("nan"), 0, 20, 20)),
        (photo(), (0, 0, 20)),
    ],
)
def test_a_photo_or_box_that_makes_no_sense_is_refused(
    picture: NDArray[np.uint8], box: tuple[float, ...]
) -> None:
    with pytest.raises(BadImage):
        framing.faces(picture, [box])


def test_the_frame_is_fers_square_round_the_box() -> None:
    picture = np.zeros((200, 200, 3), np.uint8)
    picture[60:140, 60:140] = 255
    inside = framing.face(picture, (70, 70, 60, 60), framing=framing.Framing(side=1.0, below=0.0))
    assert int(inside.min()) == 255
    wider = framing.face(picture, (60, 60, 80, 80), framing=framing.Framing(side=2.0, below=0.0))
    assert int(wider[24, 24]) == 255
    assert int(wider[2, 2]) == 0
    assert framing.face(picture, (70, 70, 60, 60), size=32).shape == (32, 32)


def test_beyond_the_edge_the_nearest_pixels_go_on() -> None:
    picture = np.full((100, 100, 3), 90, np.uint8)
    assert set(np.unique(framing.face(picture, (-30, -30, 60, 60)))) == {90}


def test_missing_weights_say_so(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="attendance works without"):
        load_classifier(tmp_path / "rollcall.safetensors")
    with pytest.raises(WeightsMissing):
        Classifier.from_file(tmp_path / "rollcall.safetensors")


def test_one_changed_byte_is_noticed(weights_file: Path, tmp_path: Path) -> None:
    shutil.copytree(weights_file.parent, tmp_path / "w")
    copy = tmp_path / "w" / weights_file.name
    content = bytearray(copy.read_bytes())
    content[-5] ^= 1
    copy.write_bytes(bytes(content))
    with pytest.raises(WeightsDamaged, match="not the file that was shipped"):
        load_classifier(copy)


def test_a_file_without_its_checksum_is_refused(weights_file: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copy(weights_file, tmp_path / "alone.safetensors"))
    for text in (None, b"", b"0123  another.safetensors\n"):
        if text is not None:
            (tmp_path / classifier_module.CHECKSUMS).write_bytes(text)
        with pytest.raises(WeightsDamaged, match=r"does not name alone\.safetensors"):
            check_sum(copy)
    (tmp_path / classifier_module.CHECKSUMS).write_bytes(b"\xff\xfe")
    with pytest.raises(WeightsDamaged, match="SHA256SUMS cannot be read"):
        check_sum(copy)


def test_a_file_that_may_not_be_read_is_named(weights_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(WeightsDamaged, match="cannot be read"):
        check_sum(weights_file)


def test_the_shipped_file_is_checked_by_every_command_and_ones_own_by_none(
    weights_file: Path,
    fer_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    copy = Path(shutil.copy(weights_file, tmp_path / "own.safetensors"))
    assert open_classifier(copy).version == "rollcall-emotion-7"
    (tmp_path / classifier_module.CHECKSUMS).write_text(f"0123  {copy.name}\n")
    assert open_classifier(copy).version == "rollcall-emotion-7"
    monkeypatch.setattr(classifier_module, "WEIGHTS", copy)
    with pytest.raises(WeightsDamaged, match="not the file that was shipped"):
        open_classifier(tmp_path / ".." / tmp_path.name / copy.name)
    asked = ["--weights", str(copy), "--threads", "1"]
    for command, what in (
        (evaluate.main, ["--data", str(fer_file)]),
        (mixtures.main, ["--data", str(fer_file)]),
        (measure_framing.main, ["--data", str(fer_file)]),
        (live.main, ["--source", "none.mp4"]),
    ):
        assert command([*asked, *what]) == 1
        assert "not the file that was shipped" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"not weights at all", b"\x08\0\0\0\0\0\0\0{}      "])
def test_a_file_that_holds_no_weights_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.safetensors").write_bytes(content)
    with pytest.raises(WeightsDamaged):
        Classifier.from_file(tmp_path / "bad.safetensors")


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"network": "unheard_of"},
        {"confusion": [[1]]},
        {"heads": {"challenge": 9, "ferplus": 8}},
        {"heads": {"ferplus": 8}},
        {"heads": ["challenge"]},
        {"normalisation": "odd"},
        {"views": []},
        {"views": [[0.0, False]]},
        {"views": [[1.0]]},
    ],
)
def test_weights_that_do_not_fit_their_description_are_refused(
    weights_file: Path, tmp_path: Path, details: dict[str, object]
) -> None:
    good = {
        "name": "x", "number": 1, "network": "rollcall", "channels": 1, "image_size": 48, "temperature": 1.0,
        "views": [[1.0, False]], "heads": {"challenge": 7, "ferplus": 8}, "confusion": np.eye(7).tolist(),
    }  # fmt: skip
    path = tmp_path / "odd.safetensors"
    described = {**good, **details} if details else {}
    save_file(load_file(weights_file), path, metadata={"rollcall": json.dumps(described)})
    with pytest.raises(WeightsDamaged):
        Classifier.from_file(path)


def test_the_package_offers_what_the_application_needs() -> None:
    offered = {name: getattr(emotion, name) for name in emotion.__all__}
    assert offered["load_classifier"] is load_classifier
    assert offered["WeightsDamaged"] is WeightsDamaged
    assert {"class_mood", "smoothed", "WeightsMissing", "SQUARE", "OUTLINE"} <= set(offered)
    assert set(emotion._HOME) == set(offered)
    with pytest.raises(AttributeError, match="no attribute 'mood_of_one'"):
        emotion.mood_of_one  # noqa: B018


def test_norms_written_into_convolutions_give_the_same_answers() -> None:
    torch.manual_seed(3)
    network = networks.create("rollcall", channels=1, heads={"challenge": 7, "ferplus": 8})
    for part in network.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            for values, low, high in (
                (part.running_mean, -0.3, 0.3),
                (part.running_var, 0.5, 2.0),
                (part.weight.data, 0.5, 1.5),
            ):
                assert values is not None
                values.uniform_(low, high)
    network.eval()
    faces = torch.randn(5, 1, 48, 48)
    with torch.no_grad():
        before = network(faces)
        after = folded(network)(faces)
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in network.modules())
    for head, logits in before.items():
        torch.testing.assert_close(after[head], logits, atol=1e-4, rtol=1e-4)
