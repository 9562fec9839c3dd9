"""Class lists as schools send them."""

from __future__ import annotations

import datetime as dt
import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from attendance import class_lists, errors, rosters
from attendance.models import AuditEntry, Course, Student
from attendance.rosters import Verdict
from tests import factories as make
from tests import odd_papers

pytestmark = pytest.mark.django_db

PLAIN = "Student number,First name,Last name,E-mail\n1001,Ruth,Adams,ruth@school.test\n1002,Li,Brown,\n"


@pytest.fixture
def course() -> Course:
    return make.course()


def verdicts(seen: rosters.Preview) -> list[str]:
    return [str(row.verdict) for row in seen.rows]


@pytest.mark.parametrize(
    "data",
    [
        PLAIN.encode(),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.replace(",", ";").encode(),
        PLAIN.replace(",", "\t").encode(),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.encode("utf-16"),
        ("\n\n" + PLAIN + "\n,,,\n").encode(),
    ],
    ids=["plain", "BOM", "semicolons", "tabs", "CRLF", "UTF-16", "blank lines"],
)
def test_every_common_way_of_writing_a_csv_reads_the_same(course: Course, data: bytes) -> None:
    seen = rosters.preview(course, data)
    assert [(row.number, row.given_name, row.family_name) for row in seen.rows] == [
        ("1001", "Ruth", "Adams"),
        ("1002", "Li", "Brown"),
    ]
    assert not Student.objects.exists(), "a preview stores nothing"
    assert rosters.import_rows(course, seen).created == 2
    assert course.students.count() == 2


def test_latin_1_keeps_its_letters(course: Course) -> None:
    seen = rosters.preview(course, "Número;Nombre;Apellidos\n7;Íñigo;Muñoz Peña\n".encode("latin-1"))
    assert (seen.rows[0].given_name, seen.rows[0].family_name) == ("Íñigo", "Muñoz Peña")


@pytest.mark.parametrize(
    ("name", "given", "family"),
    [
        ("Adams, Ruth", "Ruth", "Adams"),
        ("Ruth Adams", "Ruth", "Adams"),
        ("Sukarno", "Sukarno", ""),
        ("Maria del Carmen Lopez", "Maria del Carmen", "Lopez"),
        ("محمد علي", "محمد", "علي"),
    ],
)
def test_whole_names_are_split_as_lists_write_them(name: str, given: str, family: str) -> None:
    assert class_lists.split_name(name) == (given, family)


def test_every_row_has_its_verdict_and_bad_rows_do_not_stop_good_ones(course: Course) -> None:
    same = make.student(course, number="1", given_name="Same", family_name="Person")
    make.student(course, number="2", given_name="Old", family_name="Name")
    make.student(number="3", given_name="Else", family_name="Where")
    seen = rosters.preview(
        course,
        b"id,first name,last name,email\n1,Same,Person,\n2,New,Name,\n3,Else,Where,\n4,Brand,New,\n"
        b"4,Twice,There,\n,No,Number,\n5,,Nameless,\n6,Bad,Mail,not-an-address\n",
    )
    assert verdicts(seen) == ["same", "changed", "added", "new", "error", "error", "error", "error"]
    assert seen.rows[1].changes == ("given_name",)
    assert "line 5" in str(seen.rows[4].problems[0])
    result = rosters.import_rows(course, seen)
    assert (result.created, result.changed, result.added, result.skipped) == (1, 1, 1, 4)
    assert set(course.students.values_list("number", flat=True)) == {"1", "2", "3", "4"}
    assert Student.objects.get(number="2").given_name == "New"
    assert Student.objects.get(pk=same.pk).given_name == "Same"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"\n\n  \n", "empty"),
        (b"first name,last name\nA,B\n", "student number"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0d", "not a text file"),
        (b"\xff\xfe\x00", "not a text file"),
        (b"x" * (2 * 1024 * 1024 + 1), "2 MB"),
    ],
    ids=["empty", "only blank lines", "no number column", "a picture", "half UTF-16", "too large"],
)
def test_files_that_are_no_class_list_are_refused_in_words(course: Course, data: bytes, says: str) -> None:
    with pytest.raises(errors.RosterFileRefused) as refusal:
        rosters.preview(course, data)
    assert says in str(refusal.value)


def test_ten_thousand_rows_are_refused_quickly_and_five_thousand_are_read(course: Course) -> None:
    def table(size: int) -> bytes:
        return b"number,name\n" + b"".join(b"%d,Person %d\n" % (n, n) for n in range(size))

    started = time.monotonic()
    with pytest.raises(errors.RosterFileRefused, match="10000 rows"):
        rosters.preview(course, table(10_000))
    assert time.monotonic() - started < 5
    assert rosters.preview(course, table(5_000)).count(Verdict.NEW) == 5_000


def test_a_preview_takes_as_many_queries_for_two_rows_as_for_two_hundred(course: Course) -> None:
    counts = []
    for size in (2, 200):
        data = b"number,name\n" + b"".join(b"%d,Person %d\n" % (n, n) for n in range(size))
        with CaptureQueriesContext(connection) as queries:
            rosters.preview(course, data)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_an_import_takes_no_query_for_each_row(course: Course) -> None:
    counts = []
    for size in (20, 200):
        seen = rosters.preview(
            course, b"number,name\n" + b"".join(b"%d,Person %d\n" % (n, n) for n in range(size))
        )
        with CaptureQueriesContext(connection) as queries:
            rosters.import_rows(course, seen)
        counts.append(len(queries))
    assert course.students.count() == 200
    assert counts[1] <= counts[0] + 2


def test_columns_can_be_corrected_by_hand(course: Course) -> None:
    seen = rosters.preview(course, b"a,b,c\n1,Adams,Ruth\n", ["number", "family_name", "given_name"])
    assert (seen.rows[0].given_name, seen.rows[0].family_name) == ("Ruth", "Adams")


def test_one_student_by_hand_once(course: Course) -> None:
    rosters.add_student(course, number="9", given_name="Ana")
    with pytest.raises(errors.DuplicateStudent):
        rosters.add_student(course, number="9", given_name="Ana")


def test_the_roll_of_an_open_session_follows_the_roster(course: Course) -> None:
    session = make.session(course, starts_at=timezone.now())
    student = rosters.add_student(course, number="9", given_name="Ana")
    assert session.marks.filter(student=student).exists()
    rosters.import_rows(course, rosters.preview(course, b"number,name\n10,Ben Abbott\n"))
    assert session.marks.count() == 2


def test_who_leaves_and_comes_back_keeps_one_entry(course: Course) -> None:
    student = make.student(course, since=dt.date(2026, 1, 1))
    rosters.remove_from_roster(course, student)
    assert course.roster_entries.get().left_on is not None
    rosters.add_to_roster(course, student)
    assert course.roster_entries.get().left_on is None


# --- students of another class ------------------------------------------------------------------
@pytest.fixture
def elsewhere() -> Student:
    """Somebody whom no teacher of these tests teaches."""
    return make.student(
        make.course(make.teacher()),
        number="E1",
        given_name="Íñigo",
        family_name="Muñoz Peña",
        email="i@school.test",
    )


@pytest.mark.parametrize("name", ["Inigo Munoz Pena", "MUÑOZ PEÑA, ÍÑIGO"])
def test_number_and_name_together_bring_a_student_of_another_class(elsewhere: Student, name: str) -> None:
    teacher = make.teacher()
    course = make.course(teacher)
    seen = rosters.preview(course, f'number,name,email\nE1,"{name}",other@school.test\n'.encode(), by=teacher)
    assert [(row.verdict, row.changes) for row in seen.rows] == [(Verdict.ADDED, ())]
    rosters.import_rows(course, seen, by=teacher)
    elsewhere.refresh_from_db()
    assert (elsewhere.given_name, elsewhere.email) == ("Íñigo", "i@school.test"), (
        "nothing of them was changed"
    )
    entry = AuditEntry.objects.get(what="roster:from-another-class")
    assert (entry.actor_id, entry.student_id) == (teacher.pk, elsewhere.pk)


def test_a_number_alone_reveals_and_changes_nothing(elsewhere: Student) -> None:
    teacher = make.teacher()
    course = make.course(teacher)
    seen = rosters.preview(course, b"number,name,email\nE1,Eve Adams,i@school.test\n", by=teacher)
    assert [(row.verdict, row.changes) for row in seen.rows] == [(Verdict.ERROR, ())]
    rosters.import_rows(course, seen, by=teacher)
    with pytest.raises(errors.NumberOfAnother):
        rosters.add_student(course, number="E1", given_name="Eve", by=teacher)
    assert not course.students.exists()
    said = f"{seen.rows[0]}{errors.NumberOfAnother.message}"
    assert not any(secret in said for secret in ("Íñigo", "Muñoz"))


def test_students_one_may_see_are_found_by_number_as_ever(elsewhere: Student) -> None:
    for by in (make.administrator(), elsewhere.courses.get().teachers.get(), None):
        course = make.course(by)
        seen = rosters.preview(course, b"number,name\nE1,Ignacio\n", by=by)
        assert [row.verdict for row in seen.rows] == [Verdict.CHANGED]
        assert rosters.add_student(course, number="E1", given_name="Ignacio", by=by) == elsewhere
    assert not AuditEntry.objects.filter(what="roster:from-another-class").exists()


@pytest.mark.parametrize("paper", odd_papers.class_lists(), ids=repr)
def test_odd_class_lists_are_read_or_refused_with_a_sentence(paper: odd_papers.OddPaper) -> None:
    if paper.rows is None:
        with pytest.raises(errors.RosterFileRefused, match=r"\.$"):
            class_lists.parse(paper.data)
        return
    taken = [row for _line, row in class_lists.parse(paper.data).rows if not class_lists.problems_of(row)]
    assert len({row["number"] for row in taken}) == paper.rows
