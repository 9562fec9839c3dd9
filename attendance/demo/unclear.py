"""How unclear a face must be for the present engine to leave it to a person: tried out, as engines differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from django.conf import settings

from attendance import photos, pipeline
from attendance.demo.compose import Composed
from attendance.demo.lesson import Part, Plan
from attendance.demo.people import Box
from attendance.engines import current_engine
from attendance.models import ClassSession
from recognition import evidence
from recognition.identification import Candidate, Decision
from recognition.policy import MatchPolicy

STEPS = (0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.1, 0.05)
"""Strengths in the order they are tried: a face a person can still know comes first."""


def strength_for(
    session: ClassSession, plan: Plan, ids: Mapping[int, int], photo: Callable[[int, float], Composed]
) -> float:
    """The first strength at which every student with unclear faces is left to a person, else the best of them."""
    parts = [part for part in plan.parts if part.unclear and part.enrolled]
    best = (-1, STEPS[0])
    for strength in STEPS if parts else ():
        good = sum(
            _is_left_to_a_person(session, plan, part, ids[id(part)], photo, strength) for part in parts
        )
        best = max(best, (good, strength), key=lambda pair: pair[0])
        if good == len(parts):
            break
    return best[1]


def _is_left_to_a_person(
    session: ClassSession,
    plan: Plan,
    part: Part,
    student: int,
    photo: Callable[[int, float], Composed],
    strength: float,
) -> bool:
    """Each face of the student is uncertain, and together they are neither proof nor nothing."""
    found = []
    for number in sorted(part.unclear):
        there = [each for each in plan.parts if number in each.photos]
        composed = photo(number, strength)
        candidate = _uncertain(session, composed, composed.faces[there.index(part)])
        if candidate is None or candidate.subject_id != student:
            return False
        found.append(candidate)
    return _weigh(found) == "review"


def _uncertain(session: ClassSession, composed: Composed, where: Box | None) -> Candidate | None:
    """Who the face there is most likely to be, if recognition leaves it to a person."""
    assert where is not None
    # Cleaned as intake will clean it: a face near a threshold must be tried in the very pixels the worker sees.
    cleaned = photos.clean(
        composed.jpeg, max_bytes=settings.ROLLCALL_MAX_UPLOAD_BYTES, max_pixels=settings.ROLLCALL_MAX_PIXELS
    )
    faces = current_engine().analyse(photos.load_upright(cleaned.jpeg))
    answers, _version = pipeline.identify_faces(session, faces)
    left, top, right, bottom = where
    for face, answer in zip(faces, answers, strict=True):
        box = face.detection.box
        x, y = box.left + box.width / 2, box.top + box.height / 2
        if left < x < right and top < y < bottom:
            return answer.candidates[0] if answer.decision == Decision.UNCERTAIN else None
    return None


def _weigh(candidates: Sequence[Candidate]) -> str:
    """What the roll makes of these sightings together; without calibrated probabilities, a person is asked."""
    sightings = [
        evidence.SightingEvidence(number, candidate.probability)
        for number, candidate in enumerate(candidates)
        if candidate.probability is not None
    ]
    if len(sightings) < len(candidates):
        return "review"
    return evidence.presence(sightings, MatchPolicy.default_for(current_engine().version)).decision
