"""Fits what ``recognition/weights`` ships, from the calibration half of the people alone.

Thresholds and probabilities are fitted on scores of people the normaliser has not seen: the half is cut in two,
and each part is scored by a normaliser fitted on the other. The normaliser that ships is fitted on both parts.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from recognition.evaluate import groups, open_set, sessions
from recognition.evaluate.encoded import Encoded
from recognition.evaluate.fit_normaliser import fit_normaliser
from recognition.evaluate.lfw_data import Lfw
from recognition.evaluate.logistic import logistic_curve
from recognition.evidence import summed_evidence
from recognition.policy import Calibration, EvidencePolicy, MatchPolicy

ACCEPT_FPIR, REVIEW_FPIR = 0.001, 0.05
STRANGER_SHARE = 0.1
"""Share of strangers among the faces of a photo, for the probabilities."""
MARGIN, MIN_QUALITY = 0.03, 0.05
CLASSES = 100
GROUPED_SESSIONS = 15
GALLERIES = (3, 10, 30)
OFFSET_FPIRS = (0.001, 0.003, 0.01, 0.03)
log = logging.getLogger(__name__)
FloatArray = NDArray[np.float64]


def fit_policy(data: Lfw, encoded: Encoded, version: str, *, seed: int = 0) -> MatchPolicy:
    """The whole policy of an engine version from the calibration people."""
    people = sorted(data.halves[0])
    order = np.random.default_rng(seed).permutation(len(people))
    parts = [[people[i] for i in order[k::2]] for k in (0, 1)]
    tables: dict[int, list[FloatArray]] = {1: [], 3: []}
    for part, other in (parts, parts[::-1]):
        partial = _policy(version, fit_normaliser(data, encoded.encodings, other, encoded.found, seed=seed))
        for templates, table in tables.items():
            draws = open_set.draw_classes(
                data, part, encoded.found, templates=templates, seed=seed, classes=CLASSES
            )
            compare = open_set.policy_scores(encoded.encodings, partial)
            table.extend(compare(draw) for draw in draws)
        log.info("scored %d calibration people", len(part))
    one, three = (np.array(tables[count]) for count in (1, 3))
    gained = np.mean([_threshold(three, fpir) - _threshold(one, fpir) for fpir in OFFSET_FPIRS])
    count_offset = float(gained) / (1 - 1 / 3)
    scores = np.concatenate([one, three - float(gained)])
    accept, review = (_threshold(scores, fpir) for fpir in (ACCEPT_FPIR, REVIEW_FPIR))
    policy = replace(
        _policy(version, fit_normaliser(data, encoded.encodings, people, encoded.found, seed=seed)),
        accept=accept,
        review=review,
        step_per_decade=_step(scores),
        count_offset=count_offset,
        calibration=_calibration(scores),
    )
    few = sessions.draw_sessions(data, data.halves[0], encoded.found, seed=seed, sessions=GROUPED_SESSIONS)
    return replace(
        policy,
        evidence=_evidence(data, encoded, policy, seed),
        same_person_distance=groups.best_threshold(few, encoded),
    )


def save_policy(policy: MatchPolicy, path: Path) -> None:
    """Write the policy as ``policy.read_policy`` reads it."""
    assert policy.normaliser is not None
    constants = asdict(replace(policy, normaliser=None))
    for name in ("engine_version", "normaliser"):
        del constants[name]
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(policy.normaliser.tensors(), str(path), metadata={"policy": json.dumps(constants)})


def _policy(version: str, normaliser: object) -> MatchPolicy:
    return MatchPolicy(  # thresholds are set later
        version,
        0.0,
        0.0,
        MARGIN,
        MIN_QUALITY,
        open_set.STUDENTS,
        0.0,
        normaliser=normaliser,  # type: ignore[arg-type]
    )


def _threshold(scores: FloatArray, fpir: float) -> float:
    """The score that a share ``fpir`` of the strangers (rows from 30 on of each class) reach with anybody."""
    falling = np.sort(scores[:, open_set.STUDENTS :].max(axis=2).ravel())[::-1]
    return float(falling[int(fpir * len(falling))])


def _step(scores: FloatArray) -> float:
    """Slope of the FPIR 1 % threshold over log10 of the number of people compared with."""
    at = [_threshold(scores[:, :, :size], 0.01) for size in GALLERIES]
    return float(np.polyfit(np.log10(GALLERIES), at, 1)[0])


def _calibration(scores: FloatArray) -> Calibration:
    """Logistic fit over the best candidate of each face, strangers' faces being ``STRANGER_SHARE`` of all."""
    size = open_set.STUDENTS
    faces = np.arange(scores.shape[1])
    right = scores.argmax(axis=2) == faces[None, :]
    weights = np.where(faces < size, (1 - STRANGER_SHARE) / size, STRANGER_SHARE / (len(faces) - size))
    spread = np.broadcast_to(weights, right.shape)
    return Calibration(*logistic_curve(scores.max(axis=2).ravel(), right.ravel(), spread.ravel()))


def _evidence(data: Lfw, encoded: Encoded, policy: MatchPolicy, seed: int) -> EvidencePolicy:
    """The correlation of sightings as measured, then slope and intercept that explain best who was there, over
    sessions of 3, 6 and 12 photos, half of the roster being there."""
    drawn = sessions.draw_sessions(data, data.halves[0], encoded.found, seed=seed)
    same, different = sessions.correlations(drawn, encoded, policy)
    log.info("correlation between photos: %.3f same person, %.3f different people", same, different)
    correlation = max(same, different)
    students = sessions.seen(drawn, encoded, policy)
    known = [(s.is_there, [e.probability for e in s.first(n)]) for s in students for n in sessions.PHOTOS]
    known = [(is_there, probabilities) for is_there, probabilities in known if probabilities]
    truth = np.array([is_there for is_there, _ in known])
    # Whoever was never seen adds nothing to the fit but counts among the students there or away.
    share_there = np.mean([s.is_there for s in students])
    weights = np.where(truth, 0.5 / share_there, 0.5 / (1 - share_there))
    values = np.array([summed_evidence(p, correlation) for _, p in known])
    return EvidencePolicy(correlation, *logistic_curve(values, truth, weights))
