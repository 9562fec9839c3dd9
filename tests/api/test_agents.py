"""A code for a key, a timetable without names of students, a sign of life."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from attendance import camera_health, cameras, classes, pairing, schooltime
from attendance.models import Camera, PairingCode
from tests import factories as make
from tests.api.conftest import World


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the test about haste is throttled."""
    from attendance.api.throttles import PairingThrottle

    monkeypatch.setattr(PairingThrottle, "rate", "1000/min", raising=False)


def pair(code: str, **more: str) -> Any:
    return APIClient().post("/api/camera/pair/", {"code": code, **more}, format="json")


def with_key(key: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Camera {key}")
    return client


def test_a_code_becomes_a_key_that_works(world: World, upload: Callable[..., Any]) -> None:
    row, code = pairing.make_code(world.administrator, room=world.room)
    assert code.replace("-", "") not in json.dumps(PairingCode.objects.values().get(pk=row.pk), default=str)
    answer = pair(code, name="  back wall ", version="1.0")
    assert answer.status_code == 201
    made = answer.json()
    assert made["name"] == "back wall"
    assert made["room"]["name"] == world.room.name
    assert abs(dt.datetime.fromisoformat(made["server_time"]) - timezone.now()) < dt.timedelta(seconds=20)
    assert upload(with_key(made["key"]), world.session.pk, make.jpeg(1)).status_code == 202
    camera = Camera.objects.get(pk=made["camera"])
    assert (camera.created_by, camera.status.version) == (world.administrator, "1.0")


def test_a_code_is_read_however_it_is_typed_and_used_once(world: World) -> None:
    _row, code = pairing.make_code(world.administrator, room=world.room)
    assert pair(f" {code.lower().replace('-', ' ')} ").status_code == 201
    again = pair(code)
    assert again.status_code == 409
    assert again.json()["type"] == "urn:rollcall:problem:pairing-code-used"
    assert Camera.objects.filter(room=world.room).count() == 3


def test_a_wrong_and_an_expired_code_are_refused_with_their_reason(world: World) -> None:
    _row, code = pairing.make_code(world.administrator, room=world.room)
    wrong = pair("ABCD-EFGH")
    assert (wrong.status_code, wrong.json()["type"]) == (404, "urn:rollcall:problem:pairing-code-unknown")
    PairingCode.objects.update(
        made_at=timezone.now() - pairing.LIFETIME - dt.timedelta(seconds=1),
        expires_at=timezone.now() - dt.timedelta(seconds=1),
    )
    late = pair(code)
    assert (late.status_code, late.json()["type"]) == (410, "urn:rollcall:problem:pairing-code-expired")
    for body in ({}, {"code": ""}, {"code": "x" * 41}, {"code": ["a"]}, {"code": "a", "name": "n" * 101}):
        assert APIClient().post("/api/camera/pair/", body, format="json").status_code == 400
    assert Camera.objects.filter(room=world.room).count() == 2


def test_a_code_for_a_camera_gives_it_a_new_key_and_ends_the_old_one(world: World) -> None:
    _row, code = pairing.make_code(world.administrator, camera=world.camera)
    made = pair(code).json()
    assert (made["camera"], made["name"]) == (world.camera.pk, "front")
    assert with_key(made["key"]).get("/api/camera/schedule/").status_code == 200
    old = world.client("camera").get("/api/camera/schedule/")
    assert (old.status_code, old.json()["type"]) == (401, "urn:rollcall:problem:bad-camera-key")


def test_guessing_is_throttled_whatever_the_guesser_says_of_itself(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from attendance.api.throttles import PairingThrottle

    monkeypatch.setattr(PairingThrottle, "rate", "10/min", raising=False)
    answers = [
        APIClient().post(
            "/api/camera/pair/",
            {"code": "ABCDEFGH"},
            format="json",
            headers={"X-Forwarded-For": f"10.0.0.{n}"},
        )
        for n in range(12)
    ]
    assert [answer.status_code for answer in answers] == [404] * 10 + [429] * 2
    assert int(answers[-1]["Retry-After"]) > 0


def test_who_may_make_a_code(world: World) -> None:
    pairing.make_code(world.owner, room=world.room)  # a session of theirs is there
    elsewhere = make.room()
    for person, room in (
        (world.owner, elsewhere), (world.other, world.room), (world.registrar, world.room)
    ):  # fmt: skip
        with pytest.raises(PermissionDenied):
            pairing.make_code(person, room=room)
    with pytest.raises(PermissionDenied):
        pairing.make_code(world.owner, camera=world.camera)  # an administrator brought it
    camera, _key = cameras.create("mine", world.room, world.owner)
    pairing.make_code(world.owner, camera=camera)
    with pytest.raises(ValueError, match="room or for a camera"):
        pairing.make_code(world.owner)


def test_the_timetable_is_of_this_room_and_of_two_days(world: World) -> None:
    today = schooltime.today()
    noon = schooltime.day_bounds(today)[0] + dt.timedelta(hours=12)
    for days in (-1, 1, 2):
        make.session(world.course, "planned", noon + dt.timedelta(days=days), room=world.room)
    make.session(world.course, "planned", noon, room=make.room())
    answer = world.client("camera").get("/api/camera/schedule/")
    told = answer.json()
    days = {schooltime.school_day(dt.datetime.fromisoformat(each["starts_at"])) for each in told["sessions"]}
    assert days == {schooltime.school_day(world.session.starts_at), today + dt.timedelta(days=1)}
    assert set(told) == {
        "camera", "name", "room", "time_zone", "now", "sessions", "policy", "poll_seconds"
    }  # fmt: skip
    first = told["sessions"][0]
    assert set(first) == {"id", "course", "starts_at", "ends_at", "state", "upload"}
    assert first["upload"] == f"http://testserver/api/sessions/{world.session.pk}/snapshots/"
    for student in world.students:
        assert student.given_name not in answer.content.decode()
    assert told["policy"]["interval_seconds"] == 180
    Camera.objects.filter(pk=world.camera.pk).update(minutes_between_shots=1, burst=2)
    policy = world.client("camera").get("/api/camera/schedule/").json()["policy"]
    assert (policy["interval_seconds"], policy["burst"]) == (60, 2)


def test_an_unchanged_timetable_is_a_304_and_a_changed_one_is_not(world: World) -> None:
    client = world.client("camera")
    etag = client.get("/api/camera/schedule/")["ETag"]
    same = client.get("/api/camera/schedule/", headers={"If-None-Match": etag})
    assert (same.status_code, same.content, same["ETag"]) == (304, b"", etag)
    classes.close_session(world.session)
    changed = client.get("/api/camera/schedule/", headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert changed.json()["sessions"][0]["state"] == "closed"


def test_the_timetable_costs_the_same_however_many_sessions(world: World) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            world.client("camera").get("/api/camera/schedule/")
        return len(asked)

    queries()
    before = queries()
    for _ in range(5):
        make.session(world.course, "planned", room=world.room)
    assert queries() == before


def test_a_revoked_key_ends_in_mid_session(world: World, upload: Callable[..., Any]) -> None:
    client = world.client("camera")
    assert client.get("/api/camera/schedule/").status_code == 200
    cameras.revoke(world.camera)
    for answer in (
        client.get("/api/camera/schedule/"),
        client.post("/api/camera/heartbeat/", {}, format="json"),
        upload(client, world.session.pk, make.jpeg(7)),
    ):
        assert answer.status_code == 401
        assert answer.json()["type"] == "urn:rollcall:problem:bad-camera-key"


def test_a_heartbeat_is_kept_and_said_in_words(world: World) -> None:
    client = world.client("camera")
    beat = {
        "version": "1.0", "source": "rtsp", "capturing": True, "clock_offset_ms": -1500, "spool_photos": 2,
        "spool_bytes": 800_000, "last_shot_at": "2026-03-12T09:04:00+01:00", "smallest_face": 41, "error": "",
    }  # fmt: skip
    assert client.post("/api/camera/heartbeat/", beat, format="json").status_code == 200

    def words(later: float = 0) -> camera_health.Health:
        camera = camera_health.with_facts(Camera.objects.all()).get(pk=world.camera.pk)
        return camera_health.health(camera, timezone.now() + dt.timedelta(minutes=later))

    assert words().level == "good"
    for change, level, part in (
        ({"smallest_face": 20}, "warning", "20 pixels wide; 32"),
        ({"spool_photos": 40}, "warning", "40 photos wait"),
        ({"clock_offset_ms": 200_000}, "warning", "clock"),
        ({"error": "The camera was unplugged."}, "warning", "unplugged"),
    ):
        client.post("/api/camera/heartbeat/", beat | change, format="json")
        assert (words().level, part in str(words().sentence)) == (level, True), words()
    assert words(later=4).level == "silent"
    assert "session is open" in str(words(later=4).sentence)
    cameras.revoke(world.camera)
    assert words().level == "off"


def test_a_heartbeat_of_nonsense_is_refused(world: World) -> None:
    for body in (
        {"source": "telescope"}, {"spool_photos": -1}, {"clock_offset_ms": 10**12}, {"error": "x" * 301},
        {"last_shot_at": "soon"}, {"capturing": "perhaps"}, {"smallest_face": 0},
    ):  # fmt: skip
        answer = world.client("camera").post("/api/camera/heartbeat/", body, format="json")
        assert answer.status_code == 400, body
    everything_unknown = world.client("camera").post("/api/camera/heartbeat/", {}, format="json")
    assert everything_unknown.status_code == 200
    assert world.camera.status.version is None
