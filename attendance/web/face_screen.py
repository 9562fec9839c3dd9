"""What a person needs to settle one face: the crop, the best candidates, and the rest of the roster."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from django.urls import reverse
from django.utils.translation import gettext as _

from attendance.faces import Standing, standing_of
from attendance.models import ClassSession, SecondOpinion, Sighting, Student
from attendance.second import opinion_of
from attendance.web.faces import portrait_urls
from attendance.web.words import FACE_REASONS, in_words

WORTH_SHOWING = 0.02
"""Candidates below this probability are found among the others, unless they are the best two."""


@dataclass(frozen=True, slots=True)
class CandidateView:
    student: Student
    portrait_url: str
    why: str


@dataclass(frozen=True, slots=True)
class FaceScreen:
    id: int
    crop_url: str
    standing: Standing
    student: Student | None
    reason: str
    pixels: int
    candidates: list[CandidateView]
    others: list[Student]
    second: list[str] = field(default_factory=list)
    """What the second model says, in sentences; empty where it was not asked."""


def face_screen(session: ClassSession, sighting: Sighting) -> FaceScreen:
    """The candidates on the session's roll come first, best first; everybody else can be searched."""
    standing = standing_of(sighting, sighting.reviews.all())
    students = {
        mark.student_id: mark.student
        for mark in session.marks.select_related("student").order_by(
            "student__family_name", "student__given_name", "student__number"
        )
    }
    ranked = [
        row
        for place, row in enumerate(sighting.candidates.all()[:5])
        if row.student_id in students
        and (place < 2 or row.probability is None or row.probability >= WORTH_SHOWING)
    ]
    opinion = opinion_of(sighting)
    also = _named_by_second_alone(opinion, students.keys() - {row.student_id for row in ranked})
    portraits = portrait_urls([*(row.student_id for row in ranked), *also])
    candidates = [
        CandidateView(
            students[row.student_id],
            portraits.get(row.student_id, ""),
            likeness(row.probability, row.distance),
        )
        for row in ranked
    ]
    candidates += [
        CandidateView(students[pk], portraits.get(pk, ""), _("named by the second model")) for pk in also
    ]
    shown = {candidate.student.pk for candidate in candidates}
    return FaceScreen(
        id=sighting.pk,
        crop_url=reverse("web:face-crop", args=[sighting.pk]) if sighting.chip else "",
        standing=standing.standing,
        student=students.get(standing.student_id) if standing.student_id else None,
        reason=in_words(FACE_REASONS, sighting.reason),
        pixels=round(max(sighting.width, sighting.height)),
        candidates=candidates,
        others=[student for pk, student in students.items() if pk not in shown],
        second=second_words(opinion, students),
    )


def _named_by_second_alone(opinion: SecondOpinion | None, others: Collection[int]) -> list[int]:
    """The student only the second model names: to be offered beside recognition's candidates."""
    if opinion is None or opinion.decision != Sighting.Decision.RECOGNISED:
        return []
    named = opinion.student_id
    return [named] if named is not None and named in others else []


def second_words(opinion: SecondOpinion | None, students: Mapping[int, Student]) -> list[str]:
    """The second model's answer in sentences a teacher understands; nothing about people not on this roll."""
    student = students.get(opinion.student_id or 0) if opinion else None
    if opinion is None or student is None:
        return []
    known = {"name": student.full_name, "likely": likeness(opinion.probability, opinion.distance or 0.0)}
    if opinion.agreement == SecondOpinion.Agreement.SAME:
        words = [_("The second model names %(name)s as well: %(likely)s.") % known]
        if opinion.confidence is not None:
            together = likeness(opinion.confidence, 0.0)
            words.append(_("Both together: %(likely)s.") % {"likely": together})
        return words
    if opinion.decision == Sighting.Decision.RECOGNISED:
        return [_("The second model names %(name)s: %(likely)s.") % known]
    return [_("The second model is not sure. Nearest to it is %(name)s: %(likely)s.") % known]


def likeness(probability: float | None, distance: float) -> str:
    """A percentage only where it is calibrated; otherwise the distance itself."""
    if probability is not None:
        # Nothing a model says is certain, so it is never written as 0 or 100.
        percent = min(max(round(probability * 100), 1), 99)
        if percent == 1:
            return _("hardly likely")
        return _("%(percent)d %% likely") % {"percent": percent}
    return _("distance %(distance).2f") % {"distance": distance}
