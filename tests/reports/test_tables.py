"""The numbers of reports, from facts alone: Hypothesis makes the classes."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance.reports import matrix, tables
from attendance.reports.matrix import CellFact, CourseFacts, Rule, SessionFact, StudentFact

STATUSES = ("present", "late", "left_early", "excused", "absent", "not_evaluated", "to_check")
START = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)


def facts(rows: list[list[str]], names: list[str] | None = None, state: str = "closed") -> CourseFacts:
    """A row a student, a status a session; blank is no mark."""
    lessons = len(rows[0]) if rows else 0
    sessions = [
        SessionFact(100 + n, START + dt.timedelta(days=n), START + dt.timedelta(days=n, minutes=50), state)
        for n in range(lessons)
    ]
    students = [
        StudentFact(n, f"S{n:03d}", names[n] if names else f"Name {n:03d}", f"s{n}@school.example")
        for n in range(len(rows))
    ]
    cells = [
        CellFact(
            100 + lesson,
            student,
            "not_evaluated" if status == "to_check" else status,
            status == "to_check",
            7 if status == "late" else None,
            first_seen_at=START + dt.timedelta(days=lesson, minutes=7) if status == "late" else None,
        )
        for student, row in enumerate(rows)
        for lesson, status in enumerate(row)
        if status
    ]
    return CourseFacts(1, "ALG", "Algebra", "Spring", students, sessions, cells)


def classes(max_students: int = 8, max_lessons: int = 8) -> st.SearchStrategy[list[list[str]]]:
    return st.integers(0, max_lessons).flatmap(
        lambda lessons: st.lists(
            st.lists(st.sampled_from(["", *STATUSES]), min_size=lessons, max_size=lessons),
            max_size=max_students,
        )
    )


@given(classes())
def test_rows_and_columns_have_the_same_sum(rows: list[list[str]]) -> None:
    found = matrix.build(facts(rows))
    by_column = sum((column.tally for column in found.columns), tables.Tally())
    assert by_column == found.total
    assert found.total.total == sum(status != "" for row in rows for status in row)


@given(classes())
def test_a_rate_counts_only_what_counts(rows: list[list[str]]) -> None:
    for line, row in zip(matrix.build(facts(rows)).lines, rows, strict=True):
        came = sum(status in ("present", "late", "left_early") for status in row)
        counted = came + row.count("absent")
        assert line.tally.rate == (came / counted if counted else None)


@given(st.lists(st.sampled_from(STATUSES)))
def test_the_roll_counts_everybody_once(statuses: list[str]) -> None:
    counted = tables.tally(statuses)
    assert counted.total == len(statuses)


@pytest.mark.parametrize(
    ("statuses", "run", "longest"),
    [
        ("AAA", 3, 3),
        ("AAAP", 0, 3),
        ("AA-A", 3, 3),  # what was not evaluated breaks no run
        ("AAXA", 3, 3),
        ("AALA", 1, 2),
        ("", 0, 0),
    ],
)
def test_absences_in_a_row(statuses: str, run: int, longest: int) -> None:
    code = {"A": "absent", "P": "present", "-": "not_evaluated", "X": "excused", "L": "late"}
    assert tables.absences_in_a_row([code[letter] for letter in statuses]) == (run, longest)


def test_at_risk_by_run_or_by_rate_and_not_before_it_means_something() -> None:
    absent, here = "absent", "present"
    rows = [
        [here] * 7 + [absent] * 3,  # a run
        [absent, here] * 5,  # a rate
        ["", "", "", "", "", "", "", "", absent, here],  # too early to say
        [here] * 8 + [absent, here],
        [here, absent, here, here, here] * 2,  # exactly 80 %
    ]
    lines = matrix.build(facts(rows)).lines
    assert [(line.by_run, line.by_rate) for line in lines] == [
        (True, True), (False, True), (False, False), (False, False), (False, False),
    ]  # fmt: skip
    stricter = matrix.build(facts(rows), Rule(in_a_row=1, least_rate=0.95, from_lessons=1)).lines
    assert sum(line.at_risk for line in stricter) == 5


def test_open_and_planned_lessons_are_not_reported() -> None:
    assert matrix.build(facts([["present"]], state="open")).columns == ()


def test_a_lesson_the_camera_missed_is_named_and_nobody_is_absent() -> None:
    rows = [["not_evaluated", "present", "not_evaluated"], ["to_check", "absent", "excused"]]
    found = matrix.build(facts(rows))
    assert [column.not_evaluated for column in found.columns] == [True, False, False]
    assert found.columns[0].tally.absent == 0


def test_missing_rolls() -> None:
    later = START + dt.timedelta(hours=1)
    sessions = [
        SessionFact(1, START, later, "planned"),
        SessionFact(2, START, later, "open"),
        SessionFact(3, START, later, "closed"),
        SessionFact(4, START, later, "closed"),
        SessionFact(5, later, later + dt.timedelta(hours=1), "planned"),
    ]
    found = matrix.missing_rolls(sessions, {3}, later + dt.timedelta(minutes=1))
    assert [(one.session.id, one.why) for one in found] == [
        (1, "not_taken"),
        (2, "left_open"),
        (3, "not_evaluated"),
    ]


def test_arrivals_by_five_minutes_and_those_without_a_time() -> None:
    steps, unknown = matrix.arrivals(
        matrix.build(facts([["late", "present", "absent"], ["late", "to_check", ""]]))
    )
    assert dict(steps)[5] == 2
    assert sum(number for _, number in steps) == 2
    assert unknown == 1


def test_lateness_is_the_mean_of_those_who_were_timed() -> None:
    assert matrix.usual_lateness(matrix.build(facts([["late", "present"], ["late", "absent"]]))) == 7
    one = facts([["late"]])
    untimed = [CellFact(cell.session_id, cell.student_id, "late") for cell in one.cells]
    found = matrix.build(CourseFacts(1, "A", "A", "T", one.students, one.sessions, untimed))
    assert matrix.usual_lateness(found) is None


def test_a_trend_is_a_line_through_three_points_or_more() -> None:
    assert tables.trend([0.9, 0.8]) is None
    line = tables.trend([0.9, None, 0.7, 0.6])
    assert line == pytest.approx((0.9, 0.6))
    assert tables.trend([0.5, 0.5, 0.5]) == pytest.approx((0.5, 0.5))


def test_namesakes_stay_two_people() -> None:
    found = matrix.build(facts([["present"], ["absent"]], names=["Cruz, Ana", "Cruz, Ana"]))
    assert [(line.student.number, line.tally.rate) for line in found.lines] == [("S000", 1.0), ("S001", 0.0)]
