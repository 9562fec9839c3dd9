"""Of the made-up school: lessons, their marks, what people changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from attendance.models import ClassSession, Contest, Mark, MarkChange
from benchmarks.load.rows import write
from benchmarks.load.seed import ROSTER, Size, scatter
from benchmarks.load.seed_people import roster_of, teacher_of

MINUTES = 50
STILL_TO_CHECK = 10
"""Days until somebody has looked at what the camera was not sure of."""
Lesson = tuple[int, int, dt.datetime, str]
"""Its id, its course from 0, when it began, its state."""


@lru_cache(maxsize=1)
def lessons(size: Size, now: dt.datetime) -> list[Lesson]:
    """Two a week for each course, the last ones today; a third of those are open now."""
    found = []
    for course in range(size.courses):
        for number in range(size.lessons + 1):
            back = round((size.lessons - 1 - number) * 3.5) + course * 3 % 7 // 2
            starts = now - dt.timedelta(days=back, minutes=30, hours=course % 6)
            is_open = back == 0 and course % 3 == 0
            state = "planned" if number == size.lessons else "open" if is_open else "closed"
            starts += dt.timedelta(days=4) if state == "planned" and back >= 0 else dt.timedelta()
            found.append((len(found) + 1, course, starts, state))
    return found


def sessions(size: Size, now: dt.datetime) -> None:
    def rows() -> Iterator[Sequence[Any]]:
        for pk, course, starts, state in lessons(size, now):
            ends = starts + dt.timedelta(minutes=MINUTES)
            closed = max(ends, now) if state == "closed" and ends > now else ends
            yield (
                pk, course + 1, course % size.rooms + 1, starts, ends, state, None if state == "planned" else starts,
                closed if state == "closed" else None,
            )  # fmt: skip

    names = ("id", "course", "room", "starts_at", "ends_at", "state", "opened_at", "closed_at")
    write(ClassSession, names, rows())


def is_unsure(lesson: int, place: int) -> bool:
    """Whether the camera was not sure of this student in this lesson."""
    return scatter(lesson * ROSTER + place) >= 980


def status_of(lesson: int, place: int) -> str:
    chance = scatter(lesson * ROSTER + place)
    limits = ((30, "absent"), (45, "late"), (50, "left_early"), (65, "excused"), (68, "not_evaluated"))
    return next((status for limit, status in limits if chance < limit), "present")


def mark_id(lesson: int, place: int) -> int:
    return (lesson - 1) * ROSTER + place + 1


def marks(size: Size, now: dt.datetime) -> None:
    def rows() -> Iterator[Sequence[Any]]:
        for pk, course, starts, state in lessons(size, now):
            if state == "planned":
                continue
            people, teacher = roster_of(course, size), teacher_of(course, size)
            fresh = now - starts < dt.timedelta(days=STILL_TO_CHECK)
            first, last = starts + dt.timedelta(minutes=2), starts + dt.timedelta(minutes=26)
            for place, student in enumerate(people):
                unsure, status = is_unsure(pk, place), status_of(pk, place)
                by_hand = (unsure and not fresh) or 70 <= scatter(pk * ROSTER + place) < 80
                here = status in ("present", "late", "left_early")
                seen = (first, last, 2) if here else (None, None, 0)
                said = "absent" if status == "excused" else status
                yield (
                    mark_id(pk, place), pk, student, status, "manual" if by_hand else "recognised",
                    teacher if by_hand else None, starts, said, *seen, unsure and fresh,
                    14 if status == "late" else None,
                )  # fmt: skip

    names = (
        "id", "session", "student", "status", "source", "decided_by", "decided_at", "machine_status", "first_seen_at",
        "last_seen_at", "seen_in", "to_check", "minutes_late",
    )  # fmt: skip
    write(Mark, names, rows())


def words(size: Size, now: dt.datetime) -> None:
    """What teachers changed by hand, and what students objected to."""

    def changes() -> Iterator[Sequence[Any]]:
        for pk, course, starts, state in lessons(size, now):
            if state != "planned":
                for place in range(ROSTER):
                    if 70 <= scatter(pk * ROSTER + place) < 80:
                        yield (
                            mark_id(pk, place), teacher_of(course, size), starts, "absent", "recognised", "present",
                            "manual",
                        )  # fmt: skip

    def contests() -> Iterator[Sequence[Any]]:
        for pk, course, starts, state in lessons(size, now):
            if state == "closed" and scatter(pk) < 20:
                is_open = now - starts < dt.timedelta(days=3)
                by = (None, None) if is_open else (teacher_of(course, size), starts)
                yield (
                    pk,
                    roster_of(course, size)[7],
                    "was_there",
                    starts,
                    "open" if is_open else "declined",
                    *by,
                )

    write(MarkChange, ("mark", "by", "at", "old_status", "old_source", "new_status", "new_source"), changes())
    write(Contest, ("session", "student", "kind", "at", "state", "settled_by", "settled_at"), contests())


STEPS = (sessions, marks, words)
