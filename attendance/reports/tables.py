"""Facts -> rows. Pure: what a report says does not depend on the format it is written in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

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


@dataclass(frozen=True, slots=True)
class Credit:
    """How much of a lesson counts as attended, in per cent (0 to 100), where a student was late or left early."""

    late: int = 100
    left_early: int = 100


FULL = Credit()


@dataclass(frozen=True, slots=True)
class Tally:
    """How often each mark stands; what waits for a person is counted in ``to_check`` and nowhere else."""

    present: int = 0
    late: int = 0
    left_early: int = 0
    excused: int = 0
    absent: int = 0
    not_evaluated: int = 0
    to_check: int = 0
    docked: int = 0
    """Hundredths of lessons that the school's rule takes off the rate for lateness and leaving early."""

    @property
    def total(self) -> int:
        return self.counted + self.excused + self.not_evaluated + self.to_check

    @property
    def attended(self) -> int:
        return self.present + self.late + self.left_early

    @property
    def counted(self) -> int:
        return self.attended + self.absent

    @property
    def rate(self) -> float | None:
        """Share of counted lessons attended, less what is docked, 0 to 1; None where no lesson counts."""
        return (self.attended * 100 - self.docked) / (self.counted * 100) if self.counted else None

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            *(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)),
        )


TALLIED = tuple(field.name for field in fields(Tally) if field.name != "docked")


def effective(status: str, to_check: bool) -> str:
    """What a mark counts as: its status once it is settled, ``to_check`` before."""
    return "to_check" if to_check else status


def tally(statuses: Iterable[str], credit: Credit = FULL) -> Tally:
    """Count effective statuses; blanks (no mark) count nowhere. Raises ``KeyError`` for an unknown one."""
    numbers = dict.fromkeys(TALLIED, 0)
    for status in statuses:
        if status:
            numbers[status] += 1
    return tally_of(numbers, credit)


def tally_of(numbers: Mapping[str, int], credit: Credit = FULL) -> Tally:
    """A tally from numbers the database counted, by status."""
    late, early = numbers.get("late", 0), numbers.get("left_early", 0)
    return Tally(**numbers, docked=late * (100 - credit.late) + early * (100 - credit.left_early))


def roll_rows(marks: Iterable[MarkFact]) -> list[MarkFact]:
    """In the order of class lists: by name, then by number."""
    return sorted(marks, key=lambda mark: (mark.sort_name.casefold(), mark.student_number))


def count(marks: Iterable[MarkFact]) -> RollCounts:
    numbers = tally(effective(mark.status, mark.to_check) for mark in marks)
    return RollCounts(
        total=numbers.total,
        attended=numbers.attended,
        absent=numbers.absent,
        excused=numbers.excused,
        not_evaluated=numbers.not_evaluated,
        to_check=numbers.to_check,
    )


def attendance_rate(statuses: Iterable[str], credit: Credit = FULL) -> float | None:
    """Share of counted lessons attended, 0 to 1; None where no lesson counts."""
    return tally(statuses, credit).rate


def trend(values: Iterable[float | None]) -> tuple[float, float] | None:
    """First and last point of the least-squares line through values at equal steps; gaps keep their place.

    None with fewer than three values: two points are no trend.
    """
    listed = list(values)
    known = [(float(at), value) for at, value in enumerate(listed) if value is not None]
    if len(known) < 3:
        return None
    mean_x = sum(x for x, _ in known) / len(known)
    mean_y = sum(y for _, y in known) / len(known)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in known) / sum((x - mean_x) ** 2 for x, _ in known)
    return mean_y - slope * mean_x, mean_y + slope * (len(listed) - 1 - mean_x)


def absences_in_a_row(statuses: Iterable[str]) -> tuple[int, int]:
    """(the run at the end, the longest run). What does not count neither breaks a run nor adds to it."""
    run = longest = 0
    for status in statuses:
        if status == "absent":
            run += 1
            longest = max(longest, run)
        elif status in ATTENDED:
            run = 0
    return run, longest


def absences_among_last(statuses: Iterable[str], lessons: int) -> int:
    """How many of the last ``lessons`` that count were missed; what does not count takes no place among them."""
    counted = [status for status in statuses if status in COUNTED]
    return counted[-lessons:].count("absent") if lessons > 0 else 0
