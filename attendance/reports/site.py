"""The site in numbers: what came through in each hour, and how each course stands. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

HOURS = 24


@dataclass(frozen=True, slots=True)
class Hour:
    """Photos looked at in one hour: how many, the faces found in them, and the seconds they took together."""

    starts_at: dt.datetime
    photos: int = 0
    faces: int = 0
    seconds: float = 0.0

    @property
    def seconds_a_photo(self) -> float | None:
        return self.seconds / self.photos if self.photos else None


@dataclass(frozen=True, slots=True)
class Need:
    """What puts a course of the present terms before others. ``to_check``: marks of the last days that wait for a
    person."""

    id: int
    name: str
    code: str
    open_session: int | None
    to_check: int


@dataclass(frozen=True, slots=True)
class CourseLine:
    """One course of the present terms. ``enrolled``: students with a template; ``to_check``: marks of the last days
    that wait for a person."""

    id: int
    name: str
    code: str
    students: int
    enrolled: int
    open_session: int | None
    to_check: int
    last_photo_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class SiteNumbers:
    hours: tuple[Hour, ...]
    """The last 24 hours, the present one last, none left out."""
    courses: tuple[CourseLine, ...]
    """The first of them by need; ``all_courses`` says how many there are."""
    all_courses: int
    open_sessions: int
    to_check: int

    @property
    def photos(self) -> int:
        return sum(hour.photos for hour in self.hours)

    @property
    def faces(self) -> int:
        return sum(hour.faces for hour in self.hours)

    @property
    def seconds_a_photo(self) -> float | None:
        return sum(hour.seconds for hour in self.hours) / self.photos if self.photos else None


def last_hours(now: dt.datetime, counted: Iterable[Hour]) -> tuple[Hour, ...]:
    """The last 24 hours up to ``now``, each as counted or with nothing; what is older or yet to come is left out.

    Hours begin where the clock of ``now`` says so, also in zones half an hour off.
    """
    known = {hour.starts_at: hour for hour in counted}
    present = now.replace(minute=0, second=0, microsecond=0)
    starts = [present - dt.timedelta(hours=back) for back in range(HOURS - 1, -1, -1)]
    return tuple(known.get(start, Hour(start)) for start in starts)


def by_need(courses: Iterable[Need]) -> tuple[Need, ...]:
    """Courses in session first, then those with the most to check, then by name."""
    return tuple(
        sorted(
            courses, key=lambda one: (one.open_session is None, -one.to_check, one.name.casefold(), one.id)
        )
    )
