"""Rules, words, cancelled lessons, holidays and excuses in every report: one place, one number."""

from __future__ import annotations

import csv
import datetime as dt
import io
import time
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.utils import timezone, translation
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from attendance import classes, errors, excusing, labels, logos, marks, rules, school_days, schooltime
from attendance.models import Course
from attendance.reports import absences, documents, facts, files, lms, matrix, what_if
from attendance.reports.csv import safe_cell, safe_identifier
from attendance.reports.facts import Days
from attendance.reports.matrix import Rule, standing
from attendance.reports.tables import COUNTED, Credit, Tally, absences_among_last, tally
from tests import factories as make

STATUSES = st.sampled_from(
    ["present", "late", "left_early", "excused", "absent", "not_evaluated", "to_check", ""]
)
PERCENT = st.integers(0, 100)


# --- pure --------------------------------------------------------------------------------------------
@given(st.lists(STATUSES), PERCENT, PERCENT)
def test_the_rate_is_between_none_and_all_and_docks_what_the_rule_says(
    statuses: list[str], late: int, early: int
) -> None:
    found, full = tally(statuses, Credit(late, early)), tally(statuses)
    if not any(status in COUNTED for status in statuses):
        assert found.rate is None
        return
    worth = {"present": 100, "late": late, "left_early": early, "absent": 0}
    expected = [worth[status] for status in statuses if status in worth]
    assert found.rate == pytest.approx(sum(expected) / (100 * len(expected)))
    assert 0 <= found.rate <= (full.rate or 0) <= 1
    assert (found.total, found.attended) == (full.total, full.attended)


@given(st.lists(STATUSES), st.lists(STATUSES), PERCENT)
def test_tallies_add_up(one: list[str], two: list[str], late: int) -> None:
    credit = Credit(late, 100)
    assert tally(one, credit) + tally(two, credit) == tally(one + two, credit)
    assert sum([tally([status], credit) for status in one], Tally()) == tally(one, credit)


@given(st.lists(STATUSES), st.integers(0, 12))
def test_absences_among_the_last_that_count(statuses: list[str], lessons: int) -> None:
    counted = [status for status in statuses if status in COUNTED]
    found = absences_among_last(statuses, lessons)
    assert found == sum(status == "absent" for status in counted[max(len(counted) - lessons, 0) :])
    assert found == absences_among_last([*statuses, "excused", "not_evaluated", ""], lessons)


@given(
    st.lists(STATUSES),
    st.builds(Rule, st.integers(0, 5), st.just(0.8), st.just(3), st.integers(0, 5), st.integers(1, 9)),
)
def test_what_counts_nowhere_never_puts_anybody_at_risk(statuses: list[str], rule: Rule) -> None:
    without = [status for status in statuses if status in COUNTED]
    assert standing(statuses, rule).at_risk == standing(without, rule).at_risk
    off = Rule(in_a_row=0, least_rate=0.0, window_absences=0)
    assert not standing(statuses, off).at_risk


@pytest.mark.parametrize(
    "text", ["1001", "-1001", "+34-55", "S-001.b", "ruth@school.example", "-x@school.example", "ñandú1"]
)
def test_identifiers_are_left_as_they_are(text: str) -> None:
    assert safe_identifier(text) == text


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1+1", "-SUM(A1)", "@SUM(A1)", "-1 2", "=cmd|'/c calc'!A0", "-2+3+cmd|x", "\t=1", "-", "@a"],
)
def test_what_could_be_a_formula_is_not_an_identifier(text: str) -> None:
    assert safe_identifier(text) == safe_cell(text) == f"'{text}"


def test_the_legend_names_the_letters_in_spanish() -> None:
    with translation.override("es"):
        words = documents.legend()
    assert "P presente" in words
    assert "A ausente" in words
    assert "present," not in words


# --- with a course -----------------------------------------------------------------------------------
@pytest.fixture
def teacher(db: None) -> User:
    return make.teacher()


@pytest.fixture(autouse=True)
def _standard_words() -> Iterator[None]:
    labels.forget()
    yield
    labels.forget()


def lesson(course: Course, ago: int, statuses: list[str], by: User) -> object:
    session = make.session(course, "planned", timezone.now() - dt.timedelta(days=ago))
    classes.open_session(session)
    for student, status in zip(course.students.order_by("number"), statuses, strict=False):
        marks.set_by_hand(session, student, status, by)
    return classes.close_session(session)


def days() -> Days:
    return Days(schooltime.today() - dt.timedelta(days=100), schooltime.today() + dt.timedelta(days=100))


@pytest.fixture
def course(teacher: User) -> Course:
    made = make.course(teacher, students=2)
    for ago in (5, 4, 3):
        lesson(made, ago, ["absent", "late"], teacher)
    return made


def test_a_cancelled_lesson_counts_nowhere_and_comes_back(course: Course, teacher: User) -> None:
    before = files.course_matrix(course, days())
    session = course.sessions.latest("starts_at")
    classes.cancel(session, teacher, "storm")
    found = files.course_matrix(course, days())
    assert [line.in_a_row for line in found.lines] == [2, 0]
    assert found.total.counted == before.total.counted - 2
    assert [column.session.cancelled for column in found.columns] == [False, False, True]
    whole = documents.course(found, days())
    assert [column.struck for column in whole.columns if column.kind == "letter"] == [False, False, True]
    assert [row[5] for row in whole.rows] == ["", ""]
    (summary,) = facts.course_summaries(Course.objects.filter(pk=course.pk), days())
    assert (summary.taken, summary.tally.counted) == (2, 4)
    student = course.students.order_by("number").first()
    lessons = facts.student_lessons(student, Course.objects.all(), days())
    assert [one.counts_as for one in lessons] == ["absent", "absent", ""]
    assert lessons[-1].note == "storm"
    document = documents.student("x", "1", lessons, days())
    assert document.rows[-1][4] == "cancelled"
    assert sum(1 for _row in facts.every_mark(Course.objects.all(), days())) == 4
    for kind in files.TABLES:
        assert files.written(whole, kind, timezone.now()).content
    classes.restore(session)
    assert files.course_matrix(course, days()) == before


def test_rolls_of_holidays_and_cancelled_lessons_are_not_missing(course: Course, teacher: User) -> None:
    planned = make.session(course, "planned", timezone.now() - dt.timedelta(days=2))
    mine = Course.objects.filter(pk=course.pk)
    assert [one.session.id for _course, one in facts.missing_in(mine, days())] == [planned.pk]
    day = schooltime.school_day(planned.starts_at)
    holiday = school_days.add_holiday("Carnival", day, day)
    assert facts.missing_in(mine, days()) == []
    school_days.remove_holiday(holiday)
    classes.cancel(planned, teacher)
    assert facts.missing_in(mine, days()) == []


def test_excused_lessons_neither_count_nor_break_a_run(course: Course, teacher: User) -> None:
    student = course.students.order_by("number").first()
    session = course.sessions.latest("starts_at")
    marks.undo(session.marks.get(student=student), teacher)
    excusing.enter(
        student, course, excusing.When.of_sessions([session]), "illness", teacher, note="flu", approve=True
    )
    found = files.course_matrix(course, days())
    assert found.lines[0].in_a_row == 2
    assert found.lines[0].tally.excused == 1
    roll = files.session_document(session)
    note = [column.key for column in roll.columns].index("note")
    assert roll.rows[0][note] == "illness: flu"
    (run,) = absences.absences_in_courses(Course.objects.all(), days())
    assert (run.in_a_row, run.student.id) == (2, student.pk)
    (row,) = files.away_document(student.excuses.all(), days()).rows
    assert row[-3:] == ("illness", "flu", "approved")


def test_corrections_show_as_such(teacher: User) -> None:
    course = make.course(teacher, students=1)
    student = course.students.get()
    make.template(student)
    session = make.session(course)
    for minute in (1, 5, 9):
        make.snapshot(session, minute)
    classes.close_session(session)
    marks.set_by_hand(session, student, "present", teacher, note="sat in the corner")
    roll = files.session_document(session)
    note = [column.key for column in roll.columns].index("note")
    assert roll.rows[0][note] == "corrected; the camera said: absent · sat in the corner"


def test_the_rule_of_the_course_goes_before_the_schools_everywhere(course: Course, teacher: User) -> None:
    rules.change(None, {"late_counts": 50, "in_a_row": 9, "least_percent": 60}, teacher)
    found = files.course_matrix(course, days())
    assert [line.tally.rate for line in found.lines] == [0, 0.5]
    assert [line.by_rate for line in found.lines] == [True, True]
    (summary,) = facts.course_summaries(Course.objects.filter(pk=course.pk), days())
    assert summary.tally == found.total
    student = course.students.order_by("-number").first()
    lessons = facts.student_lessons(student, Course.objects.all(), days())
    document = documents.student("x", "1", lessons, days())
    assert dict(document.facts)["Attended"] == "50 % (3/3)"
    assert "counts 50 % as attended" in documents.rule_text(found)
    rules.change(course, {"late_counts": 100, "least_percent": 0}, teacher)
    assert not any(line.by_rate for line in files.course_matrix(course, days()).lines)


def test_what_would_change_is_what_changes(course: Course, teacher: User) -> None:
    def at_risk() -> int:
        return len(files.course_matrix(course, days()).at_risk)

    was = at_risk()
    values: rules.Values = {"late_counts": 50, "least_percent": 60, "in_a_row": 3}
    for level in (None, course):
        effect = what_if.effect(level, values)
        assert at_risk() == was
        assert (effect.students, effect.newly, effect.no_longer) == (2, 1, 0)
    rules.change(None, values, teacher)
    assert at_risk() == was + 1 == effect.at_risk
    assert what_if.effect(None, {"in_a_row": 0, "least_percent": 0}).no_longer == 2
    with pytest.raises(rules.RulesRefused):
        what_if.effect(None, {"least_percent": 101})


def test_the_schools_words_stand_in_tables_and_not_in_files_for_systems(
    course: Course, teacher: User
) -> None:
    labels.set_labels({"late": "Tardy", "absent": " "})
    session = course.sessions.latest("starts_at")
    document = files.course_matrix(course, days())
    titles = [column.title for column in documents.course(document, days()).columns]
    assert "Tardy" in titles
    assert "absent" in titles
    assert "L Tardy" in documents.legend()
    assert "Tardy" not in files.moodle_marks(session).content.decode()
    assert (
        "late"
        in files.written(documents.marks_for_sis(document, days()), "csv", timezone.now()).content.decode()
    )
    labels.set_labels({})
    assert labels.in_force() == {}


def test_identifiers_come_back_through_moodle_and_canvas(teacher: User) -> None:
    course = make.course(teacher)
    odd = {"-1001": "=HYPERLINK(1)", "+2002": "+Ada", "=3003": "-Bob", "S-4": "@Cole"}
    for number, name in odd.items():
        make.student(course, number=number, given_name=name, family_name="", email="")
    session = lesson(course, 1, ["present"] * 4, teacher)
    text = files.moodle_marks(session).content.decode()  # type: ignore[arg-type]
    read = {row["idnumber"] for row in csv.DictReader(io.StringIO(text))}
    assert read == {"-1001", "+2002", "'=3003", "S-4"}
    found = files.course_matrix(course, days())
    made = lms.canvas_gradebook(found)
    rows = list(csv.DictReader(io.StringIO(made)))[1:]
    assert all(row["Student"].startswith("'") for row in rows)
    emptied = made.replace(",100\r\n", ",\r\n").replace(",,,,100", ",,,,100")
    filled = lms.fill_canvas(emptied, found)
    assert (filled.filled, filled.unmatched) == (3, 1)
    sis = files.written(
        documents.marks_for_sis(found, days()), "csv", timezone.now(), bom=False
    ).content.decode()
    assert {row["student_number"] for row in csv.DictReader(io.StringIO(sis))} == read


def png(size: tuple[int, int] = (80, 40), kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "navy").save(out, kind)
    return out.getvalue()


def test_the_logo_is_bounded_and_stands_on_paper(course: Course, teacher: User) -> None:
    before = len(
        files.written(
            documents.course(files.course_matrix(course, days()), days()), "pdf", timezone.now()
        ).content
    )
    logos.set_logo(png((3000, 300), "JPEG"), teacher)
    assert (logos.current().width, logos.current().height) == (600, 60)  # type: ignore[union-attr]
    with_logo = files.written(
        documents.course(files.course_matrix(course, days()), days()), "pdf", timezone.now()
    )
    assert len(with_logo.content) > before
    for wrong in (
        b"",
        b"GIF89a",
        png()[:60],
        b"<svg onload='x'/>",
        png((8, 8)),
        b"\x89PNG" + b"0" * 3_000_000,
    ):
        with pytest.raises(logos.LogoRefused):
            logos.set_logo(wrong, teacher)
    logos.set_logo(png(), teacher)
    assert logos.png()
    logos.remove_logo()
    assert logos.png() is None
    assert issubclass(logos.LogoRefused, errors.RollcallError)


def test_the_number_of_queries_does_not_grow(teacher: User, django_assert_max_num_queries: object) -> None:
    course = make.course(teacher, students=6)
    for ago in range(6):
        lesson(course, ago + 1, ["absent"] * 6, teacher)
    schooltime.school_zone()
    with django_assert_max_num_queries(6):  # type: ignore[operator]
        files.course_matrix(course, days())
    with django_assert_max_num_queries(4):  # type: ignore[operator]
        absences.absences_in_courses(Course.objects.all(), days())
    with django_assert_max_num_queries(6):  # type: ignore[operator]
        what_if.effect(None, {"in_a_row": 1})
    with django_assert_max_num_queries(8):  # type: ignore[operator]
        facts.student_lessons(course.students.first(), Course.objects.all(), days())
    assert matrix.Rule() == facts.rule_of(rules.RuleSet())


@pytest.mark.parametrize("part", ["a_", "a.", "a-", "_", "é_"])
def test_no_address_keeps_an_export_busy(part: str) -> None:
    """E-mail addresses of 254 characters, made to be read in as many ways as possible."""
    began = time.process_time()
    for end in ("!", "!@b.example", "@" + part * 50 + "!"):
        safe_identifier((part * 120)[:200] + end)
    assert time.process_time() - began < 0.5
