"""What is learned of a course and of the site, ready to be shown; the one place pages and API ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from attendance import policies
from attendance.learned import rates, reading, replay
from attendance.learned.cameras import CameraFaces
from attendance.learned.facts import Session
from attendance.learned.rates import Band, Rates
from attendance.learned.replay import Suggestion
from attendance.models import Camera, ClassSession, Course, PolicyOverride
from recognition.policy import MatchPolicy


@dataclass(frozen=True, slots=True)
class Learned:
    """What corrections say about recognition in some lessons."""

    lessons: int
    engine_version: str
    rates: Rates
    first: list[Band]
    second: list[Band]
    cameras: list[tuple[Camera, CameraFaces]]

    @property
    def second_answered(self) -> bool:
        return any(band.right.trials for band in self.second)


@dataclass(frozen=True, slots=True)
class LearnedCourse:
    """As ``Learned``, with what follows for the course's strictness."""

    learned: Learned
    missing_settled: int
    """Settled faces until a threshold can be suggested."""
    missing_not_them: int
    """Of these, faces that were not their likeliest student."""
    suggestion: Suggestion | None
    override: PolicyOverride | None
    history: list[PolicyOverride]
    step: float
    """One decade of the false match rate, in score."""

    def decades(self, shift: float) -> float:
        return shift / self.step if self.step else 0.0


def of_site() -> Learned:
    """The site's latest lessons together, and every camera."""
    every = ClassSession.objects.all()
    version = reading.engine_of(every)
    cameras = Camera.objects.filter(revoked_at__isnull=True).select_related("room")
    return _learned(reading.lessons(every, version), version, list(cameras))


def of_course(course: Course) -> LearnedCourse:
    """A course's latest lessons, the cameras of its rooms, and the strictness that would have done better."""
    own = ClassSession.objects.filter(course=course)
    version = reading.engine_of(own)
    lessons = reading.lessons(own, version)
    cameras = Camera.objects.filter(revoked_at__isnull=True, room__in=own.values("room"))
    policy = MatchPolicy.default_for(version)
    settled, not_them = replay.missing(lessons)
    override = policies.standing(course, version)
    enough = not settled and not not_them
    current = override.shift if override else 0.0
    return LearnedCourse(
        _learned(lessons, version, list(cameras.select_related("room"))),
        settled,
        not_them,
        replay.suggest(lessons, policy, current) if enough else None,
        override,
        list(course.policy_overrides.select_related("by", "undone_by")[:10]),
        policy.step_per_decade,
    )


def shown(suggestion: Suggestion) -> dict[str, Any]:
    """What an administrator is told, as kept with the decision: numbers only."""
    return {
        "marks_changed": suggestion.marks_changed,
        "reviews_now": suggestion.now.reviews,
        "reviews_then": suggestion.then.reviews,
        "wrong_marks_now": suggestion.now.wrong_marks,
        "wrong_marks_then": suggestion.then.wrong_marks,
        "wrong_names_now": suggestion.now.wrong_names,
        "wrong_names_then": suggestion.then.wrong_names,
    }


def _learned(lessons: Sequence[Session], version: str, cameras: Sequence[Camera]) -> Learned:
    faces = [face for lesson in lessons for face in lesson.faces]
    return Learned(
        len(lessons),
        version,
        rates.measure(lessons, MatchPolicy.default_for(version)),
        rates.bands(faces, rates.first_model),
        rates.bands(faces, rates.second_model),
        reading.cameras(cameras),
    )
