"""What two answers about one face come to: the second network may send a face to a person, and nothing else."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance.models import SecondOpinion
from attendance.second_rule import (
    MODELS_DISAGREE,
    Considered,
    Names,
    SecondGallery,
    consider,
    names_of,
    review_limits,
)
from recognition import evidence
from recognition.identification import Candidate, Decision, Identification
from recognition.lfw_cnn.opinion import Opinion, OpinionPolicy, Verdict, second_opinion
from recognition.policy import EvidencePolicy

POLICY = OpinionPolicy(
    version="test",
    threshold=0.3,
    step=-0.02,
    gallery_size=30,
    intercept=4.0,
    per_distance=-10.0,
    per_gap=2.0,
    widest_gap=0.5,
    weights={
        f"{first}.{stands}": weight
        for first in ("recognised", "uncertain", "unknown")
        for stands, weight in {"agree": 20.0, "leans": 2.0, "silent": 0.5, "disagree": 0.02}.items()
    },
)
EVIDENCE = EvidencePolicy(correlation=0.9, slope=1.06, intercept=-4.4)
AXES = np.eye(8, dtype=np.float32)
GALLERY = SecondGallery.build({1: AXES[:1], 2: AXES[1:2], 3: AXES[2:3]})


def candidates(*students: int, probability: float | None = 0.99) -> tuple[Candidate, ...]:
    return tuple(
        Candidate(student, 0.3 + rank / 10, 1.0 - rank / 10, probability)
        for rank, student in enumerate(students)
    )


def named(student: int, probability: float | None = 0.9999) -> Identification:
    others = [other for other in (1, 2, 3) if other != student]
    ranked = candidates(student, *others, probability=probability)
    return Identification(Decision.RECOGNISED, student, ranked, "clear")


def look(first: Identification, probe: np.ndarray, rejected: frozenset[int] = frozenset()) -> Considered:
    return consider(first, probe, GALLERY, POLICY, EVIDENCE, rejected)


def test_agreement_keeps_the_face_and_says_what_both_are_worth() -> None:
    first = named(1, 0.9)
    answer = look(first, AXES[0])
    assert answer.identification is first
    assert answer.names is Names.SAME
    assert answer.confidence == pytest.approx(9 * 20 / (9 * 20 + 1))


def test_two_sure_networks_that_differ_send_the_face_to_a_person() -> None:
    answer = look(named(1), AXES[1])
    held = answer.identification
    assert (held.decision, held.subject_id, held.reason) == (Decision.UNCERTAIN, None, MODELS_DISAGREE)
    assert [candidate.subject_id for candidate in held.candidates] == [1, 2, 3]
    assert answer.names is Names.DIFFERENT


def test_a_second_network_that_is_not_sure_changes_nothing() -> None:
    first = named(1)
    between = (AXES[1] + 1.2 * AXES[3]) / np.linalg.norm(AXES[1] + 1.2 * AXES[3])
    answer = look(first, between)
    assert answer.opinion is not None
    assert (answer.opinion.subject_id, answer.opinion.decision) == (2, Verdict.UNKNOWN)
    assert answer.identification is first
    assert answer.names is Names.FIRST_ONLY


def test_a_student_the_second_network_has_never_seen_is_not_judged_by_it() -> None:
    first = Identification(Decision.RECOGNISED, 9, candidates(9), "clear")
    assert look(first, AXES[1]) == Considered(first)


def test_an_empty_gallery_has_no_opinion() -> None:
    first = Identification(Decision.UNKNOWN, None, (), "too_far")
    empty = SecondGallery.build({})
    assert consider(first, AXES[0], empty, POLICY, EVIDENCE) == Considered(first)
    assert empty.opinion(AXES[0], POLICY).subject_id is None


def test_who_was_rejected_for_a_face_is_not_named_again() -> None:
    answer = look(named(1), AXES[1], frozenset({2}))
    assert answer.opinion is not None
    assert answer.opinion.subject_id != 2
    assert answer.identification.decision is Decision.RECOGNISED


def test_without_probabilities_the_disagreement_still_counts() -> None:
    answer = look(named(1, None), AXES[1])
    assert answer.identification.reason == MODELS_DISAGREE
    assert answer.identification.candidates[0].probability is None
    assert answer.confidence is None


@pytest.mark.parametrize("probability", [1e-9, 0.02, 0.5, 0.9, 0.999, 1 - 1e-12])
def test_by_itself_such_a_face_neither_marks_nor_is_forgotten(probability: float) -> None:
    held = look(named(1, probability), AXES[1]).identification.candidates[0]
    assert held.probability is not None
    alone = evidence.presence([evidence.SightingEvidence(1, held.probability)], EVIDENCE)
    assert alone.decision == "review"


def test_the_limits_of_review_are_those_of_the_evidence() -> None:
    low, high = review_limits(EVIDENCE)
    for chance, expected in ((low, "review"), (high, "review"), (low - 0.01, "not_seen")):
        assert evidence.presence([evidence.SightingEvidence(1, chance)], EVIDENCE).decision == expected
    assert math.isclose(low, 0.62, abs_tol=0.03)


def test_every_way_to_agree_can_be_stored() -> None:
    assert {str(one) for one in Names} == set(SecondOpinion.Agreement.values)


PROBES = st.lists(st.floats(-1, 1), min_size=8, max_size=8).map(
    lambda values: (np.array(values) + 1e-3) / np.linalg.norm(np.array(values) + 1e-3)
)
CHANCES = st.none() | st.floats(0, 1)


@st.composite
def firsts(draw: st.DrawFn) -> Identification:
    decision = draw(st.sampled_from(Decision))
    ranked = draw(st.permutations([1, 2, 3, 4]))[: draw(st.integers(1, 4))]
    found = candidates(*ranked, probability=draw(CHANCES))
    subject = ranked[0] if decision is Decision.RECOGNISED else None
    return Identification(decision, subject, found, "clear" if subject else "middle_band")


@given(firsts(), PROBES, st.frozensets(st.sampled_from([1, 2, 3])))
def test_switched_on_it_only_ever_sends_a_named_face_to_a_person(
    first: Identification, probe: np.ndarray, rejected: frozenset[int]
) -> None:
    answer = look(first, probe, rejected)
    after = answer.identification
    if first.decision is not Decision.RECOGNISED:
        assert after is first, "an unknown or unsure face stays what it was"
    elif after is not first:
        assert answer.names is Names.DIFFERENT
        assert (after.decision, after.subject_id) == (Decision.UNCERTAIN, None)
        assert [c.subject_id for c in after.candidates] == [c.subject_id for c in first.candidates]
        assert after.candidates[1:] == first.candidates[1:]
    assert answer.opinion is None or answer.opinion.subject_id not in rejected
    assert answer.confidence is None or 0.0 <= answer.confidence <= 1.0


@given(firsts(), PROBES)
def test_a_disagreement_never_raises_a_probability(first: Identification, probe: np.ndarray) -> None:
    answer = look(first, probe)
    before, after = first.candidates[0].probability, answer.identification.candidates[0].probability
    if answer.names is Names.DIFFERENT and before is not None:
        assert after is not None
        low, _high = review_limits(EVIDENCE)
        assert after <= max(before, low)


@given(PROBES, st.frozensets(st.sampled_from([1, 2, 3]), max_size=2))
def test_the_gallery_answers_as_the_library_does(probe: np.ndarray, without: frozenset[int]) -> None:
    rng = np.random.default_rng(3)
    embeddings = {student: rng.normal(size=(student, 8)) for student in (1, 2, 3)}
    mine = SecondGallery.build(embeddings).opinion(probe, POLICY, without)
    theirs = second_opinion(probe, {s: e for s, e in embeddings.items() if s not in without}, POLICY)
    assert (mine.subject_id, mine.decision) == (theirs.subject_id, theirs.decision)
    assert mine.distance == pytest.approx(theirs.distance)
    assert mine.probability == pytest.approx(theirs.probability)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (1, 1, "same"),
        (1, 2, "different"),
        (1, None, "first_only"),
        (None, 2, "second_only"),
        (None, None, "neither"),
    ],
)
def test_who_names(first: int | None, second: int | None, expected: str) -> None:
    opinion = Opinion(second or 3, 0.1, 0.5, Verdict.SAME if second else Verdict.UNKNOWN)
    assert str(names_of(first, opinion)) == expected
