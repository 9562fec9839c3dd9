"""Bringing a camera in, seeing how it does, hearing that it is silent."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from attendance import camera_watch, cameras, classes, pairing
from attendance.models import Camera, CameraAlert, ClassSession, MailMessage, PairingCode
from tests import factories as make

from .conftest import SchoolFixture

pytestmark = pytest.mark.django_db


@pytest.fixture
def open_session(school: SchoolFixture) -> ClassSession:
    """An open session in the room of the school's camera, under way for ten minutes."""
    start = timezone.now() - dt.timedelta(minutes=10)
    ClassSession.objects.update(room=None)
    return make.session(school.course, starts_at=start, room=school.camera.room, opened_at=start)


def silent_since(camera: Camera, minutes: int) -> None:
    Camera.objects.filter(pk=camera.pk).update(last_seen_at=timezone.now() - dt.timedelta(minutes=minutes))


def mail_is_set_up(settings: Any) -> None:
    settings.EMAIL_HOST, settings.DEFAULT_FROM_EMAIL = "mail.school.example", "rollcall@school.example"
    settings.ROLLCALL_SITE_URL = "https://rollcall.school.example"


def test_a_code_is_shown_once_and_pairs_one_device(school: SchoolFixture) -> None:
    client = school.client("administrator")
    answer = client.post(reverse("web:camera-pair"), {"room": school.camera.room_id})
    assert answer["Cache-Control"] == "no-store"
    found = re.search(r'class="pairing-code"[^>]*>([A-Z2-9]{4}-[A-Z2-9]{4})<', answer.text)
    assert found
    assert "<svg" in answer.text
    made = PairingCode.objects.get()
    waiting = reverse("web:camera-paired", args=[made.pk])
    assert "Waiting for the device" in client.get(waiting).text
    camera, _key = pairing.pair(found[1], "wall", "1.0")
    assert f"wall in {camera.room.name} is paired" in client.get(waiting).text


def test_who_may_pair_where(school: SchoolFixture, open_session: ClassSession) -> None:
    address = reverse("web:camera-pair")
    mine, elsewhere = school.camera.room, make.room()
    owner, stranger = school.client("owner"), school.client("stranger")
    assert owner.post(address, {"room": mine.pk}).status_code == 200
    assert owner.post(address, {"room": elsewhere.pk}).status_code == 404
    assert owner.post(address, {"new_room": "My own"}).status_code == 404
    assert stranger.post(address, {"room": mine.pk}).status_code == 404
    assert stranger.post(address, {"camera": school.camera.pk}).status_code == 404
    assert school.client("nobody").post(address, {"room": mine.pk}).status_code == 302
    assert school.client("pupil").get(address).status_code in (302, 404)
    made = PairingCode.objects.get()
    assert stranger.get(reverse("web:camera-paired", args=[made.pk])).status_code == 404
    for nonsense in ({}, {"room": "x"}, {"camera": "9" * 30}, {"room": "-1"}):
        assert owner.post(address, nonsense).status_code == 404


def test_a_teacher_without_rooms_is_told_what_to_do(school: SchoolFixture) -> None:
    assert (
        "None of your sessions has a room yet"
        in school.client("stranger").get(reverse("web:camera-pair")).text
    )


def test_an_administrator_names_a_new_room_while_pairing(school: SchoolFixture) -> None:
    school.client("administrator").post(reverse("web:camera-pair"), {"new_room": " Lab 9 "})
    assert PairingCode.objects.get().room.name == "Lab 9"


def test_the_list_says_how_each_camera_does_with_a_fixed_number_of_queries(
    school: SchoolFixture, django_assert_max_num_queries: Any
) -> None:
    client, address = school.client("administrator"), reverse("web:cameras")
    client.get(address)
    for n in range(6):
        camera, _key = cameras.create(f"camera {n}", school.camera.room, school.owner)
        cameras.heartbeat(
            camera, {"version": "1.2", "clock_offset_ms": -4000, "spool_photos": 3, "smallest_face": 41}
        )
        silent_since(camera, 0)
    with django_assert_max_num_queries(12):
        page = client.get(address).text
    assert page.count('class="card lens"') == 7
    assert "off by -4 s" in page
    assert "41 px" in page
    assert "Works." in page


def test_the_list_says_how_good_the_faces_are_and_what_would_help(school: SchoolFixture) -> None:
    for minute in range(60):
        shot = make.snapshot(school.session, 100 + minute, camera=school.camera, taken_at=timezone.now())
        details = {"face_pixels": 30 if minute < 30 else 120, "sharpness": 0.9, "light": 0.9}
        make.sighting(shot, quality_details=details)
    page = school.client("administrator").get(reverse("web:cameras")).text
    assert "50 · 0 · 0 %" in page
    assert "move the camera closer" in page


def test_teachers_are_told_once_of_a_silent_camera(
    school: SchoolFixture, open_session: ClassSession, settings: Any
) -> None:
    mail_is_set_up(settings)
    school.owner.email = "owner@school.example"
    school.owner.save()
    silent_since(school.camera, 5)
    before = ClassSession.objects.get(pk=open_session.pk).roll_version
    assert camera_watch.watch() == 1
    assert camera_watch.watch() == 0
    assert [message.to for message in MailMessage.objects.all()] == ["owner@school.example"]
    assert ClassSession.objects.get(pk=open_session.pk).roll_version > before
    page = school.client("owner").get(reverse("web:session", args=[open_session.pk])).text
    assert f"The camera {school.camera.name} is silent." in page
    Camera.objects.filter(pk=school.camera.pk).update(last_seen_at=timezone.now() + dt.timedelta(seconds=1))
    assert camera_watch.watch() == 0
    assert CameraAlert.objects.get().heard_again_at is not None
    assert "is silent" not in school.client("owner").get(reverse("web:session", args=[open_session.pk])).text


@pytest.mark.parametrize("why", ["heard", "too early", "closed", "over", "revoked", "elsewhere"])
def test_nobody_is_alarmed_without_cause(school: SchoolFixture, open_session: ClassSession, why: str) -> None:
    silent_since(school.camera, 60)
    now = timezone.now()
    if why == "heard":
        silent_since(school.camera, 1)
    elif why == "too early":
        ClassSession.objects.filter(pk=open_session.pk).update(opened_at=now - dt.timedelta(minutes=1))
    elif why == "closed":
        classes.close_session(open_session)
    elif why == "over":
        now = open_session.ends_at + dt.timedelta(seconds=1)
    elif why == "revoked":
        cameras.revoke(school.camera)
    else:
        ClassSession.objects.filter(pk=open_session.pk).update(room=make.room())
    assert camera_watch.watch(now) == 0


def test_without_e_mail_the_page_still_tells(school: SchoolFixture, open_session: ClassSession) -> None:
    silent_since(school.camera, 5)
    assert camera_watch.watch() == 1
    assert not MailMessage.objects.exists()


def test_the_phone_page_needs_no_sign_in_and_knows_nobody(school: SchoolFixture) -> None:
    client = school.client("nobody")
    page = client.get(reverse("web:phone"))
    assert page.status_code == 200
    assert "csrf" not in page.text
    manifest = client.get(reverse("web:phone-manifest"))
    assert manifest["Content-Type"] == "application/manifest+json"
    assert manifest.json()["scope"] == "/camera/"
    worker = client.get(reverse("web:phone-worker"))
    assert worker["Content-Type"].startswith("text/javascript")
    for path in re.findall(r'"(/[^"]+)"', worker.text.splitlines()[1]):
        assert path == "/camera/" or "phone" in path or path.startswith(("/static/", "/camera/manifest"))


def test_a_code_for_a_camera_of_another_teacher_is_refused_by_the_service_too(school: SchoolFixture) -> None:
    with pytest.raises(PermissionDenied):
        pairing.make_code(make.teacher(), camera=school.camera)


def test_the_agent_is_handed_out_and_starts(school: SchoolFixture, tmp_path: Path) -> None:
    answer = school.client("nobody").get(reverse("web:camera-agent"))
    assert answer.status_code == 200
    file = tmp_path / "rollcall-camera.pyz"
    file.write_bytes(answer.content)
    said = subprocess.run(
        [sys.executable, str(file), "--help"], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert said.returncode == 0
    assert "setup" in said.stdout
