"""``compare``: both answers on the same faces. Who is right when they agree, who when they do not, and both fused.

Faces are the test people's, of whom nothing was fitted: 200 classes of 30 students with three templates, 60 strangers
each. "Right" for a face: its student is named, or nobody where it is a stranger.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognition.evaluate.fit_opinion import face_weights, relations
from recognition.evaluate.lfw_data import Lfw
from recognition.evaluate.open_set import Scores
from recognition.evaluate.two_encoders import NOBODY, Both, Faces, draw, faces_of, first_decisions
from recognition.identification import Decision
from recognition.lfw_cnn import splits
from recognition.lfw_cnn.opinion import OpinionPolicy

FloatArray = NDArray[np.float64]
CLASSES = 200
FUSION_WEIGHTS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
"""Tried for score + weight * cosine; the calibration people choose."""
SHOWN_WEIGHTS = (0.05, 0.1, 0.3)
"""Reported whatever is chosen."""
FPIRS = (0.01, 0.001)


@dataclass(frozen=True, slots=True)
class Row:
    """Faces of one pair of decisions, and how many of them each got right."""

    first: str
    second: str
    faces: int
    first_right: int
    second_right: int


def reported_faces(data: Lfw, both: Both, templates: int, seed: int, *, calibration: bool = False) -> Faces:
    """The probes of 200 classes of test people, or of calibration people."""
    people = splits.calibration_people(data) if calibration else splits.test_people(data)
    return faces_of(draw(data, people, both, templates=templates, seed=seed, classes=CLASSES), both)


def rates(faces: Faces, scores: FloatArray) -> Scores:
    """Own, other and strangers' best scores (n, s) in the form of the open-set protocol."""
    students = ~faces.strangers
    rows = np.flatnonzero(students)
    wrong = scores[rows].copy()
    wrong[np.arange(len(rows)), faces.own[rows]] = -np.inf
    return Scores(scores[rows, faces.own[rows]], wrong.max(axis=1), scores[faces.strangers].max(axis=1))


def fused(faces: Faces, weight: float) -> FloatArray:
    """Score of the main engine plus ``weight`` times the second's cosine, (n, s)."""
    return np.asarray(faces.scores + weight * (1.0 - faces.distances))


def fusion_weight(faces: Faces) -> float:
    """The weight with the smallest sum of FNIR at both FPIR, on calibration people's faces; the smallest of equals."""
    found = []
    for weight in FUSION_WEIGHTS:
        scores = rates(faces, fused(faces, weight))
        found.append(sum(scores.fnir(scores.threshold(fpir)) for fpir in FPIRS))
    return FUSION_WEIGHTS[int(np.argmin(found))]


def fusion_table(data: Lfw, both: Both, seed: int) -> dict[str, float]:
    """FNIR at FPIR 1 % and 0.1 % of each and of both fused, one and three templates; the weight chosen."""
    lines: dict[str, float] = {}
    weight = fusion_weight(reported_faces(data, both, 3, seed, calibration=True))
    for templates in (1, 3):
        faces = reported_faces(data, both, templates, seed)
        suffix = "" if templates == 3 else "_1_template"
        for name, scores in (
            ("main", faces.scores),
            ("second", -faces.distances),
            *((f"fused_{shown:g}", fused(faces, shown)) for shown in SHOWN_WEIGHTS),
            ("fused_as_chosen", fused(faces, weight)),
        ):
            found = rates(faces, scores)
            for fpir in FPIRS:
                lines[f"{name}_fnir_at_fpir_{100 * fpir:g}pct{suffix}"] = found.fnir(found.threshold(fpir))
            lines[f"{name}_rank1{suffix}"] = found.rank1
    return lines | {"fusion_weight": weight}


def answers(faces: Faces, both: Both, policy: OpinionPolicy) -> tuple[list[Row], dict[str, float]]:
    """The agreement matrix, and how often who is right; shares are weighted so that a tenth of faces are strangers."""
    decisions, best, _ = first_decisions(faces, both.policy)
    named = np.where([decision is Decision.RECOGNISED for decision in decisions], best, NOBODY)
    nearest = faces.distances.argmin(axis=1)
    under = faces.distances.min(axis=1) <= policy.threshold_for(faces.distances.shape[1])
    second = np.where(under, nearest, NOBODY)
    first_right, second_right = named == faces.own, second == faces.own
    weights = face_weights(faces)

    def share(right: NDArray[np.bool_], where: NDArray[np.bool_]) -> float:
        return float((weights * right)[where].sum() / weights[where].sum()) if where.any() else float("nan")

    both_named = (named != NOBODY) & (second != NOBODY)
    alike, unlike = both_named & (named == second), both_named & (named != second)
    everything = np.ones(len(named), bool)
    lines = {
        "first_right": share(first_right, everything),
        "second_right": share(second_right, everything),
        "second_nearest_is_own_of_students": float((nearest == faces.own)[~faces.strangers].mean()),
        "both_name_same": float(weights[alike].sum() / weights.sum()),
        "right_when_both_name_same": share(first_right, alike),
        "both_name_another": float(weights[unlike].sum() / weights.sum()),
        "first_right_when_both_name_another": share(first_right, unlike),
        "second_right_when_both_name_another": share(second_right, unlike),
        "first_right_when_it_alone_names": share(first_right, (named != NOBODY) & (second == NOBODY)),
        "second_right_when_it_alone_names": share(second_right, (named == NOBODY) & (second != NOBODY)),
    }
    return _matrix(faces, decisions, best, second, nearest), lines


def _matrix(
    faces: Faces,
    decisions: list[Decision],
    best: NDArray[np.int64],
    second: NDArray[np.int64],
    nearest: NDArray[np.int64],
) -> list[Row]:
    counted: dict[tuple[str, str], Counter[str]] = {}
    for row, decision in enumerate(decisions):
        own, column = faces.own[row], best[row]
        if second[row] == NOBODY:
            word = "unknown, nearest is the same" if nearest[row] == column else "unknown, nearest is another"
        else:
            word = "same student" if second[row] == column else "another student"
        said = NOBODY if decision is Decision.UNKNOWN else column
        counted.setdefault((str(decision), word), Counter()).update(
            {"faces": 1, "first": int(said == own), "second": int(second[row] == own)}
        )
    return [
        Row(one, other, count["faces"], count["first"], count["second"])
        for (one, other), count in sorted(counted.items())
    ]


def agreement_quality(faces: Faces, both: Both, policy: OpinionPolicy) -> dict[str, float]:
    """Whether the joint probability is nearer to the truth than the first's own: mean squared and logarithmic error,
    over faces that are not unknown to the first."""
    stated, joint, right, weights = [], [], [], []
    for (name, is_right, probability), weight in zip(
        relations(faces, both, policy), face_weights(faces), strict=True
    ):
        if name.startswith(Decision.UNKNOWN):
            continue
        held = min(max(probability, 1e-6), 1 - 1e-6)
        odds = held / (1 - held) * policy.weights[name]
        stated.append(held)
        joint.append(odds / (1 + odds))
        right.append(is_right)
        weights.append(weight)
    truth, mass = np.array(right, np.float64), np.array(weights) / np.sum(weights)
    lines = {}
    for name, values in (("first", np.array(stated)), ("joint", np.array(joint))):
        lines[f"{name}_squared_error"] = float((mass * np.square(values - truth)).sum())
        likely = np.where(truth > 0, values, 1 - values).clip(1e-6)
        lines[f"{name}_log_error"] = float(-(mass * np.log(likely)).sum())
    return lines


def report(data: Lfw, both: Both, policy: OpinionPolicy, *, seed: int, out: Path) -> dict[str, float]:
    """Prints the matrix; returns the figures by name and draws the second's reliability into ``out``."""
    from recognition.lfw_cnn import plots

    faces = reported_faces(data, both, 3, seed)
    rows, lines = answers(faces, both, policy)
    print(f"{'first':12} {'second':28} {'faces':>7} {'first right':>12} {'second right':>13}")
    for row in rows:
        print(f"{row.first:12} {row.second:28} {row.faces:7} {row.first_right:12} {row.second_right:13}")
    gaps = np.partition(faces.distances, 1, axis=1)
    stated = np.array([policy.probability(float(near), float(next_ - near)) for near, next_ in gaps[:, :2]])
    right = faces.distances.argmin(axis=1) == faces.own
    error = plots.reliability(stated, np.asarray(right), face_weights(faces), out / "second-reliability.png")
    return (
        fusion_table(data, both, seed)
        | agreement_quality(faces, both, policy)
        | {"second_calibration_error": error, "test_people": float(len(splits.test_people(data)))}
        | lines
    )
