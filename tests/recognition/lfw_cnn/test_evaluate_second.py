"""The measuring code of the second opinion, on made-up encodings whose answers are known."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from recognition.evaluate import compare, fit_opinion, lfw_cnn
from recognition.evaluate.__main__ import main
from recognition.evaluate.lfw_data import Lfw
from recognition.evaluate.two_encoders import NOBODY, Both, Faces, draw, faces_of, first_decisions
from recognition.identification import Decision
from recognition.lfw_cnn import load_second_encoder, splits
from recognition.lfw_cnn.opinion import OpinionPolicy
from recognition.policy import MatchPolicy

RNG = np.random.default_rng(11)
PEOPLE, PHOTOS = 200, 5


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Lfw:
    """All of 200 people are in the first three folds; nothing but names is read of the pictures."""
    path = tmp_path_factory.mktemp("names") / "lfw.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for person in range(PEOPLE):
            for number in range(1, PHOTOS + 1):
                archive.writestr(f"lfw/P{person:03d}/P{person:03d}_{number:04d}.jpg", b"")
        folds: list[str] = []
        for fold in range(10):
            for place in range(70):
                one = min(fold * 70 + place, PEOPLE - 2) if fold < 3 else place
                folds += [f"P{one:03d}\t1\t2", f"P{one:03d}\t1\tP{one + 1:03d}\t1"]
        archive.writestr("lfw/pairs.txt", "\n".join(["10\t70", *folds]))
    return Lfw(path)


def encodings(data: Lfw, spread: float, length: float) -> np.ndarray:
    people, place = np.unique(data.person, return_inverse=True)
    centres = RNG.normal(size=(len(people), 128))
    rows = centres[place] + spread * RNG.normal(size=(len(place), 128))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True) * length


@pytest.fixture(scope="module")
def both(data: Lfw) -> Both:
    """A good main engine and a second one that is often near the wrong student."""
    policy = MatchPolicy.default_for("dlibresnet1.centerface.accurate")
    first, second = encodings(data, 0.2, 1.3), encodings(data, 2.2, 1.0)
    return Both(first, second, np.ones(len(first), bool), policy)


@pytest.fixture(scope="module")
def fitted(data: Lfw, both: Both) -> tuple[OpinionPolicy, dict[str, int]]:
    return fit_opinion.fit_opinion(data, both, "made", seed=0)


def calibration_faces(data: Lfw, both: Both) -> Faces:
    people = splits.calibration_people(data)
    return faces_of(draw(data, people, both, templates=3, seed=3, classes=20), both)


def test_the_threshold_lets_one_stranger_in_a_hundred_by(
    data: Lfw, both: Both, fitted: tuple[OpinionPolicy, dict[str, int]]
) -> None:
    policy, _ = fitted
    faces = calibration_faces(data, both)
    named = faces.distances[faces.strangers].min(axis=1) <= policy.threshold
    assert 0.002 < named.mean() < 0.03
    assert policy.step < 0
    assert policy.per_distance < 0


def test_probabilities_are_about_right(
    data: Lfw, both: Both, fitted: tuple[OpinionPolicy, dict[str, int]]
) -> None:
    policy, _ = fitted
    faces = calibration_faces(data, both)
    gaps = fit_opinion.gap_to_runner_up(faces.distances)
    stated = np.array(
        [policy.probability(d, g) for d, g in zip(faces.distances.min(axis=1), gaps, strict=True)]
    )
    right = faces.distances.argmin(axis=1) == faces.own
    weights = fit_opinion.face_weights(faces)
    # Fitted with one and three templates, asked with three.
    assert abs(np.average(stated, weights=weights) - np.average(right, weights=weights)) < 0.1
    assert stated[right].mean() > stated[~right].mean()


def test_strangers_count_as_a_tenth(data: Lfw, both: Both) -> None:
    faces = calibration_faces(data, both)
    weights = fit_opinion.face_weights(faces)
    assert weights[faces.strangers].sum() / weights.sum() == pytest.approx(0.1)


def test_counts_cover_every_face(fitted: tuple[OpinionPolicy, dict[str, int]]) -> None:
    policy, counts = fitted
    assert sum(counts.values()) == 2 * fit_opinion.CLASSES * 90
    assert set(policy.weights) == {name.rsplit(".", 1)[0] for name in counts}
    assert policy.weights["recognised.agree"] >= 1 >= policy.weights["recognised.disagree"]


def test_fewer_students_make_strangers_of_the_others() -> None:
    faces = Faces(np.zeros((3, 3)), np.arange(9.0).reshape(3, 3), np.array([0, 2, NOBODY]))
    few = faces.students(np.array([2, 1]))
    assert few.own.tolist() == [NOBODY, 0, NOBODY]
    assert few.distances[0].tolist() == [2.0, 1.0]


def test_first_decisions_are_the_policys(both: Both) -> None:
    accept, review = both.policy.thresholds(3)
    scores = np.array(
        [
            [accept + 1, review - 1, review - 1],
            [accept + 1, accept + 0.99, review - 1],
            [(accept + review) / 2, review - 2, review - 2],
            [review - 0.1, review - 2, review - 1],
        ]
    )
    faces = Faces(scores, np.ones((4, 3)), np.zeros(4, np.int64))
    decisions, best, probabilities = first_decisions(faces, both.policy)
    assert decisions == [Decision.RECOGNISED, Decision.UNCERTAIN, Decision.UNCERTAIN, Decision.UNKNOWN]
    assert best.tolist() == [0, 0, 0, 0]
    assert probabilities[0] > probabilities[2] > probabilities[3]


def test_the_matrix_counts_who_is_right(both: Both) -> None:
    accept, review = both.policy.thresholds(2)
    high, low = accept + 1, review - 1
    policy = OpinionPolicy("made", 0.5, 0.0, 2, 0.0, -1.0, 1.0, 1.0, fit_opinion.UNWEIGHTED)
    faces = Faces(
        np.array([[high, low], [high, low], [low, low], [low, low]]),
        np.array([[0.1, 0.9], [0.9, 0.1], [0.1, 0.8], [0.9, 0.8]]),
        np.array([0, 0, NOBODY, NOBODY]),
    )
    rows, lines = compare.answers(faces, both, policy)
    assert [(row.first, row.second, row.faces, row.first_right, row.second_right) for row in rows] == [
        ("recognised", "another student", 1, 1, 0),
        ("recognised", "same student", 1, 1, 1),
        ("unknown", "same student", 1, 1, 0),
        ("unknown", "unknown, nearest is another", 1, 1, 1),
    ]
    assert lines["first_right"] == 1
    assert lines["second_right"] == pytest.approx(0.9 / 2 + 0.1 / 2)
    assert lines["right_when_both_name_same"] == 1
    assert lines["second_right_when_both_name_another"] == 0


def test_a_useless_second_is_not_fused_in(data: Lfw, both: Both) -> None:
    noise = Both(both.first, encodings(data, 50.0, 1.0), both.found, both.policy)
    assert compare.fusion_weight(calibration_faces(data, noise)) == 0.0
    faces = calibration_faces(data, both)
    assert np.array_equal(compare.fused(faces, 0.0), faces.scores)


def test_rates_are_those_of_the_protocol() -> None:
    faces = Faces(np.array([[3.0, 1.0], [2.0, 5.0], [4.0, 0.0]]), np.zeros((3, 2)), np.array([0, 0, NOBODY]))
    found = compare.rates(faces, faces.scores)
    assert (found.own.tolist(), found.others.tolist(), found.strangers.tolist()) == ([3, 2], [1, 5], [4])
    assert found.rank1 == 0.5


def test_the_report_prints_a_table_and_figures(
    data: Lfw,
    both: Both,
    fitted: tuple[OpinionPolicy, dict[str, int]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(compare, "CLASSES", 10)
    lines = compare.report(data, both, fitted[0], seed=0, out=tmp_path)
    assert "first right" in capsys.readouterr().out
    assert lines["main_fnir_at_fpir_1pct"] < 0.05 < lines["second_fnir_at_fpir_1pct"]
    assert lines["first_right"] > lines["second_right"]
    assert lines["joint_log_error"] < 1
    assert (tmp_path / "second-reliability.png").stat().st_size > 1000


def test_the_closed_set_classifier_tells_people_apart(lfw_zip: Path) -> None:
    data = Lfw(lfw_zip)
    split = splits.closed_set(data)
    found = lfw_cnn.closed_set(encodings(data, 0.2, 1.0), split)
    assert found.accuracy == 1
    assert found.confusion.tolist() == [[8, 0], [0, 8]]
    chance = lfw_cnn.closed_set(RNG.normal(size=(len(data.names), 128)), split)
    assert chance.accuracy < 0.95


def test_a_fold_is_judged_at_the_others_threshold(data: Lfw) -> None:
    scores = np.where(data.pairs.same, 0.8, 0.2)
    assert lfw_cnn.fold_accuracies(data, scores) == [1, 1, 1]
    shifted = np.where(data.pairs.fold == 0, scores + 5, scores)
    assert lfw_cnn.fold_accuracies(data, shifted)[0] == 0.5
    one = lfw_cnn.pair_cosines(data, encodings(data, 0.1, 3.0))
    assert one[data.pairs.same].min() > 0.9


def test_milliseconds_are_measured(weights_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lfw_cnn, "TIMED_BATCHES", 2)
    cpu, wall = lfw_cnn.milliseconds_a_face(load_second_encoder(weights_file))
    assert 0 < cpu < 1000
    assert wall > 0


@pytest.mark.parametrize("protocol", ["lfw-cnn", "compare", "fit-opinion"])
def test_missing_data_and_weights_are_told(
    protocol: str, weights_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = str(tmp_path / "lfw.zip")
    assert main([protocol, "--data", nowhere, "--weights", str(tmp_path / "none.safetensors")]) == 2
    assert "there is no" in capsys.readouterr().err
    if protocol != "compare":
        assert main([protocol, "--data", nowhere, "--weights", str(weights_file)]) == 2
        assert "lfw.zip" in capsys.readouterr().err
