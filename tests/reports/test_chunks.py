"""Reports that are read in chunks say what the whole matrix says, byte for byte, however small the chunks."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from attendance.reports import chunks, documents, files, lms, orders
from attendance.reports.csv import document_csv
from attendance.reports.document import Document
from attendance.reports.facts import Days
from attendance.reports.json import document_json
from attendance.reports.orders import Order
from tests import factories as make

from .conftest import Term, add_marks
from .reading import pdf_text

DAYS = Days(dt.date(2026, 3, 1), dt.date(2026, 6, 30))
MADE = dt.datetime(2026, 6, 30, 15, tzinfo=dt.UTC)


@pytest.fixture(params=[1, 2, 100])
def at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(chunks, "AT_ONCE", request.param)
    return int(request.param)


def whole(term: Term) -> Document:
    return documents.course(files.course_matrix(term.course, DAYS), DAYS)


def in_chunks(term: Term) -> Document:
    return chunks.course_document(chunks.CourseInChunks.read(term.course, DAYS))


def test_every_format_is_the_same(term: Term, at_once: int) -> None:
    assert document_csv(in_chunks(term)) == document_csv(whole(term))
    assert document_json(in_chunks(term)) == document_json(whole(term))
    assert json.loads(document_json(in_chunks(term)))["totals"]["at_risk"] == "2"
    read, expected = (
        [
            list(row)
            for row in openpyxl.load_workbook(io.BytesIO(files.written(one, "xlsx", MADE).content)).active
        ]
        for one in (in_chunks(term), whole(term))
    )
    assert [[cell.value for cell in row] for row in read] == [
        [cell.value for cell in row] for row in expected
    ]
    assert [[cell.fill.fgColor.rgb for cell in row] for row in read] == [
        [cell.fill.fgColor.rgb for cell in row] for row in expected
    ]
    pages = [pdf_text(files.written(one, "pdf", MADE).content) for one in (in_chunks(term), whole(term))]
    assert pages[0] == pages[1]


def test_files_for_systems_are_the_same(term: Term, at_once: int) -> None:
    matrix = files.course_matrix(term.course, DAYS)
    thin = chunks.CourseInChunks.read(term.course, DAYS).without_cells()
    assert lms.moodle_grades(thin) == lms.moodle_grades(matrix)
    assert lms.canvas_gradebook(thin) == lms.canvas_gradebook(matrix)
    assert (thin.columns, thin.total) == (matrix.columns, matrix.total)
    marks = chunks.marks_document(chunks.CourseInChunks.read(term.course, DAYS))
    assert document_csv(marks, bom=False) == document_csv(documents.marks_for_sis(matrix, DAYS), bom=False)


@pytest.mark.parametrize("kind", orders.KINDS["course"])
def test_an_order_writes_what_the_page_gives(term: Term, kind: str, tmp_path: Path) -> None:
    out = io.BytesIO()
    order = Order("course", term.course.pk, kind, DAYS)
    name = orders.write(term.owner, order, out, tmp_path, MADE)
    if kind in files.TABLES:
        expected = files.written(whole(term), kind, MADE)
    else:
        expected = files.for_systems(files.course_matrix(term.course, DAYS), DAYS, kind)
    assert name == expected.name
    if kind in ("csv", "json") or kind not in files.TABLES:
        assert out.getvalue() == expected.content
    assert not list(tmp_path.iterdir())


def test_an_own_rule_goes_along(term: Term) -> None:
    lenient = Order("course", term.course.pk, "json", DAYS, run=9, rate=0)
    found = json.loads(document_json(orders.document(term.owner, lenient)))
    assert found["totals"]["at_risk"] == "0"


def test_nobody_in_the_course(term: Term) -> None:
    empty = make.course(term.owner)
    found = chunks.course_document(chunks.CourseInChunks.read(empty, DAYS))
    assert document_json(found) == document_json(documents.course(files.course_matrix(empty, DAYS), DAYS))
    assert files.written(found, "xlsx", MADE).content


def test_progress_counts_students(term: Term, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(chunks, "AT_ONCE", 2)
    said: list[tuple[int, int]] = []
    order = Order("course", term.course.pk, "csv", DAYS)
    orders.write(
        term.owner, order, io.BytesIO(), tmp_path, MADE, lambda done, all_: said.append((done, all_))
    )
    assert said == [(2, 5), (4, 5), (5, 5)]


@contextmanager
def queries() -> Iterator[CaptureQueriesContext]:
    with CaptureQueriesContext(connection) as found:
        yield found


def test_a_preview_reads_its_own_lines_only(term: Term) -> None:
    document = in_chunks(term)
    with queries() as few:
        first = document.rows[:2]
    for _ in range(20):
        student = make.student(term.course)
        add_marks(term.sessions[0], [student], ("present",))
    document = in_chunks(term)
    with queries() as many:
        assert len(document.rows[:2]) == len(first) == 2
    assert len(few) == len(many)


def test_what_is_too_large_for_a_pdf(term: Term, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(orders, "PDF_MOST", 10)
    order = Order("course", term.course.pk, "pdf", DAYS)
    with pytest.raises(orders.PdfTooLarge, match="Take Excel or CSV"):
        orders.is_large(term.owner, order)
    with pytest.raises(orders.PdfTooLarge):
        orders.write(term.owner, order, io.BytesIO(), tmp_path, MADE)
    assert not orders.is_large(term.owner, replace(order, kind="xlsx"))


@pytest.mark.parametrize(
    "order",
    [Order("course", 0, "csv", DAYS), Order("summary", 3, "csv", DAYS), Order("course", 1, "exe", DAYS),
     Order("session", 1, "sis", DAYS), Order("everything", 0, "csv", DAYS)],
)  # fmt: skip
def test_orders_that_make_no_sense(order: Order) -> None:
    with pytest.raises(orders.UnknownReport):
        order.check()
