"""The desk for programs: the queue, decisions, many at once, undo."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from rest_framework.test import APIClient

from attendance import marks
from attendance.models import Candidate, DeskFact, Review, Sighting
from tests import factories as make
from tests.api.conftest import World


@pytest.fixture
def unsure(world: World) -> Sighting:
    student = world.students[1]
    make.template(student)
    face = make.sighting(make.snapshot(world.session, 9), student, "uncertain", reason="middle_band")
    Candidate.objects.create(
        sighting=face, student=student, rank=0, distance=0.5, score=-0.5, probability=0.97
    )
    marks.recompute(world.session.pk)
    return face


def items(client: APIClient, query: str = "") -> Any:
    answer = client.get(f"/api/desk/{query}")
    assert answer.status_code == 200
    return answer.json()


def decide(client: APIClient, world: World, **said: Any) -> Any:
    return client.post("/api/desk/decisions/", {"session": world.session.pk, **said}, format="json")


def test_the_queue_says_what_is_left_and_everything_about_each_item(world: World, unsure: Sighting) -> None:
    found = items(world.client("owner"))
    assert (found["items_left"], found["marks"], found["seconds"]) == (1, 1, 4)
    (item,) = found["items"]
    assert (item["key"], item["kind"]) == (f"{world.session.pk}-face-{unsure.pk}", "uncertain")
    assert item["candidates"][0]["student"] == world.students[1].pk
    assert item["faces"][0]["sighting"] == unsure.pk
    assert items(world.client("owner"), "?kind=stranger")["items_left"] == 0
    assert items(world.client("owner"), f"?course={world.course.pk}&room={world.room.pk}")["items_left"] == 1
    assert items(world.client("other"))["items_left"] == 0
    for wrong in ("?kind=dance", "?course=x", "?session=-1"):
        assert world.client("owner").get(f"/api/desk/{wrong}").status_code == 400


def test_a_decision_tells_what_moved_and_is_undone_by_its_batch(world: World, unsure: Sighting) -> None:
    owner, student = world.client("owner"), world.students[1]
    key = f"{world.session.pk}-face-{unsure.pk}"
    said = decide(owner, world, act="is", faces=[unsure.pk], student=student.pk, item=key)
    assert said.status_code == 201
    body = said.json()
    assert body["moved"] == [{"student": student.pk, "before": "not_evaluated", "after": "present"}]
    assert Review.objects.get().shown["candidates"][0][0] == student.pk
    assert items(owner)["items_left"] == 0
    for who, status in (("other", 404), ("registrar", 403), ("owner", 204), ("owner", 409)):
        answer = world.client(who).post("/api/desk/undo/", {"batch": body["batch"]}, format="json")
        assert (who, answer.status_code) == (who, status)
    assert items(owner)["items_left"] == 1
    assert owner.post("/api/desk/undo/", {"batch": str(uuid.uuid4())}, format="json").status_code == 404


def test_what_makes_no_sense_is_refused_in_words(world: World, unsure: Sighting) -> None:
    owner = world.client("owner")
    for said, status in (
        ({"act": "dance", "faces": [unsure.pk]}, 400),
        ({"act": "is", "faces": [unsure.pk]}, 400),
        ({"act": "not_a_face", "faces": [unsure.pk], "student": world.students[0].pk}, 400),
        ({"act": "not_a_face", "faces": []}, 409),
        ({"act": "not_a_face", "faces": [2**62]}, 409),
        ({"act": "merge", "faces": [unsure.pk]}, 422),
        ({"act": "is", "faces": [unsure.pk], "student": 2**62}, 400),
        ({"act": "guest", "faces": [unsure.pk], "student": make.student(make.course()).pk}, 403),
    ):
        answer = decide(owner, world, **said)
        assert (said, answer.status_code) == (said, status)
        assert answer.json()["detail"]
    assert not Review.objects.exists()
    assert not DeskFact.objects.exists()


def test_many_are_offered_and_confirmed_together(world: World, unsure: Sighting) -> None:
    owner = world.client("owner")
    offers = owner.get("/api/desk/many/?at=0.9").json()
    assert [offer["faces"] for offer in offers] == [[unsure.pk]]
    assert owner.get("/api/desk/many/?at=0.99").json() == []
    assert owner.get("/api/desk/many/?at=much").status_code == 400
    assert world.client("registrar").get("/api/desk/many/?at=0.9").json() == []
    stale = {**offers[0], "faces": [unsure.pk, 2**40]}
    done = owner.post("/api/desk/many/?at=0.9", {"offers": [*offers, stale]}, format="json")
    assert (done.status_code, done.json()["faces"], done.json()["left_alone"]) == (201, 1, 1)
    again = owner.post("/api/desk/many/?at=0.9", {"offers": offers}, format="json")
    assert again.json() == {"batch": None, "faces": 0, "marks": 0, "left_alone": 1}
