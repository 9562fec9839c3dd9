"""Templates of one person: one that shows somebody else."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from recognition.enrolled import APART, unlike_the_others
from recognition.gallery import TemplateError


def at(*places: float) -> list[NDArray[np.float32]]:
    """Encodings on one line."""
    rows = np.zeros((len(places), 128), np.float32)
    rows[:, 5] = places
    return list(rows)


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_to_compare(count: int) -> None:
    assert unlike_the_others(at(*[0.0] * count)) == ()


def test_pictures_that_agree() -> None:
    assert unlike_the_others(at(0.0, 0.3, 0.4)) == ()
    assert unlike_the_others(at(0.0, APART - 0.01)) == ()


def test_of_two_that_disagree_both_are_doubted() -> None:
    assert unlike_the_others(at(0.0, APART + 0.01)) == (0, 1)


@pytest.mark.parametrize("place", range(4))
def test_the_one_of_many_that_stands_alone_is_doubted(place: int) -> None:
    places = [0.0, 0.1, 0.2, 0.1]
    places[place] = 0.9
    assert unlike_the_others(at(*places)) == (place,)


@pytest.mark.parametrize("wrong", [np.zeros(127), np.zeros((1, 128)), np.full(128, np.nan)])
def test_what_is_no_template(wrong: NDArray[np.float64]) -> None:
    with pytest.raises(TemplateError, match="template 1"):
        unlike_the_others([*at(0.0), wrong])
