"""The second opinion's own decision and what agreement is worth: pure, made-up constants."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.errors import SecondOpinionUnavailable
from recognition.gallery import TemplateError
from recognition.identification import Decision
from recognition.lfw_cnn import opinion, weight_files
from recognition.lfw_cnn.opinion import Opinion, OpinionPolicy, Relation, Verdict, agreement, second_opinion

WEIGHTS = {
    "recognised.agree": 8.0,
    "recognised.leans": 1.6,
    "recognised.silent": 0.9,
    "recognised.disagree": 0.2,
    "uncertain.agree": 4.0,
    "uncertain.leans": 1.5,
    "uncertain.silent": 0.8,
    "uncertain.disagree": 0.1,
    "unknown.agree": 1.1,
    "unknown.disagree": 0.2,
}
POLICY = OpinionPolicy("made", 0.4, -0.1, 30, 2.0, -5.0, 8.0, 0.5, WEIGHTS)
AXES = np.eye(4, dtype=np.float32)


def test_the_nearest_student_is_named_under_the_threshold() -> None:
    probe = AXES[0] + 0.1 * AXES[3]
    got = second_opinion(probe, {7: AXES[:1], 9: AXES[1:2]}, POLICY)
    assert got.subject_id == 7
    assert got.decision is Verdict.SAME
    assert got.distance == pytest.approx(1 - 1 / math.sqrt(1.01), abs=1e-6)


def test_a_far_face_is_unknown_but_its_nearest_student_is_told() -> None:
    got = second_opinion(AXES[3] + 0.2 * AXES[1], {7: AXES[:1], 9: AXES[1:2]}, POLICY)
    assert (got.subject_id, got.decision) == (9, Verdict.UNKNOWN)
    assert got.distance > 0.7


def test_no_templates_no_opinion() -> None:
    for templates in ({}, {3: AXES[:0]}):
        assert second_opinion(AXES[0], templates, POLICY) == Opinion(None, 2.0, 0.0, Verdict.UNKNOWN)


def test_ties_go_to_the_smaller_id_and_order_does_not_matter() -> None:
    probe = AXES[0] + AXES[1]
    for templates in ({4: AXES[:1], 2: AXES[1:2]}, {2: AXES[1:2], 4: AXES[:1]}):
        assert second_opinion(probe, templates, POLICY).subject_id == 2


@pytest.mark.parametrize(
    "probe", [np.zeros((2, 4)), np.array([np.nan, 0, 0, 1]), np.zeros(3, np.float32)], ids=str
)
def test_probes_that_cannot_be_compared_are_refused(probe: np.ndarray) -> None:
    with pytest.raises(TemplateError):
        second_opinion(probe, {1: AXES[:2]}, POLICY)


def test_templates_that_cannot_be_compared_are_refused() -> None:
    with pytest.raises(TemplateError):
        second_opinion(AXES[0], {1: np.full((1, 4), np.inf)}, POLICY)
    with pytest.raises(TemplateError):
        second_opinion(AXES[0], {1: np.ones(4)}, POLICY)


def test_larger_classes_have_a_stricter_threshold() -> None:
    assert POLICY.threshold_for(30) == 0.4
    assert POLICY.threshold_for(300) == pytest.approx(0.3)
    assert POLICY.threshold_for(3) == pytest.approx(0.5)


@given(st.floats(0, 2), st.floats(0, 2), st.floats(0, 2))
def test_nearer_and_more_alone_is_more_probable(distance: float, farther: float, gap: float) -> None:
    low, high = sorted((distance, farther))
    assert 0 <= POLICY.probability(high, gap) <= POLICY.probability(low, gap) <= 1
    assert POLICY.probability(low, gap) <= POLICY.probability(low, gap + 0.1)


def said(subject: int | None, decision: Verdict) -> Opinion:
    return Opinion(subject, 0.3, 0.5, decision)


@pytest.mark.parametrize(
    ("decision", "subject", "second", "expected"),
    [
        (Decision.RECOGNISED, 5, said(5, Verdict.SAME), Relation.AGREE),
        (Decision.UNCERTAIN, 5, said(5, Verdict.UNKNOWN), Relation.LEANS),
        (Decision.RECOGNISED, 5, said(6, Verdict.UNKNOWN), Relation.SILENT),
        (Decision.RECOGNISED, 5, said(6, Verdict.SAME), Relation.DISAGREE),
        (Decision.UNKNOWN, 5, said(5, Verdict.SAME), Relation.DISAGREE),
        (Decision.UNKNOWN, None, said(None, Verdict.UNKNOWN), Relation.AGREE),
        (Decision.RECOGNISED, 5, said(None, Verdict.UNKNOWN), Relation.SILENT),
    ],
)
def test_relations(decision: Decision, subject: int | None, second: Opinion, expected: Relation) -> None:
    got = agreement(decision, subject, 0.9, second, POLICY)
    assert got.relation is expected
    assert got.review is (expected is Relation.DISAGREE)


def test_odds_are_multiplied_by_what_was_measured() -> None:
    agreed = agreement(Decision.UNCERTAIN, 5, 0.5, said(5, Verdict.SAME), POLICY)
    against = agreement(Decision.UNCERTAIN, 5, 0.5, said(6, Verdict.SAME), POLICY)
    assert agreed.probability == pytest.approx(4 / 5)
    sure = agreement(Decision.RECOGNISED, 5, 0.5, said(5, Verdict.SAME), POLICY)
    assert sure.probability == pytest.approx(8 / 9)
    assert against.probability == pytest.approx(0.1 / 1.1)
    assert agreement(Decision.UNCERTAIN, 5, None, said(5, Verdict.SAME), POLICY).probability is None
    # For an unknown face the result is the chance that it is nobody.
    assert agreement(Decision.UNKNOWN, 5, 0.1, said(5, Verdict.SAME), POLICY).probability == pytest.approx(
        (9 * 0.2) / (9 * 0.2 + 1)
    )


@given(st.floats(0, 1), st.sampled_from(Decision), st.sampled_from(Verdict), st.integers(1, 2))
def test_a_joint_probability_is_one(p: float, decision: Decision, verdict: Verdict, other: int) -> None:
    got = agreement(decision, 1, p, said(other, verdict), POLICY).probability
    assert got is not None
    assert 0 <= got <= 1


def test_constants_are_read_back_and_damage_is_told(tmp_path: Path) -> None:
    path = tmp_path / "opinion.json"
    path.write_text(json.dumps({"policy": asdict(POLICY)}))
    weight_files.write_sums(tmp_path)
    assert opinion.load_policy(path) == POLICY
    missing = tmp_path / "none.json"
    with pytest.raises(SecondOpinionUnavailable, match="there is no"):
        opinion.load_policy(missing)
    for number, text in enumerate(("{", "{}", json.dumps({"policy": {"version": "x"}}))):
        other = tmp_path / f"bad{number}.json"
        other.write_text(text)
        weight_files.write_sums(tmp_path)
        with pytest.raises(SecondOpinionUnavailable, match="holds no policy"):
            opinion.load_policy(other)


def test_the_shipped_constants_make_sense() -> None:
    policy = opinion.load_policy()
    assert 0 < policy.threshold < 1
    assert policy.step < 0  # a larger class is stricter
    assert policy.per_distance < 0 < policy.per_gap
    for decision in Decision:
        assert policy.weights[f"{decision}.agree"] >= 1 >= policy.weights[f"{decision}.disagree"] > 0
    assert replace(policy, version="other") != policy
