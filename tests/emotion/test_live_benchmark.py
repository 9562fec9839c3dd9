"""The benchmark of the live mode runs and names what it measured."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import emotion_live
from emotion import detectors
from emotion.framing import OUTLINE
from emotion.live import SIDE


def test_a_frame_holds_the_face_as_often_as_asked() -> None:
    face = np.zeros((40, 40, 3), np.uint8)
    for faces in emotion_live.LAYOUTS:
        frame = emotion_live.frame_with(face, faces)
        assert frame.shape == (720, 1280, 3)
        columns, rows = emotion_live.LAYOUTS[faces]
        side = min(1280 // columns, 720 // rows, 360)
        assert int((frame == 0).all(axis=2).sum()) == faces * side * side


def test_every_way_is_measured_with_every_number_of_faces(
    weights_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sides: set[int] = set()

    def find(frame: np.ndarray) -> list[tuple[float, float, float, float]]:
        sides.add(frame.shape[1])
        return [(10.0, 10.0, 50.0, 60.0), (80.0, 10.0, 50.0, 60.0)]

    monkeypatch.setattr(detectors, "centerface", lambda: (find, OUTLINE))
    monkeypatch.setattr(emotion_live, "haar", lambda: ("haar", find))
    monkeypatch.setattr(emotion_live, "LAYOUTS", {1: (1, 1), 5: (5, 1)})
    Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(tmp_path / "face.png")
    given = ["--photo", str(tmp_path / "face.png"), "--weights", str(weights_file)]
    emotion_live.main([*given, "--seconds", "0.01"])
    lines = capsys.readouterr().out.splitlines()
    ways = (f"centerface_{SIDE}_batched", "centerface_whole_batched", "haar_one_by_one")
    assert [line.split(":")[0] for line in lines] == [f"faces_{n}_{way}" for n in (1, 5) for way in ways]
    assert all(re.search(r": \d+\.\d \(2 found\)$", line) for line in lines)
    assert all(float(re.findall(r"\d+\.\d", line)[0]) > 0 for line in lines)
    assert sides == {SIDE, 1280}


def test_the_plain_way_says_which_detector_it_is() -> None:
    name, find = emotion_live.haar()
    assert name in ("haar", "hog")
    assert find(np.zeros((90, 90, 3), np.uint8)) == []
