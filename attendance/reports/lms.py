"""Files that learning systems import: Moodle attendance marks, Moodle grades, Canvas gradebook.

Columns as the systems name them (Moodle ``mod_attendance`` import and grade import, Canvas gradebook import).
Where a mark or a rate says nothing yet the line or cell is left out, so that an import changes nothing there.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from django.utils.translation import gettext_lazy as _

from attendance.errors import RollcallError
from attendance.reports.csv import safe_cell, safe_identifier, write_csv
from attendance.reports.matrix import Matrix
from attendance.reports.tables import MarkFact, effective

MOODLE_STATUS: Mapping[str, str] = {
    "present": "P",
    "late": "L",
    "left_early": "P",
    "excused": "E",
    "absent": "A",
}
"""Acronyms of Moodle's standard status set; they are case-sensitive there. Moodle knows no *left early*."""
CANVAS_HEADER = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
CANVAS_POINTS = "    Points Possible"
MOST_ROWS = 20_000
"""Of a Canvas gradebook, blank ones counted: many times the largest course."""


class CanvasFileRefused(RollcallError):
    code = "canvas_file_refused"
    status = 422
    message = _("This file cannot be read as a gradebook exported from Canvas.")


@dataclass(frozen=True, slots=True)
class Filled:
    """A Canvas gradebook with one column filled. ``unmatched``: lines of the file nobody here belongs to."""

    text: str
    column: str
    filled: int
    unmatched: int


def moodle_marks(roll: Iterable[MarkFact]) -> str:
    """Marks of one session, to be mapped by ``idnumber`` or ``email`` and ``status``."""
    rows = [
        (safe_identifier(mark.student_number), safe_identifier(mark.email), MOODLE_STATUS[status])
        for mark in roll
        if (status := effective(mark.status, mark.to_check)) in MOODLE_STATUS
    ]
    return write_csv(("idnumber", "email", "status"), rows)


def moodle_grades(matrix: Matrix) -> str:
    """Attendance in per cent, 0 to 100, as a grade; Moodle's user names are not known here and stay empty."""
    rows = [
        (
            "",
            safe_identifier(line.student.number),
            safe_identifier(line.student.email),
            grade(line.tally.rate, 100),
        )
        for line in matrix.lines
    ]
    return write_csv(("username", "idnumber", "email", "Attendance"), rows)


def canvas_gradebook(matrix: Matrix) -> str:
    """A gradebook that makes a new assignment *Attendance* worth 100 points."""
    rows = [
        (safe_cell(line.student.sort_name), "", safe_identifier(line.student.number), "", safe_cell(matrix.course.name),
         grade(line.tally.rate, 100))
        for line in matrix.lines
    ]  # fmt: skip
    return write_csv((*CANVAS_HEADER, "Attendance"), [(CANVAS_POINTS, "", "", "", "", "100"), *rows])


def grade(share: float | None, maximum: float) -> str:
    """Points with at most two decimals; empty where no lesson counts, which is no grade."""
    return "" if share is None else f"{share * maximum:.2f}".rstrip("0").rstrip(".") or "0"


def fill_canvas(text: str, matrix: Matrix, column: str = "") -> Filled:
    """Fill one column of a gradebook exported from Canvas and leave every other cell as it is.

    Students are found by ``SIS User ID`` or ``SIS Login ID`` (school number or e-mail), never by name.
    ``column`` is the assignment's title with or without its id; without it, the one that begins with
    *Attendance*. Raises ``CanvasFileRefused`` where header or column are not clear.
    """
    try:
        lines = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
        rows = list(islice(lines, MOST_ROWS + 1))
    except csv.Error as error:
        raise CanvasFileRefused from error
    if not 2 <= len(rows) <= MOST_ROWS or not {"Student", "ID"} <= set(rows[0]):
        raise CanvasFileRefused
    header = rows[0]
    index = _assignment(header, column)
    points = next((row for row in rows[1:4] if row and row[0].strip() == "Points Possible"), None)
    maximum = _maximum(points[index] if points and len(points) > index else "")
    rates = _rates(matrix)
    keys = [header.index(name) for name in ("SIS User ID", "SIS Login ID") if name in header]
    first = rows.index(points) + 1 if points else 1
    filled = unmatched = 0
    for row in rows[first:]:
        row += [""] * (len(header) - len(row))
        found = next(
            (row[key].strip().casefold() for key in keys if row[key].strip().casefold() in rates), None
        )
        if found is None:
            unmatched += any(cell.strip() for cell in row)
        elif rates[found] is not None:
            row[index] = grade(rates[found], maximum)
            filled += 1
    return Filled(write_csv(header, rows[1:]), header[index], filled, unmatched)


def _assignment(header: Sequence[str], column: str) -> int:
    wanted = column.strip().casefold() or "attendance"
    exact = [index for index, title in enumerate(header) if title.strip().casefold() == wanted]
    found = exact or [
        index for index, title in enumerate(header) if title.strip().casefold().startswith(f"{wanted} (")
    ]
    if len(found) != 1:
        raise CanvasFileRefused(
            _("The file needs exactly one column for attendance: an assignment called Attendance in Canvas.")
        )
    return found[0]


def _maximum(points: str) -> float:
    try:
        value = float(points.strip() or "100")
    except ValueError:
        raise CanvasFileRefused(_("The points possible of the attendance column are not a number.")) from None
    if not 0 < value < 1e6:
        raise CanvasFileRefused(_("The points possible of the attendance column are not a number."))
    return value


def _rates(matrix: Matrix) -> dict[str, float | None]:
    """By school number and by e-mail; what two students share belongs to neither."""
    rates: dict[str, float | None] = {}
    twice: set[str] = set()
    for line in matrix.lines:
        for key in {line.student.number.casefold(), line.student.email.casefold()} - {""}:
            twice |= {key} & rates.keys()
            rates[key] = line.tally.rate
    return {key: rate for key, rate in rates.items() if key not in twice}
