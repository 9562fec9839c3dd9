"""Sending a photo: who may, what is answered, what a repeat is."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from attendance.models import Snapshot
from tests import factories as make
from tests.api.conftest import World

Upload = Callable[..., Any]


def form(data: bytes, **fields: str) -> dict[str, Any]:
    return {"image": SimpleUploadedFile("photo.jpg", data, "image/jpeg"), **fields}


def test_a_camera_is_answered_at_once_with_the_address_of_its_photo(
    world: World, upload: Upload, sent: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        answer = upload(world.client("camera"), world.session.pk, make.jpeg(1))
    assert answer.status_code == 202
    kept = Snapshot.objects.get(pk=answer.json()["id"])
    assert answer["Location"] == answer.json()["url"]
    assert answer.json()["created"] is True
    assert (kept.camera, kept.uploaded_by, kept.session) == (world.camera, None, world.session)
    assert default_storage.exists(str(kept.image))
    assert sent == [("process_snapshot", kept.pk)]
    seen = world.client("camera").get(answer["Location"])
    assert (seen.status_code, seen.json()["state"]) == (200, "queued")


def test_a_teacher_sends_a_form_and_reads_the_photo_back(world: World) -> None:
    client = world.client("owner")
    address = f"/api/sessions/{world.session.pk}/snapshots/"
    taken = world.session.starts_at + dt.timedelta(minutes=2)
    answer = client.post(address, form(make.jpeg(1), taken_at=taken.isoformat()), format="multipart")
    assert answer.status_code == 202
    photo = client.get(answer["Location"]).json()
    assert dt.datetime.fromisoformat(photo["taken_at"]) == taken
    assert photo["camera"] is None
    picture = client.get(photo["image_url"])
    assert (picture.status_code, picture["Content-Type"]) == (200, "image/jpeg")
    assert picture.content.startswith(b"\xff\xd8")


def test_a_browsers_session_needs_its_csrf_token(world: World) -> None:
    from rest_framework.test import APIClient

    client = APIClient(enforce_csrf_checks=True)
    client.force_login(world.owner)
    address = f"/api/sessions/{world.session.pk}/snapshots/"
    assert client.post(address, form(make.jpeg(1)), format="multipart").status_code == 403
    client.get("/sign-in/")
    client.cookies["csrftoken"] = "a" * 32
    answer = client.post(address, form(make.jpeg(1)), format="multipart", headers={"X-CSRFToken": "a" * 32})
    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("owner", 202),
        ("administrator", 202),
        ("camera", 202),
        ("registrar", 403),
        ("other", 404),
        ("far camera", 404),
        ("revoked camera", 401),
        ("nobody", 401),
    ],
)
def test_only_those_of_the_course_or_its_room_send_photos(
    world: World, upload: Upload, who: str, status: int
) -> None:
    answer = upload(world.client(who), world.session.pk, make.jpeg(1))
    assert answer.status_code == status
    assert Snapshot.objects.count() == (2 if status == 202 else 1)


@pytest.mark.parametrize(
    "header", ["Camera", "Camera a b", "Camera rcam_wrong", "Camera \xff", "Camera x" * 50]
)
def test_a_wrong_key_is_a_401_that_says_so(world: World, upload: Upload, header: str) -> None:
    client = world.client("nobody")
    client.credentials(HTTP_AUTHORIZATION=header)
    answer = upload(client, world.session.pk, make.jpeg(1))
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"].startswith("Camera")


def test_an_unknown_session_is_a_404(world: World, upload: Upload) -> None:
    for session_id in (0, 10**6, 2**63, 10**40):
        assert upload(world.client("camera"), session_id, make.jpeg(1)).status_code == 404


def test_a_closed_session_says_that_it_takes_no_photos(world: World, upload: Upload) -> None:
    long_ago = timezone.now() - dt.timedelta(hours=2)
    type(world.session).objects.update(state="closed", closed_at=long_ago)
    answer = upload(world.client("camera"), world.session.pk, make.jpeg(1))
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:rollcall:problem:session-not-open")


def test_the_same_photo_again_answers_the_same_snapshot(world: World, upload: Upload) -> None:
    first = upload(world.client("camera"), world.session.pk, make.jpeg(1)).json()
    again = upload(world.client("camera"), world.session.pk, make.jpeg(1))
    assert again.status_code == 202
    assert (again.json()["id"], again.json()["created"]) == (first["id"], False)


def test_a_key_against_repeats_answers_its_photo_and_refuses_another(world: World, upload: Upload) -> None:
    client = world.client("camera")
    first = upload(client, world.session.pk, make.jpeg(1), **{"Idempotency-Key": "a-1"})
    again = upload(client, world.session.pk, make.jpeg(1), **{"Idempotency-Key": "a-1"})
    other = upload(client, world.session.pk, make.jpeg(2), **{"Idempotency-Key": "a-1"})
    assert again.json()["id"] == first.json()["id"]
    assert (other.status_code, other.json()["type"]) == (422, "urn:rollcall:problem:idempotency-conflict")
    assert world.session.snapshots.count() == 2


@pytest.mark.parametrize("key", ["", " ", "x" * 101, "sp\xe9cial", "tab\tbed"])
def test_a_key_against_repeats_that_cannot_be_kept_is_refused(world: World, upload: Upload, key: str) -> None:
    answer = upload(world.client("camera"), world.session.pk, make.jpeg(1), **{"Idempotency-Key": key})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "#/Idempotency-Key"


def test_the_header_says_when_the_photo_was_taken(world: World, upload: Upload) -> None:
    taken = world.session.starts_at + dt.timedelta(minutes=3)
    said = taken.astimezone(dt.timezone(dt.timedelta(hours=5, minutes=30))).isoformat()
    answer = upload(world.client("camera"), world.session.pk, make.jpeg(1), **{"X-Taken-At": said})
    assert Snapshot.objects.get(pk=answer.json()["id"]).taken_at == taken


@pytest.mark.parametrize(
    "said",
    [
        "yesterday",
        "2026-03-12",
        "2026-03-12T09:04:00",
        "2026-13-45T09:00:00Z",
        "9" * 500,
        "1e9",
        "0000-01-01T00:00:00Z",
    ],
)
def test_a_time_that_cannot_be_read_is_a_422(world: World, upload: Upload, said: str) -> None:
    answer = upload(world.client("camera"), world.session.pk, make.jpeg(1), **{"X-Taken-At": said})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:rollcall:problem:bad-time")


@pytest.mark.parametrize("said", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_time_at_the_end_of_time_is_flagged_and_arrival_counts(
    world: World, upload: Upload, said: str
) -> None:
    answer = upload(world.client("camera"), world.session.pk, make.jpeg(1), **{"X-Taken-At": said})
    assert Snapshot.objects.get(pk=answer.json()["id"]).clock_suspect


def test_two_files_in_one_form_are_refused_rather_than_one_of_them_lost(world: World) -> None:
    photos = [SimpleUploadedFile(f"{n}.jpg", make.jpeg(n), "image/jpeg") for n in range(2)]
    address = f"/api/sessions/{world.session.pk}/snapshots/"
    answer = world.client("owner").post(address, {"image": photos}, format="multipart")
    assert answer.status_code == 400


@pytest.mark.parametrize("fields", [{}, {"image": "no file"}, {"photo": io.BytesIO(b"x")}])
def test_a_form_without_its_file_says_which_field_is_missing(world: World, fields: dict[str, Any]) -> None:
    address = f"/api/sessions/{world.session.pk}/snapshots/"
    answer = world.client("owner").post(address, fields, format="multipart")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "#/image"


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/mixed", "", "nonsense"])
def test_a_body_of_another_kind_is_a_415(world: World, upload: Upload, kind: str) -> None:
    assert upload(world.client("camera"), world.session.pk, make.jpeg(1), kind).status_code == 415


@pytest.mark.parametrize("body", [b"", b"--x", b"--x\r\nContent-Disposition: form-data", b"\xff" * 300])
def test_a_torn_form_is_a_400(world: World, upload: Upload, body: bytes) -> None:
    for kind in ("multipart/form-data; boundary=x", "multipart/form-data", "multipart/form-data; boundary=é"):
        assert upload(world.client("camera"), world.session.pk, body, kind).status_code == 400


def test_a_camera_that_knows_no_session_finds_the_one_open_in_its_room(world: World) -> None:
    answer = world.client("camera").generic(
        "POST", "/api/camera/snapshots/", make.jpeg(1), content_type="image/jpeg"
    )
    assert answer.status_code == 202
    assert Snapshot.objects.get(pk=answer.json()["id"]).session == world.session


def test_a_camera_in_a_room_without_a_session_is_told_so(world: World) -> None:
    answer = world.client("far camera").generic(
        "POST", "/api/camera/snapshots/", make.jpeg(1), content_type="image/jpeg"
    )
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:rollcall:problem:no-session-now")


def test_a_camera_prefers_the_running_session_and_still_finds_one_just_closed(world: World) -> None:
    now = timezone.now()
    forgotten = make.session(world.course, room=world.room, starts_at=now - dt.timedelta(hours=5))
    early = make.session(world.course, room=world.room, starts_at=now + dt.timedelta(minutes=20))
    client = world.client("camera")

    def goes_to(seed: int) -> int:
        answer = client.generic("POST", "/api/camera/snapshots/", make.jpeg(seed), content_type="image/jpeg")
        return Snapshot.objects.get(pk=answer.json()["id"]).session_id

    assert goes_to(1) == world.session.pk
    type(world.session).objects.filter(pk=world.session.pk).update(state="closed", closed_at=now)
    assert goes_to(2) == early.pk
    for session in (early, forgotten):
        type(session).objects.filter(pk=session.pk).update(state="planned")
    assert goes_to(3) == world.session.pk


def test_people_do_not_use_the_cameras_door(world: World) -> None:
    answer = world.client("owner").generic(
        "POST", "/api/camera/snapshots/", make.jpeg(1), content_type="image/jpeg"
    )
    assert answer.status_code == 403


def test_a_camera_reads_the_state_of_its_own_photos_and_nothing_else(world: World) -> None:
    client = world.client("camera")
    own = client.get(f"/api/camera/snapshots/{world.snapshot.pk}/")
    assert set(own.json()) == {"id", "url", "session", "state", "received_at", "taken_at", "clock_suspect"}
    theirs = make.snapshot(world.session, minute=2)
    assert client.get(f"/api/camera/snapshots/{theirs.pk}/").status_code == 404
