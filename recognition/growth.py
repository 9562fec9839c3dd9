"""Whether a crop of a classroom photo should become one more template of somebody. Pure.

A person has said who the face is. That word alone must not move a gallery: one wrong word would draw in the next
one. So a crop is measured against the portraits made for enrolment, never against crops added since; it may not be
nearer to somebody else; few are added; and one that looks like what is there already adds nothing. The limits were
measured on LFW (docs/learning.md, ``python -m recognition.evaluate growth``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from recognition.gallery import Gallery, Template
from recognition.identification import Probe
from recognition.policy import MatchPolicy

MIN_QUALITY = 0.3
"""Half of LFW's faces that recognition is unsure about are above it."""
NEW_FROM = 0.40
"""Euclidean distance to the nearest template from which a crop adds something: three of four faces that are
recognised anyway are nearer, hardly one of those it is unsure about is."""
MOST_ADDED = 3
"""Crops of classroom photos a person's gallery may hold."""
_OWN = 0


class Verdict(StrEnum):
    """What becomes of a crop; the value is a stable code."""

    ADDS = "adds"
    POOR = "poor"
    NO_PORTRAIT = "no_portrait"
    """Nothing made for enrolment to measure it against."""
    ENOUGH = "enough"
    DRIFTS = "drifts"
    """Too far from the portraits: it may be somebody else after all."""
    LIKE_ANOTHER = "like_another"
    NOTHING_NEW = "nothing_new"


@dataclass(frozen=True, slots=True)
class Growth:
    """``verdict``; ``score`` against the portraits; ``lead`` over the likest other person; ``nearest`` Euclidean
    distance to any template of the person. NaN where there was nothing to compare with."""

    verdict: Verdict
    score: float
    lead: float
    nearest: float


def judge(
    probe: Probe,
    portraits: Sequence[NDArray[np.float32]],
    added: Sequence[NDArray[np.float32]],
    others: Gallery,
    policy: MatchPolicy,
) -> Growth:
    """What adding ``probe`` to a person's templates would do.

    ``portraits``: (128,) encodings of the portraits made for enrolment; ``added``: those of crops added since.
    ``others``: the templates of everybody else who may be in the room, of the policy's engine version. Raises
    ``TemplateError`` for an encoding that is not 128 finite numbers.
    """
    if not portraits:
        return Growth(Verdict.NO_PORTRAIT, np.nan, np.nan, np.nan)
    own = Gallery.build([Template(_OWN, each, 1.0) for each in portraits], version=policy.engine_version)
    score = _score(probe, own, policy)
    lead = score - _score(probe, others, policy) if len(others) else np.inf
    nearest = float(min(np.linalg.norm(probe.encoding - each) for each in (*portraits, *added)))
    verdict = _verdict(probe, score, lead, nearest, len(added), policy, len(others) + 1)
    return Growth(verdict, score, lead, nearest)


def guard_score(policy: MatchPolicy, gallery_size: int) -> float:
    """The score against the portraits that a crop must reach: midway between "a person is asked" and "named"."""
    accept, review = policy.thresholds(gallery_size)
    return (accept + review) / 2


def _verdict(
    probe: Probe,
    score: float,
    lead: float,
    nearest: float,
    added: int,
    policy: MatchPolicy,
    gallery_size: int,
) -> Verdict:
    if probe.quality < MIN_QUALITY:
        return Verdict.POOR
    if added >= MOST_ADDED:
        return Verdict.ENOUGH
    if lead < policy.margin:
        return Verdict.LIKE_ANOTHER
    if score < guard_score(policy, gallery_size):
        return Verdict.DRIFTS
    if nearest < NEW_FROM:
        return Verdict.NOTHING_NEW
    return Verdict.ADDS


def _score(probe: Probe, gallery: Gallery, policy: MatchPolicy) -> float:
    """The best score anybody of the gallery has."""
    encodings = np.asarray(probe.encoding, dtype=np.float64)[None, :]
    _distances, scores = policy.compare(encodings, np.array([probe.face_pixels]), gallery)
    return float(scores.max())
