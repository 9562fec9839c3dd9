"""Evidence of a session: repetition is not proof, a blurred sighting is no counter-proof."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.evidence import SightingEvidence, presence, summed_evidence
from recognition.policy import EvidencePolicy, MatchPolicy

POLICY = EvidencePolicy(correlation=0.5, slope=1.0, intercept=0.0, present_from=0.999, review_from=0.02)
probabilities = st.floats(0.0, 1.0)


def seen(*values: float) -> list[SightingEvidence]:
    return [SightingEvidence(photo, value) for photo, value in enumerate(values)]


def test_nobody_saw_the_student() -> None:
    answer = presence([], POLICY)
    assert (answer.decision, answer.probability, answer.reason) == ("not_seen", 0.0, "never_seen")


def test_one_sure_sighting_marks_a_middling_one_asks_a_weak_one_does_neither() -> None:
    assert presence(seen(0.9999), POLICY).decision == "present"
    assert presence(seen(0.9999), POLICY).reason == "seen_once"
    assert presence(seen(0.7), POLICY).decision == "review"
    assert presence(seen(0.001), POLICY).decision == "not_seen"


def test_two_good_sightings_can_mark_where_one_asks() -> None:
    assert presence(seen(0.998), POLICY).decision == "review"
    answer = presence(seen(0.998, 0.998), POLICY)
    assert (answer.decision, answer.reason) == ("present", "seen_often")


def test_a_hundred_photos_of_somebody_alike_do_not_add_up_to_a_mark() -> None:
    assert presence(seen(*[0.9] * 100), POLICY).decision == "review"
    independent = EvidencePolicy(correlation=0.0)
    assert presence(seen(*[0.9] * 100), independent).decision == "present"


def test_the_same_picture_again_says_nothing_new() -> None:
    once = EvidencePolicy(correlation=1.0)
    assert presence(seen(0.9), once).probability == pytest.approx(
        presence(seen(*[0.9] * 9), once).probability
    )


def test_several_faces_in_one_photo_count_as_the_best_of_them() -> None:
    crowded = [SightingEvidence("a", 0.5), SightingEvidence("a", 0.95), SightingEvidence("a", 0.2)]
    assert presence(crowded, POLICY) == presence([SightingEvidence("a", 0.95)], POLICY)


def test_a_match_policy_carries_its_own_limits() -> None:
    policy = MatchPolicy("v", -0.4, -0.5, 0.0, 0.0, 30, 0.0, evidence=POLICY)
    assert presence(seen(0.7), policy) == presence(seen(0.7), POLICY)


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="probability"):
        presence(seen(value), POLICY)


@given(
    st.lists(probabilities, min_size=1, max_size=12), st.randoms(use_true_random=False), st.floats(0.0, 1.0)
)
def test_the_order_of_photos_does_not_matter(values: list[float], random: object, correlation: float) -> None:
    limits = EvidencePolicy(correlation=correlation)
    mixed = list(seen(*values))
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert presence(mixed, limits) == presence(seen(*values), limits)


@given(st.lists(probabilities, min_size=1, max_size=12), probabilities, st.floats(0.0, 1.0))
def test_one_more_sighting_never_lowers_the_evidence(
    values: list[float], more: float, correlation: float
) -> None:
    assert summed_evidence([*values, more], correlation) >= summed_evidence(values, correlation)


@given(st.lists(probabilities, min_size=1, max_size=12), st.floats(0.0, 1.0))
def test_a_better_sighting_never_lowers_the_evidence(values: list[float], correlation: float) -> None:
    better = [min(1.0, values[0] + 0.1), *values[1:]]
    assert summed_evidence(better, correlation) >= summed_evidence(values, correlation) - 1e-9
