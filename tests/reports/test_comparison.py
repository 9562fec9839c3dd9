"""Two models in numbers: counted by hand, bounded by what shares are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance.reports.comparison import AGREEMENTS, Group, Judged, Share, compare


def test_a_small_school_counted_by_hand() -> None:
    groups = [Group(1, "same", 8, 16.0), Group(1, "different", 2, 4.0), Group(2, "neither", 5, 20.0)]
    judged = [
        Judged(1, "same", 11, 11, 11, 11, 11),
        Judged(1, "different", 11, 12, 12, 11, 11),
        Judged(1, "different", 11, 11, 11, 12, 12),
        Judged(2, "neither", None, None, 13, None, 14),
        Judged(2, "neither", 13, None, 13, None, 14),
    ]
    found = compare([1, 2], groups, judged)
    total, (one, two) = found.total, found.courses
    assert (total.faces, one.faces, two.faces) == (15, 10, 5)
    assert total.milliseconds == pytest.approx(40 / 15)
    assert (one.alike.hits, one.alike.of) == (8, 10)
    assert (total.reviewed, one.reviewed, two.reviewed) == (5, 3, 2)
    assert (total.first.nearest.hits, total.first.nearest.of) == (3, 4)
    assert (total.first.named.hits, total.first.named.of) == (2, 3)
    assert (total.second.nearest.hits, total.second.nearest.of) == (2, 4)
    assert (total.second.named.hits, total.second.named.of, total.second.silent) == (2, 3, 2)
    different = total.outcomes["different"]
    assert (different.faces, different.reviewed, different.first_right, different.second_right) == (
        2,
        2,
        1,
        1,
    )


def test_a_name_given_to_a_stranger_is_wrong() -> None:
    line = compare([1], [], [Judged(1, "first_only", None, 7, 7, None, 7)]).total
    assert (line.first.named.hits, line.first.named.of) == (0, 1)
    assert line.first.nearest.of == 0, "who is nearest to a stranger is neither right nor wrong"
    assert line.outcomes["first_only"].first_right == 0


def test_nothing_yet() -> None:
    line = compare([], [], []).total
    assert (line.faces, line.milliseconds, line.alike.value) == (0, None, None)
    assert Share(0, 0).interval == (0.0, 1.0)


def test_other_courses_are_left_out() -> None:
    found = compare([1], [Group(2, "same", 3, 1.0)], [Judged(2, "same", 1, 1, 1, 1, 1)])
    assert (found.total.faces, found.total.reviewed) == (0, 0)


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"), [(10, 10, 0.7225, 1.0), (0, 10, 0.0, 0.2775), (50, 100, 0.4038, 0.5962)]
)
def test_the_interval_is_wilsons(hits: int, of: int, low: float, high: float) -> None:
    assert Share(hits, of).interval == pytest.approx((low, high), abs=1e-4)


@given(st.integers(0, 10_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_a_share_lies_within_its_interval(counted: tuple[int, int]) -> None:
    share = Share(*counted)
    low, high = share.interval
    assert 0.0 <= low <= high <= 1.0
    if share.value is not None:
        assert low - 1e-12 <= share.value <= high + 1e-12


IDS = st.none() | st.integers(1, 4)
FACES = st.builds(Judged, st.integers(1, 3), st.sampled_from(AGREEMENTS), IDS, IDS, IDS, IDS, IDS)
GROUPS = st.builds(Group, st.integers(1, 3), st.sampled_from(AGREEMENTS), st.integers(0, 50), st.floats(0, 9))


@given(st.lists(GROUPS), st.lists(FACES))
def test_the_total_is_the_sum_of_the_courses(groups: list[Group], judged: list[Judged]) -> None:
    found = compare([1, 2, 3], groups, judged)
    assert found.total.faces == sum(line.faces for line in found.courses)
    assert found.total.reviewed == sum(line.reviewed for line in found.courses) == len(judged)
    for kind in AGREEMENTS:
        parts = [line.outcomes[kind] for line in found.courses]
        assert found.total.outcomes[kind].first_right == sum(part.first_right for part in parts)
    for line in found.courses:
        assert line.second.named.of + line.second.silent == line.reviewed
