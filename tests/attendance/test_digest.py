"""The daily e-mail about open reviews: only who asked, only when something waits, once a day, nobody's name."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from attendance import accounts, digest, errors, intake, marks, schooltime
from attendance.models import MailMessage, ReviewDigest
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def set_up(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.EMAIL_HOST, settings.DEFAULT_FROM_EMAIL = "mail.example", "rollcall@school.example"
    settings.ROLLCALL_SITE_URL = "https://rollcall.school.example"
    monkeypatch.setattr(intake, "publish", lambda *_args, **_options: True)


@pytest.fixture
def morning() -> dt.datetime:
    return dt.datetime.combine(schooltime.today(), dt.time(8), tzinfo=schooltime.school_zone())


def teacher_with_work(faces: int = 2) -> User:
    """A teacher with unsure faces that could change marks."""
    teacher = make.teacher()
    teacher.email = f"{teacher.username}@school.example"
    teacher.save()
    course = make.course(teacher)
    session = make.session(course, "closed", timezone.now() - dt.timedelta(hours=20))
    for index in range(faces):
        student = make.student(course, given_name="Persephone")
        make.template(student)
        face = make.sighting(make.snapshot(session, index), student, "uncertain", reason="middle_band")
        face.candidates.create(student=student, rank=0, distance=0.45, score=-0.45, probability=0.7)
    marks.recompute(session.pk)
    return teacher


def test_off_by_default(set_up: None, morning: dt.datetime) -> None:
    teacher_with_work()
    assert digest.send_due(morning) == 0


def test_counts_and_a_link_and_nobody_s_name(set_up: None, morning: dt.datetime) -> None:
    teacher = teacher_with_work()
    digest.switch(teacher, True)
    assert digest.send_due(morning) == 1
    message = MailMessage.objects.get()
    assert message.to == teacher.email
    text = str(message.content)
    assert "2 faces wait" in text
    assert "1 lesson" in text
    assert "https://rollcall.school.example/review/" in text
    assert "Persephone" not in text
    assert "media" not in text


def test_once_a_day_in_the_school_s_zone_and_not_at_night(set_up: None, morning: dt.datetime) -> None:
    digest.switch(teacher_with_work(), True)
    assert digest.send_due(morning - dt.timedelta(hours=2)) == 0
    assert [digest.send_due(morning + dt.timedelta(minutes=m)) for m in (0, 15, 30)] == [1, 0, 0]
    assert digest.send_due(morning + dt.timedelta(days=1)) == 1


def test_nothing_open_nothing_sent(set_up: None, morning: dt.datetime) -> None:
    teacher = make.teacher()
    teacher.email = "t@school.example"
    teacher.save()
    digest.switch(teacher, True)
    assert digest.send_due(morning) == 0
    assert not MailMessage.objects.exists()


def test_who_cannot_be_written_to_is_told_when_switching(set_up: None) -> None:
    with pytest.raises(errors.NoAddress):
        digest.switch(make.teacher(), True)


def test_without_a_mail_server_nothing_is_switched_on_or_sent(morning: dt.datetime) -> None:
    teacher = teacher_with_work()
    with pytest.raises(errors.MailNotSetUp):
        digest.switch(teacher, True)
    ReviewDigest.objects.create(user=teacher, switched_on_at=timezone.now())
    assert digest.send_due(morning) == 0


def test_a_student_s_log_in_and_a_closed_account_get_none(set_up: None, morning: dt.datetime) -> None:
    teacher = teacher_with_work()
    digest.switch(teacher, True)
    User.objects.filter(pk=teacher.pk).update(is_active=False)
    pupil = accounts.give_login(make.student(), make.administrator()).user
    pupil.email = "p@school.example"
    pupil.save()
    ReviewDigest.objects.create(user=pupil, switched_on_at=timezone.now())
    assert digest.send_due(morning) == 0


def test_the_page_switches_it(set_up: None, client: Client) -> None:
    teacher = teacher_with_work()
    client.force_login(teacher, backend="django.contrib.auth.backends.ModelBackend")
    path = reverse("web:digest")
    assert "Off. You are told nothing" in client.get(path).content.decode()
    assert "On: sent to" in client.post(path, {"on": "1"}, follow=True).content.decode()
    assert digest.is_on(teacher)
    client.post(path, {"on": "0"})
    assert not digest.is_on(teacher)
