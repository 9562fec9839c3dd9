"""Files for Moodle and Canvas, read the way those systems read them."""

from __future__ import annotations

import csv
import datetime as dt
import io

import pytest

from attendance.reports import lms, matrix
from attendance.reports.tables import MarkFact
from tests.reports.test_tables import facts

CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Essay (9),Attendance (123),Final Score\r\n"
    "    Points Possible,,,,,10,20,(read only)\r\n"
    '"Cruz, Ana",1,s001,x,A,7,,\r\n'
    '"Cruz, Ana",2,,S2@school.example,A,8,11,\r\n'
    '"Name 000",3,,,A,9,-,\r\n'
    '"=cmd|x",4,S003,,A,,,\r\n'
    '"Student, Test",5,,,A,,,\r\n'
)


def mark(number: str, status: str, to_check: bool = False) -> MarkFact:
    email = f"{number}@school.example"
    return MarkFact(
        number, "Cruz, Ana", email, status, "recognised", "", None, None, None, None, 0, "", to_check
    )  # fmt: skip


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def four() -> matrix.Matrix:
    rows = [["present"] * 4, ["present", "absent", "late", "present"], ["absent"] * 4, ["excused"] * 4]
    return matrix.build(facts(rows))


def test_moodle_takes_its_marks_back() -> None:
    statuses = ["present", "late", "left_early", "excused", "absent", "not_evaluated"]
    roll = [mark(f"S{n}", status) for n, status in enumerate(statuses)]
    text = lms.moodle_marks([*roll, mark("S9", "not_evaluated", to_check=True)])
    assert text.splitlines()[0] == "idnumber,email,status"
    found = {line["idnumber"]: line["status"] for line in read(text)}
    # Where nothing is known Moodle is told nothing; its acronyms are case-sensitive.
    assert found == {"S0": "P", "S1": "L", "S2": "P", "S3": "E", "S4": "A"}


def test_moodle_grades_are_numbers_within_the_maximum_or_nothing() -> None:
    text = lms.moodle_grades(four())
    assert text.splitlines()[0] == "username,idnumber,email,Attendance"
    assert [line["Attendance"] for line in read(text)] == ["100", "75", "0", ""]
    assert [line["idnumber"] for line in read(text)] == ["S000", "S001", "S002", "S003"]


def test_a_new_canvas_gradebook_says_the_points_possible() -> None:
    lines = list(csv.reader(io.StringIO(lms.canvas_gradebook(four()), newline="")))
    assert lines[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Attendance"]
    assert lines[1] == ["    Points Possible", "", "", "", "", "100"]
    assert [line[5] for line in lines[2:]] == ["100", "75", "0", ""]


def test_what_canvas_got_as_new_can_be_filled_again() -> None:
    new = lms.canvas_gradebook(four())
    assert lms.fill_canvas(new, four()).text == new


def test_a_canvas_export_comes_back_with_one_column_filled() -> None:
    filled = lms.fill_canvas(CANVAS, four())
    before, after = (list(csv.reader(io.StringIO(text, newline=""))) for text in (CANVAS, filled.text))
    column = before[0].index("Attendance (123)")
    assert [line[column] for line in after] == ["Attendance (123)", "20", "15", "0", "-", "", ""]
    assert [line[:column] + line[column + 1 :] for line in after] == [
        line[:column] + line[column + 1 :] for line in before
    ]
    # Nobody is found by name: "Name 000" has no number here, and of two Ana Cruz each has her own points.
    assert (filled.column, filled.filled, filled.unmatched) == ("Attendance (123)", 2, 2)


def test_a_byte_order_mark_and_a_chosen_column() -> None:
    filled = lms.fill_canvas("\ufeff" + CANVAS, four(), "essay")
    assert filled.column == "Essay (9)"
    assert [line["Essay (9)"] for line in read(filled.text)][:3] == ["10", "7.5", "0"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "name,points\r\nx,1\r\n",
        "Student,ID,SIS User ID\r\n    Points Possible,,\r\n",
        "Student,ID,Attendance (1),Attendance (2)\r\n    Points Possible,,1,1\r\n",
        "Student,ID,Attendance\r\n    Points Possible,,many\r\n",
        "Student,ID,Attendance\r\n    Points Possible,,inf\r\n",
    ],
)
def test_a_file_that_is_no_gradebook_is_refused(text: str) -> None:
    with pytest.raises(lms.CanvasFileRefused):
        lms.fill_canvas(text, four())


def test_an_e_mail_of_two_students_belongs_to_neither() -> None:
    one = facts([["present"], ["absent"]])
    same = [matrix.StudentFact(s.id, s.number, s.sort_name, "Both@school.example") for s in one.students]
    shared = matrix.build(matrix.CourseFacts(1, "A", "A", "T", same, one.sessions, one.cells))
    text = "Student,ID,SIS Login ID,Attendance\r\n    Points Possible,,,1\r\nx,1,both@school.example,\r\ny,2,S001,\r\n"
    filled = lms.fill_canvas(text, shared)
    assert [line["Attendance"] for line in read(filled.text)] == ["1", "", "0"]


def test_grades_have_two_decimals_at_most() -> None:
    assert [lms.grade(share, 100) for share in (1.0, 2 / 3, 0.5, 0.0, None)] == [
        "100",
        "66.67",
        "50",
        "0",
        "",
    ]
    assert lms.grade(0.1, 100) == "10"


def test_dates_of_marks_are_the_schools() -> None:
    sydney = dt.timezone(dt.timedelta(hours=11))
    one = facts([["present"]])
    early = dt.datetime(2026, 3, 12, 9, tzinfo=sydney)
    session = matrix.SessionFact(100, early, early + dt.timedelta(minutes=50), "closed")
    from attendance.reports import documents
    from attendance.reports.facts import Days

    found = matrix.build(matrix.CourseFacts(1, "ALG", "A", "T", one.students, [session], one.cells))
    rows = documents.marks_for_sis(found, Days(dt.date(2026, 3, 1), dt.date(2026, 3, 31))).rows
    assert rows[0][:6] == ("S000", "ALG", "2026-03-12", "09:00", "09:50", "present")
