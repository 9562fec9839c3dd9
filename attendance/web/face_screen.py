"""What a person needs to settle one face: the crop, the best candidates, and the rest of the roster."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from attendance.faces import Standing, standing_of
from attendance.models import ClassSession, Sighting, Student
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
    portraits = portrait_urls(row.student_id for row in ranked)
    candidates = [
        CandidateView(
            students[row.student_id],
            portraits.get(row.student_id, ""),
            _likeness(row.probability, row.distance),
        )
        for row in ranked
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
    )


def _likeness(probability: float | None, distance: float) -> str:
    """A percentage only where it is calibrated; otherwise the distance itself."""
    if probability is not None:
        # Nothing a model says is certain, so it is never written as 0 or 100.
        percent = min(max(round(probability * 100), 1), 99)
        if percent == 1:
            return _("hardly likely")
        return _("%(percent)d %% likely") % {"percent": percent}
    return _("distance %(distance).2f") % {"distance": distance}
