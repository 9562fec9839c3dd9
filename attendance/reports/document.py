"""What every report is before it has a format: columns with kinds, rows of plain values, totals."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from attendance import labels
from attendance.models import Mark

Value = str | int | float | dt.date | dt.datetime | None
Row = tuple[Value, ...]


class Kind(StrEnum):
    TEXT = "text"
    IDENTIFIER = "identifier"
    """Text that another system knows somebody or something by."""
    STATUS = "status"
    """A mark's code, shown as its word."""
    LETTER = "letter"
    """A mark's code, shown as its letter: a cell of the matrix."""
    NUMBER = "number"
    PERCENT = "percent"
    """A share from 0 to 1."""
    DATE = "date"
    TIME = "time"
    """An instant on the school's clock."""


@dataclass(frozen=True, slots=True)
class Column:
    """``key`` names it in CSV and JSON, the same in every language; ``title`` is what people read."""

    key: str
    title: str
    kind: Kind = Kind.TEXT
    struck: bool = False
    """A cancelled session: the title is struck through and says so."""


@dataclass(frozen=True, slots=True)
class Document:
    name: str
    """Of the file, without its ending."""
    title: str
    facts: tuple[tuple[str, str], ...]
    columns: tuple[Column, ...]
    rows: Sequence[Row]
    totals: Row | None = None
    notes: tuple[str, ...] = ()
    signature: bool = False
    frozen: int = field(default=1)
    """Columns that stay in sight while the rest scrolls, and come again on each page of a wide table."""
    closing: Callable[[], Row] | None = None
    """Totals of a report whose rows are read as they are written: known once the last row is."""

    def last_row(self) -> Row | None:
        """The totals; asked for after the rows."""
        return self.closing() if self.closing else self.totals


LETTERS = {
    "present": "P", "late": "L", "left_early": "E", "excused": "X", "absent": "A", "not_evaluated": "–",
    "to_check": "?",
}  # fmt: skip
CANCELLED = "cancelled"
"""Stands where a mark would, in a lesson that did not take place."""
WORDS: dict[str, str | Promise] = {
    **dict(Mark.Status.choices), "to_check": gettext_lazy("to check"), CANCELLED: gettext_lazy("cancelled"),
}  # fmt: skip
FOR_SYSTEMS = frozenset({"email"})
"""Columns other systems need and paper and previews have no room for."""


def word(status: str) -> str:
    """The mark in words: the school's own where it has chosen one."""
    return (labels.in_force().get(status) or str(WORDS[status])) if status else ""


def percent_text(share: float | None) -> str:
    """``93.3``, at most one decimal, never rounded up over a whole: 79.96 stays under 80."""
    if share is None:
        return ""
    tenths = int(share * 1000 + 1e-9)
    return f"{tenths / 10:.1f}".removesuffix(".0")


def text_of(value: Value, column: Column) -> str:
    """A value as people read it on paper and on the screen."""
    if value is None or value == "":
        return ""
    if isinstance(value, float):
        return percent_text(value)
    if isinstance(value, dt.datetime):
        return f"{value:%H:%M:%S}"
    if isinstance(value, dt.date):
        return date_format(value, "D j M Y")
    if column.kind is Kind.LETTER:
        return LETTERS[str(value)]
    return word(str(value)) if column.kind is Kind.STATUS else str(value)


def for_people(document: Document) -> Document:
    """Without the columns that only other systems need."""
    kept = [index for index, column in enumerate(document.columns) if column.key not in FOR_SYSTEMS]

    def thin(row: Row) -> Row:
        return tuple(row[index] for index in kept)

    rows = [thin(row) for row in document.rows]
    last = document.last_row()
    return replace(
        document,
        columns=tuple(document.columns[index] for index in kept),
        rows=rows,
        totals=thin(last) if last else None,
        closing=None,
    )
