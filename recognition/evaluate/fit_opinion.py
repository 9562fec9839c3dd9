"""``fit-opinion``: the constants of the second opinion, from the held-out calibration people alone.

What is fitted: the distance at which 1 % of strangers are named in a class of 30, how it moves with the class's size,
the probability of the nearest student, and how often each relation of the two answers goes with a right and with a
wrong first answer. Strangers are weighted to a tenth of all faces, as for the main engine's probabilities.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognition.evaluate.fit import STRANGER_SHARE
from recognition.evaluate.lfw_data import Lfw
from recognition.evaluate.logistic import logistic_fit
from recognition.evaluate.two_encoders import NOBODY, Both, Faces, draw, faces_of, first_decisions
from recognition.identification import Decision
from recognition.lfw_cnn import splits, weight_files
from recognition.lfw_cnn.opinion import FARTHEST, OpinionPolicy, Relation, judge, relation

FPIR = 0.01
SMALL_CLASS = 10
CLASSES = 100
PRIOR = 10.0
"""Faces' worth of doubt about every odds factor."""
FloatArray = NDArray[np.float64]
NAMING = (Decision.RECOGNISED, Decision.UNCERTAIN)
UNWEIGHTED = {f"{decision}.{stands}": 1.0 for decision in NAMING for stands in Relation} | {
    f"{Decision.UNKNOWN}.{stands}": 1.0 for stands in (Relation.AGREE, Relation.DISAGREE)
}


def fit_opinion(
    data: Lfw, both: Both, version: str, *, seed: int = 0
) -> tuple[OpinionPolicy, dict[str, int]]:
    """The policy, and the faces (unweighted) that each odds factor was counted on, by its name and "right"/"wrong"."""
    faces = joined(
        [
            faces_of(
                draw(
                    data,
                    splits.calibration_people(data),
                    both,
                    templates=templates,
                    seed=seed,
                    classes=CLASSES,
                ),
                both,
            )
            for templates in (1, 3)
        ]
    )
    size = faces.distances.shape[1]
    small = faces.students(np.random.default_rng(seed).permutation(size)[:SMALL_CLASS])
    threshold = stranger_threshold(faces)
    step = (threshold - stranger_threshold(small)) / np.log10(size / SMALL_CLASS)
    gaps = gap_to_runner_up(faces.distances)
    widest = float(np.quantile(gaps, 0.99))
    intercept, per_distance, per_gap = _logistic_fit(faces, np.minimum(gaps, widest))
    policy = OpinionPolicy(
        version,
        threshold,
        float(step),
        size,
        intercept,
        per_distance,
        per_gap,
        widest,
        UNWEIGHTED,
    )
    weights, counts = odds_factors(faces, both, policy)
    return OpinionPolicy(**(asdict(policy) | {"weights": weights})), counts


def joined(parts: list[Faces]) -> Faces:
    """All faces of several parts with equally many students."""
    return Faces(
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.distances for part in parts]),
        np.concatenate([part.own for part in parts]),
    )


def stranger_threshold(faces: Faces, fpir: float = FPIR) -> float:
    """The distance that a share ``fpir`` of the strangers come under."""
    return float(np.quantile(faces.distances[faces.strangers].min(axis=1), fpir))


def gap_to_runner_up(distances: FloatArray) -> FloatArray:
    """(n,) by how much the second nearest of (n, s >= 2) is farther than the nearest."""
    two = np.partition(distances, 1, axis=1)
    return np.asarray(two[:, 1] - two[:, 0])


def face_weights(faces: Faces) -> FloatArray:
    """(n,) weights that make strangers ``STRANGER_SHARE`` of all."""
    share = float(faces.strangers.mean())
    return np.where(faces.strangers, STRANGER_SHARE / share, (1 - STRANGER_SHARE) / (1 - share))


def _logistic_fit(faces: Faces, gaps: FloatArray) -> tuple[float, float, float]:
    right = faces.distances.argmin(axis=1) == faces.own
    slopes, intercept = logistic_fit(
        np.column_stack([faces.distances.min(axis=1), gaps]), right, face_weights(faces)
    )
    return intercept, float(slopes[0]), float(slopes[1])


def relations(faces: Faces, both: Both, policy: OpinionPolicy) -> list[tuple[str, bool, float]]:
    """For each face: "DECISION.RELATION" of the first answer, whether that is right, and its stated probability of
    being so."""
    decisions, best, probabilities = first_decisions(faces, both.policy)
    told = []
    for row, (decision, column, stated) in enumerate(zip(decisions, best, probabilities, strict=True)):
        distances = faces.distances[row]
        second = judge(int(distances.argmin()), distances, policy)
        unknown = decision is Decision.UNKNOWN
        stands = relation(decision, int(column), second)
        right = faces.own[row] == (NOBODY if unknown else column)
        told.append(
            (
                f"{decision}.{stands}",
                bool(right),
                float(1 - stated if unknown else stated),
            )
        )
    return told


def odds_factors(faces: Faces, both: Both, policy: OpinionPolicy) -> tuple[dict[str, float], dict[str, int]]:
    """P(relation | first right) / P(relation | first wrong) by name, and the counts.

    ``PRIOR`` faces, right and wrong alike in how the relations are shared out among them, are added to either side:
    what was hardly ever seen has a factor near 1.
    """
    told = relations(faces, both, policy)
    weights = face_weights(faces)
    sums = {(name, right): 0.0 for name in UNWEIGHTED for right in (True, False)}
    counts = {f"{name}.{word}": 0 for name in UNWEIGHTED for word in ("right", "wrong")}
    for (name, right, _), weight in zip(told, weights, strict=True):
        sums[name, right] += weight
        counts[f"{name}.{'right' if right else 'wrong'}"] += 1
    factors = {}
    for name in UNWEIGHTED:
        decision, stands = name.split(".")
        own = [other for other in UNWEIGHTED if other.startswith(decision)]
        masses = {right: sum(sums[other, right] for other in own) for right in (True, False)}
        usual = (sums[name, True] + sums[name, False]) / max(masses[True] + masses[False], 1e-9)
        one, other_one = (
            (sums[name, right] + PRIOR * usual) / (masses[right] + PRIOR) for right in (True, False)
        )
        factor = one / other_one if other_one > 0 else 1.0
        factors[name] = round(_sensible(factor, Relation(stands)), 4)
    return factors, counts


def _sensible(factor: float, stands: Relation) -> float:
    """Chance in small counts must not make agreement a warning or disagreement a comfort."""
    if stands is Relation.AGREE:
        return max(factor, 1.0)
    return min(factor, 1.0) if stands is Relation.DISAGREE else factor


def save_opinion(policy: OpinionPolicy, counts: dict[str, int], path: Path) -> None:
    """Write ``opinion.json`` and its line in ``SHA256SUMS``."""
    assert 0.0 <= policy.threshold <= FARTHEST
    text = json.dumps({"policy": asdict(policy), "faces_counted": counts}, indent=1, sort_keys=True)
    path.write_text(text + "\n")
    weight_files.write_sums(path.parent)
