"""Every format says the same: written, read back and compared."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.pdfbase import pdfmetrics

from attendance.reports import documents, matrix, pdf
from attendance.reports.csv import document_csv
from attendance.reports.document import LETTERS, Column, Document, Kind, percent_text
from attendance.reports.facts import Days
from attendance.reports.json import document_json
from attendance.reports.pdf import document_pdf
from attendance.reports.xlsx import document_xlsx
from tests.reports.reading import pdf_text
from tests.reports.test_tables import classes, facts

DAYS = Days(dt.date(2026, 3, 1), dt.date(2026, 6, 30))
MADE = dt.datetime(2026, 6, 30, 15, tzinfo=dt.UTC)
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)
NASTY = [
    "=1+1",
    "+2",
    "-3",
    "@SUM(A1)",
    "\tx",
    " =HYPERLINK(1)",
    "O'Neil, Sinéad",
    "محمد عبد الله",
    "{=A1}",
    "<b>&amp;</b>",
]
COUNTS = (
    "present",
    "late",
    "left_early",
    "excused",
    "absent",
    "not_evaluated",
    "to_check",
    "counted",
    "attended",
)


def course_document(rows: list[list[str]], names: list[str] | None = None) -> Document:
    return documents.course(matrix.build(facts(rows, names)), DAYS)


def read_xlsx(content: bytes) -> list[list[Any]]:
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


@settings(max_examples=25, deadline=None)
@given(classes(5, 5))
def test_totals_agree_in_csv_json_and_xlsx(rows: list[list[str]]) -> None:
    document = course_document(rows)
    keys = [column.key for column in document.columns]
    table = list(csv.DictReader(io.StringIO(document_csv(document, bom=False))))
    whole = json.loads(document_json(document))
    workbook = read_xlsx(document_xlsx(document))
    assert len(table) == len(whole["rows"]) == len(rows) == len(workbook) - 2
    for key in COUNTS:
        index = keys.index(key)
        total = sum(int(line[key]) for line in table)
        assert total == whole["totals"][key] == workbook[-1][index]
        assert total == sum(line[key] for line in whole["rows"])
        assert total == sum(line[index] for line in workbook[1:-1])
    rate = keys.index("attended_percent")
    for line, same, row in zip(table, whole["rows"], workbook[1:-1], strict=True):
        percent = same["attended_percent"]
        assert line["attended_percent"] == ("" if percent is None else str(percent))
        assert row[rate] is None if percent is None else round(row[rate] * 100, 2) == percent
    for lesson, key in enumerate(keys[3 : 3 + len(rows[0]) if rows else 3]):
        assert [line[key] for line in table] == [row[lesson] for row in rows]
        assert [row[3 + lesson] for row in workbook[1:-1]] == [LETTERS.get(row[lesson]) for row in rows]


@settings(max_examples=30, deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=4))
def test_no_cell_is_a_formula(names: list[str]) -> None:
    check_text([*names, *NASTY])


def check_text(names: list[str]) -> None:
    document = course_document([["present"]] * len(names), names)
    for row in csv.reader(io.StringIO(document_csv(document), newline="")):
        for cell in row:
            assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))
    sheet = openpyxl.load_workbook(io.BytesIO(document_xlsx(document))).worksheets[0]
    found = []
    for row in sheet.iter_rows(min_row=2, max_row=len(names) + 1):
        assert all(cell.data_type != "f" for cell in row)
        assert all(cell.hyperlink is None for cell in row)
        found.append(row[1].value)
    assert sorted(found) == sorted(names)


def test_names_that_look_like_formulas_stay_names() -> None:
    check_text(NASTY)


def test_a_workbook_has_types_a_frozen_header_and_colours() -> None:
    content = document_xlsx(course_document([["present", "absent"], ["late", "excused"]]))
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    assert sheet.freeze_panes == "C2"
    assert [cell.value for cell in sheet[2]][3:5] == ["P", "A"]
    assert sheet["D2"].fill.fgColor.rgb == "FFDEF0E5"
    assert sheet["E2"].fill.fgColor.rgb == "FFFBE3DF"
    assert sheet["D4"].number_format == "0.0%"
    assert sheet["D4"].value == 1
    lessons = [
        Column("date", "Date", Kind.DATE),
        Column("seen", "Seen", Kind.TIME),
    ]
    seen = dt.datetime(2026, 3, 2, 9, 4, tzinfo=dt.UTC)
    typed = Document("x", "x", (), tuple(lessons), [(seen.date(), seen)])
    row = openpyxl.load_workbook(io.BytesIO(document_xlsx(typed))).worksheets[0][2]
    assert [cell.is_date for cell in row] == [True, True]
    assert row[1].value == dt.datetime(2026, 3, 2, 9, 4)


def test_a_bom_only_where_it_is_wanted() -> None:
    document = course_document([["present"]])
    assert document_csv(document, bom=True).encode().startswith(b"\xef\xbb\xbf")
    assert document_csv(document, bom=False).startswith("student_number,name,email,")


def test_lessons_that_begin_together_have_two_columns() -> None:
    one = facts([["present", "absent"]])
    together = [
        one.sessions[0],
        matrix.SessionFact(101, one.sessions[0].starts_at, one.sessions[0].ends_at, "closed"),
    ]
    found = documents.course(
        matrix.build(matrix.CourseFacts(1, "A", "A", "T", one.students, together, one.cells)), DAYS
    )
    keys = [column.key for column in found.columns]
    assert keys[3:5] == ["2026-03-02 09:00", "2026-03-02 09:00 (2)"]


@pytest.mark.parametrize(("students", "lessons"), [(0, 0), (1, 1), (30, 12), (90, 60)])
def test_a_pdf_has_pages_a_school_and_everybody(students: int, lessons: int) -> None:
    document = course_document([["present"] * lessons for _ in range(students)])
    pages = pdf_text(document_pdf(document, school="Colegio Niño Jesús", made_at=MADE))
    whole = "\n".join(pages)
    assert "Colegio Niño Jesús" in pages[0]
    assert f"page 1 of {len(pages)}" in pages[0]
    assert "Signature" in pages[-1]
    for student in range(students):
        assert f"S{student:03d}" in whole
    if lessons == 60:
        assert len(pages) > 4
        assert all("Number" in page for page in pages)


def test_the_pdf_totals_are_the_tables() -> None:
    rows = [
        ["present", "absent", "late"],
        ["excused", "present", "absent"],
        ["to_check", "present", "present"],
    ]
    found = matrix.build(facts(rows))
    text = " ".join(
        pdf_text(document_pdf(documents.course(found, DAYS), school="S", made_at=MADE))[0].split()
    )
    totals = [getattr(found.total, key) for key in COUNTS]
    assert totals == [4, 1, 0, 1, 2, 0, 1, 7, 5]
    assert f"71.4 {' '.join(map(str, totals))}" in text


@pytest.mark.parametrize(
    "name", ["محمد عبد الله", "لالا سلمى", "Zoë Yılmaz", "Łukasz Żółć", "Ελένη", "Мария", "דוד"]
)
def test_the_font_has_every_letter_as_it_is_drawn(name: str) -> None:
    document_pdf(course_document([["present"]], [name]), school="S", made_at=MADE)
    known = pdfmetrics.getFont(pdf.FONT).face.charToGlyph
    assert [letter for letter in pdf.shaped(name) if ord(letter) not in known] == []


def test_right_to_left_names_are_turned_and_others_are_left_alone() -> None:
    assert pdf.shaped("O'Neil, Sinéad") == "O'Neil, Sinéad"
    assert pdf.shaped("דוד") == "דוד"[::-1]
    assert pdf.shaped("محمد")[-1] == "\ufee3"  # the first letter stands at the right, in its initial form


@pytest.mark.slow
def test_libreoffice_reads_what_the_report_says(tmp_path: Path) -> None:
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        pytest.skip("not here: LibreOffice (neither soffice nor libreoffice on the path)")
    document = course_document([["present", "absent"], ["late", "to_check"]], ["=1+1", "@x"])
    (tmp_path / "report.xlsx").write_bytes(document_xlsx(document))
    command = [program, "--headless", f"-env:UserInstallation=file://{tmp_path}/profile"]
    subprocess.run(
        [*command, "--convert-to", "csv", "--outdir", str(tmp_path), str(tmp_path / "report.xlsx")],
        check=True,
        capture_output=True,
        timeout=100,
    )
    rows = list(csv.reader((tmp_path / "report.csv").open(encoding="utf-8")))
    assert [row[1] for row in rows[1:3]] == ["=1+1", "@x"]
    assert [row[3:5] for row in rows[1:3]] == [["P", "A"], ["L", "?"]]


def test_a_percentage_is_never_rounded_over_the_rule() -> None:
    assert percent_text(0.7999) == "79.9"
    assert percent_text(0.8) == "80"
    assert percent_text(0.29) == "29"
    assert percent_text(2 / 3) == "66.6"
    assert percent_text(None) == ""
