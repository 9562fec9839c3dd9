"""The mood of a group: sums that add up, intervals that grow, nothing about one person."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from emotion import mood
from emotion.labels import CHALLENGE
from emotion.mood import Calibration, ClassMood

counts_of_faces = st.lists(st.integers(0, 12), min_size=7, max_size=7).filter(lambda counts: sum(counts) >= 5)
matrices = st.integers(0, 10_000).map(
    lambda seed: Calibration(
        0.6 * np.eye(7) + 0.4 * np.random.default_rng(seed).dirichlet(np.ones(7), size=7)
    )
)


def faces(counts: list[int]) -> NDArray[np.float64]:
    """Answers without a doubt, one row a face."""
    return np.repeat(np.eye(7), counts, axis=0)


def certain(probabilities: NDArray[np.float64], calibration: Calibration) -> ClassMood:
    found = mood.class_mood(probabilities, calibration=calibration)
    assert found is not None
    return found


@settings(deadline=None, max_examples=40)
@given(counts_of_faces, matrices)
def test_shares_add_up_and_every_interval_holds_its_value(
    counts: list[int], calibration: Calibration
) -> None:
    found = certain(faces(counts), calibration)
    assert found.n == sum(counts)
    assert list(found.read) == counts
    assert sum(share.value for share in found.shares.values()) == pytest.approx(1)
    for estimate in (*found.shares.values(), found.valence, found.engagement):
        assert estimate.low <= estimate.value <= estimate.high
    assert all(share.low >= 0 and share.high <= 1 for share in found.shares.values())
    assert -1 <= found.valence.low <= found.valence.high <= 1
    assert 0.2 <= found.engagement.low <= found.engagement.high <= 0.9


@settings(deadline=None, max_examples=25)
@given(counts_of_faces, matrices, st.integers(0, 99))
def test_who_is_who_does_not_matter(counts: list[int], calibration: Calibration, seed: int) -> None:
    rows = faces(counts)
    shuffled = rows[np.random.default_rng(seed).permutation(len(rows))]
    assert certain(rows, calibration) == certain(shuffled, calibration)


@settings(deadline=None, max_examples=25)
@given(counts_of_faces, matrices)
def test_more_faces_make_narrower_intervals(counts: list[int], calibration: Calibration) -> None:
    few = certain(faces(counts), calibration)
    many = certain(faces([16 * count for count in counts]), calibration)
    assert many.valence.high - many.valence.low < few.valence.high - few.valence.low
    assert many.engagement.high - many.engagement.low < few.engagement.high - few.engagement.low


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), matrices)
def test_the_adjustment_undoes_the_confusion_of_many_faces(seed: int, calibration: Calibration) -> None:
    true = np.random.default_rng(seed).dirichlet(np.full(7, 2.0))
    read = true @ calibration.confusion * 1e6
    found = mood.adjusted_shares(read, calibration)
    as_read = read / read.sum()
    assert np.abs(found - true).sum() <= np.abs(as_read - true).sum() + 0.01


def test_a_perfect_reader_is_hardly_adjusted() -> None:
    found = mood.adjusted_shares([0, 0, 0, 30, 0, 0, 70], Calibration.perfect())
    assert found[[3, 6]] == pytest.approx([0.3, 0.7], abs=0.01)


def test_valence_and_engagement_follow_their_formulas() -> None:
    happy = certain(faces([0, 0, 0, 400, 0, 0, 0]), Calibration.perfect())
    assert happy.valence.value == pytest.approx(1, abs=0.01)
    assert happy.engagement.value == pytest.approx(0.6, abs=0.01)
    neutral = certain(faces([0, 0, 0, 0, 0, 0, 400]), Calibration.perfect())
    assert neutral.valence.value == pytest.approx(0, abs=0.01)
    assert neutral.engagement.value == pytest.approx(0.9, abs=0.01)
    angry = certain(faces([400, 0, 0, 0, 0, 0, 0]), Calibration.perfect())
    assert angry.valence.value == pytest.approx(-1, abs=0.01)
    assert angry.engagement.value == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("n", range(5))
def test_a_group_that_is_too_small_has_no_mood(n: int) -> None:
    rows = np.full((n, 7), 1 / 7)
    assert mood.class_mood(rows, calibration=Calibration.perfect()) is None
    smaller = mood.class_mood(rows, minimum_group=3, calibration=Calibration.perfect())
    assert (smaller is not None) == (n >= 3)


@pytest.mark.parametrize("n", [3, 5, 8])
def test_intervals_of_what_is_counted_in_faces_end_at_whole_faces(n: int) -> None:
    rows = np.random.default_rng(n).dirichlet(np.full(7, 0.4), size=n)
    found = mood.class_mood(rows, minimum_group=3, calibration=Calibration.perfect())
    assert found is not None
    for estimate in (*found.shares.values(), found.valence):
        for bound in (estimate.low * n, estimate.high * n):
            assert bound == pytest.approx(round(bound), abs=1e-9)


def test_one_person_is_never_a_group() -> None:
    with pytest.raises(ValueError, match="group"):
        mood.class_mood(np.full((1, 7), 1 / 7), minimum_group=1, calibration=Calibration.perfect())


@pytest.mark.parametrize(
    "bad",
    [
        np.full((6, 8), 1 / 8),
        np.full(7, 1 / 7),
        np.full((6, 7), 0.5),
        np.full((6, 7), np.nan),
        np.array([[2.0, -1.0, 0, 0, 0, 0, 0]] * 6),
    ],
)
def test_what_is_no_probability_is_refused(bad: NDArray[np.float64]) -> None:
    with pytest.raises(ValueError, match="probabilities"):
        mood.class_mood(bad, calibration=Calibration.perfect())


@pytest.mark.parametrize("bad", [np.eye(8), np.ones((7, 7)), -np.eye(7)])
def test_what_is_no_confusion_matrix_is_refused(bad: NDArray[np.float64]) -> None:
    with pytest.raises(ValueError, match="confusion"):
        Calibration(bad)


def test_smoothing_calms_the_line_and_keeps_the_interval_honest() -> None:
    calibration = Calibration.perfect()
    happy, neutral = (
        certain(faces(counts), calibration) for counts in ([0, 0, 0, 9, 0, 0, 1], [0, 0, 0, 1, 0, 0, 9])
    )
    line = mood.smoothed([(0, happy), (60, neutral), (120, happy), (180, neutral)], calibration)
    assert line[0] == happy
    jumps = [abs(a.valence.value - b.valence.value) for a, b in pairwise(line[1:])]
    assert max(jumps) < abs(happy.valence.value - neutral.valence.value) / 2
    assert all(point.n == 10 for point in line)
    assert line[-1].valence.high - line[-1].valence.low > 0.2


def test_what_is_long_ago_no_longer_counts() -> None:
    calibration = Calibration.perfect()
    happy, neutral = (
        certain(faces(counts), calibration) for counts in ([0, 0, 0, 9, 0, 0, 1], [0, 0, 0, 1, 0, 0, 9])
    )
    line = mood.smoothed([(0, happy), (100_000, neutral)], calibration, half_life=60)
    assert line[1].valence.value == pytest.approx(neutral.valence.value, abs=1e-6)
    assert mood.smoothed([], calibration) == []


def test_smoothing_wants_order_and_a_half_life() -> None:
    calibration = Calibration.perfect()
    point = certain(faces([0, 0, 0, 5, 0, 0, 0]), calibration)
    with pytest.raises(ValueError, match="order"):
        mood.smoothed([(5, point), (4, point)], calibration)
    with pytest.raises(ValueError, match="half-life"):
        mood.smoothed([(5, point)], calibration, half_life=0)


def test_every_emotion_has_its_weights() -> None:
    assert set(mood.VALENCE) == set(mood.ENGAGEMENT) == set(CHALLENGE)
