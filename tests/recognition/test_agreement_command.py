"""The command that holds the torch networks beside dlib."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from PIL import Image as Pillow

from recognition.evaluate import agreement
from recognition.evaluate.agreement import Rectangles
from tests.recognition.faces import drawn_face


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "groups").mkdir()
    Pillow.fromarray(drawn_face(110)).save(tmp_path / "groups" / "face.png")
    with zipfile.ZipFile(tmp_path / "lfw.zip", "w") as archive:
        for number in (1, 2):
            path = tmp_path / f"{number}.jpg"
            Pillow.fromarray(drawn_face(40 + 10 * number)).save(path)
            archive.write(path, f"lfw/Drawn_Face/Drawn_Face_000{number}.jpg")
    return tmp_path


def test_figures_of_drawn_faces(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert agreement.main(["--data", str(folder)]) == 0
    lines = dict(line.split(": ") for line in capsys.readouterr().out.strip().splitlines())
    assert (lines["chips"], lines["chips_identical"]) == ("2", "2")
    assert float(lines["encoder_largest_component_difference"]) < 2e-6
    assert (lines["photos"], lines["photos_with_identical_rectangles"]) == ("1", "1")
    assert lines["faces"] == lines["faces_alike_in_fast_mode"] == "1"


def test_no_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert agreement.main(["--data", str(tmp_path)]) == 2
    assert "lfw.zip" in capsys.readouterr().err


def test_differences_are_counted_and_named() -> None:
    seen = Rectangles()
    seen.add(
        "a.jpg",
        [(0, 0, 9, 9), (50, 50, 59, 59)],
        [(0, 0, 9, 9)],
        [(0, 0, 9, 9), (20, 20, 29, 29), (5, 0, 14, 9)],
    )
    assert (seen.photos, seen.identical, seen.faces, seen.like, seen.lost, seen.added) == (1, 0, 2, 1, 1, 1)
    assert any(line.startswith("a.jpg: ") for line in seen.differences)
