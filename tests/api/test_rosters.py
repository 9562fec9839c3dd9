"""Courses, rosters by hand and from files."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from attendance import rosters
from attendance.models import RosterEntry, Student
from tests import factories as make
from tests.api.conftest import World

LIST = "number;name;email\nZ1;Ada Lovelace;ada@example.org\nZ2;Alan Turing;no address\nZ3;Grace Hopper;\n"


def test_a_course_says_how_many_are_on_its_roster_now(world: World) -> None:
    rosters.remove_from_roster(world.course, world.students[0])
    course = world.client("owner").get(f"/api/courses/{world.course.pk}/").json()
    assert course["students"] == 2
    assert [teacher["username"] for teacher in course["teachers"]] == [world.owner.username]


def test_a_student_is_put_on_the_roster_once(world: World) -> None:
    client = world.client("owner")
    new = {"number": "Z1", "given_name": "Ada", "family_name": "Lovelace", "email": "ada@example.org"}
    first = client.post(f"/api/courses/{world.course.pk}/roster/", new, format="json")
    assert (first.status_code, first.json()["student"]["name"]) == (201, "Ada Lovelace")
    again = client.post(f"/api/courses/{world.course.pk}/roster/", new, format="json")
    assert (again.status_code, again.json()["type"]) == (409, "urn:rollcall:problem:duplicate-student")


@pytest.mark.parametrize("field", ["number", "given_name"])
@pytest.mark.parametrize("value", ["", "   ", "x" * 500, None, "\u0000"])
def test_a_student_without_a_usable_number_or_name_is_refused(
    world: World, field: str, value: str | None
) -> None:
    new = {"number": "Z1", "given_name": "Ada", field: value}
    answer = world.client("owner").post(f"/api/courses/{world.course.pk}/roster/", new, format="json")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == f"#/{field}"


def test_who_leaves_the_roster_is_listed_as_gone(world: World) -> None:
    client = world.client("owner")
    address = f"/api/courses/{world.course.pk}/roster/"
    assert client.delete(f"{address}{world.students[0].pk}/").status_code == 204
    assert client.delete(f"{address}{world.students[0].pk}/").status_code == 404
    assert client.get(f"{address}?current=true").json()["count"] == 2
    gone = client.get(f"{address}?current=false").json()["results"]
    assert [entry["student"]["id"] for entry in gone] == [world.students[0].pk]
    assert gone[0]["left_on"] is not None


def test_a_preview_stores_nothing_and_an_import_stores_what_was_shown(world: World) -> None:
    client = world.client("owner")
    address = f"/api/courses/{world.course.pk}/roster/"
    preview = client.generic("POST", f"{address}preview/", LIST, content_type="text/csv").json()
    assert preview["counts"] == {"new": 2, "changed": 0, "same": 0, "added": 0, "error": 1}
    assert [row["verdict"] for row in preview["rows"]] == ["new", "error", "new"]
    assert preview["rows"][1]["problems"] == ["no address is not an e-mail address."]
    assert not Student.objects.filter(number__startswith="Z").exists()
    answer = client.generic(
        "POST", f"{address}import/?digest={preview['digest']}", LIST, content_type="text/csv"
    )
    assert answer.json() == {"created": 2, "changed": 0, "added": 0, "skipped": 1}
    assert world.course.students.filter(number__in=["Z1", "Z3"]).count() == 2


def test_an_import_of_something_else_than_was_previewed_stores_nothing(world: World) -> None:
    client = world.client("owner")
    address = f"/api/courses/{world.course.pk}/roster/"
    digest = client.generic("POST", f"{address}preview/", LIST, content_type="text/csv").json()["digest"]
    other = LIST.replace("Ada", "Eve")
    answer = client.generic("POST", f"{address}import/?digest={digest}", other, content_type="text/csv")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:rollcall:problem:roster-changed")
    make.student(number="Z3", given_name="Somebody")
    answer = client.generic("POST", f"{address}import/?digest={digest}", LIST, content_type="text/csv")
    assert answer.status_code == 409
    assert not world.course.students.filter(number__startswith="Z").exists()


def test_a_list_may_come_as_a_form(world: World) -> None:
    file = SimpleUploadedFile("class.csv", LIST.encode("utf-8-sig"), "text/csv")
    answer = world.client("owner").post(
        f"/api/courses/{world.course.pk}/roster/import/", {"file": file}, format="multipart"
    )
    assert answer.json()["created"] == 2


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", 422),
        (b"\n\n\n", 422),
        (b"\x89PNG\r\n\x1a\n\x00\x00", 422),
        (b"colour;size\nred;4\n", 422),
        ("number,name\n" + "\n".join(f"N{n},A B" for n in range(10_000)), 422),
        (b"number,name\n" + b"1,A\n" * 600_000, 413),
        (b"\xff\xfe\x00", 422),
        (b'number,name\n1,"' + b"a" * 200_000, 422),
    ],
    ids=["empty", "blank", "picture", "no names", "10,000 rows", "2.4 MB", "torn UTF-16", "endless cell"],
)
def test_a_list_that_cannot_be_read_is_refused_with_a_sentence(
    world: World, data: bytes | str, status: int
) -> None:
    for step in ("preview", "import"):
        answer = world.client("owner").generic(
            "POST", f"/api/courses/{world.course.pk}/roster/{step}/", data, content_type="text/csv"
        )
        assert answer.status_code == status
        assert answer.json()["detail"].endswith(".")
    assert RosterEntry.objects.count() == 3


def test_a_list_in_latin_1_with_doubled_numbers_names_the_row(world: World) -> None:
    data = "número;nombre completo\n1;José Peña\n1;Ana Núñez\n".encode("latin-1")
    answer = world.client("owner").generic(
        "POST", f"/api/courses/{world.course.pk}/roster/preview/", data, content_type="text/csv"
    )
    rows = answer.json()["rows"]
    assert (rows[0]["given_name"], rows[0]["family_name"]) == ("José", "Peña")
    assert rows[1]["problems"] == ["The number 1 stands in line 2 already."]
