"""From the sightings of a session to one answer about a student: present, to be looked at, or not seen. Pure.

Sightings of one session are not independent: whoever looks like a student in one photo looks like them in the
next. Multiplying their odds would make certainty out of repetition. Here n sightings count as
n / (1 + (n - 1) r) independent ones (the variance of a mean of equally correlated values), with the correlation
r measured (docs/accuracy.md), and the sum is calibrated again on whole sessions.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

from recognition.policy import EvidencePolicy, MatchPolicy

_SUREST = 1e-6


@dataclass(frozen=True, slots=True)
class SightingEvidence:
    """One face that may be the student.

    ``photo``: which photo; ``probability``: calibrated chance in 0..1 that this face is the student
    (``identification.Candidate.probability``). Give the faces whose best candidate the student is, whether
    recognised or uncertain; leave out faces another student was recognised in.
    """

    photo: Hashable
    probability: float


@dataclass(frozen=True, slots=True)
class Presence:
    """``probability`` 0..1 that the student is there; ``decision`` as the policy's limits say; ``reason``:
    seen_often, seen_once, weak_evidence or never_seen."""

    probability: float
    decision: Literal["present", "review", "not_seen"]
    reason: str


def presence(sightings: Sequence[SightingEvidence], policy: MatchPolicy | EvidencePolicy) -> Presence:
    """What a session's sightings of one student say. Several in one photo count as the best of them; the order
    does not matter. Raises ValueError for a probability outside 0..1."""
    limits = policy.evidence if isinstance(policy, MatchPolicy) else policy
    best: dict[Hashable, float] = {}
    for sighting in sightings:
        if not 0.0 <= sighting.probability <= 1.0:
            raise ValueError(f"a probability lies in 0..1, this one is {sighting.probability}")
        best[sighting.photo] = max(best.get(sighting.photo, 0.0), sighting.probability)
    if not best:
        return Presence(0.0, "not_seen", "never_seen")
    evidence = limits.slope * summed_evidence(list(best.values()), limits.correlation) + limits.intercept
    probability = 1.0 / (1.0 + math.exp(-max(min(evidence, 500.0), -500.0)))
    if probability >= limits.present_from:
        return Presence(probability, "present", "seen_often" if len(best) > 1 else "seen_once")
    if probability >= limits.review_from:
        return Presence(probability, "review", "weak_evidence")
    return Presence(probability, "not_seen", "weak_evidence")


def summed_evidence(probabilities: Sequence[float], correlation: float) -> float:
    """Log-odds of equally correlated sightings: the mean of the best k of them times the number of independent
    ones k are worth, for the k that gives most. A blurred sighting is no evidence against a clear one."""
    falling = sorted((_log_odds(probability) for probability in probabilities), reverse=True)
    total, best = 0.0, -math.inf
    for count, value in enumerate(falling, 1):
        total += value
        best = max(best, total / (1.0 + (count - 1) * correlation))
    return best


def _log_odds(probability: float) -> float:
    held = min(max(probability, _SUREST), 1.0 - _SUREST)
    return math.log(held / (1.0 - held))
