"""The whole way at the level DEBUG, with everything going wrong: nothing of a person is written."""

from __future__ import annotations

import base64
import io
import json
import logging
import logging.config
import smtplib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from django.conf import settings as django_settings
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from attendance import cameras, enrolment, mailing, permissions, reviews, tasks
from attendance.models import ClassSession, FaceTemplate, Sighting, Student
from config import task_log
from config.logs import settings_for
from tests import factories as make
from tests.attendance.conftest import FakeEngine, face, near

pytestmark = pytest.mark.django_db

NAMES = {
    "given_name": "Wilhelmina",
    "family_name": "Quackenbush",
    "number": "ZX-90417",
    "email": "mina@pupils.example",
}
TOKEN = "0123456789abcdef-a-token-of-somebody"
TEACHER, PASSWORD, CAMERA = "hortensia.blackwood", "unguessable-passphrase-7731", "Ceiling of Quackenbush"
assert task_log.ABOUT


def sign_in_badly_and_look_round(client: Client, session: ClassSession, student: Student) -> None:
    login = reverse("web:login")
    assert client.post(login, {"username": TEACHER, "password": PASSWORD}).status_code == 200
    for _attempt in range(9):
        client.post(login, {"username": f"{NAMES['email']}", "password": PASSWORD})
    assert client.post(login, {"username": TEACHER, "password": make.PASSWORD}).status_code == 302
    for path in (
        reverse("web:roll-csv", args=[session.pk]),
        reverse("web:session", args=[session.pk]),
        f"{reverse('web:student', args=[student.pk])}?q={NAMES['family_name']}",
        f"/students/{NAMES['family_name']}/",
        f"/calendar/{TOKEN}.ics",
    ):
        client.get(path)
    client.post(
        reverse("web:photos-add", args=[session.pk]), {"photos": io.BytesIO(b"Wilhelmina is no photo")}
    )
    client.get("/api/courses/", headers={"Authorization": f"Token {TOKEN}"})
    client.get("/", headers={"Host": "wilhelmina.example"})


def let_things_break(
    client: Client, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, session: ClassSession, settings: Any
) -> None:
    """Errors that carry a name: in a photo, a portrait, a task, a page, the API, a mail."""
    trouble = ValueError(f"Gorilla: {NAMES}")
    engine.broken = trouble
    tasks.process_snapshot.apply(args=[make.snapshot(session, 9, state="queued").pk])
    monkeypatch.setattr(tasks.classes, "open_due", fails_with(trouble))
    tasks.open_due_sessions.apply()
    monkeypatch.setattr(permissions, "courses_for", fails_with(trouble))
    for path in ("/courses/?q=Quackenbush", "/api/courses/?q=Quackenbush"):
        assert client.get(path).status_code == 500
    settings.EMAIL_HOST, settings.DEFAULT_FROM_EMAIL = "mail.example", "rollcall@school.example"
    settings.ROLLCALL_SITE_URL = "https://rollcall.school.example"
    refused = smtplib.SMTPRecipientsRefused({NAMES["email"]: (550, b"SMTP says mina is unknown")})
    monkeypatch.setattr(EmailMultiAlternatives, "send", fails_with(refused))
    (message,) = mailing.post("test", [NAMES["email"]], {})
    tasks.send_mail.apply(args=[message.pk])


def fails_with(error: Exception) -> Any:
    def fail(*args: object, **more: object) -> None:
        raise error

    return fail


@pytest.fixture(params=["plain", "json"])
def lines(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """Everything that is logged, as a site at DEBUG would write it."""
    out = io.StringIO()
    found = settings_for("DEBUG", request.param)
    found["handlers"]["console"]["stream"] = out
    logging.config.dictConfig(found)
    yield out
    logging.config.dictConfig(django_settings.LOGGING)


def everything_about(student: Student, more: list[str]) -> list[str]:
    """What must not be written, in every form it might take."""
    secrets = [*NAMES.values(), TEACHER, PASSWORD, CAMERA, "A Parent", *more]
    secrets += [django_settings.SECRET_KEY, *django_settings.ROLLCALL_KEYS, "SMTP says mina", "Gorilla"]
    for stored in [*FaceTemplate.objects.all(), *Sighting.objects.all()]:
        raw = bytes(stored.encoding or b"")
        secrets += [raw.hex()[:40], base64.b64encode(raw).decode()[:40], repr(raw)[2:40]]
        secrets += [repr(float(number)) for number in np.frombuffer(raw, "<f4")[:3]]
        secrets += [str(number) for number in np.frombuffer(raw, "<f4")[:3]]
    return secrets


def test_nothing_of_a_person_is_written(
    lines: io.StringIO, engine: FakeEngine, sent: list[Any], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = make.teacher(TEACHER)
    owner.email = "hortensia@school.example"
    owner.save()
    course = make.course(owner, students=1)
    student = make.student(course, **NAMES)
    session = make.session(course, room=make.room())
    _camera, key = cameras.create(CAMERA, session.room, make.administrator())

    make.consent(student)
    known = make.encoding(1)
    engine.faces = [face(known)]
    portrait = enrolment.receive_portrait(student, make.jpeg(1, (400, 400)), owner, "Wilhelmina.jpg")
    tasks.check_portrait.apply(args=[portrait.pk])
    make.template(student, known)

    answer = APIClient().generic(
        "POST", f"/api/sessions/{session.pk}/snapshots/", make.jpeg(2), content_type="image/jpeg",
        headers={"Authorization": f"Camera {key}"},
    )  # fmt: skip
    assert answer.status_code == 202
    engine.faces = [face(near(known, 0.53)), face(make.encoding(7), left=90)]
    tasks.process_snapshot.apply(args=[answer.json()["id"]])
    unsure = Sighting.objects.get(decision="uncertain")
    reviews.decide(unsure, "is", owner, student)

    client = Client(raise_request_exception=False)
    sign_in_badly_and_look_round(client, session, student)
    let_things_break(client, engine, monkeypatch, session, settings)

    written = lines.getvalue()
    assert engine.calls >= 3
    assert written.count("answered") > 10
    assert "task over" in written
    assert "Traceback" in written or "File " in written
    found = [secret for secret in everything_about(student, [key, TOKEN]) if secret in written]
    assert found == [], [line for line in written.splitlines() if any(secret in line for secret in found)][:5]
    assert "photo=" in written or '"photo"' in written
    if written.startswith("{"):
        assert all(isinstance(json.loads(line), dict) for line in written.splitlines())
