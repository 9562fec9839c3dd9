"""Who is in a photo: open-set identification against a gallery, one photo at a time. Pure.

Every face gets a score against every person of the gallery. One person can be at most one face of a photo,
so the faces of a photo are matched to people at once, "nobody" being allowed (``linear_sum_assignment``).
A name is given only where the score reaches the policy's threshold for a gallery of that size, no other
person comes near, and no other face of the photo claims the same person about as well. The rest goes to a
person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recognition.errors import RecognitionError
from recognition.gallery import FloatArray, Gallery, checked_encoding
from recognition.policy import MatchPolicy

__all__ = [
    "Candidate",
    "Decision",
    "Identification",
    "MatchPolicy",
    "Probe",
    "VersionMismatchError",
    "duplicates",
    "identify",
]

MAX_CANDIDATES = 5


class VersionMismatchError(RecognitionError, ValueError):
    """The gallery's templates come from another engine version than the one the policy was measured for."""


class Decision(StrEnum):
    RECOGNISED = "recognised"
    UNCERTAIN = "uncertain"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One person a face may be.

    ``distance``: root mean square Euclidean distance to the person's templates. ``score``: grows with
    likeness, comparable between people and photos under one policy. ``probability``: in
    0..1, calibrated for the best candidate of a face: how often one with this score is right (for the others
    it is an upper bound); None where none was fitted.
    """

    subject_id: int
    distance: float
    score: float
    probability: float | None


@dataclass(frozen=True, slots=True)
class Identification:
    """The answer for one face.

    ``subject_id`` is set only when ``decision`` is RECOGNISED; an uncertain face has its suggestions in
    ``candidates`` (best first, at most five, without people rejected for it). ``reason`` is one of: clear,
    close_runner_up, middle_band, too_far, poor_quality, taken_in_photo, empty_gallery, rejected_by_person.
    """

    decision: Decision
    subject_id: int | None
    candidates: tuple[Candidate, ...]
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """What identification needs of a face: ``encoding`` (128,), ``quality`` (overall, 0..1), ``face_pixels``
    (width of the face in the original photo)."""

    encoding: NDArray[np.float32]
    quality: float = 1.0
    face_pixels: float = 150.0


class _Quality(Protocol):
    @property
    def overall(self) -> float: ...
    @property
    def face_pixels(self) -> float: ...


class FaceLike(Protocol):
    """A ``recognition.types.Face``, or anything with its encoding and quality."""

    @property
    def encoding(self) -> NDArray[np.float32]: ...
    @property
    def quality(self) -> _Quality: ...


@dataclass(frozen=True, slots=True, eq=False)
class _Photo:
    """The comparison of one photo: scores (k, n) with -inf where a person was rejected for a face."""

    distances: FloatArray
    scores: FloatArray
    allowed: NDArray[np.bool_]
    poor: NDArray[np.bool_]


def identify(
    faces: Sequence[FaceLike | Probe],
    gallery: Gallery,
    policy: MatchPolicy,
    *,
    rejected: Mapping[int, frozenset[int]] | None = None,
) -> list[Identification]:
    """One answer for each face of one photo, in the order given.

    ``rejected``: for a face's index, the people somebody said it is not. The answer does not depend on the
    order of faces, people or templates. Raises ``VersionMismatchError`` when policy and gallery differ in
    version, ``TemplateError`` for an encoding that is not 128 finite numbers.
    """
    if policy.engine_version != gallery.version:
        raise VersionMismatchError(
            f"policy is for {policy.engine_version!r}, gallery holds {gallery.version!r}"
        )
    if not faces:
        return []
    if len(gallery) == 0:
        return [Identification(Decision.UNKNOWN, None, (), "empty_gallery") for _ in faces]
    photo = _compare(faces, gallery, policy, rejected or {})
    accept, review = policy.thresholds(len(gallery))
    assigned = _assign(photo, review)
    return [
        _decide(row, photo, gallery, policy, accept=accept, review=review, assigned=assigned)
        for row in range(len(faces))
    ]


def duplicates(encoding: NDArray[np.float32], gallery: Gallery, policy: MatchPolicy) -> tuple[Candidate, ...]:
    """Who of the gallery this face would be recognised as, best first: at enrolment, people it may already be
    enrolled as. Leave the student's own templates out of the gallery. Raises as ``identify`` does."""
    (answer,) = identify([Probe(encoding)], gallery, replace(policy, margin=0.0))
    accept, _ = policy.thresholds(max(len(gallery), 1))
    return tuple(candidate for candidate in answer.candidates if candidate.score >= accept)


def _probe(face: FaceLike | Probe) -> Probe:
    if isinstance(face, Probe):
        return face
    return Probe(face.encoding, face.quality.overall, face.quality.face_pixels)


def _compare(
    faces: Sequence[FaceLike | Probe],
    gallery: Gallery,
    policy: MatchPolicy,
    rejected: Mapping[int, frozenset[int]],
) -> _Photo:
    probes = [_probe(face) for face in faces]
    encodings = np.array([checked_encoding(probe.encoding, f"face {i}") for i, probe in enumerate(probes)])
    pixels = np.array([probe.face_pixels for probe in probes], dtype=np.float64)
    distances, scores = policy.compare(encodings, pixels, gallery)
    allowed = np.ones(scores.shape, dtype=bool)
    for row, subject_ids in rejected.items():
        allowed[row, [s in subject_ids for s in gallery.subject_ids]] = False
    poor = np.array([probe.quality < policy.min_quality for probe in probes], dtype=bool)
    return _Photo(distances, scores, allowed, poor)


def _assign(photo: _Photo, review: float) -> dict[int, int]:
    """Face -> column of its person: the largest sum of (score - review), "nobody" being worth 0."""
    # Imported here: it takes half a second, and most programs that read this file see no photo.
    from scipy.optimize import linear_sum_assignment

    gain = np.where(photo.allowed & ~photo.poor[:, None], photo.scores - review, 0.0)
    gain = np.maximum(gain, 0.0)
    rows, columns = linear_sum_assignment(gain, maximize=True)
    return {int(r): int(c) for r, c in zip(rows, columns, strict=True) if gain[r, c] > 0.0}


def _decide(
    row: int,
    photo: _Photo,
    gallery: Gallery,
    policy: MatchPolicy,
    *,
    accept: float,
    review: float,
    assigned: Mapping[int, int],
) -> Identification:
    candidates = _candidates(row, photo, gallery, policy)
    if not candidates or candidates[0].score < review:
        return Identification(Decision.UNKNOWN, None, candidates, _reason_unknown(row, photo, review))
    best = candidates[0]
    column = gallery.subject_ids.index(best.subject_id)
    runner_up = candidates[1].score if len(candidates) > 1 else -np.inf
    if photo.poor[row]:
        reason = "poor_quality"
    elif assigned.get(row) != column or _rival(row, column, photo) > best.score - policy.margin:
        reason = "taken_in_photo"
    elif best.score < accept:
        reason = "middle_band"
    elif runner_up > best.score - policy.margin:
        reason = "close_runner_up"
    else:
        return Identification(Decision.RECOGNISED, best.subject_id, candidates, "clear")
    return Identification(Decision.UNCERTAIN, None, candidates, reason)


def _rival(row: int, column: int, photo: _Photo) -> float:
    """The best score any other usable face of the photo has for the same person."""
    claims = photo.allowed[:, column] & ~photo.poor
    claims[row] = False
    return float(photo.scores[claims, column].max()) if claims.any() else -np.inf


def _reason_unknown(row: int, photo: _Photo, review: float) -> str:
    if (photo.scores[row][~photo.allowed[row]] >= review).any():
        return "rejected_by_person"
    return "poor_quality" if photo.poor[row] else "too_far"


def _candidates(row: int, photo: _Photo, gallery: Gallery, policy: MatchPolicy) -> tuple[Candidate, ...]:
    columns = [c for c in range(len(gallery)) if photo.allowed[row, c]]
    # Ties go by subject id, so that the same photo gives the same list every time.
    columns.sort(key=lambda c: (-photo.scores[row, c], gallery.subject_ids[c]))
    return tuple(
        Candidate(
            gallery.subject_ids[c],
            float(photo.distances[row, c]),
            float(photo.scores[row, c]),
            policy.probability(float(photo.scores[row, c]), len(gallery)),
        )
        for c in columns[:MAX_CANDIDATES]
    )
