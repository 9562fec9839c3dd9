"""How each version reads: written by an export, read without torch, refused when damaged."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from emotion import shipped
from emotion.classifier import Classifier, check_sum
from emotion.errors import WeightsDamaged, WeightsMissing

EVEN = [[1 / 7] * 7] * 7


def test_an_export_says_beside_its_file_how_it_reads(weights_file: Path) -> None:
    beside = weights_file.with_name(shipped.CALIBRATIONS)
    check_sum(beside)
    known = shipped.calibrations(weights_file.parent)
    assert list(known) == ["rollcall-emotion-7"]
    own = Classifier.from_file(weights_file).calibration
    np.testing.assert_array_equal(known["rollcall-emotion-7"].confusion, own.confusion)


def test_a_new_version_leaves_those_before_it(tmp_path: Path) -> None:
    weights = tmp_path / "new.safetensors"
    weights.write_bytes(b"weights")
    shipped.describe(weights, "net-1", EVEN)
    shipped.describe(weights, "net-2", np.eye(7).tolist())
    known = shipped.calibrations(tmp_path)
    assert known["net-1"].confusion[0, 0] == pytest.approx(1 / 7)
    assert known["net-2"].confusion[0, 0] == 1
    check_sum(weights)


@pytest.mark.parametrize(
    "damaged",
    [b"", b"{", b"[]", b"\xff\xfe", b'{"net-1": 3}', b'{"net-1": [[1, 0], [0, 1]]}', b'{"a": null}'],
)
def test_a_damaged_file_is_named(tmp_path: Path, damaged: bytes) -> None:
    (tmp_path / shipped.CALIBRATIONS).write_bytes(damaged)
    with pytest.raises(WeightsDamaged, match=r"calibrations\.json"):
        shipped.calibrations(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing):
        shipped.calibrations(tmp_path)


def test_what_shows_a_mood_needs_no_torch() -> None:
    code = (
        "import sys; from emotion.mood import mood_of_counts, smoothed; from emotion.shipped import calibrations\n"
        "own = calibrations()['rollcall-emotion-4']\n"
        "smoothed([(0, mood_of_counts(5, [1, 0, 0, 2, 0, 0, 2], own))], own); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
