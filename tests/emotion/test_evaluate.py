"""Figures: right by hand on small cases, and complete on the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emotion import evaluate, metrics
from emotion.classifier import Classifier
from emotion.data import load_fer2013
from emotion.errors import DataProblem
from emotion.training import CHECKPOINT, HISTORY


def test_class_figures_by_hand() -> None:
    confusion = metrics.confusion_matrix(np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 1, 0]), 3)
    assert confusion.tolist() == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]
    first, second, third = metrics.class_figures(confusion, ("a", "b", "c"))
    assert (first.precision, first.sensitivity, first.specificity) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert (second.precision, second.sensitivity, second.f1) == pytest.approx((2 / 3, 1.0, 0.8))
    assert second.specificity == pytest.approx(0.75)
    assert (third.precision, third.sensitivity, third.f1, third.support) == (0, 0, 0, 1)


def test_calibration_error_by_hand() -> None:
    shares = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]], np.float32)
    bins, error = metrics.reliability(shares, np.array([0, 1, 0, 0]), bins=10)
    assert [count for _, _, count in bins] == [2, 2]
    assert error == pytest.approx((0.4 + 0.4) / 2)


def test_temperature_cools_what_is_too_sure() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(size=(4000, 5)).astype(np.float32)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.array([random.choice(5, p=row / row.sum()) for row in shares.astype(np.float64)])
    assert metrics.fit_temperature(3 * logits, labels) == pytest.approx(3, rel=0.15)
    assert metrics.fit_temperature(logits / 2, labels) == pytest.approx(0.5, rel=0.15)


def test_the_command_line_prints_every_figure(
    weights_file: Path, trained: Path, fer_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "overlap.csv").write_text("row,label\n0,1\n3,2\n")
    status = evaluate.main(
        [
            *(
                "--weights",
                str(weights_file),
                "--data",
                str(fer_file),
                "--overlap",
                str(tmp_path / "overlap.csv"),
            ),
            *("--history", str(trained / HISTORY), "--figures", str(tmp_path / "figures")),
        ]
    )
    assert status == 0
    printed = capsys.readouterr().out
    values = dict(line.split(": ") for line in printed.strip().splitlines()[-11:])
    assert values.keys() >= {
        "accuracy", "accuracy_without_twins", "ferplus_accuracy", "macro_f1", "ece", "ece_before_temperature",
        "ms_per_face_batch1", "ms_per_face_batch32",
    }  # fmt: skip
    part = load_fer2013(fer_file)
    reader, temperature = evaluate.load_reader(weights_file)
    answers = evaluate.ask(reader, part)
    assert answers.challenge is not None
    right = answers.challenge.argmax(axis=1) == part.labels
    assert float(values["accuracy"]) == pytest.approx(right.mean(), abs=1e-4)
    rest = np.delete(right, [0, 3])
    assert float(values["accuracy_without_twins"]) == pytest.approx(rest.mean(), abs=1e-4)
    classifier = Classifier.from_file(weights_file)
    assert temperature == classifier.temperature != 1
    stated = metrics.reliability(classifier.probabilities(part.images), part.labels)[1]
    before = metrics.reliability(answers.challenge, part.labels)[1]
    assert (float(values["ece"]), float(values["ece_before_temperature"])) == pytest.approx(
        (stated, before), abs=1e-4
    )
    assert stated != pytest.approx(before, abs=1e-3)
    assert "  gender_age: 81 to 90 % gender with age group" in printed
    drawn = {file.name for file in (tmp_path / "figures").iterdir()}
    assert drawn == {"confusion.png", "confusion-ferplus.png", "reliability.png", "history.png"}


def test_a_checkpoint_is_measured_too(trained: Path, fer_file: Path) -> None:
    assert evaluate.main(["--weights", str(trained / CHECKPOINT), "--data", str(fer_file)]) == 0


@pytest.mark.parametrize("text", ["", "name\n1\n", "row\nfirst\n", "row\n70\n", "row\n-1\n"])
def test_an_overlap_file_that_does_not_fit_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "overlap.csv").write_text(text)
    if text:
        with pytest.raises(DataProblem):
            evaluate.overlap_rows(tmp_path / "overlap.csv", 70)
    else:
        assert not evaluate.overlap_rows(tmp_path / "overlap.csv", 70).any()


def test_the_command_lines_name_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        evaluate.main(["--weights", str(tmp_path / "no.safetensors"), "--data", str(tmp_path / "no.npz")])
        == 1
    )
    assert "no emotion weights" in capsys.readouterr().err
    (tmp_path / "garbage.pt").write_bytes(b"garbage")
    assert evaluate.main(["--weights", str(tmp_path / "garbage.pt"), "--data", str(tmp_path / "no.npz")]) == 1
    assert "not a file that torch.save wrote" in capsys.readouterr().err


def test_a_history_is_drawn_into_a_folder_or_not_at_all(
    weights_file: Path, fer_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--weights", str(weights_file), "--data", str(fer_file), "--history", str(tmp_path / "no.csv")]
    with pytest.raises(SystemExit):
        evaluate.main(given)
    assert "needs --figures" in capsys.readouterr().err
    for text in (None, "", "epoch\n1\n", "epoch,train_loss,validation_loss,validation_accuracy\n"):
        if text is not None:
            (tmp_path / "no.csv").write_text(text)
        assert evaluate.main([*given, "--figures", str(tmp_path)]) == 1
        assert "history of a run" in capsys.readouterr().err
