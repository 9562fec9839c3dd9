"""Faces of a photo, what people say about them, and photos sent again."""

from __future__ import annotations

from tests import factories as make
from tests.api.conftest import World


def test_a_face_comes_with_its_box_its_candidates_and_its_reviews(world: World) -> None:
    faces = world.client("owner").get(f"/api/snapshots/{world.snapshot.pk}/sightings/").json()
    (face,) = faces["results"]
    assert face["box"] == {"left": 0.0, "top": 5.0, "width": 40.0, "height": 40.0}
    assert face["student"]["id"] == world.students[0].pk
    assert [c["student"]["id"] for c in face["candidates"]] == [s.pk for s in world.students[:2]]
    assert face["reviews"] == []
    chip = world.client("owner").get(face["chip_url"])
    assert (chip.status_code, chip["Content-Type"]) == (200, "image/jpeg")
    assert "sandbox" in chip["Content-Security-Policy"]


def test_a_word_about_a_face_stands_until_it_is_taken_back(world: World) -> None:
    client = world.client("owner")
    address = f"/api/sightings/{world.sighting.pk}/reviews/"
    said = client.post(address, {"verdict": "is", "student": world.students[1].pk}, format="json")
    assert (said.status_code, said.json()["student"]["id"]) == (201, world.students[1].pk)
    assert client.get(f"/api/sightings/{world.sighting.pk}/").json()["reviews"][0]["verdict"] == "is"
    undone = client.post(f"/api/reviews/{said.json()['id']}/undo/")
    assert undone.json()["undone_at"] is not None
    assert client.post(f"/api/reviews/{said.json()['id']}/undo/").status_code == 409
    assert client.get(address).json()["count"] == 1


def test_a_verdict_names_a_student_exactly_when_it_must(world: World) -> None:
    client = world.client("owner")
    address = f"/api/sightings/{world.sighting.pk}/reviews/"
    for body in (
        {"verdict": "is"},
        {"verdict": "not_a_face", "student": world.students[0].pk},
        {"verdict": "is", "student": 10**9},
        {"verdict": "maybe"},
    ):
        assert client.post(address, body, format="json").status_code == 400
    stranger = make.student(make.course(world.owner))
    answer = client.post(address, {"verdict": "is", "student": stranger.pk}, format="json")
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:rollcall:problem:not-on-roster")
    assert not world.sighting.reviews.exists()


def test_somebody_elses_student_is_not_betrayed_by_a_review(world: World) -> None:
    theirs = make.student(make.course(world.other))
    answer = world.client("owner").post(
        f"/api/sightings/{world.sighting.pk}/reviews/",
        {"verdict": "is_not", "student": theirs.pk},
        format="json",
    )
    assert answer.status_code == 400
    assert theirs.full_name not in answer.content.decode()


def test_a_failed_photo_is_sent_again_by_a_person(world: World) -> None:
    failed = make.snapshot(world.session, minute=4, state="failed", error="broken", attempts=3)
    answer = world.client("owner").post(f"/api/snapshots/{failed.pk}/retry/")
    assert (answer.status_code, answer.json()["state"], answer.json()["attempts"]) == (202, "received", 0)


def test_an_expired_photo_has_no_picture(world: World) -> None:
    type(world.snapshot).objects.update(image="")
    client = world.client("owner")
    assert client.get(f"/api/snapshots/{world.snapshot.pk}/").json()["image_url"] is None
    assert client.get(f"/api/snapshots/{world.snapshot.pk}/image/").status_code == 404
