"""Who is in which photo of the demo's lesson, and what the roll must say afterwards. Pure."""

from __future__ import annotations

import datetime as dt
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from attendance.demo.errors import FolderRefused
from attendance.demo.people import Cast, Person
from attendance.rollcall import Status

LENGTH = dt.timedelta(minutes=50)
LATE_AFTER = EARLY_BEFORE = 10
"""Minutes, as a new session's policy has them."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one person does in the lesson."""

    person: Person
    enrolled: bool
    seat: int
    photos: frozenset[int] = frozenset()
    """Numbers of the photos the person is in."""
    unclear: frozenset[int] = frozenset()
    """Those in which the face must be left to a person."""
    expected: str = ""
    """The mark the roll must show; blank for strangers."""
    to_check: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    parts: tuple[Part, ...]
    minutes: tuple[int, ...]
    """When each photo is taken, after the lesson's start."""
    seats: int
    seed: int
    bowed: tuple[int, ...] = field(default=())
    """Seats of students without photos, who are seen from above only."""

    @property
    def students(self) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if part.enrolled)


def built_in(cast: Cast, seed: int) -> Plan:
    """Seven photos; one student of each kind, one visitor, and two faces for a person to settle."""
    minutes = (3, 9, 16, 23, 30, 37, 44)
    everywhere = frozenset(range(len(minutes)))
    return Plan(
        parts=(
            Part(cast.present, True, 8, everywhere, expected=Status.PRESENT),
            Part(cast.late, True, 10, frozenset({2, 3, 4, 5, 6}), expected=Status.LATE),
            Part(cast.left_early, True, 5, frozenset({0, 1, 2, 3, 4}), expected=Status.LEFT_EARLY),
            Part(cast.absent, True, 0, expected=Status.ABSENT),
            Part(
                cast.to_check,
                True,
                2,
                frozenset({1, 6}),
                frozenset({1, 6}),
                Status.NOT_EVALUATED,
                to_check=True,
            ),
            Part(cast.stranger, False, 7, frozenset({3, 4, 5})),
        ),
        minutes=minutes,
        seats=11,
        seed=seed,
        bowed=(1, 4, 9),
    )


def of_folder(people: Sequence[Person], *, students: int, strangers: int, photos: int, seed: int) -> Plan:
    """A lesson of many: about one in ten late, one in ten gone early, one in ten absent, the others there.

    Raises FolderRefused when there are too few people with photos.
    """
    if photos < 1:
        raise FolderRefused("A lesson needs at least one photo.")
    if len(people) < students + strangers or students < 1:
        raise FolderRefused(
            f"The folder has {len(people)} people with enough photos; {students} students and {strangers} "
            "strangers need more."
        )
    rng = random.Random(seed)  # noqa: S311 - the same lesson every time is what is wanted
    chosen = rng.sample(list(people), students + strangers)
    minutes = tuple(round(3 + 41 * i / max(1, photos - 1)) for i in range(photos))
    seats = list(range(students + strangers))
    rng.shuffle(seats)
    roles = _roles(students, minutes)
    parts = [
        Part(person, True, seats[i], photos_of(role, minutes), expected=role)
        for i, (person, role) in enumerate(zip(chosen[:students], roles, strict=True))
    ]
    parts += [
        Part(person, False, seats[students + i], frozenset(range(photos)))
        for i, person in enumerate(chosen[students:])
    ]
    return Plan(tuple(parts), minutes, students + strangers, seed)


def _roles(students: int, minutes: Sequence[int]) -> list[str]:
    special = [role for role in (Status.LATE, Status.LEFT_EARLY) if photos_of(role, minutes)]
    each = math.ceil(students / 12) if students >= 4 else 0
    roles: list[str] = [Status.ABSENT] * each
    for role in special:
        roles += [role] * each
    return roles + [Status.PRESENT] * (students - len(roles))


def photos_of(role: str, minutes: Sequence[int]) -> frozenset[int]:
    """The photos somebody with this mark is in; empty where so few photos cannot show it."""
    count = len(minutes)
    end = int(LENGTH.total_seconds() // 60)
    if role == Status.PRESENT:
        return frozenset(range(count))
    if role == Status.LATE:
        # Late is who two photos missed: one may have missed somebody who bent down.
        seen = frozenset(i for i, minute in enumerate(minutes) if i >= 2 and minute > LATE_AFTER + 2)
        return seen if len(seen) >= 2 else frozenset()
    if role == Status.LEFT_EARLY:
        last = max(
            (i for i, minute in enumerate(minutes) if i <= count - 3 and end - minute > EARLY_BEFORE + 2),
            default=-1,
        )
        return frozenset(range(last + 1)) if last >= 1 else frozenset()
    return frozenset()
