"""From page to file: what is chosen is what comes, for those who may see it, and all of it agrees."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
import tracemalloc
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from attendance import labels
from attendance.models import ClassSession, Course
from attendance.reports import documents
from attendance.reports.csv import stream_csv
from attendance.reports.matrix import CellFact
from attendance.reports.rolls import roll_of
from attendance.reports.tables import attendance_rate, count
from tests import factories as make
from tests.reports.conftest import WEEKS, Term, add_marks
from tests.reports.reading import pdf_text

DAYS = "from=2026-03-01&to=2026-04-30"


def get_file(term: Term, what: str, pk: int, kind: str, query: str = DAYS) -> Any:
    response = term.client().get(reverse("web:report-file", args=[what, pk, kind]) + f"?{query}")
    assert response.status_code == 200
    assert response["Content-Disposition"].startswith("attachment")
    return response


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_dashboard_table_and_files_say_the_same(term: Term) -> None:
    page = term.client().get(reverse("web:course-dashboard", args=[term.course.pk]) + f"?{DAYS}")
    assert page.status_code == 200
    rates = re.findall(r'heat__rate num">([\d.]+) %', page.text)
    lines = table(get_file(term, "course", term.course.pk, "csv").content.decode())
    whole = json.loads(get_file(term, "course", term.course.pk, "json").content)
    sheet = openpyxl.load_workbook(
        io.BytesIO(get_file(term, "course", term.course.pk, "xlsx").content)
    ).worksheets[0]
    place = [column["key"] for column in whole["columns"]].index("attended_percent")
    in_sheet = [row[place].value for row in sheet.iter_rows(min_row=2)]
    assert len(rates) == 6  # five students and the class
    for shown, line, row, cell in zip(rates[:5], lines, whole["rows"], in_sheet[:5], strict=True):
        assert float(line["attended_percent"]) == row["attended_percent"] == round(cell * 100, 2)
        assert float(shown) == pytest.approx(row["attended_percent"], abs=0.1)
    assert whole["totals"]["attended_percent"] == round(in_sheet[5] * 100, 2) == 64.29
    assert rates[5] == "64.2"
    text = " ".join(pdf_text(get_file(term, "course", term.course.pk, "pdf").content)[0].split())
    assert "64.2" in text
    assert "At risk: 3 absences in a row, or under 80 % once 3 lessons count." in text


def test_the_roster_says_the_same_rate(term: Term) -> None:
    page = term.client().get(reverse("web:course", args=[term.course.pk])).text
    line = table(get_file(term, "course", term.course.pk, "csv").content.decode())[-1]
    weeks = [week[2] for week in WEEKS]
    assert attendance_rate(weeks) == 1.0
    assert f"{round(float(line['attended_percent']))} %" in page


def test_a_lesson_that_was_not_evaluated_makes_nobody_absent(term: Term) -> None:
    lines = table(get_file(term, "course", term.course.pk, "csv").content.decode())
    assert {line["2026-03-23 09:00"] for line in lines} == {"not_evaluated"}
    assert sum(int(line["absent"]) for line in lines) == 5


def test_a_cell_of_the_table_is_a_link_that_says_its_mark_in_the_schools_words(term: Term) -> None:
    labels.set_labels({"late": '<b>"tardy"'})
    try:
        page = term.client().get(reverse("web:course-dashboard", args=[term.course.pk]) + f"?{DAYS}").text
    finally:
        labels.set_labels({})
    tardy = "&lt;b&gt;&quot;tardy&quot;"
    assert page.count('class="heat__cell ') == 20
    assert (
        f'<td><a class="heat__cell mark--late" href="/sessions/{term.sessions[0].pk}/#s{term.students[2].pk}" '
        f'title="{tardy}, 7 min"><span class="mark__letter" aria-hidden="true">L</span>'
        f'<span class="sr-only">{tardy}</span></a></td>'
    ) in page


def test_who_is_at_risk_and_why(term: Term) -> None:
    page = term.client().get(reverse("web:course-dashboard", args=[term.course.pk]) + f"?{DAYS}").text
    assert "3 absences in a row, 0 % attended" in page
    softer = term.client().get(
        reverse("web:course-dashboard", args=[term.course.pk]) + f"?{DAYS}&run=9&rate=0"
    )
    assert "Nobody at the moment." in softer.text


def test_the_roll_of_a_session_counts_like_its_page(term: Term) -> None:
    session = term.sessions[0]
    numbers = count(roll_of(session))
    assert (numbers.attended, numbers.absent) == (3, 2)
    roll = json.loads(get_file(term, "session", session.pk, "json", "").content)
    assert roll["facts"]["Present"] == "3 of 5, 0 to check"
    assert [row["status"] for row in roll["rows"]].count("absent") == 2
    marks = table(get_file(term, "session", session.pk, "moodle", "").content.decode())
    assert sorted(line["status"] for line in marks) == ["A", "A", "L", "P", "P"]


def test_a_students_sheet_has_only_courses_the_reader_sees(term: Term) -> None:
    student = term.students[0]
    mine = table(get_file(term, "student", student.pk, "csv").content.decode())
    assert [line["status"] for line in mine] == [week[0] for week in WEEKS]
    path = reverse("web:report-file", args=["student", student.pk, "csv"]) + f"?{DAYS}"
    everything = table(term.client(term.registrar).get(path).content.decode())
    assert len(everything) == 5
    assert {line["course_code"] for line in everything} > {"ALG"}
    page = pdf_text(get_file(term, "student", student.pk, "pdf").content)[0]
    assert "Ana Cruz" in page
    assert "Signature" in page


def test_names_of_every_kind_are_in_the_pdf(term: Term) -> None:
    text = pdf_text(get_file(term, "course", term.course.pk, "pdf").content)[0]
    assert "O'Neil, Sinéad" in text
    assert "@x, =1+1" in text
    # Joined letters stand in the order they are drawn in; PDF readers turn them back.
    assert re.search("[\u0600-\u06ff\ufe70-\ufeff]{3}", text)


def test_rolls_that_are_missing(term: Term) -> None:
    response = term.client().get(reverse("web:overview-file", args=["missing", "csv"]) + f"?{DAYS}")
    found = [(line["date"], line["why"]) for line in table(response.content.decode())]
    assert found == [
        ("2026-03-23", "not evaluated: too few usable photos"),
        ("2026-04-01", "roll not taken"),
    ]


def test_the_summary_shows_own_courses_and_a_registrar_all(term: Term) -> None:
    path = reverse("web:overview-file", args=["summary", "json"]) + f"?{DAYS}"
    own = json.loads(term.client().get(path).content)
    assert [(row["course_code"], row["rolls_taken"], row["rolls_missing"]) for row in own["rows"]] == [
        ("ALG", 4, 2)
    ]
    assert own["totals"]["attended_percent"] == 64.29
    everything = json.loads(term.client(term.registrar).get(path).content)
    assert len(everything["rows"]) == Course.objects.count() == 2
    assert everything["totals"]["absent"] == own["totals"]["absent"] + 1


@pytest.mark.parametrize("what", ["course", "session", "student"])
@pytest.mark.parametrize("kind", ["csv", "xlsx", "pdf", "json"])
def test_somebody_elses_report_does_not_exist(what: str, kind: str, term: Term) -> None:
    pk = {"course": term.course.pk, "session": term.sessions[0].pk, "student": term.students[1].pk}[what]
    path = reverse("web:report-file", args=[what, pk, kind])
    assert term.client(term.stranger).get(path).status_code == 404
    assert term.client(term.registrar).get(path).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/reports/course/{course}/docx/",
        "/reports/missing/1/csv/",
        "/reports/grades/{course}/csv/",
        "/reports/student/{course}9999/csv/",
        "/reports/session/{course}9999/moodle/",
        "/reports/course/missing/",
        "/reports/summary/moodle-grades/",
        "/reports/?what=everything",
        "/reports/?what=session&session=999999",
        "/reports/?what=course&course=999999",
    ],
)
def test_what_is_not_there_is_a_404(path: str, term: Term) -> None:
    assert term.client().get(path.format(course=term.course.pk)).status_code == 404


@pytest.mark.parametrize("what", ["course", "session", "student", "missing", "summary"])
def test_every_choice_has_a_preview_and_files_that_open(what: str, term: Term) -> None:
    client = term.client()
    page = client.get(
        reverse("web:reports"),
        {"what": what, "course": term.course.pk, "from": "2026-03-01", "to": "2026-04-30"},
    )
    assert page.status_code == 200
    links = [
        link.replace("&amp;", "&")
        for link in re.findall(r'href="(/reports/[^"?]+/\?[^"]*|/reports/[^"?]+/)"', page.text)
    ]
    assert len(links) == {"course": 7, "session": 5, "summary": 5}.get(what, 4)
    for link in links:
        assert client.get(link).status_code == 200, link
    assert 'class="status status--' in page.text or what in ("missing", "summary")


def test_marks_of_all_courses_come_piece_by_piece_and_agree(term: Term) -> None:
    path = reverse("web:overview-file", args=["summary", "sis"]) + f"?{DAYS}"
    own = term.client().get(path)
    lines = table(b"".join(own).decode())
    course = table(get_file(term, "course", term.course.pk, "sis").content.decode())
    assert sorted(map(str, lines)) == sorted(map(str, course))
    everything = table(b"".join(term.client(term.registrar).get(path)).decode())
    assert len(everything) == len(lines) + 1 == 21


def test_a_long_report_takes_no_more_memory_than_a_short_one() -> None:
    start = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)

    def peak(rows: int) -> int:
        marks = (
            documents.sis_row(f"S{n}", "ALG", start, start, CellFact(n, n, "present")) for n in range(rows)
        )
        tracemalloc.start()
        length = sum(len(piece) for piece in stream_csv(documents.SIS_KEYS, marks))
        _now, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert length > 40 * rows
        return most

    short = peak(2_000)
    assert peak(40_000) < 1.5 * short


def test_a_link_to_a_student_finds_the_course(term: Term) -> None:
    make.course(term.owner, name="AAA, first in the list")
    page = term.client().get(reverse("web:reports"), {"what": "student", "student": term.students[3].pk})
    assert re.search(rf'<option value="{term.students[3].pk}" selected>', page.text)
    assert re.search(rf'<option value="{term.course.pk}" selected>', page.text)


def test_strange_filters_fall_back_to_the_term(term: Term) -> None:
    query = {
        "what": "course",
        "from": "0000-99-99",
        "to": "x",
        "run": "-1",
        "rate": "٣",
        "course": str(term.course.pk),
    }
    assert term.client().get(reverse("web:reports"), query).status_code == 200
    backwards = {"from": "2026-04-30", "to": "2026-03-01"}
    page = term.client().get(reverse("web:course-dashboard", args=[term.course.pk]), backwards)
    assert 'value="2026-03-01"' in page.text


def test_nothing_yet_says_what_to_do(db: None) -> None:
    user = make.teacher()
    nobody = Term(user, user, user, make.course(), [], [])
    assert "You have no course yet" in nobody.client().get(reverse("web:reports")).text
    empty = make.course(user)
    for what, words in (("session", "No session yet"), ("student", "Import the class list")):
        assert words in nobody.client().get(reverse("web:reports"), {"what": what}).text
    assert "No closed session" in nobody.client().get(reverse("web:course-dashboard", args=[empty.pk])).text


def gradebook(term: Term) -> SimpleUploadedFile:
    text = "Student,ID,SIS User ID,SIS Login ID,Section,Attendance (5)\r\n    Points Possible,,,,,50\r\n"
    text += f"x,1,{term.students[2].number},,A,\r\n"
    return SimpleUploadedFile("grades.csv", text.encode("utf-8-sig"))


def test_a_canvas_gradebook_comes_back_filled(term: Term) -> None:
    path = reverse("web:canvas-fill", args=[term.course.pk]) + f"?{DAYS}"
    for user in (term.owner, term.registrar):
        response = term.client(user).post(path, {"gradebook": gradebook(term)})
        assert table(response.content.decode())[1]["Attendance (5)"] == "50"
        assert response["X-Rollcall-Filled"] == "1"
    assert term.client(term.stranger).post(path, {"gradebook": gradebook(term)}).status_code == 404
    assert term.client().get(path).status_code == 405


def test_a_file_that_is_no_gradebook_is_told_in_words(term: Term) -> None:
    path = reverse("web:canvas-fill", args=[term.course.pk])
    for given in ({}, {"gradebook": SimpleUploadedFile("x.csv", b"\xff\xfe\x00")}):
        response = term.client().post(path, given, follow=True)
        assert "Canvas" in response.text
        assert response.redirect_chain


@pytest.mark.parametrize("name", ["course-dashboard", "report-file", "overview-file", "reports"])
def test_the_number_of_queries_does_not_grow(name: str, term: Term) -> None:
    client = term.client()
    arguments: dict[str, list[object]] = {
        "course-dashboard": [term.course.pk],
        "report-file": ["course", term.course.pk, "csv"],
        "overview-file": ["summary", "csv"],
        "reports": [],
    }
    path = reverse(f"web:{name}", args=arguments[name]) + f"?{DAYS}"

    def queries() -> int:
        client.get(path)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(path).status_code == 200
        return len(captured)

    few = queries()
    more = [make.student(term.course) for _ in range(12)]
    for week in range(10):
        session = make.session(term.course, "closed", term.sessions[0].starts_at.replace(hour=11 + week))
        add_marks(session, more, ("present",) * 12)
    make.session(make.course(term.owner, students=2), "closed", term.sessions[0].starts_at)
    assert ClassSession.objects.filter(course=term.course).count() == 15
    assert queries() == few
    assert few <= 20
