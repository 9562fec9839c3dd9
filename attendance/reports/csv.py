"""Reports as CSV: one clean header row, UTF-8, nothing a spreadsheet would run."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Iterator, Sequence

from attendance.reports.document import Document, Kind, Value
from attendance.reports.tables import MarkFact

ROLL_HEADER = (
    "student_number", "name", "email", "status", "minutes_late", "minutes_early", "first_seen", "last_seen",
    "seen_in_photos", "source", "reason", "to_check", "note",
)  # fmt: skip

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_MAY_START_ONE = (" ", *_FORMULA_STARTS)
# Possessive, as an address made for it would otherwise be tried in more ways than there is time for.
_IDENTIFIER = re.compile(r"[+-]?\w++(?:[./-]\w++)*+(?:@\w++(?:[.-]\w++)*+)?\Z")
IDENTIFIERS = frozenset({"student_number", "email", "course_code"})
"""Columns by which another system finds its own rows again."""


def safe_cell(text: str) -> str:
    """Typed text that a spreadsheet would take for a formula gets an apostrophe (OWASP, CSV injection)."""
    if not text.startswith(_MAY_START_ONE):  # nearly every cell of a long file
        return text
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_STARTS) else text


def safe_identifier(text: str) -> str:
    """A number or address another system knows somebody by: left as it is where it is nothing but that.

    ``-1001`` must come back as ``-1001``, or the import finds nobody. Without a bracket, quote, comma, space,
    ``=`` or ``|`` in it, a spreadsheet that took it for a formula could at most subtract. Anything else is
    neutralised like other text.
    """
    return text if _IDENTIFIER.match(text) else safe_cell(text)


def write_csv(header: Sequence[str], rows: Iterable[Sequence[object]], *, bom: bool = False) -> str:
    """Text with CRLF line ends (RFC 4180). ``bom`` makes older Excel read UTF-8."""
    out = io.StringIO()
    if bom:
        out.write("\ufeff")
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def document_csv(document: Document, *, bom: bool = True) -> str:
    """The rows under the columns' keys; no totals, so that every line is a fact. Shares become per cent."""
    return "".join(csv_pieces(document, bom=bom))


def csv_pieces(document: Document, *, bom: bool = True) -> Iterator[str]:
    """The same, some rows at a time: for reports that are too long to hold."""
    kinds = [Kind.IDENTIFIER if column.key in IDENTIFIERS else column.kind for column in document.columns]
    header = [safe_cell(column.key) for column in document.columns]
    if bom:
        yield "\ufeff"
    yield from _in_pieces(header, document.rows, kinds)


def stream_csv(keys: Sequence[str], rows: Iterable[Sequence[Value]]) -> Iterator[str]:
    """Rows of text, some at a time, without a document around them."""
    kinds = [Kind.IDENTIFIER if key in IDENTIFIERS else Kind.TEXT for key in keys]
    return _in_pieces(keys, rows, kinds)


def _in_pieces(
    header: Sequence[object], rows: Iterable[Sequence[Value]], kinds: Sequence[Kind], at_once: int = 500
) -> Iterator[str]:
    lines: list[Sequence[object]] = [header]
    for row in rows:
        lines.append([_cell(value, kind) for value, kind in zip(row, kinds, strict=True)])
        if len(lines) >= at_once:
            yield _text(lines)
            lines = []
    yield _text(lines)


def _text(rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def plain(value: Value, kind: Kind) -> str | int | float | None:
    """A value as CSV and JSON write it: per cent with two decimals, ISO dates, times on the school's clock."""
    if kind is Kind.PERCENT and isinstance(value, float):
        return round(value * 100, 2)
    if isinstance(value, dt.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, dt.date):
        return value.isoformat()
    return value


def _cell(value: Value, kind: Kind) -> str | int | float:
    if type(value) is not str:
        written = plain(value, kind)
        if not isinstance(written, str):
            return "" if written is None else written
        value = written
    return safe_identifier(value) if kind is Kind.IDENTIFIER else safe_cell(value)


def roll_csv(roll: Iterable[MarkFact], zone: dt.tzinfo, *, bom: bool = True) -> str:
    """One line a student; times on the school's clock."""
    rows = [
        (
            safe_identifier(mark.student_number),
            safe_cell(mark.sort_name),
            safe_identifier(mark.email),
            mark.status,
            _number(mark.minutes_late),
            _number(mark.minutes_early),
            _time(mark.first_seen_at, zone),
            _time(mark.last_seen_at, zone),
            mark.seen_in,
            mark.source,
            mark.reason,
            "yes" if mark.to_check else "no",
            safe_cell(mark.note),
        )
        for mark in roll
    ]
    return write_csv(ROLL_HEADER, rows, bom=bom)


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def _time(instant: dt.datetime | None, zone: dt.tzinfo) -> str:
    return "" if instant is None else instant.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
