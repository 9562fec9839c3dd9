"""Groups with known shares: drawn right, and read better when adjusted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emotion import mixtures
from emotion.mood import Calibration


def test_groups_hold_the_shares_they_claim() -> None:
    labels = np.arange(700) % 7
    rows, shares = mixtures.draw_groups(labels, "any", 20, 50, seed=1)
    assert rows.shape == (50, 20)
    for row, share in zip(rows, shares, strict=True):
        np.testing.assert_allclose(np.bincount(labels[row], minlength=7) / 20, share)


def test_adjusting_helps_a_reader_who_mistakes_half_of_one_emotion() -> None:
    random = np.random.default_rng(0)
    labels = np.arange(7000) % 7
    confusion = 0.9 * np.eye(7) + 0.1 / 7
    confusion[4] = 0.5 * np.eye(7)[4] + 0.5 * np.eye(7)[6]
    read = np.array([random.choice(7, p=confusion[label]) for label in labels])
    answers = np.eye(7, dtype=np.float32)[read]
    errors = mixtures.measure(answers, labels, Calibration(confusion), "any", 100, 200)
    assert errors.adjusted < 0.75 * errors.averaged
    assert errors.valence_adjusted < errors.valence_counted
    assert errors.valence_inside > 0.8


def test_the_true_valence_of_few_faces_lies_in_its_interval_nine_times_in_ten() -> None:
    random = np.random.default_rng(3)
    labels = np.arange(1400) % 7
    confusion = 0.55 * np.eye(7) + 0.45 / 7
    answers = np.array([random.dirichlet(0.8 * confusion[label]) for label in labels], np.float32)
    for kind in mixtures.KINDS:
        errors = mixtures.measure(answers, labels, Calibration(confusion), kind, 5, 60)
        assert errors.valence_inside >= 0.9


def test_the_command_line_prints_a_table(
    weights_file: Path, fer_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--data", str(fer_file), "--weights", str(weights_file), "--groups", "3"]
    assert mixtures.main(given) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2 + 2 * 6
    assert mixtures.main(["--data", str(tmp_path / "none.npz"), "--weights", str(weights_file)]) == 1
