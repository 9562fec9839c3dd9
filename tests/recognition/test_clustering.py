"""Unknown faces become rows of people: same groups in any order, never two faces of one photo in one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist

from recognition.clustering import group


def crowd(seed: int, people: int, photos: int) -> tuple[np.ndarray, list[int], list[int]]:
    """Encodings, who each is, and which photo each is from."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(people, 128)) * 0.1
    faces = [
        (centres[p] + rng.normal(size=128) * 0.02, p, photo) for photo in range(photos) for p in range(people)
    ]
    return np.array([f[0] for f in faces]), [f[1] for f in faces], [f[2] for f in faces]


def test_nobody_no_groups() -> None:
    assert group(np.zeros((0, 128)), 0.5) == []
    assert group([], 0.5) == []


def test_one_face_is_one_group() -> None:
    assert group(np.ones((1, 128)), 0.5) == [0]


def test_forty_sightings_of_four_strangers_are_four_rows() -> None:
    encodings, who, photos = crowd(3, people=4, photos=10)
    assert group(encodings, 0.6) == who
    assert group(encodings, 0.6, photos=photos) == who


def test_two_faces_of_one_photo_are_never_one_person() -> None:
    twins = np.array([[0.0] * 128, [0.001] * 128, [0.0005] * 128])
    assert group(twins, 0.6) == [0, 0, 0]
    first, second, third = group(twins, 0.6, photos=["a", "a", "b"])
    assert first != second
    assert third in (first, second)


@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(1, 5), st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_the_order_of_the_faces_does_not_matter(seed: int, people: int, photos: int, random: object) -> None:
    encodings, _, _ = crowd(seed, people, photos)
    order = list(range(len(encodings)))
    random.shuffle(order)  # type: ignore[attr-defined]
    straight = group(encodings, 0.5)
    mixed = group(encodings[order], 0.5)
    pairs = {(straight[i], mixed[place]) for place, i in enumerate(order)}
    assert len(pairs) == len(set(straight)) == len(set(mixed))
    assert mixed[0] == 0


@given(st.integers(0, 10**6), st.integers(2, 30), st.floats(0.5, 2.0))
@settings(max_examples=50, deadline=None)
def test_groups_are_those_of_scipy(seed: int, faces: int, threshold: float) -> None:
    encodings = np.random.default_rng(seed).normal(size=(faces, 128)) * 0.08
    labels = fcluster(linkage(pdist(encodings), "average"), threshold, "distance")
    ours = group(encodings, threshold)
    pairs = set(zip(labels.tolist(), ours, strict=True))
    assert len(pairs) == len(set(labels)) == len(set(ours))
    assert list(dict.fromkeys(ours)) == list(range(len(set(ours))))


@pytest.mark.parametrize(
    ("encodings", "threshold", "photos"),
    [
        (np.zeros(128), 0.5, None),
        (np.full((2, 128), np.nan), 0.5, None),
        (np.zeros((2, 128)), 0.0, None),
        (np.zeros((2, 128)), float("nan"), None),
        (np.zeros((2, 128)), 0.5, ["a"]),
    ],
    ids=["one-dimensional", "nan", "zero", "nan threshold", "photos missing"],
)
def test_what_cannot_be_grouped_is_refused(
    encodings: np.ndarray, threshold: float, photos: list | None
) -> None:
    with pytest.raises(ValueError):
        group(encodings, threshold, photos=photos)
