"""What goes through very many faces of a course or of the site: counted at once where they are few, else kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Count, Max
from django.utils import timezone

from attendance import policies
from attendance.figures import Kind
from attendance.learned import rates, reading, replay
from attendance.learned.facts import Session
from attendance.learned.rates import Band, Rates, Share
from attendance.learned.replay import Outcome, Suggestion
from attendance.models import ClassSession, MarkChange, Review
from recognition.policy import MatchPolicy

FEW_FACES = 1000
"""Faces that are gone through while a page waits; more are gone through by a worker."""


@dataclass(frozen=True, slots=True)
class Counted:
    """How often recognition was right in some lessons."""

    lessons: int
    engine_version: str
    rates: Rates
    first: list[Band]
    second: list[Band]


@dataclass(frozen=True, slots=True)
class CountedCourse:
    """As ``Counted``, with the strictness that would have done better than ``current``."""

    counted: Counted
    current: float
    missing_settled: int
    missing_not_them: int
    suggestion: Suggestion | None


def of_site(_course_id: int | None = None) -> Counted:
    """The site's latest lessons together."""
    version = reading.engine_of(None)
    return _count(reading.lessons(reading.latest(None), version), version)


def of_course(course_id: int | None) -> CountedCourse:
    """A course's latest lessons, and what another strictness would have made of them."""
    version = reading.engine_of(course_id)
    lessons = reading.lessons(reading.latest(course_id), version)
    override = policies.standing(course_id, version)
    current = override.shift if override else 0.0
    settled, not_them = replay.missing(lessons)
    enough = not settled and not not_them
    found = replay.suggest(lessons, MatchPolicy.default_for(version), current) if enough else None
    return CountedCourse(_count(lessons, version), current, settled, not_them, found)


def _count(lessons: Sequence[Session], version: str) -> Counted:
    faces = [face for lesson in lessons for face in lesson.faces]
    return Counted(
        len(lessons),
        version,
        rates.measure(lessons, MatchPolicy.default_for(version)),
        rates.bands(faces, rates.first_model),
        rates.bands(faces, rates.second_model),
    )


def _few(course_id: int | None) -> bool:
    return reading.faces_in(reading.latest(course_id)) <= FEW_FACES


def _counted_from(course_id: int | None) -> str:
    """Another text once a lesson closed, a person said or took back something, or a day has passed."""
    closed = ClassSession.objects.filter(state=ClassSession.State.CLOSED)
    said, by_hand = Review.objects.order_by(), MarkChange.objects.order_by()
    if course_id is not None:
        closed = closed.filter(course=course_id)
        said = said.filter(sighting__snapshot__session__course=course_id)
        by_hand = by_hand.filter(mark__session__course=course_id)
    version = reading.engine_of(course_id)
    override = None if course_id is None else policies.standing(course_id, version)
    lessons = closed.order_by().aggregate(n=Count("pk"), last=Max("closed_at"))
    words = said.aggregate(last=Max("pk"), undone=Max("undone_at"))
    clues = (
        timezone.now().date(), version, lessons["n"], lessons["last"], words["last"], words["undone"],
        by_hand.aggregate(last=Max("pk"))["last"], override.pk if override else None,
    )  # fmt: skip
    return " ".join(str(clue) for clue in clues)


# --- to JSON and back ---------------------------------------------------------------------------------
def _pack(found: Counted) -> dict[str, Any]:
    return asdict(found)


def _unpack(facts: Mapping[str, Any]) -> Counted:
    shares, numbers = ("false_match", "false_non_match", "wrong_names"), dict(facts["rates"])
    measured = Rates(**numbers | {name: Share(**numbers[name]) for name in shares})
    return Counted(
        facts["lessons"],
        facts["engine_version"],
        measured,
        *([Band(band["low"], band["high"], Share(**band["right"])) for band in facts[name]]
          for name in ("first", "second")),
    )  # fmt: skip


def _unpack_course(facts: Mapping[str, Any]) -> CountedCourse:
    said = facts["suggestion"]
    suggestion = said and Suggestion(
        **said | {"now": Outcome(**said["now"]), "then": Outcome(**said["then"])}
    )
    return CountedCourse(**{**facts, "counted": _unpack(facts["counted"]), "suggestion": suggestion})


OF_SITE: Kind[Counted] = Kind(
    "learned", _few, of_site, _counted_from, _pack, _unpack, for_administrators=True
)
OF_COURSE: Kind[CountedCourse] = Kind(
    "learned-course", _few, of_course, _counted_from, asdict, _unpack_course
)
