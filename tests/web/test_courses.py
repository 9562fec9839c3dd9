"""Courses, rosters and the import of class lists."""

from __future__ import annotations

import base64
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from attendance.models import Course, Student, Term
from attendance.web import roster_import
from tests import factories as make

from .conftest import SchoolFixture

LIST = (
    "number;first name;last name;email\n9001;Ruth;Adams;ruth@school.example\n9002;Li;Brown;\n9002;Li;Again;\n"
)


def give(school: SchoolFixture, **form: object) -> object:
    return school.client().post(reverse("web:roster-import", args=[school.course.pk]), form)


def carried(text: str) -> dict[str, object]:
    """What the preview's form would send."""
    confirm = text[text.index("import/confirm/") :]
    return {
        "carried": re.search(r'name="carried" value="([^"]+)"', confirm)[1],  # type: ignore[index]
        "column": re.findall(r'name="column" value="([^"]*)"', confirm),
    }


def test_every_row_gets_a_verdict_and_nothing_is_stored(school: SchoolFixture) -> None:
    before = Student.objects.count()
    text = give(school, text=LIST).text  # type: ignore[attr-defined]
    assert "2 new" in text
    assert "1 row cannot be used" in text
    assert "stands in line 3 already" in text
    assert "Import 2 students" in text
    assert Student.objects.count() == before


def test_a_yes_imports_what_was_shown(school: SchoolFixture) -> None:
    form = carried(give(school, text=LIST).text)  # type: ignore[attr-defined]
    told = (
        school.client().post(reverse("web:roster-confirm", args=[school.course.pk]), form, follow=True).text
    )
    assert "2 new, 0 added, 0 changed, 1 left out." in told
    assert school.course.roster_entries.filter(student__number__in=["9001", "9002"]).count() == 2


@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1", "utf-16"])
def test_a_file_from_any_spreadsheet(encoding: str, school: SchoolFixture) -> None:
    content = "número;nombre;apellidos\n9100;Zoë;Nuñez\n".encode(encoding)
    text = give(school, file=SimpleUploadedFile("list.csv", content)).text  # type: ignore[attr-defined]
    assert "Nuñez" in text
    assert "1 new" in text


def test_columns_can_be_corrected(school: SchoolFixture) -> None:
    data = base64.b64encode(b"id,first name,house\n9200,Ada,Lovelace\n").decode()
    columns = ["number", "given_name", "family_name"]
    text = give(school, carried=data, column=columns).text  # type: ignore[attr-defined]
    assert "Lovelace, Ada" in text


@pytest.mark.parametrize(
    "form",
    [{}, {"text": "  "}, {"text": "just some words"}, {"file": SimpleUploadedFile("a.csv", b"\x00\x01\x02")}],
)
def test_a_list_that_cannot_be_read_is_refused_in_words(
    form: dict[str, object], school: SchoolFixture
) -> None:
    answer = give(school, **form)
    assert answer.status_code == 422  # type: ignore[attr-defined]
    assert 'role="alert"' in answer.text  # type: ignore[attr-defined]


def test_a_broken_form_is_refused(school: SchoolFixture) -> None:
    told = school.client().post(
        reverse("web:roster-confirm", args=[school.course.pk]), {"carried": "not base64"}, follow=True
    )
    assert "cannot be read" in told.text
    assert not Student.objects.filter(number="9001").exists()


def test_a_long_list_is_cut_on_the_page_and_not_in_the_import(
    school: SchoolFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roster_import, "SHOWN_ROWS", 3)
    rows = "".join(f"{n},Given{n}\n" for n in range(9300, 9310))
    text = give(school, text="number,name\n" + rows).text  # type: ignore[attr-defined]
    assert "7 more rows are not shown" in text
    school.client().post(reverse("web:roster-confirm", args=[school.course.pk]), carried(text))
    assert school.course.roster_entries.filter(student__number__startswith="93").count() == 10


def test_one_student_by_hand(school: SchoolFixture) -> None:
    address = reverse("web:student-add", args=[school.course.pk])
    answer = school.client().post(
        address, {"number": "9400", "given_name": "Ada", "family_name": "", "email": ""}
    )
    added = Student.objects.get(number="9400")
    assert answer["Location"] == reverse("web:student", args=[added.pk])
    again = school.client().post(address, {"number": "9400", "given_name": "Ada"}, follow=True)
    assert "on the roster already" in again.text
    assert school.client().post(address, {"number": "", "given_name": ""}).status_code == 422


def test_who_leaves_the_roster_is_gone_from_it(school: SchoolFixture) -> None:
    school.client().post(reverse("web:student-remove", args=[school.course.pk, school.student.pk]))
    assert (
        school.student.sort_name
        not in school.client().get(reverse("web:course", args=[school.course.pk])).text
    )


def test_a_course_with_a_new_term(school: SchoolFixture) -> None:
    form = {"name": "Botany", "code": "BOT", "term": ""}
    address = reverse("web:course-new")
    assert "Choose a term" in school.client().post(address, form).text
    wrong = {**form, "term_name": "Winter", "term_starts": "2027-01-10", "term_ends": "2026-01-10"}
    assert "must end after" in school.client().post(address, wrong).text
    school.client().post(address, {**wrong, "term_ends": "2027-03-31"})
    course = Course.objects.get(code="BOT")
    assert course.term == Term.objects.get(name="Winter")
    assert list(course.teachers.all()) == [school.owner]


def test_the_demo_goes_with_one_press(school: SchoolFixture) -> None:
    demo = make.course(school.owner, students=2, is_demo=True)
    make.session(demo)
    assert "Remove the demo" in school.client().get("/").text
    school.client().post(reverse("web:demo-remove", args=[demo.pk]))
    assert not Course.objects.filter(pk=demo.pk).exists()
    assert "Remove the demo" not in school.client().get("/").text
    assert school.client().post(reverse("web:demo-remove", args=[school.course.pk])).status_code == 404
