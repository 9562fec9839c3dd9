"""Whole class sessions from single pictures: the same people in several photos, some of the roster away.

Every photo goes through ``identify`` as in the application, then ``evidence.presence`` decides. The pictures of
a person are from different days, so they depend on each other less than those of one classroom hour would.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.evaluate.encoded import Encoded
from recognition.evaluate.lfw_data import Lfw
from recognition.evidence import SightingEvidence, presence
from recognition.gallery import Gallery, Template
from recognition.identification import Decision, Probe, identify
from recognition.policy import EvidencePolicy, MatchPolicy

SESSIONS, PRESENT, ABSENT, VISITORS = 150, 20, 10, 5
TEMPLATES, PHOTOS = 3, (3, 6, 12)


@dataclass(frozen=True, slots=True, eq=False)
class SessionDraw:
    """Rows of the data set: ``templates`` (30, 3) of the roster, whose first 20 are there; ``photos`` (12, 25):
    the 20 and five visitors who are on no roster."""

    templates: NDArray[np.int64]
    photos: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Student:
    """What a session showed of one student: the sightings by photo number, and the truth."""

    is_there: bool
    sightings: tuple[SightingEvidence, ...]

    def first(self, photos: int) -> list[SightingEvidence]:
        """The sightings of the first so many photos."""
        return [s for s in self.sightings if isinstance(s.photo, int) and s.photo < photos]


@dataclass(frozen=True, slots=True)
class SessionRates:
    """Shares of the students who are there and of those who are not. ``missed``: there, but neither marked nor
    sent to a person; ``false_marks``: away, but marked present; the other two went to a person."""

    missed: float
    false_marks: float
    present_to_review: float
    absent_to_review: float


def draw_sessions(
    data: Lfw, people: Iterable[str], usable: NDArray[np.bool_], *, seed: int, sessions: int = SESSIONS
) -> list[SessionDraw]:
    """Sessions of people with at least 15 usable pictures; the absent need only as many as templates."""
    rng = np.random.default_rng(seed)
    rows = {person: data.rows_of[person][usable[data.rows_of[person]]] for person in sorted(people)}
    often = [person for person, own in rows.items() if len(own) >= TEMPLATES + max(PHOTOS)]
    drawn = []
    for _ in range(sessions):
        chosen = [often[i] for i in rng.choice(len(often), PRESENT + VISITORS, replace=False)]
        away = [p for p, own in rows.items() if len(own) > TEMPLATES and p not in set(chosen)]
        absent = [away[i] for i in rng.choice(len(away), ABSENT, replace=False)]
        pictures = [rng.permutation(rows[person]) for person in chosen]
        templates = [own[:TEMPLATES] for own in pictures[:PRESENT]]
        templates += [rng.permutation(rows[person])[:TEMPLATES] for person in absent]
        photos = [own[TEMPLATES : TEMPLATES + max(PHOTOS)] for own in pictures]
        drawn.append(SessionDraw(np.array(templates), np.array(photos).T))
    return drawn


def seen(draws: Iterable[SessionDraw], encoded: Encoded, policy: MatchPolicy) -> list[Student]:
    """Every student of every session, with the sightings ``identify`` gives."""
    students = []
    for draw in draws:
        templates = [
            Template(student, encoded.encodings[row].astype(np.float32), float(encoded.quality[row]))
            for student, own in enumerate(draw.templates)
            for row in own
        ]
        gallery = Gallery.build(templates, version=policy.engine_version)
        found: dict[int, list[SightingEvidence]] = defaultdict(list)
        for number, photo in enumerate(draw.photos):
            for answer in identify([_probe(encoded, row) for row in photo], gallery, policy):
                if answer.decision is not Decision.UNKNOWN:
                    best = answer.candidates[0]
                    found[best.subject_id].append(SightingEvidence(number, best.probability or 0.0))
        students += [Student(i < PRESENT, tuple(found[i])) for i in range(len(draw.templates))]
    return students


def correlations(draws: Iterable[SessionDraw], encoded: Encoded, policy: MatchPolicy) -> tuple[float, float]:
    """How alike the scores of one person's photos are: intraclass correlation, 0..1, of the scores of the twelve
    photos of a face against one student's templates, for faces of that student and for faces of others."""
    same, different = [], []
    for draw in draws:
        templates = encoded.encodings[draw.templates]
        means = templates.mean(axis=1)
        scatters = np.square(templates - means[:, None]).sum(axis=2).mean(axis=1)
        counts = np.full(len(means), templates.shape[1])
        probes = encoded.encodings[draw.photos.T.ravel()]
        scores = policy.scores(probes, means, scatters, counts)
        scores = scores.reshape(*draw.photos.T.shape, len(means)).transpose(0, 2, 1)
        own = np.eye(len(scores), len(means), dtype=bool)
        own[PRESENT:] = False
        same.append(scores[own])
        different.append(scores[~own])
    return _intraclass(np.concatenate(same)), _intraclass(np.concatenate(different))


def _intraclass(rows: NDArray[np.float64]) -> float:
    """One-way random effects, single measures (Shrout and Fleiss 1979, case 1) of (pairs, photos)."""
    photos = rows.shape[1]
    between = photos * rows.mean(axis=1).var(ddof=1)
    within = rows.var(axis=1, ddof=1).mean()
    return float(np.clip((between - within) / (between + (photos - 1) * within), 0.0, 1.0))


def rates(students: Sequence[Student], photos: int, policy: EvidencePolicy) -> SessionRates:
    """What the first ``photos`` photos of the sessions make of the students."""
    decisions = [(s.is_there, presence(s.first(photos), policy).decision) for s in students]
    there = [decision for is_there, decision in decisions if is_there]
    away = [decision for is_there, decision in decisions if not is_there]
    return SessionRates(
        there.count("not_seen") / len(there),
        away.count("present") / len(away),
        there.count("review") / len(there),
        away.count("review") / len(away),
    )


def _probe(encoded: Encoded, row: int) -> Probe:
    return Probe(
        encoded.encodings[row].astype(np.float32),
        float(encoded.quality[row]),
        float(encoded.face_pixels[row]),
    )
