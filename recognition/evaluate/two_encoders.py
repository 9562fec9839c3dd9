"""Both encoders on the same classes: what the second opinion is fitted on and compared by.

Classes of 30 students and 60 strangers as in ``open_set``, drawn from held-out people only: the calibration ones for
fitting, the test ones for figures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognition.engine import load_engine
from recognition.evaluate import open_set
from recognition.evaluate.encoded import encode_lfw
from recognition.evaluate.lfw_data import Lfw
from recognition.evaluate.open_set import ClassDraw
from recognition.identification import Decision
from recognition.lfw_cnn.encode import SecondEncoder
from recognition.lfw_cnn.frames import frames_of
from recognition.policy import MatchPolicy

FloatArray = NDArray[np.float64]
NOBODY = -1


@dataclass(frozen=True, slots=True, eq=False)
class Both:
    """Encodings of the wanted pictures by both encoders, NaN elsewhere: ``first`` (n, 128) and ``second`` (n, d);
    ``found`` (n,) where both are there; ``policy``: the main engine's."""

    first: FloatArray
    second: FloatArray
    found: NDArray[np.bool_]
    policy: MatchPolicy


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """Probes of many classes: ``scores`` (n, s) of the main engine, ``distances`` (n, s) cosine distances of the
    second network, ``own`` (n,) the column of the face's student, NOBODY for strangers."""

    scores: FloatArray
    distances: FloatArray
    own: NDArray[np.int64]

    @property
    def strangers(self) -> NDArray[np.bool_]:
        """(n,) bool."""
        return np.asarray(self.own == NOBODY)

    def students(self, columns: NDArray[np.int64]) -> Faces:
        """The same faces against fewer students; faces of those left out become strangers."""
        place = {int(column): at for at, column in enumerate(columns)}
        own = np.array([place.get(int(column), NOBODY) for column in self.own], np.int64)
        return Faces(self.scores[:, columns], self.distances[:, columns], own)


def encode_both(
    data: Lfw, encoder: SecondEncoder, rows: NDArray[np.int64], *, kept: Path, chips: Path
) -> Both:
    """Encodings of ``rows`` by the default engine (read from ``kept`` where they lie there) and ``encoder``."""
    engine = load_engine()
    first = encode_lfw(data, [engine], kept)[0]
    frames, found = frames_of(data, chips)
    second = np.full((len(frames), encoder.dimensions), np.nan)
    second[rows] = encoder.encode_frames(frames[rows])
    usable = first.found & found & np.isfinite(second[:, 0])
    return Both(first.encodings, second, usable, MatchPolicy.default_for(engine.version))


def cosine_scores(encodings: FloatArray) -> Callable[[ClassDraw], FloatArray]:
    """``compare`` for the second network: cosine of the probe and the mean of a student's templates."""

    def compare(draw: ClassDraw) -> FloatArray:
        means = encodings[draw.templates].mean(axis=1)
        means /= np.linalg.norm(means, axis=1, keepdims=True)
        return np.asarray(encodings[np.concatenate([draw.probes, draw.strangers])] @ means.T)

    return compare


def draw(
    data: Lfw, people: frozenset[str], both: Both, *, templates: int, seed: int, classes: int
) -> list[ClassDraw]:
    """Classes of ``people``, faces found by both."""
    return open_set.draw_classes(data, people, both.found, templates=templates, seed=seed, classes=classes)


def faces_of(draws: Sequence[ClassDraw], both: Both) -> Faces:
    """All probes of these classes, scored by both encoders."""
    main, cosine = open_set.policy_scores(both.first, both.policy), cosine_scores(both.second)
    size = len(draws[0].probes)
    own = np.concatenate([np.arange(size), np.full(len(draws[0].strangers), NOBODY)])
    return Faces(
        np.concatenate([main(one) for one in draws]),
        1.0 - np.concatenate([cosine(one) for one in draws]),
        np.tile(own, len(draws)).astype(np.int64),
    )


def first_decisions(
    faces: Faces, policy: MatchPolicy
) -> tuple[list[Decision], NDArray[np.int64], FloatArray]:
    """The main engine's decision for each face alone in its photo, its best student's column, and the probability."""
    accept, review = policy.thresholds(faces.scores.shape[1])
    best = faces.scores.argmax(axis=1)
    top = faces.scores.max(axis=1)
    runner_up = np.partition(faces.scores, -2, axis=1)[:, -2]
    clear = (top >= accept) & (runner_up <= top - policy.margin)
    decisions = [
        Decision.RECOGNISED if sure else Decision.UNCERTAIN if maybe else Decision.UNKNOWN
        for sure, maybe in zip(clear, top >= review, strict=True)
    ]
    known = [policy.probability(float(score), faces.scores.shape[1]) for score in top]
    return decisions, best.astype(np.int64), np.array([np.nan if p is None else p for p in known])
