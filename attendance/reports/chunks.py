"""A course of any size as a report: students are read a hundred at a time, so that memory does not grow with rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import overload

from attendance.models import Course
from attendance.reports import documents, facts, matrix
from attendance.reports.document import Document, Row
from attendance.reports.facts import Days
from attendance.reports.matrix import CourseFacts, Matrix, Rule, SessionColumn, SessionFact, StudentFact
from attendance.reports.tables import Tally

Progress = Callable[[int, int], None]
"""Called with how many students (or pieces) are read and how many there are, 0 where that is not known.

May raise to stop the work.
"""


def quiet(_done: int, _total: int) -> None:
    """Nobody waits."""


AT_ONCE = 100
"""Students read together: with 200 lessons each about 20,000 marks, some megabytes."""


@dataclass(frozen=True, slots=True)
class CourseInChunks:
    """A course's sessions and students in the order of class lists; marks are read while it is gone through."""

    course: Course
    days: Days
    rule: Rule
    sessions: Sequence[SessionFact]
    students: Sequence[StudentFact]
    progress: Progress = quiet

    @classmethod
    def read(
        cls, course: Course, days: Days, rule: Rule | None = None, progress: Progress = quiet
    ) -> CourseInChunks:
        """``course`` comes with its term. By the course's own rule, unless another one is asked for."""
        students = facts.course_students(course, days)
        students.sort(key=lambda one: (one.sort_name.casefold(), one.number))
        sessions = facts.course_sessions(course, days)
        return cls(course, days, rule or facts.course_rule(course), sessions, students, progress)

    def part(self, students: Sequence[StudentFact]) -> Matrix:
        """The matrix of some of the students; its tallies are theirs alone."""
        cells = facts.course_cells(self.course, self.days, students) if students else []
        one = self.course
        found = CourseFacts(one.pk, one.code, one.name, one.term.name, students, self.sessions, cells)
        return matrix.build(found, self.rule)

    def parts(self) -> Iterator[Matrix]:
        for start in range(0, len(self.students), AT_ONCE):
            yield self.part(self.students[start : start + AT_ONCE])
            self.progress(min(start + AT_ONCE, len(self.students)), len(self.students))

    def without_cells(self) -> Matrix:
        """Everybody's numbers without their marks: for reports that show rates only."""
        sums = Sums(self)
        lines = tuple(replace(line, cells=()) for part in self.parts() for line in sums.added(part).lines)
        return replace(sums.matrix(), lines=lines)


class Sums:
    """What the parts of a course come to together."""

    def __init__(self, whole: CourseInChunks) -> None:
        self.empty = whole.part([])
        self.columns = [Tally()] * len(self.empty.columns)
        self.total = Tally()
        self.at_risk = 0

    def added(self, part: Matrix) -> Matrix:
        self.columns = [
            sofar + column.tally for sofar, column in zip(self.columns, part.columns, strict=True)
        ]
        self.total += part.total
        self.at_risk += sum(line.at_risk for line in part.lines)
        return part

    def matrix(self) -> Matrix:
        """The whole course without its lines."""
        columns = tuple(
            SessionColumn(column.session, tally)
            for column, tally in zip(self.empty.columns, self.columns, strict=True)
        )
        return replace(self.empty, columns=columns, total=self.total)


class Rows(Sequence[Row]):
    """The rows of a course, read from the database as they are gone through; ``sums`` stand after the last one."""

    def __init__(
        self, whole: CourseInChunks, rows_of: Callable[[Matrix], Sequence[Row]], *, one_each: bool = True
    ) -> None:
        self.whole, self.rows_of, self.one_each = whole, rows_of, one_each
        self.sums = Sums(whole)

    def __len__(self) -> int:
        """Students; where each has several rows, that is not known before they are read."""
        if not self.one_each:
            raise TypeError("not known before the rows are read")
        return len(self.whole.students)

    def __iter__(self) -> Iterator[Row]:
        self.sums = Sums(self.whole)
        for part in self.whole.parts():
            yield from self.rows_of(self.sums.added(part))

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        """Rows by their place, for previews and column widths: only those students are read."""
        if isinstance(index, slice):
            return self.rows_of(self.whole.part(self.whole.students[index]))
        return self[index : index + 1][0]


def course_document(whole: CourseInChunks) -> Document:
    """As ``documents.course``, with rows that are read while they are written and totals known after them."""

    def rows_of(part: Matrix) -> Sequence[Row]:
        return documents.course(part, whole.days).rows

    rows = Rows(whole, rows_of)

    def closing() -> Row:
        totals = documents.course(rows.sums.matrix(), whole.days).totals or ()
        return (*totals[:-1], str(rows.sums.at_risk))

    head = documents.course(whole.part([]), whole.days)
    return replace(head, rows=rows, totals=None, closing=closing)


def marks_document(whole: CourseInChunks) -> Document:
    """As ``documents.marks_for_sis``: one line a mark."""

    def rows_of(part: Matrix) -> Sequence[Row]:
        return documents.marks_for_sis(part, whole.days).rows

    head = documents.marks_for_sis(whole.part([]), whole.days)
    return replace(head, rows=Rows(whole, rows_of, one_each=False))
