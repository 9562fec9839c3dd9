"""What two networks' answers about one face come to. Pure.

The second network is the weaker one, so its word is used in one direction only: where it names somebody else than
recognition did, the face goes to a person. It names nobody by itself, and takes no face away from a person's desk.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from recognition.identification import Decision, Identification
from recognition.lfw_cnn.opinion import (
    FARTHEST,
    Opinion,
    OpinionPolicy,
    Verdict,
    agreement,
    judge,
    mean_template,
)
from recognition.policy import EvidencePolicy

MODELS_DISAGREE = "models_disagree"
"""The reason of a face that recognition was sure of until the second network named somebody else."""
_INSIDE = 1e-3
"""In log-odds: as far within the limits of review as a disagreement leaves a face."""


class Names(StrEnum):
    """Who gives the face a name."""

    SAME = "same"
    FIRST_ONLY = "first_only"
    SECOND_ONLY = "second_only"
    DIFFERENT = "different"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True, eq=False)
class SecondGallery:
    """Students as the second network sees them: ``means`` (n, d) of unit length, in the order of ``students``."""

    students: tuple[int, ...]
    means: NDArray[np.float64]

    @classmethod
    def build(cls, embeddings: Mapping[int, NDArray[np.floating]]) -> SecondGallery:
        """From each student's embeddings (k, d), k >= 1. Raises TemplateError for numbers that are not finite."""
        students = tuple(sorted(embeddings))
        means = [mean_template(embeddings[student]) for student in students]
        return cls(students, np.array(means) if means else np.zeros((0, 0)))

    def opinion(
        self, probe: NDArray[np.floating], policy: OpinionPolicy, without: Collection[int] = ()
    ) -> Opinion:
        """``opinion.second_opinion`` for a probe (d,) of unit length, the students' means being there already."""
        distances = np.clip(1.0 - self.means @ probe, 0.0, FARTHEST) if self.students else np.zeros(0)
        allowed = [place for place, student in enumerate(self.students) if student not in without]
        if not allowed:
            return Opinion(None, FARTHEST, 0.0, Verdict.UNKNOWN)
        nearest = min(allowed, key=lambda place: (distances[place], place))
        return judge(self.students[nearest], distances[allowed], policy)


@dataclass(frozen=True, slots=True)
class Considered:
    """One face after both answers.

    ``identification``: recognition's, or the same face sent to a person. ``opinion``: None where the second network
    could not be asked. ``confidence``: measured chance, 0..1, that recognition's answer is right given both; None
    where recognition gave none.
    """

    identification: Identification
    opinion: Opinion | None = None
    names: Names | None = None
    confidence: float | None = None

    @property
    def second_names(self) -> bool:
        return self.opinion is not None and self.opinion.decision is Verdict.SAME


def consider(
    first: Identification,
    probe: NDArray[np.floating],
    gallery: SecondGallery,
    policy: OpinionPolicy,
    evidence: EvidencePolicy,
    rejected: Collection[int] = (),
) -> Considered:
    """Both answers about one face.

    ``probe`` (d,): the face as the second network sees it; ``rejected``: students somebody said it is not. A student
    whom recognition named and whom the second network has never seen cannot be confirmed by it, so it is not asked.
    """
    if not gallery.students or (first.subject_id is not None and first.subject_id not in gallery.students):
        return Considered(first)
    opinion = gallery.opinion(probe, policy, rejected)
    best = first.candidates[0] if first.candidates else None
    joint = agreement(
        first.decision,
        best.subject_id if best else None,
        best.probability if best else None,
        opinion,
        policy,
    )
    names = names_of(first.subject_id, opinion)
    held = _held_back(first, joint.probability, evidence) if names is Names.DIFFERENT else first
    return Considered(held, opinion, names, joint.probability)


def names_of(first: int | None, opinion: Opinion) -> Names:
    """``first``: whom recognition names; None for an uncertain or unknown face."""
    second = opinion.subject_id if opinion.decision is Verdict.SAME else None
    if first is None:
        return Names.NEITHER if second is None else Names.SECOND_ONLY
    if second is None:
        return Names.FIRST_ONLY
    return Names.SAME if second == first else Names.DIFFERENT


def _held_back(first: Identification, joint: float | None, evidence: EvidencePolicy) -> Identification:
    """The face for a person to look at, its best candidate as likely as both answers together were measured to be,
    but always within the limits of review: by itself it neither marks a student nor is forgotten."""
    best, *others = first.candidates
    if best.probability is not None and joint is not None:
        low, high = review_limits(evidence)
        best = replace(best, probability=min(max(min(joint, best.probability), low), high))
    return Identification(Decision.UNCERTAIN, None, (best, *others), MODELS_DISAGREE)


def review_limits(evidence: EvidencePolicy) -> tuple[float, float]:
    """The chances between which a single sighting of a student goes to a person (``evidence.presence`` inverted)."""

    def chance(presence: float, inwards: float) -> float:
        log_odds = math.log(presence / (1.0 - presence))
        return 1.0 / (1.0 + math.exp(-((log_odds - evidence.intercept) / evidence.slope + inwards)))

    return chance(evidence.review_from, _INSIDE), chance(evidence.present_from, -_INSIDE)
