"""The measuring code itself: an error here would make every published figure wrong."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from recognition.evaluate import groups, lfw, open_set, sessions, small_probes
from recognition.evaluate.__main__ import main
from recognition.evaluate.encoded import Encoded, central_face, reduced
from recognition.evaluate.fit_normaliser import stranger_distance
from recognition.evaluate.lfw_data import DataSetError, Lfw, Pairs
from recognition.evaluate.logistic import logistic_curve, logistic_fit
from recognition.types import Box, Detection

RNG = np.random.default_rng(5)


@pytest.fixture
def made_up(tmp_path: Path) -> Lfw:
    """A data set of 140 people, 100 of them with 17 pictures; pictures are empty, only their names are read."""
    with zipfile.ZipFile(tmp_path / "lfw.zip", "w") as archive:
        for person in range(140):
            for number in range(1, 18 if person < 100 else 2):
                archive.writestr(f"lfw/P{person:03d}/P{person:03d}_{number:04d}.jpg", b"")
        lines = ["10\t1", *["P001\t1\t2"] * 10, *["P001\t1\tP002\t3"] * 10]
        archive.writestr("lfw/pairs.txt", "\n".join(lines))
    return Lfw(tmp_path)


def encoded(data: Lfw, spread: float) -> Encoded:
    """Well separated people."""
    people, place = np.unique(data.person, return_inverse=True)
    centres = RNG.normal(size=(len(people), 128)) * 0.1
    faces = centres[place] + RNG.normal(size=(len(place), 128)) * spread
    return Encoded(faces, np.ones(len(place)), np.full(len(place), 90.0))


def test_pairs_are_read_as_published(made_up: Lfw) -> None:
    pairs = made_up.pairs
    assert pairs.same.tolist() == [True] * 10 + [False] * 10
    assert [
        made_up.names[row].split("/")[-1] for row in (pairs.first[0], pairs.second[0], pairs.second[-1])
    ] == [
        "P001_0001.jpg",
        "P001_0002.jpg",
        "P002_0003.jpg",
    ]
    assert pairs.fold.tolist() == np.repeat(np.arange(10), 2).tolist()


def test_calibration_and_test_people_are_disjoint_and_all_there(made_up: Lfw) -> None:
    calibration, test = made_up.halves
    assert not calibration & test
    assert len(calibration | test) == 140
    assert Lfw(made_up.path.parent).halves == (calibration, test)
    assert made_up.with_halves_swapped().halves == (test, calibration)


def test_classes_keep_templates_probes_and_strangers_apart(made_up: Lfw) -> None:
    usable = np.ones(len(made_up.names), dtype=bool)
    usable[::11] = False
    people = set(made_up.rows_of)
    for draw in open_set.draw_classes(made_up, people, usable, templates=3, seed=1, classes=20):
        students = made_up.person[draw.probes]
        assert draw.templates.shape == (30, 3)
        assert len(set(students)) == 30
        assert (made_up.person[draw.templates] == students[:, None]).all()
        assert not (draw.templates == draw.probes[:, None]).any()
        assert len(set(made_up.person[draw.strangers])) == 60
        assert not set(made_up.person[draw.strangers]) & set(students)
        assert usable[np.concatenate([draw.templates.ravel(), draw.probes, draw.strangers])].all()


def test_the_same_seed_draws_the_same_classes(made_up: Lfw) -> None:
    usable = np.ones(len(made_up.names), dtype=bool)
    one, two, other = (
        open_set.draw_classes(made_up, made_up.rows_of, usable, templates=1, seed=s, classes=2)
        for s in (1, 1, 2)
    )
    assert np.array_equal(one[1].probes, two[1].probes)
    assert not np.array_equal(one[1].probes, other[1].probes)


def test_rates_count_what_they_say() -> None:
    scores = open_set.Scores(
        own=np.array([0.9, 0.8, 0.3, 0.7]),
        others=np.array([0.1, 0.85, 0.1, 0.2]),
        strangers=np.linspace(0.0, 0.5, 101),
    )
    assert scores.rank1 == 0.75
    assert scores.fnir(0.5) == 0.5  # one named as somebody else, one under the threshold
    assert scores.fpir(scores.threshold(0.01)) <= 0.01
    assert scores.fpir(0.25) == pytest.approx(50 / 101)


def test_own_and_other_scores_are_told_apart(made_up: Lfw) -> None:
    faces = encoded(made_up, 0.01)
    draws = open_set.draw_classes(made_up, made_up.rows_of, faces.found, templates=3, seed=0, classes=3)
    scores = open_set.scored(draws, open_set.nearest_scores(faces.encodings))
    assert scores.rank1 == 1.0
    assert len(scores.own) == 90
    assert len(scores.strangers) == 180
    assert scores.strangers.max() < scores.own.min()


def test_verification_finds_the_gap_and_counts_both_errors() -> None:
    same = np.tile([True, False], 100)
    fold = np.repeat(np.arange(10), 20)
    pairs = Pairs(np.zeros(200, int), np.zeros(200, int), same, fold)
    scores = np.where(same, 1.0, 0.0) + RNG.uniform(-0.2, 0.2, 200)
    perfect = lfw.verification(scores, pairs)
    assert (perfect.accuracy, perfect.fmr, perfect.fnmr) == (1.0, 0.0, 0.0)
    scores[0], scores[1], scores[3] = 0.0, 1.0, 1.0
    found = lfw.verification(scores, pairs)
    assert found.fnmr == pytest.approx(0.01)
    assert found.fmr == pytest.approx(0.02)
    assert found.accuracy == pytest.approx(0.985)


def test_log_odds_weigh_what_tells_pairs_apart_and_nothing_of_the_judged_fold() -> None:
    same, fold = np.tile([True, False], 100), np.repeat(np.arange(10), 20)
    near, noise = np.where(same, -1.0, -0.4) + RNG.normal(0, 0.2, 200), RNG.normal(0, 5, (10, 200))
    terms = lfw.Terms(near, noise, fold)
    odds = terms.calibrated(same)
    pairs = Pairs(np.zeros(200, int), np.zeros(200, int), same, fold)
    assert lfw.verification(odds, pairs, 0.0).accuracy > 0.85  # the normalised score drowns in the noise
    assert lfw.verification(terms.normalised, pairs).accuracy < 0.7
    turned = np.where(fold == 3, ~same, same)
    assert np.allclose(terms.calibrated(turned)[fold == 3], odds[fold == 3])
    near[5] = np.nan
    assert lfw.Terms(near, noise, fold).calibrated(same)[5] == -np.inf


def test_a_logistic_regression_finds_the_odds_it_was_drawn_from() -> None:
    inputs = RNG.normal(0, 1, (20_000, 2)) * [1, 10] + [0, 50]
    odds = 2 * inputs[:, 0] - 0.1 * inputs[:, 1] + 4
    truth = RNG.uniform(size=len(odds)) < 1 / (1 + np.exp(-odds))
    slopes, intercept = logistic_fit(inputs, truth, np.ones(len(odds)))
    assert slopes == pytest.approx([2, -0.1], rel=0.08)
    assert intercept == pytest.approx(4, rel=0.08)
    slopes, intercept = logistic_fit(inputs * [1, 0], truth, np.ones(len(odds)))
    assert np.isfinite([*slopes, intercept]).all()


def test_some_folds_judge_each_other(made_up: Lfw) -> None:
    some = made_up.pairs.first_folds(3)
    assert some.fold.tolist() == [0, 0, 1, 1, 2, 2]
    assert some.same.all()
    scores = np.array([1.0, 0.1, 0.2, 0.9, 0.8, 0.2])
    some = Pairs(some.first, some.second, scores > 0.5, some.fold)
    assert lfw.verification(scores, some).accuracy == 1.0
    with pytest.raises(DataSetError, match="two folds"):
        made_up.pairs.first_folds(1)


def test_some_pictures_take_their_places_among_all() -> None:
    some = Encoded(np.ones((2, 128)), np.array([0.5, 0.6]), np.array([90.0, 80.0]))
    whole = some.spread_over(np.array([3, 1]), 5)
    assert whole.found.tolist() == [False, True, False, True, False]
    assert whole.face_pixels.tolist() == [0.0, 80.0, 0.0, 90.0, 0.0]


def test_reduced_probes_are_judged_at_the_shipped_threshold(made_up: Lfw) -> None:
    from recognition.policy import MatchPolicy

    made_up.__dict__["halves"] = (frozenset[str](), frozenset(made_up.rows_of))
    full = encoded(made_up, 0.01)
    policy = MatchPolicy.default_for("x.fast")
    rows = np.arange(0, len(made_up.names), 2)
    gone = Encoded(np.full((len(rows), 128), np.nan), np.zeros(len(rows)), np.zeros(len(rows)))
    same = small_probes.at_accept(made_up, full, full.rows(rows), rows, policy, templates=3, seed=0)
    assert (same["fpir"], same["fnir"]) == (same["fpir_full"], same["fnir_full"])
    assert same["probes"] > 100
    half = Encoded(np.where(np.arange(len(rows))[:, None] % 2, full.rows(rows).encodings, np.nan),
                   np.ones(len(rows)), np.ones(len(rows)))  # fmt: skip
    fewer = small_probes.at_accept(made_up, full, half, rows, policy, templates=3, seed=0)
    assert 0 < fewer["probes"] < same["probes"]
    with pytest.raises(ValueError, match="no small face"):
        small_probes.at_accept(made_up, full, gone, rows, policy, templates=3, seed=0)


def test_a_picture_without_a_face_counts_as_different() -> None:
    found = Encoded(np.zeros((1, 128)), np.ones(1), np.ones(1))
    none = Encoded(np.full((1, 128), np.nan), np.zeros(1), np.zeros(1))
    assert lfw.distance_scores(found, none).tolist() == [-np.inf]
    scores, same = np.array([-np.inf, -0.2, -0.9, -0.95]), np.array([True, True, False, False])
    assert -0.9 <= lfw.best_threshold(scores, same) < -0.2


def test_error_rates_at_a_threshold() -> None:
    same = np.array([True] * 4 + [False] * 100)
    scores = np.concatenate([[0.1, 0.6, 0.995, 2.0], np.arange(100) / 100])
    assert lfw.fmr_at(scores, same, 0.495) == pytest.approx(0.5)
    assert lfw.fnmr_at(scores, same, 0.01) == pytest.approx(0.5)


def test_strangers_are_never_the_person_itself() -> None:
    cohort = np.eye(128)[:3]
    with_self = stranger_distance(cohort, np.array([-1, -1, -1]), cohort)
    without = stranger_distance(cohort, np.arange(3), cohort)
    assert with_self.tolist() == [0.0, 0.0, 0.0]
    assert without == pytest.approx(np.sqrt(2))


def test_the_logistic_fit_finds_the_curve_it_was_drawn_from() -> None:
    values = RNG.normal(size=40_000)
    truth = RNG.uniform(size=40_000) < 1 / (1 + np.exp(-(2.0 * values - 1.0)))
    slope, intercept = logistic_curve(values, truth, np.ones(40_000))
    assert slope == pytest.approx(2.0, abs=0.1)
    assert intercept == pytest.approx(-1.0, abs=0.1)


def test_sessions_of_people_apart_mark_the_present_and_only_them(made_up: Lfw) -> None:
    from recognition.policy import Calibration, EvidencePolicy, MatchPolicy

    faces = encoded(made_up, 0.015)
    draws = sessions.draw_sessions(made_up, made_up.rows_of, faces.found, seed=0, sessions=3)
    assert draws[0].templates.shape == (30, 3)
    assert draws[0].photos.shape == (12, 25)
    assert not set(draws[0].templates.ravel()) & set(draws[0].photos.ravel())
    policy = MatchPolicy(
        "v", -0.5, -0.6, 0.05, 0.2, 30, 0.0, Calibration(60.0, 35.0), evidence=EvidencePolicy(0.5, 1.0, 0.0)
    )
    students = sessions.seen(draws, faces, policy)
    assert len(students) == 90
    for photos in sessions.PHOTOS:
        assert sessions.rates(students, photos, policy.evidence) == sessions.SessionRates(0.0, 0.0, 0.0, 0.0)
    nobody = sessions.rates([sessions.Student(True, ()), sessions.Student(False, ())], 3, policy.evidence)
    assert nobody.missed == 1.0


def test_b_cubed_by_hand() -> None:
    people = np.array([0, 0, 0, 1])
    assert groups.b_cubed(np.array([0, 0, 0, 1]), people) == (1.0, 1.0)
    precision, recall = groups.b_cubed(np.array([0, 0, 1, 1]), people)
    assert precision == pytest.approx((1 + 1 + 0.5 + 0.5) / 4)
    assert recall == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1) / 4)


def test_the_face_in_the_middle_is_the_one_meant() -> None:
    picture = np.zeros((200, 200, 3), np.uint8)
    edge, middle = (Detection(Box(left, 70, 60, 60), None, 0.9) for left in (0, 75))
    assert central_face([edge, middle], picture) is middle
    assert central_face([], picture) is None


def test_pictures_are_made_smaller_never_larger() -> None:
    picture = RNG.integers(0, 255, (120, 80, 3)).astype(np.uint8)
    assert reduced(picture, 1.5) is picture
    assert reduced(picture, 0.5).shape == (60, 40, 3)


def test_data_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["open-set", "--data", str(tmp_path)]) == 2
    assert "lfw.zip" in capsys.readouterr().err
    with zipfile.ZipFile(tmp_path / "lfw.zip", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    with pytest.raises(DataSetError, match="no pictures"):
        Lfw(tmp_path)


def test_the_real_data_set_is_the_one_the_figures_come_from(shared_data: Path) -> None:
    data = Lfw(shared_data)
    assert (len(data.names), len(data.rows_of), len(data.pairs.same)) == (13233, 5749, 6000)
    assert data.pairs.same.sum() == 3000
    assert data.picture(0).shape == (192, 192, 3)
