"""Facts -> rows. Pure: what a report says does not depend on the format it is written in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

COUNTED = frozenset({"present", "late", "left_early", "absent"})
"""Statuses that make a lesson count; *excused* and *not evaluated* say nothing about attendance."""
ATTENDED = frozenset({"present", "late", "left_early"})


@dataclass(frozen=True, slots=True)
class MarkFact:
    """One mark as it stands, joined with its student."""

    student_number: str
    sort_name: str
    email: str
    status: str
    source: str
    reason: str
    minutes_late: int | None
    minutes_early: int | None
    first_seen_at: dt.datetime | None
    last_seen_at: dt.datetime | None
    seen_in: int
    note: str
    to_check: bool


@dataclass(frozen=True, slots=True)
class RollCounts:
    """Everybody on a roll by status; ``to_check`` lines are counted there and nowhere else."""

    total: int
    attended: int
    absent: int
    excused: int
    not_evaluated: int
    to_check: int


def roll_rows(marks: Iterable[MarkFact]) -> list[MarkFact]:
    """In the order of class lists: by name, then by number."""
    return sorted(marks, key=lambda mark: (mark.sort_name.casefold(), mark.student_number))


def count(marks: Iterable[MarkFact]) -> RollCounts:
    marks = list(marks)
    settled = [mark.status for mark in marks if not mark.to_check]
    return RollCounts(
        total=len(marks),
        attended=sum(status in ATTENDED for status in settled),
        absent=settled.count("absent"),
        excused=settled.count("excused"),
        not_evaluated=settled.count("not_evaluated"),
        to_check=sum(mark.to_check for mark in marks),
    )


def attendance_rate(statuses: Iterable[str]) -> float | None:
    """Share of counted lessons attended, 0 to 1; None where no lesson counts."""
    counted = [status for status in statuses if status in COUNTED]
    return sum(status in ATTENDED for status in counted) / len(counted) if counted else None
