"""How unclear a face must be for the present engine to leave it to a person: tried out, as engines differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attendance import photos, pipeline
from attendance.demo.check import TrueFace
from attendance.demo.compose import Composed
from attendance.demo.lesson import Plan
from attendance.engines import current_engine
from attendance.models import ClassSession
from recognition.identification import Decision

STEPS = (0.15, 0.25, 0.35, 0.45, 0.6, 0.75, 0.9, 0.05)


def strength_for(
    session: ClassSession, plan: Plan, ids: Mapping[int, int], photo: Callable[[int, float], Composed]
) -> float:
    """The first strength at which every unclear face of the plan is to check, else the one with most of them."""
    wanted = [(number, part) for part in plan.parts for number in sorted(part.unclear) if part.enrolled]
    if not wanted:
        return 0.0
    best = (-1, STEPS[0])
    for strength in STEPS:
        good = 0
        for number, part in wanted:
            composed = photo(number, strength)
            parts = [each for each in plan.parts if number in each.photos]
            box = composed.faces[parts.index(part)]
            good += _is_left_to_a_person(session, composed, TrueFace(ids[id(part)], box))
        best = max(best, (good, strength), key=lambda pair: pair[0])
        if good == len(wanted):
            break
    return best[1]


def _is_left_to_a_person(session: ClassSession, composed: Composed, truth: TrueFace) -> bool:
    assert truth.box is not None
    faces = current_engine().analyse(photos.load_upright(composed.jpeg))
    answers, _version = pipeline.identify_faces(session, faces)
    left, top, right, bottom = truth.box
    for face, answer in zip(faces, answers, strict=True):
        box = face.detection.box
        x, y = box.left + box.width / 2, box.top + box.height / 2
        if left < x < right and top < y < bottom:
            return answer.decision == Decision.UNCERTAIN and pipeline.named_student(answer) == truth.student
    return False
