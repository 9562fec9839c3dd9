"""A course's students and sessions as one table, and what follows from it. Pure: facts in, numbers out."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

from attendance.reports.tables import (
    FULL,
    Credit,
    Tally,
    absences_among_last,
    absences_in_a_row,
    effective,
    tally,
)


@dataclass(frozen=True, slots=True)
class StudentFact:
    id: int
    number: str
    sort_name: str
    email: str


@dataclass(frozen=True, slots=True)
class SessionFact:
    """One lesson; ``starts_at`` and ``ends_at`` on the school's clock (aware)."""

    id: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    state: str
    room: str = ""
    cancelled: bool = False
    """Counts nowhere; shown struck through."""
    cancel_reason: str = ""


@dataclass(frozen=True, slots=True)
class CellFact:
    """One mark of one student in one session."""

    session_id: int
    student_id: int
    status: str
    to_check: bool = False
    minutes_late: int | None = None
    minutes_early: int | None = None
    source: str = ""
    first_seen_at: dt.datetime | None = None

    @property
    def effective(self) -> str:
        return effective(self.status, self.to_check)


@dataclass(frozen=True, slots=True)
class CourseFacts:
    """What a course report is made of. ``students`` are those on the roster and everybody with a mark."""

    id: int
    code: str
    name: str
    term: str
    students: Sequence[StudentFact]
    sessions: Sequence[SessionFact]
    cells: Sequence[CellFact]


@dataclass(frozen=True, slots=True)
class Rule:
    """When a student is at risk: this many absences in a row up to now, a rate below ``least_rate``, or
    ``window_absences`` among the last ``window_lessons`` that count. 0 switches a part off.

    The rate says nothing before ``from_lessons`` lessons count. ``credit`` is what lateness leaves of a lesson.
    """

    in_a_row: int = 3
    least_rate: float = 0.8
    from_lessons: int = 3
    window_absences: int = 0
    window_lessons: int = 10
    credit: Credit = FULL


@dataclass(frozen=True, slots=True)
class Standing:
    """One student's numbers, and whether the rule holds for them."""

    tally: Tally
    in_a_row: int
    longest_in_a_row: int
    in_window: int
    by_run: bool
    by_rate: bool
    by_window: bool

    @property
    def at_risk(self) -> bool:
        return self.by_run or self.by_rate or self.by_window


def standing(statuses: Sequence[str], rule: Rule) -> Standing:
    """The rule laid on effective statuses in the order of time; blanks (no mark) count nowhere."""
    numbers = tally(statuses, rule.credit)
    run, longest = absences_in_a_row(statuses)
    missed = absences_among_last(statuses, rule.window_lessons)
    rate = numbers.rate
    return Standing(
        numbers,
        run,
        longest,
        missed,
        by_run=0 < rule.in_a_row <= run,
        by_rate=rate is not None and numbers.counted >= rule.from_lessons and rate < rule.least_rate,
        by_window=0 < rule.window_absences <= missed,
    )


@dataclass(frozen=True, slots=True)
class StudentLine:
    student: StudentFact
    cells: tuple[CellFact | None, ...]
    """One for each column; None where the student had no mark."""
    tally: Tally
    in_a_row: int
    longest_in_a_row: int
    by_run: bool
    by_rate: bool
    in_window: int = 0
    by_window: bool = False

    @property
    def at_risk(self) -> bool:
        return self.by_run or self.by_rate or self.by_window


@dataclass(frozen=True, slots=True)
class SessionColumn:
    session: SessionFact
    tally: Tally

    @property
    def not_evaluated(self) -> bool:
        """The camera saw too little to say anything about anybody, and nobody marked by hand."""
        return self.tally.total > 0 and self.tally.total == self.tally.not_evaluated + self.tally.to_check


@dataclass(frozen=True, slots=True)
class Matrix:
    """Closed and cancelled sessions in the order of time, students in the order of class lists.

    A cancelled session has its column and no cells.
    """

    course: CourseFacts
    rule: Rule
    columns: tuple[SessionColumn, ...]
    lines: tuple[StudentLine, ...]
    total: Tally

    @property
    def at_risk(self) -> list[StudentLine]:
        """The longest runs first, then the lowest rates."""
        lines = [line for line in self.lines if line.at_risk]
        return sorted(
            lines, key=lambda line: (-line.in_a_row, line.tally.rate or 0.0, line.student.sort_name)
        )


def build(facts: CourseFacts, rule: Rule | None = None) -> Matrix:
    """The matrix of a course's sessions. A lesson before enrolment has no mark and counts for nothing."""
    rule = rule or Rule()
    sessions = sorted(
        (one for one in facts.sessions if one.state == "closed" or one.cancelled),
        key=lambda one: (one.starts_at, one.id),
    )
    place = {one.id: index for index, one in enumerate(sessions) if not one.cancelled}
    rows: dict[int, list[CellFact | None]] = {one.id: [None] * len(sessions) for one in facts.students}
    for cell in facts.cells:
        if cell.session_id in place and cell.student_id in rows:
            rows[cell.student_id][place[cell.session_id]] = cell
    students = sorted(facts.students, key=lambda one: (one.sort_name.casefold(), one.number))
    lines = tuple(_line(one, rows[one.id], rule) for one in students)
    columns = tuple(
        _column(one, [line.cells[index] for line in lines], rule) for index, one in enumerate(sessions)
    )
    return Matrix(facts, rule, columns, lines, reduce(add, (line.tally for line in lines), Tally()))


def _line(student: StudentFact, cells: Sequence[CellFact | None], rule: Rule) -> StudentLine:
    found = standing([cell.effective if cell else "" for cell in cells], rule)
    return StudentLine(
        student,
        tuple(cells),
        found.tally,
        found.in_a_row,
        found.longest_in_a_row,
        by_run=found.by_run,
        by_rate=found.by_rate,
        in_window=found.in_window,
        by_window=found.by_window,
    )


def _column(session: SessionFact, cells: Sequence[CellFact | None], rule: Rule) -> SessionColumn:
    return SessionColumn(session, tally((cell.effective for cell in cells if cell), rule.credit))


def usual_lateness(matrix: Matrix) -> float | None:
    """Mean minutes of those who came late and were timed; None where nobody was."""
    minutes = [
        cell.minutes_late
        for line in matrix.lines
        for cell in line.cells
        if cell and cell.effective == "late" and cell.minutes_late is not None
    ]
    return sum(minutes) / len(minutes) if minutes else None


@dataclass(frozen=True, slots=True)
class Missing:
    """A lesson without a usable roll, and why: ``not_taken``, ``left_open`` or ``not_evaluated``."""

    session: SessionFact
    why: str


def missing_rolls(
    sessions: Iterable[SessionFact], not_evaluated: Iterable[int], now: dt.datetime
) -> list[Missing]:
    """Lessons that are over without a roll, oldest first. ``not_evaluated``: ids of closed ones nobody was seen in.

    Cancelled lessons miss nothing.
    """
    unseen = set(not_evaluated)
    found = []
    for session in sorted(sessions, key=lambda one: (one.starts_at, one.id)):
        if session.cancelled:
            continue
        if session.state == "planned" and session.ends_at < now:
            found.append(Missing(session, "not_taken"))
        elif session.state == "open" and session.ends_at < now:
            found.append(Missing(session, "left_open"))
        elif session.state == "closed" and session.id in unseen:
            found.append(Missing(session, "not_evaluated"))
    return found


ARRIVAL_STEP = 5
ARRIVAL_LAST = 30


def arrivals(matrix: Matrix) -> tuple[list[tuple[int, int]], int]:
    """When those who came were first seen: (minutes after the start, students) in steps of five minutes.

    The first step takes everybody seen before the start too, the last everybody later. Second: how many
    attended without having been seen, so that no time is known.
    """
    numbers: Counter[int] = Counter()
    unknown = 0
    for line in matrix.lines:
        for column, cell in zip(matrix.columns, line.cells, strict=True):
            if cell is None or cell.effective not in ("present", "late", "left_early"):
                continue
            if cell.first_seen_at is None:
                unknown += 1
                continue
            minutes = (cell.first_seen_at - column.session.starts_at).total_seconds() / 60
            step = int(max(minutes, 0) // ARRIVAL_STEP) * ARRIVAL_STEP
            numbers[min(step, ARRIVAL_LAST)] += 1
    return [(step, numbers[step]) for step in range(0, ARRIVAL_LAST + 1, ARRIVAL_STEP)], unknown
