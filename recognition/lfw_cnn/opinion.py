"""What the second network says about a face, and what its agreement is worth. Pure: numpy alone.

Distances are cosine distances, 1 - cosine, in 0 (the same direction) .. 2. A student's templates are averaged and
brought to unit length; the nearest student is named when the distance is under a threshold that was measured for
galleries of some size and tightens with the logarithm of the gallery's. All constants are in ``weights/opinion.json``,
fitted on people whom neither this network nor the reported figures saw (docs/accuracy-second-opinion.md).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognition.errors import SecondOpinionUnavailable
from recognition.gallery import TemplateError
from recognition.identification import Decision
from recognition.lfw_cnn import OPINION, weight_files

FloatArray = NDArray[np.float64]
FARTHEST = 2.0


class Verdict(StrEnum):
    """The second network's own decision about its nearest student."""

    SAME = "same"
    UNKNOWN = "unknown"


class Relation(StrEnum):
    """How the second opinion stands to the first.

    AGREE: it names the same student, or nobody where the first knows nobody. LEANS: its nearest student is the
    first's, but too far to be named. SILENT: its nearest is another, but too far to be named. DISAGREE: it names
    another student, or one where the first knows nobody.
    """

    AGREE = "agree"
    LEANS = "leans"
    SILENT = "silent"
    DISAGREE = "disagree"


@dataclass(frozen=True, slots=True)
class Opinion:
    """``subject_id``: the nearest student, whatever the decision; None without any templates. ``distance``: cosine
    distance 0..2. ``probability``: calibrated, that the face is that student's. ``decision``: SAME under the own
    threshold."""

    subject_id: int | None
    distance: float
    probability: float
    decision: Verdict


@dataclass(frozen=True, slots=True)
class Agreement:
    """``probability``: that the first answer is right, given both: its student is the face's (or, where it knows
    nobody, that it is none of the students'); None where the first gave no probability. ``weight``: the measured
    factor on the odds. ``review``: whether the two answers are worth a person's look."""

    relation: Relation
    probability: float | None
    weight: float
    review: bool


@dataclass(frozen=True, slots=True)
class OpinionPolicy:
    """Measured constants. ``threshold``: cosine distance for a gallery of ``gallery_size``; it changes by ``step``
    for each factor of ten. ``intercept``, ``per_distance``, ``per_gap``: logistic calibration of the nearest, the
    gap being the runner-up's distance minus its own, at most ``widest_gap``. ``weights``: odds factors, by
    "DECISION.RELATION" of the first answer's decision."""

    version: str
    threshold: float
    step: float
    gallery_size: int
    intercept: float
    per_distance: float
    per_gap: float
    widest_gap: float
    weights: Mapping[str, float]

    def threshold_for(self, people: int) -> float:
        """The largest distance that names, in a gallery of so many people."""
        return self.threshold + self.step * math.log10(max(people, 1) / self.gallery_size)

    def probability(self, distance: float, gap: float) -> float:
        """0..1, that the nearest student is the face's, at that distance and gap to the runner-up."""
        value = self.intercept + self.per_distance * distance + self.per_gap * min(gap, self.widest_gap)
        return _logistic(value)


def _logistic(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, value))))


@lru_cache(maxsize=4)
def load_policy(path: Path = OPINION) -> OpinionPolicy:
    """The constants shipped with the weights, checked and read once a process. Raises SecondOpinionUnavailable."""
    try:
        given = json.loads(weight_files.checked(path).read_text())
        return OpinionPolicy(**given["policy"])
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as problem:
        raise SecondOpinionUnavailable(
            f"{path} holds no policy of this version's second opinion ({problem})"
        ) from problem


def mean_template(templates: NDArray[np.floating]) -> FloatArray:
    """The direction (d,) of the mean of templates (k, d) brought to unit length. Raises TemplateError."""
    rows = np.asarray(templates, np.float64)
    if rows.ndim != 2 or not len(rows) or not np.isfinite(rows).all():
        raise TemplateError(f"templates must be finite numbers of shape (k, d) with k >= 1, not {rows.shape}")
    return _unit((rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(1e-12)).mean(axis=0))


def _unit(vector: FloatArray) -> FloatArray:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12))


def second_opinion(
    probe: NDArray[np.floating],
    templates: Mapping[int, NDArray[np.floating]],
    policy: OpinionPolicy | None = None,
) -> Opinion:
    """The second network's answer for one face.

    ``probe``: encoding (d,). ``templates``: each student's encodings (k, d) of the same version; students without
    any (k = 0) are passed over. ``policy``: the shipped one when None. Ties go to the smaller subject id. Raises
    TemplateError for another shape or numbers that are not finite, SecondOpinionUnavailable without a policy.
    """
    policy = policy or load_policy()
    face = np.asarray(probe, np.float64)
    if face.ndim != 1 or not np.isfinite(face).all():
        raise TemplateError(f"a probe must be finite numbers of shape (d,), not {face.shape}")
    students = sorted(subject for subject, rows in templates.items() if len(rows))
    if not students:
        return Opinion(None, FARTHEST, 0.0, Verdict.UNKNOWN)
    means = [mean_template(templates[subject]) for subject in students]
    if any(mean.shape != face.shape for mean in means):
        raise TemplateError(f"templates must have the probe's length {len(face)}")
    distances = np.clip(1.0 - np.array(means) @ _unit(face), 0.0, FARTHEST)
    best = int(distances.argmin())
    return judge(students[best], distances, policy)


def judge(subject_id: int, distances: FloatArray, policy: OpinionPolicy) -> Opinion:
    """The opinion from the distances (n,) to all n >= 1 students, ``subject_id`` being the nearest."""
    nearest = float(distances.min())
    gap = float(np.partition(distances, 1)[1]) - nearest if len(distances) > 1 else policy.widest_gap
    named = nearest <= policy.threshold_for(len(distances))
    return Opinion(
        subject_id,
        nearest,
        policy.probability(nearest, gap),
        Verdict.SAME if named else Verdict.UNKNOWN,
    )


def relation(decision: Decision, subject_id: int | None, second: Opinion) -> Relation:
    """How ``second`` stands to the first answer: its decision and its best candidate (None: nobody)."""
    if decision is Decision.UNKNOWN or subject_id is None:
        return Relation.DISAGREE if second.decision is Verdict.SAME else Relation.AGREE
    alike = second.subject_id == subject_id
    if second.decision is Verdict.SAME:
        return Relation.AGREE if alike else Relation.DISAGREE
    return Relation.LEANS if alike else Relation.SILENT


def agreement(
    decision: Decision,
    subject_id: int | None,
    probability: float | None,
    second: Opinion,
    policy: OpinionPolicy | None = None,
) -> Agreement:
    """What both answers together were measured to be worth.

    ``decision``: the first's. ``subject_id`` and ``probability``: its best candidate, also of an uncertain face
    (``Identification.candidates[0]``); for an unknown face the probability is that of the best candidate, and the
    result's is that it is nobody. Bayes' rule: posterior odds are the first's odds times P(relation | right) /
    P(relation | wrong) as counted on people outside the test, each decision of the first by itself: the networks are
    not independent, and where the first wavers, so does the second. Only a disagreement asks for a review: silence
    is what the weaker network often has to say, and must not fill a person's desk.
    """
    policy = policy or load_policy()
    stands = relation(decision, subject_id, second)
    nobody = decision is Decision.UNKNOWN or subject_id is None
    weight = policy.weights[f"{Decision.UNKNOWN if nobody else decision}.{stands}"]
    joint = None
    if probability is not None:
        right = min(max(1 - probability if nobody else probability, 1e-6), 1 - 1e-6)
        joint = _logistic(math.log(right / (1 - right)) + math.log(weight))
    return Agreement(stands, joint, weight, stands is Relation.DISAGREE)
