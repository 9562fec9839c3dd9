"""What is learned of a course and of the site, ready to be shown; the one place pages and API ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from attendance import figures, policies
from attendance.figures import Reading
from attendance.learned import counting, reading
from attendance.learned.cameras import CameraFaces
from attendance.learned.counting import Counted, CountedCourse
from attendance.learned.replay import Suggestion
from attendance.models import Camera, ClassSession, Course, PolicyOverride
from recognition.policy import MatchPolicy


@dataclass(frozen=True, slots=True)
class Learned:
    """What corrections say about recognition in some lessons. ``counted`` None: not worked out yet."""

    counted: Counted | None
    figures: Reading[Any]
    """As of when, and whether a worker is at it."""
    cameras: list[tuple[Camera, CameraFaces]]


@dataclass(frozen=True, slots=True)
class LearnedCourse:
    """As ``Learned``, with what follows for the course's strictness."""

    learned: Learned
    about: CountedCourse | None
    engine_version: str
    override: PolicyOverride | None
    history: list[PolicyOverride]
    step: float
    """One decade of the false match rate, in score."""

    @property
    def shift(self) -> float:
        """What holds for the course."""
        return self.override.shift if self.override else 0.0

    @property
    def compared(self) -> bool:
        """Whether the figures are about this engine and the strictness that holds now."""
        about = self.about
        return (
            about is not None
            and about.counted.engine_version == self.engine_version
            and abs(about.current - self.shift) < 1e-9
        )

    @property
    def suggestion(self) -> Suggestion | None:
        return self.about.suggestion if self.about and self.compared else None

    def decades(self, shift: float) -> float:
        return shift / self.step if self.step else 0.0


def of_site() -> Learned:
    """The site's latest lessons together, and every camera."""
    found = figures.read(counting.OF_SITE)
    cameras = Camera.objects.filter(revoked_at__isnull=True).select_related("room")
    return Learned(found.found, found, reading.cameras(list(cameras)))


def of_course(course: Course) -> LearnedCourse:
    """A course's latest lessons, the cameras of its rooms, and the strictness that would have done better."""
    found = figures.read(counting.OF_COURSE, course.pk)
    version = reading.engine_of(course.pk)
    rooms = ClassSession.objects.filter(course=course).values("room")
    cameras = Camera.objects.filter(revoked_at__isnull=True, room__in=rooms).select_related("room")
    about = found.found
    return LearnedCourse(
        Learned(about.counted if about else None, found, reading.cameras(list(cameras))),
        about,
        version,
        policies.standing(course.pk, version),
        list(course.policy_overrides.select_related("by", "undone_by")[:10]),
        MatchPolicy.default_for(version).step_per_decade,
    )


def suggested_now(course: Course) -> tuple[str, Suggestion | None]:
    """The engine, and the suggestion as everything said so far has it, however long that takes."""
    about = figures.count_now(counting.OF_COURSE, course.pk)
    return about.counted.engine_version, about.suggestion


def strictness_changed(course: Course) -> None:
    """Another strictness holds: what was counted compares with the one before."""
    figures.outdated(counting.OF_COURSE, course.pk)


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
