"""The teacher's home, the administrators' page, signing in, and what people read when something is wrong."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from attendance import cameras, schooltime
from attendance.models import Camera, Snapshot
from tests import factories as make

from .conftest import SchoolFixture


def test_today_shows_what_is_on_and_what_to_check(school: SchoolFixture) -> None:
    text = school.client().get("/").text
    assert school.course.name in text
    assert "1 to check" in text
    assert "1 student to check" in text
    assert "camera silent for 2 days" in text


@pytest.mark.parametrize(("hours", "words"), [(0.01, "camera ready"), (None, "camera never heard of yet")])
def test_today_tells_how_the_camera_is(hours: float | None, words: str, school: SchoolFixture) -> None:
    seen = None if hours is None else timezone.now() - dt.timedelta(hours=hours)
    Camera.objects.update(last_seen_at=seen)
    assert words in school.client().get("/").text


def test_lessons_are_now_next_later_or_over(school: SchoolFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    noon = timezone.make_aware(dt.datetime(2026, 3, 12, 12, 0))
    monkeypatch.setattr(timezone, "now", lambda: noon)
    course = make.course(school.owner)
    for state, hour in (("closed", -3), ("planned", -0.2), ("planned", 2), ("planned", 4)):
        make.session(course, state, noon + dt.timedelta(hours=hour))
    text = school.client().get("/").text
    assert re.findall(r"lesson--(\w+)", text) == ["over", "now", "next", "later"]


def test_a_day_without_lessons_names_the_next_one(db: None) -> None:
    teacher, client = make.teacher(), Client()
    client.force_login(teacher, backend="django.contrib.auth.backends.ModelBackend")
    assert "You have no course yet" in client.get("/").text
    course = make.course(teacher, name="Botany")
    assert "No lesson is planned for today" in client.get("/").text
    make.session(course, "planned", timezone.now() + dt.timedelta(days=3))
    assert "The next one is Botany" in client.get("/").text


def test_the_site_page_tells_what_works_and_sends_again(school: SchoolFixture) -> None:
    client = school.client("administrator")
    text = client.get(reverse("web:site")).text
    assert "Redis does not answer" in text or "works" in text
    assert "OSError: no such model" in text
    client.post(reverse("web:site-photo-again", args=[school.failed.pk]))
    assert Snapshot.objects.get(pk=school.failed.pk).state == "received"


def test_a_camera_key_is_shown_once(school: SchoolFixture) -> None:
    client = school.client("administrator")
    answer = client.post(reverse("web:camera-new"), {"name": "Door", "room_name": "Lab 1"})
    key = re.search(r'id="key">([^<]+)<', answer.text)[1]  # type: ignore[index]
    assert answer["Cache-Control"] == "no-store"
    camera = cameras.authenticate(key)
    assert camera is not None
    assert camera.room.name == "Lab 1"
    assert key not in client.get(reverse("web:site")).text
    renewed = client.post(reverse("web:camera-rotate", args=[camera.pk]))
    assert cameras.authenticate(key) is None
    assert key not in renewed.text
    client.post(reverse("web:camera-revoke", args=[camera.pk]))
    assert Camera.objects.get(pk=camera.pk).revoked_at is not None


def test_signing_in_and_out(db: None) -> None:
    make.teacher("grant")
    client, address = Client(), reverse("web:login")
    wrong = client.post(address, {"username": "grant", "password": "no"})
    assert "is not right" in wrong.text
    answer = client.post(address, {"username": "grant", "password": make.PASSWORD, "next": "/courses/"})
    assert answer["Location"] == "/courses/"
    assert client.get("/").status_code == 200
    out = client.post(reverse("web:logout"))
    assert out["Clear-Site-Data"] == '"cache"'
    assert client.get("/").status_code == 302


def test_signing_in_never_leads_to_another_site(db: None) -> None:
    make.teacher("grant")
    form = {"username": "grant", "password": make.PASSWORD, "next": "https://elsewhere.example/"}
    assert Client().post(reverse("web:login"), form)["Location"] == "/"


def test_too_many_tries_are_told_in_words(db: None) -> None:
    make.teacher("grant")
    client = Client()
    for _ in range(9):
        answer = client.post(reverse("web:login"), {"username": "grant", "password": "no"})
    assert "Too many tries" in answer.text


def test_a_missing_page_is_told_in_words(school: SchoolFixture) -> None:
    assert "There is nothing here" in school.client().get("/no/such/page/").text


def test_an_old_form_is_told_in_words(school: SchoolFixture) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(school.owner, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.post(reverse("web:take-now", args=[school.course.pk]))
    assert answer.status_code == 403
    assert "The page had grown old" in answer.text


def test_a_broken_page_says_that_photos_are_safe(
    school: SchoolFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = school.client()
    client.raise_request_exception = False
    monkeypatch.setattr("attendance.web.today.build", lambda user: 1 / 0)
    answer = client.get("/")
    assert answer.status_code == 500
    assert "photos that were accepted are safe" in answer.text


def test_a_bad_request_is_told_in_words(school: SchoolFixture) -> None:
    answer = school.client().get("/", headers={"Host": "elsewhere.example"})
    assert answer.status_code == 400
    assert "was not right" in answer.text


def test_times_are_the_schools(school: SchoolFixture) -> None:
    schooltime.set_school_zone("Australia/Sydney")
    session = make.session(school.course, "planned", dt.datetime(2026, 3, 11, 22, 0, tzinfo=dt.UTC))
    text = school.client().get(reverse("web:session", args=[session.pk])).text
    assert "Thursday 12 March" in text
    assert "09:00–09:50" in text
