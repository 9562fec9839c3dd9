"""The webcam and video command on a small made-up video."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from emotion import configs, detectors, expressions, framing, live
from emotion.classifier import Classifier
from emotion.data import Chosen, Samples
from emotion.errors import DataProblem, SourceProblem
from emotion.framing import OUTLINE
from emotion.labels import CHALLENGE, FERPLUS
from emotion.training import CHECKPOINT, Options, Trainer


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "made.avi"
    writer = live.Writer(path)
    for at in range(6):
        writer.add(np.full((96, 128, 3), 30 * at, np.uint8), 10.0)
    writer.close()
    return path


def two_boxes(frame: np.ndarray) -> list[tuple[float, float, float, float]]:
    return [(10, 10, 40, 50), (70, 20, 40, 50)]


def test_every_frame_is_read_drawn_and_written(video: Path, weights_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.avi"
    speed = live.run(str(video), Classifier.from_file(weights_file), two_boxes, OUTLINE, out=out)
    assert (speed.frames, speed.faces) == (6, 12)
    assert speed.frames_per_second > 0
    assert len(list(live.frames(str(out)))) == 6


def test_a_limit_stops_early(video: Path, weights_file: Path) -> None:
    speed = live.run(str(video), Classifier.from_file(weights_file), lambda _: [], OUTLINE, limit=2)
    assert (speed.frames, speed.faces) == (2, 0)


def test_drawing_leaves_the_frame_alone() -> None:
    frame = np.zeros((96, 128, 3), np.uint8)
    drawn = live.draw(frame, [(10, 10, 40, 50)], np.eye(7, dtype=np.float32)[[3]], CHALLENGE)
    assert int(frame.max()) == 0
    assert drawn[10, 30].tolist() == list(live.COLOURS["hap"])


def test_an_emotion_has_one_colour_in_every_list_of_labels() -> None:
    for label, same in (
        ("Angry", "anger"),
        ("Happy", "happiness"),
        ("Neutral", "neutral"),
        ("Sad", "sadness"),
    ):
        assert live.colour_of(label, 0) == live.colour_of(same, 5)
    assert live.colour_of("bored", 1) == live.colour_of("curious", 1 + len(live.OTHERS))


def test_sources_that_cannot_be_read_are_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    for source in ("broken.mp4", "missing.mp4"):
        with pytest.raises(SourceProblem, match="cannot open"):
            next(live.frames(str(tmp_path / source)))
    with pytest.raises(SourceProblem, match="webcam 97"):
        next(live.frames("97"))


def test_a_detector_without_its_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceProblem, match="no YuNet model"):
        detectors.yunet(tmp_path / "yunet.onnx")


def test_the_command_line_reports_its_speed(
    video: Path, weights_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["--weights", str(weights_file), "--threads", "1"]
    assert live.main(["--source", str(video), "--limit", "2", *common]) == 0
    assert "frames: 2" in capsys.readouterr().out
    assert live.main(["--source", str(tmp_path / "none.mp4"), *common]) == 1
    assert "cannot open" in capsys.readouterr().err


def test_the_largest_face_is_cut_with_a_margin() -> None:
    photo = np.arange(100 * 100 * 3, dtype=np.uint32).astype(np.uint8).reshape(100, 100, 3)
    cut = detectors.largest_face(lambda _: [(0.0, 0.0, 10.0, 10.0), (40.0, 40.0, 20.0, 40.0)], margin=0.25)
    face = cut(photo)
    assert face is not None
    assert face.shape == (60, 30, 3)
    assert detectors.largest_face(lambda _: [])(photo) is None


def a_run(name: str, heads: dict[str, int], folder: Path, classes: tuple[str, ...] = ()) -> Path:
    """The checkpoint of one epoch on four pictures of noise."""
    config = replace(configs.get(name), epochs=1, batch_size=4, warmup=0.0)
    side = config.image_size
    images = torch.randint(0, 256, (4, config.channels, side, side), dtype=torch.uint8)
    targets = {head: torch.eye(count)[torch.arange(4) % count] for head, count in heads.items()}
    samples = Samples(images, targets, {head: torch.ones(4) for head in heads})
    options = Options(folder, progress=False, chosen=Chosen(classes=classes))
    Trainer(config, samples, samples, options).run()
    return folder / CHECKPOINT


def test_a_run_on_ferplus_is_read_with_its_eight_emotions(
    video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = a_run("resnet18_ferplus", {"ferplus": 8}, tmp_path)
    reads = expressions.load(weights)
    assert reads.labels == FERPLUS
    frame = np.random.default_rng(0).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    shares = reads.read(frame, two_boxes(frame))
    assert shares.shape == (2, 8)
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
    assert reads.read(frame, []).shape == (0, 8)
    out = tmp_path / "out.avi"
    assert (
        live.main(["--source", str(video), "--weights", str(weights), "--out", str(out), "--limit", "2"]) == 0
    )
    assert "frames: 2" in capsys.readouterr().out
    assert len(list(live.frames(str(out)))) == 2


def test_a_run_on_a_folder_is_read_in_colour_with_the_names_of_its_classes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = expressions.load(
        a_run("resnet18_folder", {"folder": 3}, tmp_path / "a", ("bored", "calm", "glad"))
    )
    assert isinstance(reads, expressions.RunExpressions)
    assert reads.labels == ("bored", "calm", "glad")
    words: list[str] = []
    monkeypatch.setattr(cv2, "putText", lambda picture, text, *rest: words.append(text))
    frame = np.zeros((96, 128, 3), np.uint8)
    live.draw(frame, two_boxes(frame), np.eye(3, dtype=np.float32)[[2, 0]], reads.labels)
    assert words == ["glad 100 %", "bored 100 %"]
    frame[..., 0] = 200
    red = framing.faces(frame, two_boxes(frame), 64, colour=True)
    assert red.shape == (2, 64, 64, 3)
    assert red.reshape(-1, 3).mean(axis=0).tolist() == [200, 0, 0]
    assert reads.colour
    seen = reads.reader.probabilities(torch.from_numpy(red).permute(0, 3, 1, 2))["folder"].numpy()
    np.testing.assert_allclose(reads.read(frame, two_boxes(frame)), seen, atol=1e-5)
    unnamed = expressions.load(a_run("resnet18_folder", {"folder": 2}, tmp_path / "b"))
    assert unnamed.labels == ("class 1", "class 2")


def test_of_two_heads_the_challenges_is_read(trained: Path) -> None:
    assert expressions.load(trained / CHECKPOINT).labels == CHALLENGE


def test_a_run_that_reads_no_expressions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match="gender and age, not expressions"):
        expressions.load(a_run("gender_age", {"gender": 2, "age": 4}, tmp_path))


def test_an_opencv_without_windows_is_named_with_what_works(
    video: Path, weights_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none(name: str) -> None:
        raise cv2.error("The function is not implemented. Rebuild the library")

    monkeypatch.setattr(cv2, "namedWindow", none)
    assert live.main(["--source", str(video), "--weights", str(weights_file), "--show"]) == 1
    said = capsys.readouterr().err
    assert "install opencv-python instead of opencv-python-headless" in said
    assert "--out" in said


def test_ctrl_c_closes_the_video_and_the_figures_are_printed(
    video: Path,
    weights_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    frames = itertools.count(1)

    def find(frame: np.ndarray) -> list[tuple[float, float, float, float]]:
        if next(frames) == 3:
            raise KeyboardInterrupt
        return two_boxes(frame)

    monkeypatch.setattr(detectors, "centerface", lambda: (find, OUTLINE))
    out = tmp_path / "out.avi"
    given = ["--source", str(video), "--weights", str(weights_file), "--out", str(out)]
    assert live.main(given) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines()[:2] == ["frames: 2", "faces: 4"]
    assert printed.out.splitlines()[2].startswith("frames_per_second: ")
    assert "stopped by Ctrl-C" in printed.err
    assert len(list(live.frames(str(out)))) == 2


def webcam(source: str, limit: int | None = None) -> Iterator[tuple[np.ndarray, float]]:
    """Frames without end, 20 a second, of a source that says it has 50."""
    while True:
        time.sleep(0.05)
        yield np.zeros((96, 128, 3), np.uint8), 50.0


def test_a_webcam_that_nobody_watches_is_measured_for_some_seconds(
    weights_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(live, "frames", webcam)
    monkeypatch.setattr(live, "MEASURED_SECONDS", 0.2)
    monkeypatch.setattr(detectors, "centerface", lambda: (lambda _: [], OUTLINE))
    assert live.main(["--source", "0", "--weights", str(weights_file)]) == 0
    printed = capsys.readouterr()
    assert "frames are read for 0.2 seconds, and nothing is drawn" in printed.err
    assert "frames_per_second: " in printed.out


def test_a_webcams_video_keeps_to_the_clock(
    weights_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pace = live.frames
    monkeypatch.setattr(live, "frames", webcam)
    out = tmp_path / "out.avi"
    speed = live.run("0", Classifier.from_file(weights_file), lambda _: [], OUTLINE, out=out, seconds=0.5)
    written = len(list(pace(str(out))))
    assert written == pytest.approx(50 * speed.seconds, rel=0.25)
    assert written > 2 * speed.frames


def test_faces_are_looked_for_in_a_smaller_frame() -> None:
    shapes: list[tuple[int, ...]] = []

    def find(frame: np.ndarray) -> list[tuple[float, float, float, float]]:
        shapes.append(frame.shape)
        return [(8.0, 6.0, 16.0, 24.0)]

    small = detectors.shrunk(find, 320)
    assert small(np.zeros((480, 640, 3), np.uint8)) == [(16, 12, 32, 48)]
    assert small(np.zeros((240, 320, 3), np.uint8)) == [(8, 6, 16, 24)]
    assert shapes == [(240, 320, 3), (240, 320, 3)]
