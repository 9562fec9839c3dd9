"""Identification of one photo: strangers stay unknown, nobody is two faces, doubt goes to a person."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recognition.gallery import Gallery, Template, TemplateError
from recognition.identification import Decision, Identification, Probe, VersionMismatchError, identify
from recognition.policy import Calibration, MatchPolicy

VERSION = "test"
POLICY = MatchPolicy(
    VERSION, accept=-0.45, review=-0.6, margin=0.06, min_quality=0.2, gallery_size=30, step_per_decade=0.0
)


def axis(index: int, length: float = 1.0) -> np.ndarray:
    values = np.zeros(128, dtype=np.float32)
    values[index] = length
    return values


def gallery_of(*templates: tuple[int, np.ndarray]) -> Gallery:
    return Gallery.build([Template(i, e, 1.0) for i, e in templates], version=VERSION)


def answers(faces: list[np.ndarray], gallery: Gallery, **options: object) -> list[Identification]:
    return identify([Probe(f) for f in faces], gallery, POLICY, **options)  # type: ignore[arg-type]


def test_a_near_face_is_recognised_and_a_far_one_unknown() -> None:
    gallery = gallery_of((1, axis(0)), (2, axis(1)))
    near, far = answers([axis(0, 1.1), axis(9)], gallery)
    assert (near.decision, near.subject_id, near.reason) == (Decision.RECOGNISED, 1, "clear")
    assert near.candidates[0].distance == pytest.approx(0.1, abs=1e-6)
    assert (far.decision, far.subject_id, far.reason) == (Decision.UNKNOWN, None, "too_far")
    assert [c.subject_id for c in far.candidates] == [1, 2]


def test_the_middle_band_goes_to_a_person() -> None:
    (answer,) = answers([axis(0, 1.5)], gallery_of((1, axis(0))))
    assert (answer.decision, answer.subject_id, answer.reason) == (Decision.UNCERTAIN, None, "middle_band")


def test_an_empty_gallery_knows_nobody() -> None:
    (answer,) = answers([axis(0)], gallery_of())
    assert (answer.decision, answer.reason, answer.candidates) == (Decision.UNKNOWN, "empty_gallery", ())


def test_no_faces_no_answers() -> None:
    assert answers([], gallery_of((1, axis(0)))) == []


@pytest.mark.parametrize("swap", [False, True])
def test_siblings_get_one_name_each_or_a_question_never_one_name_twice(swap: bool) -> None:
    older, younger = axis(0), axis(0) + axis(1, 0.2)
    gallery = gallery_of((1, older), (2, younger))
    faces = [older - axis(1, 0.03), younger + axis(1, 0.03)]
    found = answers(faces[::-1] if swap else faces, gallery)
    named = [a.subject_id for a in (found[::-1] if swap else found)]
    assert named in ([1, 2], [None, None], [1, None], [None, 2])
    assert named == [1, 2]


@pytest.mark.parametrize("swap", [False, True])
def test_two_faces_that_claim_one_person_equally_both_go_to_a_person(swap: bool) -> None:
    faces = [axis(0) + axis(1, 0.1), axis(0) + axis(2, 0.11)]
    found = answers(faces[::-1] if swap else faces, gallery_of((1, axis(0))))
    assert {a.decision for a in found} == {Decision.UNCERTAIN}
    assert {a.reason for a in found} == {"taken_in_photo"}


def test_the_nearer_face_takes_the_person_and_the_other_is_a_question() -> None:
    first, second = answers([axis(0) + axis(1, 0.35), axis(0)], gallery_of((1, axis(0))))
    assert (second.decision, second.subject_id) == (Decision.RECOGNISED, 1)
    assert (first.decision, first.reason) == (Decision.UNCERTAIN, "taken_in_photo")


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.55))
@settings(max_examples=60, deadline=None)
def test_many_mediocre_templates_never_beat_a_near_one(seed: int, near: float) -> None:
    """A has one near template, B eight just inside the old limit of 0.6: A or a person, never B."""
    rng = np.random.default_rng(seed)
    directions = rng.normal(size=(9, 128))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    probe = rng.normal(size=128) * 0.12
    templates = [(1, probe + near * directions[0])]
    templates += [(2, probe + rng.uniform(0.55, 0.599) * d) for d in directions[1:]]
    (answer,) = answers([probe], gallery_of(*templates))
    assert answer.subject_id in (1, None)
    assert answer.candidates[0].subject_id == 1


def test_too_close_a_runner_up_is_a_question() -> None:
    gallery = gallery_of((1, axis(0)), (2, axis(0) + axis(1, 0.2)))
    (answer,) = answers([axis(0) + axis(1, 0.1)], gallery)
    assert (answer.decision, answer.reason) == (Decision.UNCERTAIN, "close_runner_up")


def test_what_a_person_rejected_is_never_suggested_again() -> None:
    gallery = gallery_of((1, axis(0)), (2, axis(1)))
    (answer,) = answers([axis(0)], gallery, rejected={0: frozenset({1})})
    assert (answer.decision, answer.reason) == (Decision.UNKNOWN, "rejected_by_person")
    assert [c.subject_id for c in answer.candidates] == [2]
    (nobody,) = answers([axis(0)], gallery, rejected={0: frozenset({1, 2})})
    assert (nobody.decision, nobody.reason, nobody.candidates) == (Decision.UNKNOWN, "rejected_by_person", ())


def test_a_rejected_runner_up_no_longer_raises_doubt() -> None:
    gallery = gallery_of((1, axis(0)), (2, axis(0) + axis(1, 0.05)))
    (answer,) = answers([axis(0)], gallery, rejected={0: frozenset({2})})
    assert (answer.decision, answer.subject_id) == (Decision.RECOGNISED, 1)


def test_a_rejection_of_one_face_leaves_the_other_alone() -> None:
    gallery = gallery_of((1, axis(0)))
    first, second = answers([axis(0), axis(0, 1.02)], gallery, rejected={0: frozenset({1})})
    assert (first.decision, second.subject_id) == (Decision.UNKNOWN, 1)


def test_a_poor_face_never_decides_and_never_takes_a_person_from_a_good_one() -> None:
    gallery = gallery_of((1, axis(0)))
    poor, good = identify([Probe(axis(0), quality=0.1), Probe(axis(0, 1.2))], gallery, POLICY)
    assert (poor.decision, poor.reason) == (Decision.UNCERTAIN, "poor_quality")
    assert (good.decision, good.subject_id) == (Decision.RECOGNISED, 1)
    (far,) = identify([Probe(axis(5), quality=0.1)], gallery, POLICY)
    assert (far.decision, far.reason) == (Decision.UNKNOWN, "poor_quality")


def test_a_gallery_of_another_version_is_refused() -> None:
    other = Gallery.build([Template(1, axis(0), 1.0)], version="older")
    with pytest.raises(VersionMismatchError, match="older"):
        answers([axis(0)], other)


@pytest.mark.parametrize("bad", [np.zeros(64), np.full(128, np.nan)])
def test_a_probe_that_cannot_be_compared_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(TemplateError, match="face 0"):
        answers([bad], gallery_of((1, axis(0))))


def test_probabilities_are_given_only_where_they_were_fitted() -> None:
    gallery = gallery_of((1, axis(0)))
    (plain,) = answers([axis(0)], gallery)
    assert plain.candidates[0].probability is None
    fitted = MatchPolicy(VERSION, -0.45, -0.6, 0.06, 0.2, 30, 0.0, Calibration(20.0, 10.0))
    (near,) = identify([Probe(axis(0))], gallery, fitted)
    (far,) = identify([Probe(axis(0, 3.0))], gallery, fitted)
    assert near.candidates[0].probability == pytest.approx(1.0, abs=1e-4)
    assert far.candidates[0].probability == pytest.approx(0.0, abs=1e-4)


def test_a_larger_gallery_asks_for_more() -> None:
    policy = MatchPolicy(VERSION, -0.45, -0.6, 0.06, 0.2, 30, 0.1)
    assert policy.thresholds(30) == (-0.45, -0.6)
    assert policy.thresholds(300) == pytest.approx((-0.35, -0.5))


def test_a_policy_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="above"):
        MatchPolicy(VERSION, -0.6, -0.5, margin=0, min_quality=0, gallery_size=30, step_per_decade=0)


@st.composite
def classrooms(draw: st.DrawFn) -> tuple[list[tuple[int, np.ndarray]], list[np.ndarray]]:
    """Templates and faces around a few people, near enough to each other to collide."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    people = rng.normal(size=(draw(st.integers(1, 6)), 128)) * draw(st.sampled_from([0.02, 0.04, 0.06]))
    templates = [
        (int(i), people[i] + rng.normal(size=128) * 0.02)
        for i in range(len(people))
        for _ in range(draw(st.integers(1, 4)))
    ]
    faces = [
        people[draw(st.integers(0, len(people) - 1))] + rng.normal(size=128) * 0.025
        for _ in range(draw(st.integers(1, 7)))
    ]
    return templates, faces


@given(classrooms())
@settings(max_examples=150, deadline=None)
def test_one_person_is_at_most_one_face_of_a_photo(room: tuple[list, list]) -> None:
    templates, faces = room
    named = [a.subject_id for a in answers(faces, gallery_of(*templates)) if a.subject_id is not None]
    assert len(named) == len(set(named))


@given(classrooms(), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_the_order_of_faces_and_templates_does_not_matter(room: tuple[list, list], random: object) -> None:
    templates, faces = room
    order = list(range(len(faces)))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = list(templates)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    straight = answers(faces, gallery_of(*templates))
    mixed = answers([faces[i] for i in order], gallery_of(*shuffled))
    for place, index in enumerate(order):
        assert mixed[place] == straight[index]


@given(classrooms(), st.integers(2, 5))
@settings(max_examples=100, deadline=None)
def test_enrolling_the_same_portraits_again_changes_no_decision(room: tuple[list, list], times: int) -> None:
    templates, faces = room
    once = answers(faces, gallery_of(*templates))
    often = answers(faces, gallery_of(*[t for t in templates for _ in range(times)]))
    for a, b in zip(once, often, strict=True):
        assert (a.decision, a.subject_id, a.reason) == (b.decision, b.subject_id, b.reason)


@given(classrooms())
@settings(max_examples=100, deadline=None)
def test_only_a_recognised_face_has_a_name_and_candidates_come_best_first(room: tuple[list, list]) -> None:
    templates, faces = room
    for answer in answers(faces, gallery_of(*templates)):
        assert (answer.subject_id is not None) == (answer.decision is Decision.RECOGNISED)
        scores = [c.score for c in answer.candidates]
        assert scores == sorted(scores, reverse=True)
        assert len(scores) <= 5
