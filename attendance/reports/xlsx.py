"""Reports as XLSX: frozen header, real types, totals, marks in colour. Text is text, whatever it begins with."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path
from typing import Any, BinaryIO

import xlsxwriter
from django.utils.translation import gettext as _

from attendance.reports.document import CANCELLED, LETTERS, Document, Kind, Value, word

STATUS_COLOURS = {
    "present": ("#176341", "#DEF0E5"),
    "late": ("#794700", "#FCEBC8"),
    "left_early": ("#1F4E80", "#DFEAF6"),
    "excused": ("#573F80", "#ECE5F6"),
    "absent": ("#9A1F1C", "#FBE3DF"),
    "not_evaluated": ("#57605A", "#EAE9E2"),
    "to_check": ("#794700", "#FCEBC8"),
    "cancelled": ("#57605A", "#F3F2EC"),
}
"""Ink and ground of each mark, as on the pages; the letter or word says the same without colour."""

MEASURED = 200
"""Rows that the width of a column of text is taken from."""
_WIDTHS = {Kind.LETTER: 6, Kind.NUMBER: 10, Kind.PERCENT: 10, Kind.DATE: 12, Kind.TIME: 18, Kind.STATUS: 14}
_FORMATS: dict[Kind, dict[str, Any]] = {
    Kind.PERCENT: {"num_format": "0.0%"},
    Kind.DATE: {"num_format": "yyyy-mm-dd", "align": "left"},
    Kind.TIME: {"num_format": "yyyy-mm-dd hh:mm:ss", "align": "left"},
    Kind.LETTER: {"align": "center"},
}
_OPTIONS = {
    "constant_memory": True,  # rows go out as they come: flat memory
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
    "remove_timezone": True,  # a workbook knows no zones; times are on the school's clock
}


class _Sheet:
    def __init__(self, book: Any, document: Document) -> None:
        self.book, self.document = book, document
        self.first = document.rows[:MEASURED]
        self.sheet = book.add_worksheet(_("Report"))
        self.plain = {kind: book.add_format(_FORMATS.get(kind, {})) for kind in Kind}
        self.bold = {
            kind: book.add_format({**_FORMATS.get(kind, {}), "bold": True, "top": 1}) for kind in Kind
        }
        self.status = {
            code: {
                kind: book.add_format(
                    {
                        **_FORMATS.get(kind, {}),
                        "font_color": ink,
                        "bg_color": ground,
                        "font_strikeout": code == CANCELLED,
                    }
                )
                for kind in (Kind.STATUS, Kind.LETTER)
            }
            for code, (ink, ground) in STATUS_COLOURS.items()
        }

    def fill(self) -> None:
        sheet, document = self.sheet, self.document
        plain = {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}
        head = self.book.add_format(plain)
        struck = self.book.add_format({**plain, "font_strikeout": True, "font_color": "#57605A"})
        for index, column in enumerate(document.columns):
            width = _WIDTHS[column.kind] if column.kind in _WIDTHS else self._width(index)
            sheet.set_column(index, index, width)
            sheet.write_string(0, index, column.title, struck if column.struck else head)
        sheet.freeze_panes(1, document.frozen)
        sheet.repeat_rows(0)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        last = 0
        for last, row in enumerate(document.rows, start=1):
            self._row(last, row, self.plain)
        if last:
            sheet.autofilter(0, 0, last, len(document.columns) - 1)
        if totals := document.last_row():
            self._row(last + 1, totals, self.bold)

    def _width(self, index: int) -> int:
        longest = max((len(str(row[index] or "")) for row in self.first), default=0)
        return min(max(longest, len(self.document.columns[index].title), 8) + 2, 44)

    def _row(self, number: int, row: tuple[Value, ...], formats: dict[Kind, Any]) -> None:
        for index, (column, value) in enumerate(zip(self.document.columns, row, strict=True)):
            if value is None or value == "":
                continue
            kind = Kind.PERCENT if isinstance(value, float) else column.kind
            if kind in (Kind.STATUS, Kind.LETTER) and value in STATUS_COLOURS:
                text = LETTERS[str(value)] if kind is Kind.LETTER else word(str(value))
                self.sheet.write_string(number, index, text, self.status[str(value)][kind])
            elif isinstance(value, str):
                self.sheet.write_string(number, index, value, formats[kind])
            elif isinstance(value, dt.date):
                self.sheet.write_datetime(number, index, value, formats[kind])
            else:
                self.sheet.write_number(number, index, value, formats[kind])


def document_xlsx(document: Document) -> bytes:
    """The table on the first sheet, with its header in the first row; what it is about on the second."""
    out = io.BytesIO()
    write_xlsx(document, out)
    return out.getvalue()


def write_xlsx(document: Document, out: BinaryIO, folder: Path | None = None) -> None:
    """The same into a file. ``folder`` takes the rows on their way there; without one, the system's."""
    book = xlsxwriter.Workbook(out, {**_OPTIONS, "tmpdir": str(folder) if folder else None})
    book.set_properties({"title": document.title})
    _Sheet(book, document).fill()
    about = book.add_worksheet(_("About"))
    about.set_column(0, 0, 18)
    about.set_column(1, 1, 100)
    about.write_string(0, 0, document.title, book.add_format({"bold": True, "font_size": 14}))
    lines = [*document.facts, *(("", note) for note in document.notes)]
    for number, (name, text) in enumerate(lines, start=2):
        about.write_string(number, 0, name, book.add_format({"bold": True}))
        about.write_string(number, 1, text)
    book.close()
