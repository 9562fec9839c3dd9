"""Reports as PDF: A4, paged, with the school's name, a signature line, and names in any script the font has."""

from __future__ import annotations

import datetime as dt
import functools
import importlib.util
import io
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from arabic_reshaper import ArabicReshaper
from bidi import get_display
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader, simpleSplit
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    Flowable,
    KeepTogether,
    PageBreak,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from attendance.reports.document import Document, Kind, Row, for_people, text_of
from attendance.reports.xlsx import STATUS_COLOURS

FONT, BOLD = "RollcallSans", "RollcallSans-Bold"
SIZE = 8
MARGIN = 14 * mm
LOGO = (36 * mm, 16 * mm)
"""The room of the school's logo, top right."""
WIDEST = 58 * mm
PADDING = 3 * mm
# DejaVu Sans joins letters and lam with alef, but has no sign for the whole word.
RESHAPER = ArabicReshaper(configuration={"ARABIC LIGATURE ALLAH": False})
STRETCH = 1.5
"""Narrow tables become this much wider at most, to fill the page."""
INK, QUIET, RULE = HexColor("#1b2521"), HexColor("#4b5650"), HexColor("#c9c5b8")


@functools.cache
def _load_fonts() -> None:
    """DejaVu Sans (Latin, Greek, Cyrillic, Arabic, Hebrew and more), from the files matplotlib carries."""
    found = importlib.util.find_spec("matplotlib")  # found, not imported: that takes a while and memory
    assert found is not None
    assert found.origin is not None
    folder = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"
    pdfmetrics.registerFont(TTFont(FONT, str(folder / "DejaVuSans.ttf")))
    pdfmetrics.registerFont(TTFont(BOLD, str(folder / "DejaVuSans-Bold.ttf")))


def shaped(text: str) -> str:
    """Text in the order and forms it is drawn in; only right-to-left scripts are changed (UAX #9)."""
    if not any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in text):
        return text
    return str(get_display(RESHAPER.reshape(text)))


def _lines(text: str, width: float, font: str = FONT) -> str:
    return "\n".join(shaped(line) for line in simpleSplit(text, font, SIZE, width))


class _Numbered(Canvas):
    """Writes ``page of pages``, which is known at the end only (the reportlab manual's own way)."""

    _startPage: Callable[[], None]  # noqa: N815
    _pagesize: tuple[float, float]

    def __init__(self, *args: Any, foot: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.foot = foot
        self._states: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802
        self._states.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for number, state in enumerate(self._states, start=1):
            self.__dict__.update(state)
            self._foot(number)
            super().showPage()
        super().save()

    def _foot(self, number: int) -> None:
        self.setFont(FONT, 7)
        self.setFillColor(QUIET)
        self.drawString(MARGIN, 8 * mm, self.foot)
        pages = _("page %(number)d of %(all)d") % {"number": number, "all": len(self._states)}
        self.drawRightString(self._pagesize[0] - MARGIN, 8 * mm, pages)


class _Head(Flowable):
    """The school with its logo, the title, and what the report is about."""

    def __init__(self, school: str, document: Document, logo: bytes | None) -> None:
        super().__init__()
        self.school, self.document, self.logo = school, document, logo

    def wrap(self, width: float, _height: float) -> tuple[float, float]:
        self.width = width
        return width, (18 + 4.6 * len(self.document.facts)) * mm

    def draw(self) -> None:
        canvas, top = self.canv, self.wrap(self.width, 0)[1]
        if self.logo:
            canvas.drawImage(
                ImageReader(io.BytesIO(self.logo)), self.width - LOGO[0], top - LOGO[1], *LOGO, mask="auto",
                preserveAspectRatio=True, anchor="ne",
            )  # fmt: skip
        canvas.setFillColor(QUIET)
        canvas.setFont(FONT, 9)
        canvas.drawString(0, top - 4 * mm, shaped(self.school))
        canvas.setFillColor(INK)
        canvas.setFont(BOLD, 15)
        canvas.drawString(0, top - 11 * mm, shaped(self.document.title))
        for index, (name, text) in enumerate(self.document.facts):
            y = top - (17 + 4.6 * index) * mm
            canvas.setFont(FONT, 9)
            canvas.setFillColor(QUIET)
            canvas.drawString(0, y, name)
            canvas.setFillColor(INK)
            canvas.drawString(32 * mm, y, shaped(text))


class _Signature(Flowable):
    def wrap(self, width: float, _height: float) -> tuple[float, float]:
        self.width = width
        return width, 18 * mm

    def draw(self) -> None:
        self.canv.setStrokeColor(QUIET)
        self.canv.setFillColor(QUIET)
        self.canv.setFont(FONT, 8)
        for left, words in ((0.0, _("Date")), (60 * mm, _("Signature"))):
            self.canv.line(left, 6 * mm, left + (50 * mm if not left else 80 * mm), 6 * mm)
            self.canv.drawString(left, 2 * mm, words)


def _needed(document: Document, index: int) -> float:
    column = document.columns[index]
    if column.kind is Kind.LETTER:
        return (21 if column.struck else 11) * mm
    texts = [text_of(row[index], column) for row in document.rows]
    if document.totals:
        texts.append(text_of(document.totals[index], column))
    widest = max((pdfmetrics.stringWidth(text, FONT, SIZE) for text in texts), default=0.0)
    longest_word = max(
        (pdfmetrics.stringWidth(part, BOLD, SIZE) for part in column.title.split()), default=0.0
    )
    return min(max(widest, longest_word) + PADDING, WIDEST)


def _blocks(widths: Sequence[float], frozen: int, room: float) -> list[list[int]]:
    """Columns by page width; the first ``frozen`` come again in each block."""
    held = list(range(frozen))
    blocks: list[list[int]] = []
    block, used = list(held), sum(widths[:frozen])
    for index in range(frozen, len(widths)):
        if used + widths[index] > room and len(block) > frozen:
            blocks.append(block)
            block, used = list(held), sum(widths[:frozen])
        block.append(index)
        used += widths[index]
    return [*blocks, block]


def _table(document: Document, block: Sequence[int], widths: Sequence[float]) -> Table:
    columns = [document.columns[index] for index in block]
    wide = [widths[index] for index in block]

    def cells(row: Row, font: str = FONT) -> list[str]:
        return [
            _lines(text_of(row[index], column), width - PADDING + 1, font)
            for index, column, width in zip(block, columns, wide, strict=True)
        ]

    data: list[list[Any]] = [
        [
            _struck(column.title) if column.struck else _lines(column.title, width - PADDING + 1, BOLD)
            for column, width in zip(columns, wide, strict=True)
        ]
    ]
    data += [cells(row) for row in document.rows]
    if document.totals:
        data.append(cells(document.totals, BOLD))
    style: list[tuple[Any, ...]] = [
        ("FONT", (0, 0), (-1, -1), FONT, SIZE, SIZE + 1.5),
        ("FONT", (0, 0), (-1, 0), BOLD, SIZE, SIZE + 1.5),
        ("TEXTCOLOR", (0, 0), (-1, -1), INK),
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, INK),
        ("LINEBELOW", (0, 1), (-1, -1), 0.25, RULE),
        ("LEFTPADDING", (0, 0), (-1, -1), PADDING / 2),
        ("RIGHTPADDING", (0, 0), (-1, -1), PADDING / 2),
        ("TOPPADDING", (0, 0), (-1, -1), 1.3),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1.7),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
    ]
    if document.totals:
        style += [
            ("FONT", (0, -1), (-1, -1), BOLD, SIZE, SIZE + 1.5),
            ("LINEABOVE", (0, -1), (-1, -1), 0.8, INK),
        ]
    for place, (index, column) in enumerate(zip(block, columns, strict=True)):
        if column.kind in (Kind.NUMBER, Kind.PERCENT):
            style.append(("ALIGN", (place, 0), (place, -1), "RIGHT"))
        if column.kind is Kind.LETTER:
            style.append(("ALIGN", (place, 0), (place, -1), "CENTER"))
        if column.kind in (Kind.LETTER, Kind.STATUS):
            style += _colours(document, index, place)
    return Table(data, colWidths=wide, repeatRows=1, style=TableStyle(style), hAlign="LEFT")


def _struck(title: str) -> Paragraph:
    """A line through it: the session was cancelled."""
    style = ParagraphStyle(
        "struck",
        fontName=BOLD,
        fontSize=SIZE,
        leading=SIZE + 1.5,
        textColor=QUIET,
        splitLongWords=0,
        alignment=TA_CENTER,
    )
    return Paragraph(f"<strike>{escape(title)}</strike>", style)


def _colours(document: Document, index: int, place: int) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for number, row in enumerate(document.rows, start=1):
        if row[index]:
            ink, ground = STATUS_COLOURS[str(row[index])]
            at = (place, number)
            found += [("TEXTCOLOR", at, at, HexColor(ink)), ("BACKGROUND", at, at, HexColor(ground))]
    return found


class _Notes(Flowable):
    def __init__(self, notes: Sequence[str]) -> None:
        super().__init__()
        self.notes = notes

    def wrap(self, width: float, _height: float) -> tuple[float, float]:
        self.lines = [line for note in self.notes for line in simpleSplit(note, FONT, 7, width)]
        return width, len(self.lines) * 3.6 * mm

    def draw(self) -> None:
        self.canv.setFont(FONT, 7)
        self.canv.setFillColor(QUIET)
        for index, line in enumerate(self.lines, start=1):
            self.canv.drawString(0, (len(self.lines) - index) * 3.6 * mm + 1 * mm, shaped(line))


def document_pdf(
    document: Document, *, school: str, made_at: dt.datetime, logo: bytes | None = None
) -> bytes:
    """The whole document. Wide tables go on on further pages with the first columns again. ``logo``: PNG."""
    _load_fonts()
    document = for_people(document)
    widths = [_needed(document, index) for index in range(len(document.columns))]
    upright = sum(widths) <= A4[0] - 2 * MARGIN
    page = A4 if upright else landscape(A4)
    if upright and widths:
        widths = [width * min(STRETCH, (A4[0] - 2 * MARGIN) / sum(widths)) for width in widths]
    story: list[Flowable] = [_Head(school, document, logo)]
    for number, block in enumerate(_blocks(widths, document.frozen, page[0] - 2 * MARGIN)):
        if number:
            story.append(PageBreak())
        story.append(_table(document, block, widths))
    tail: list[Flowable] = [Spacer(1, 3 * mm), _Notes(document.notes)]
    if document.signature:
        tail.append(_Signature())
    story.append(KeepTogether(tail))
    made = f"{date_format(made_at, 'DATE_FORMAT')}, {made_at:%H:%M}"
    canvas: Any = functools.partial(_Numbered, foot=f"{shaped(school)} · {shaped(document.title)} · {made}")
    out = io.BytesIO()
    SimpleDocTemplate(
        out, pagesize=page, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=12 * mm, bottomMargin=15 * mm,
        title=document.title, author=school,
    ).build(story, canvasmaker=canvas)  # fmt: skip
    return out.getvalue()
