"""The table of students and sessions: thousands of cells, written here as a template would take a second over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from attendance.reports.document import LETTERS, percent_text, word
from attendance.reports.matrix import Matrix, StudentLine

NO_MARK = "<td></td>"


@dataclass(frozen=True, slots=True)
class HeatRow:
    line: StudentLine
    percent: str
    cells: SafeString
    """One ``td`` for each column: a link to the mark, or empty where the student had none."""


def heat_rows(found: Matrix) -> list[HeatRow]:
    """Everybody's row. A cell is put together from its session's link and its mark's words, each written once."""
    links = [reverse("web:session", args=[column.session.id]) for column in found.columns]
    # For this answer only: the words are of its language and of the school.
    opening, closing = cache(_opening), cache(_closing)

    def cells(line: StudentLine) -> SafeString:
        anchor = str(line.student.id)
        return _together(
            [
                f"{opening(link, cell.effective)}{anchor}{closing(cell.effective, cell.minutes_late)}"
                if cell
                else NO_MARK
                for link, cell in zip(links, line.cells, strict=True)
            ]
        )

    return [HeatRow(line, percent_text(line.tally.rate), cells(line)) for line in found.lines]


def _opening(link: str, status: str) -> SafeString:
    kind = "check" if status == "to_check" else status
    return format_html('<td><a class="heat__cell mark--{}" href="{}#s', kind, link)


def _closing(status: str, minutes_late: int | None) -> SafeString:
    said = word(status)
    late = f", {minutes_late} min" if minutes_late else ""
    letter = format_html('<span class="mark__letter" aria-hidden="true">{}</span>', LETTERS[status])
    return format_html('" title="{}{}">{}<span class="sr-only">{}</span></a></td>', said, late, letter, said)


def _together(cells: Sequence[str]) -> SafeString:
    return mark_safe("".join(cells))  # noqa: S308 (each piece was escaped where it was made; anchors are numbers)
