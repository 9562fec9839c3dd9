"""The ``detect`` command: labels read, detections matched, figures printed."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import pytest
from PIL import Image as Pillow

from recognition.errors import RecognitionError
from recognition.evaluate import detect
from recognition.evaluate.detect import Labelled, Tally, match, read_labels
from recognition.types import Box, Detection
from tests.recognition.faces import drawn_face


def found(left: float, top: float, size: float) -> Detection:
    return Detection(Box(left, top, size, size), None, 1.0)


def labelled(*faces: Box, ignored: tuple[Box, ...] = ()) -> Labelled:
    return Labelled(Path("x.jpg"), faces, ignored)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Pillow.fromarray(drawn_face(60)).save(tmp_path / "one.png")
    Pillow.fromarray(drawn_face(50)[:20]).save(tmp_path / "none.png")
    rows = ["file,left,top,width,height,source", "one.png,30,25,60,70,by hand", "none.png,0,0,5,5,ignore"]
    (tmp_path / "boxes.csv").write_text("\n".join(rows))
    return tmp_path


def arguments(folder: Path, *more: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    detect.add_arguments(parser)
    return parser.parse_args(["--data", str(folder), "--detectors", "centerface", *more])


def test_a_face_is_matched_once_and_a_double_is_a_false_alarm() -> None:
    assert match([found(0, 0, 20), found(2, 2, 20)], labelled(Box(0, 0, 20, 20))) == ([True], 1)


def test_neighbours_are_matched_so_that_most_are_found() -> None:
    hits, false = match([found(6, 0, 20), found(0, 0, 20)], labelled(Box(0, 0, 20, 20), Box(12, 0, 20, 20)))
    assert (hits, false) == ([True, True], 0)


def test_a_find_in_an_ignored_box_counts_as_neither() -> None:
    assert match([found(100, 0, 20)], labelled(Box(0, 0, 20, 20), ignored=(Box(98, 0, 25, 25),))) == (
        [False],
        0,
    )


def test_nothing_found_and_nothing_there() -> None:
    assert match([], labelled(Box(0, 0, 9, 9))) == ([False], 0)
    assert match([found(0, 0, 9)], labelled()) == ([], 1)
    assert match([], labelled()) == ([], 0)


def test_recall_by_size() -> None:
    tally = Tally()
    tally.total.update({16: 4, 32: 4, 64: 2})
    tally.found.update({16: 1, 32: 3, 64: 2})
    assert tally.recall() == 0.6
    assert tally.recall(32) == 0.5
    assert math.isnan(Tally().recall())


def test_labels_are_read_by_photo(folder: Path) -> None:
    none, one = read_labels(folder)
    assert (one.path.name, one.faces, one.ignored) == ("one.png", (Box(30, 25, 60, 70),), ())
    assert (none.faces, len(none.ignored)) == ((), 1)


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "file,left,top,width,height,source\nx.jpg,1,2,three,4,s\n"])
def test_bad_labels(tmp_path: Path, text: str) -> None:
    (tmp_path / "boxes.csv").write_text(text)
    with pytest.raises(RecognitionError, match=r"boxes\.csv"):
        read_labels(tmp_path)


def test_folder_without_labels(tmp_path: Path) -> None:
    with pytest.raises(RecognitionError, match="does not exist"):
        read_labels(tmp_path)
    (tmp_path / "boxes.csv").write_text("file,left,top,width,height,source\n")
    with pytest.raises(RecognitionError, match="names no photo"):
        detect.run(arguments(tmp_path))


def test_command_prints_its_figures_last(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert detect.run(arguments(folder, "--out", str(folder / "plots"))) == 0
    lines = dict(line.split(": ") for line in capsys.readouterr().out.splitlines()[-5:])
    assert lines["recall_centerface"] == "1.0000"
    assert lines["recall_small_centerface"] == "nan"
    assert lines["false_alarms_centerface"] == "0"
    assert float(lines["seconds_centerface"]) > 0
    assert lines["default_detector"] == "centerface"
    assert (folder / "plots" / "detect.svg").read_text().startswith("<?xml")


def test_reduced_photos_have_smaller_faces(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    detect.run(arguments(folder, "--reduce", "0.5"))
    assert "recall_small_centerface: 1.0000" in capsys.readouterr().out


def test_a_detector_whose_file_is_missing_is_left_out(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ROLLCALL_YUNET_MODEL", raising=False)
    detect.run(arguments(folder, "--detectors", "yunet", "centerface"))
    printed = capsys.readouterr().out
    assert "yunet left out" in printed
    assert "recall_yunet" not in printed
