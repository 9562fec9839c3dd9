"""The webcam and video command on a small made-up video."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emotion import detectors, live
from emotion.classifier import Classifier
from emotion.errors import SourceProblem
from emotion.framing import OUTLINE


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
    drawn = live.draw(frame, [(10, 10, 40, 50)], np.eye(7, dtype=np.float32)[[3]])
    assert int(frame.max()) == 0
    assert drawn[10, 30].tolist() == list(live.COLOURS[3])


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
