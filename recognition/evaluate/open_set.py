"""Open-set identification: classes of 30 students drawn from the test people, and strangers at the door.

FPIR: share of strangers given a name. FNIR: share of students not named as themselves (another's name, or none).
Terms as in ISO/IEC 19795-1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from recognition.evaluate.lfw_data import MANY, Lfw
from recognition.policy import MatchPolicy

CLASSES, STUDENTS, STRANGERS = 200, 30, 60
NAIVE_TOLERANCE = 0.6
"""face_recognition's default: the nearest template under this distance names the face."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ClassDraw:
    """Rows of the data set: ``templates`` (30, t), ``probes`` (30,) of the same students, ``strangers`` (60,)."""

    templates: NDArray[np.int64]
    probes: NDArray[np.int64]
    strangers: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Outcome of all probes: each student's ``own`` score and the best of the ``others``; the best score of each
    of the ``strangers``."""

    own: FloatArray
    others: FloatArray
    strangers: FloatArray

    def threshold(self, fpir: float) -> float:
        """The lowest score that at most a share ``fpir`` of the strangers exceed."""
        falling = np.sort(self.strangers)[::-1]
        return float(falling[int(fpir * len(falling))])

    def fnir(self, threshold: float) -> float:
        """Share of students not named as themselves when scores above ``threshold`` name."""
        return float(1.0 - ((self.own > threshold) & (self.own > self.others)).mean())

    def fpir(self, threshold: float) -> float:
        """Share of strangers named."""
        return float((self.strangers > threshold).mean())

    @property
    def rank1(self) -> float:
        """Share of students for whom nobody scores higher than they do, whatever the threshold."""
        return float((self.own > self.others).mean())


def draw_classes(
    data: Lfw,
    people: Iterable[str],
    usable: NDArray[np.bool_],
    *,
    templates: int,
    seed: int,
    classes: int = CLASSES,
) -> list[ClassDraw]:
    """Classes of students with ``templates`` portraits and one other photo each, from ``people`` with four or
    more usable pictures; strangers are any others of ``people``, one photo each."""
    rng = np.random.default_rng(seed)
    rows = {person: data.rows_of[person][usable[data.rows_of[person]]] for person in sorted(people)}
    rows = {person: own for person, own in rows.items() if len(own)}
    many = [person for person, own in rows.items() if len(own) >= MANY]
    drawn = []
    for _ in range(classes):
        students = [many[i] for i in rng.choice(len(many), STUDENTS, replace=False)]
        pictures = np.array([rng.permutation(rows[person])[: templates + 1] for person in students])
        others = sorted(set(rows) - set(students))
        strangers = [others[i] for i in rng.choice(len(others), STRANGERS, replace=False)]
        doors = np.array([rng.choice(rows[person]) for person in strangers])
        drawn.append(ClassDraw(pictures[:, :templates], pictures[:, templates], doors))
    return drawn


def scored(draws: Iterable[ClassDraw], compare: Callable[[ClassDraw], FloatArray]) -> Scores:
    """Scores of all draws; ``compare`` gives (90, 30): students' probes then strangers, against the class."""
    own, others, strangers = [], [], []
    for draw in draws:
        scores = compare(draw)
        size = len(draw.probes)
        own.append(np.diagonal(scores[:size]).copy())
        wrong = scores[:size].copy()
        np.fill_diagonal(wrong, -np.inf)
        others.append(wrong.max(axis=1))
        strangers.append(scores[size:].max(axis=1))
    return Scores(np.concatenate(own), np.concatenate(others), np.concatenate(strangers))


def policy_scores(encodings: FloatArray, policy: MatchPolicy) -> Callable[[ClassDraw], FloatArray]:
    """``compare`` for a policy, as ``identify`` scores."""

    def compare(draw: ClassDraw) -> FloatArray:
        templates = encodings[draw.templates]
        means = templates.mean(axis=1)
        scatters = np.square(templates - means[:, None]).sum(axis=2).mean(axis=1)
        probes = encodings[np.concatenate([draw.probes, draw.strangers])]
        counts = np.full(len(means), templates.shape[1])
        return policy.scores(probes, means, scatters, counts)

    return compare


def nearest_scores(encodings: FloatArray) -> Callable[[ClassDraw], FloatArray]:
    """``compare`` for face_recognition's rule: minus the distance to the nearest template."""

    def compare(draw: ClassDraw) -> FloatArray:
        probes = encodings[np.concatenate([draw.probes, draw.strangers])]
        flat = encodings[draw.templates.ravel()]
        return np.asarray(-cdist(probes, flat).reshape(len(probes), *draw.templates.shape).min(axis=2))

    return compare
