"""Students, their consent and their portraits."""

from __future__ import annotations

from typing import Any

import pytest

from attendance import consents
from attendance.models import Consent, ConsentEvent, FaceTemplate, Portrait
from tests import factories as make
from tests.api.conftest import World

GIVEN = {"given_by": "guardian", "given_by_name": "A Parent", "method": "paper"}


def test_a_student_shows_consent_and_whether_a_template_exists(world: World) -> None:
    make.template(world.students[0])
    client = world.client("owner")
    with_template = client.get(f"/api/students/{world.students[0].pk}/").json()
    without = client.get(f"/api/students/{world.students[1].pk}/").json()
    assert (with_template["consent"], with_template["enrolled"]) == ("given", True)
    assert (without["consent"], without["enrolled"]) == ("asked", False)


@pytest.mark.parametrize(
    ("query", "found"), [("search=given family", 3), ("search=nobody", 0), ("number=S", 0)]
)
def test_students_are_found_by_parts_of_their_names(world: World, query: str, found: int) -> None:
    make.student(make.course(world.other))
    assert world.client("owner").get(f"/api/students/?{query}").json()["count"] == found


def test_students_are_narrowed_to_a_roster_one_may_see(world: World) -> None:
    elsewhere = make.course(world.other, students=2)
    assert world.client("owner").get(f"/api/students/?course={world.course.pk}").json()["count"] == 3
    assert world.client("owner").get(f"/api/students/?course={elsewhere.pk}").json()["count"] == 0


def test_consent_is_recorded_and_withdrawn_with_all_that_hung_on_it(world: World) -> None:
    client, student = world.client("owner"), world.students[0]
    address = f"/api/students/{student.pk}/consent/"
    assert client.get(address).json()["state"] == "asked"
    assert client.put(address, GIVEN, format="json").json()["text_version"] == "2026-1"
    make.template(student)
    answer = client.delete(address)
    assert (answer.status_code, answer.json()["state"]) == (200, "withdrawn")
    assert not FaceTemplate.objects.filter(student=student).exists()
    assert not Portrait.objects.filter(student=student).exists()
    events = ConsentEvent.objects.filter(student_id=student.pk).order_by("pk")
    assert [event.state for event in events] == ["given", "withdrawn"]


def test_a_refused_consent_is_shown_as_refused(world: World) -> None:
    student = world.students[1]
    consents.record(student, consents.Answer(yes=False, given_by="guardian", name="A Parent"), world.owner)
    shown = world.client("owner").get(f"/api/students/{student.pk}/consent/").json()
    assert shown["state"] == "refused"
    assert shown["refused_at"]
    assert world.client("owner").get(f"/api/students/{student.pk}/").json()["consent"] == "refused"
    world.client("owner").put(f"/api/students/{student.pk}/consent/", GIVEN, format="json")
    again = world.client("owner").get(f"/api/students/{student.pk}/consent/").json()
    assert (again["state"], again["refused_at"]) == ("given", None)


@pytest.mark.parametrize(
    "change",
    [
        {"given_by": "dog"},
        {"method": ""},
        {"given_by_name": " "},
        {"given_by_name": "x" * 300},
        {"text_version": ""},
    ],
)
def test_consent_that_does_not_say_who_and_how_is_refused(world: World, change: dict[str, str]) -> None:
    address = f"/api/students/{world.students[0].pk}/consent/"
    assert world.client("owner").put(address, GIVEN | change, format="json").status_code == 400
    assert not Consent.objects.exists()


def test_a_portrait_without_consent_is_refused_and_not_stored(world: World) -> None:
    answer = world.client("owner").generic(
        "POST", f"/api/students/{world.students[0].pk}/portraits/", make.jpeg(1), content_type="image/jpeg"
    )
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:rollcall:problem:consent-missing")
    assert not Portrait.objects.exists()


def test_a_portrait_is_kept_queued_and_answered_at_its_address(
    world: World, sent: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    client, student = world.client("owner"), world.students[0]
    make.consent(student)
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.generic(
            "POST", f"/api/students/{student.pk}/portraits/", make.jpeg(1), content_type="image/jpeg"
        )
    portrait = Portrait.objects.get()
    assert (answer.status_code, sent) == (202, [("check_portrait", portrait.pk)])
    Portrait.objects.update(state="rejected", problems=["blurred"])
    seen = client.get(answer["Location"]).json()
    assert (seen["state"], seen["problems"]) == ("rejected", ["blurred"])
    listed = client.get(f"/api/students/{student.pk}/portraits/").json()
    assert [line["id"] for line in listed["results"]] == [portrait.pk]
    assert client.delete(answer["Location"]).status_code == 204
    assert not Portrait.objects.exists()


def test_an_answer_never_holds_an_encoding_or_the_name_of_a_file(world: World) -> None:
    make.template(world.students[0])
    client = world.client("administrator")
    for path in (
        f"sightings/{world.sighting.pk}/",
        f"snapshots/{world.snapshot.pk}/",
        f"snapshots/{world.snapshot.pk}/sightings/",
        f"students/{world.students[0].pk}/portraits/",
        "cameras/",
    ):
        text = client.get(f"/api/{path}").content.decode()
        assert "encoding" not in text.replace("encoder_version", "")
        assert "key_hash" not in text
        for name in (world.snapshot.image.name, world.sighting.chip.name, world.camera.key_hash):
            assert str(name) not in text
