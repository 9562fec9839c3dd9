"""E-mail: nothing unless set up, tried a few times, recorded without content."""

from __future__ import annotations

import datetime as dt
import smtplib
from typing import Any

import pytest
from django.core import mail
from django.core.files.storage import default_storage
from django.core.mail import EmailMultiAlternatives
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from attendance import errors, intake, mailing, privacy
from attendance.models import MailMessage
from tests import factories as make

pytestmark = pytest.mark.django_db
FILE = mailing.Attachment("roll.csv", b"a,b\r\n", "text/csv")


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    log: list[int] = []

    def publish(_task: Any, pk: int, priority: int | None = None) -> bool:
        log.append(pk)
        return True

    monkeypatch.setattr(intake, "publish", publish)
    return log


@pytest.fixture
def set_up(settings: Any, queued: list[int]) -> None:
    settings.EMAIL_HOST, settings.DEFAULT_FROM_EMAIL = "mail.example", "rollcall@school.example"
    settings.ROLLCALL_SITE_URL = "https://rollcall.school.example"


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def send(_self: EmailMultiAlternatives, fail_silently: bool = False) -> int:
        raise smtplib.SMTPServerDisconnected("gone")

    monkeypatch.setattr(EmailMultiAlternatives, "send", send)


def test_off_by_default() -> None:
    assert not mailing.is_set_up()
    with pytest.raises(errors.MailNotSetUp):
        mailing.send("test", ["a@school.example"], {})
    assert not MailMessage.objects.exists()
    assert mailing.sweep() == 0


@pytest.mark.parametrize("missing", ["EMAIL_HOST", "DEFAULT_FROM_EMAIL", "ROLLCALL_SITE_URL"])
def test_half_set_up_is_off(missing: str, set_up: None, settings: Any) -> None:
    setattr(settings, missing, "")
    assert not mailing.is_set_up()


def test_sent_once_to_each_alone_and_then_forgotten(
    set_up: None, queued: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        mailing.send("test", ["a@school.example", "b@school.example", "a@school.example"], {}, [FILE])
    assert len(queued) == 2
    stored = [one.content["files"][0][2] for one in MailMessage.objects.all()]
    assert all(default_storage.exists(name) for name in stored)
    assert [mailing.deliver(pk) for pk in [*queued, *queued]] == [True, True, False, False]
    assert [message.to for message in mail.outbox] == [["a@school.example"], ["b@school.example"]]
    first = mail.outbox[0]
    assert "works" in first.subject
    assert first.attachments[0][:2] == ("roll.csv", "a,b\r\n")
    assert first.alternatives[0][1] == "text/html"
    assert {(one.state, str(one.content)) for one in MailMessage.objects.all()} == {("sent", "{}")}
    assert not any(default_storage.exists(name) for name in stored)


def test_each_reader_in_their_language(set_up: None) -> None:
    reader = make.teacher("reader")
    reader.email = "reader@school.example"
    reader.save()
    mailing.remember_language(reader, "es")
    made = mailing.post("test", ["Reader@school.example", "b@school.example"], {})
    assert "funciona" in made[0].content["subject"]
    assert "works" in made[1].content["subject"]


def test_signing_in_says_which_language(client: Client) -> None:
    teacher = make.teacher("reader")
    teacher.email = "r@school.example"
    teacher.set_password("a long password 1")
    teacher.save()
    client.post(
        reverse("web:login"),
        {"username": "reader", "password": "a long password 1"},
        headers={"Accept-Language": "es"},
    )
    translation.activate("en")  # the pages leave the language of their last reader
    assert mailing.language_of("r@school.example") == "es"


def test_a_subject_is_one_line_and_html_is_escaped(set_up: None, settings: Any) -> None:
    from attendance import schooltime

    school = schooltime.get_school()
    school.name = "A\r\nBcc: x@y.example <b>"
    school.save()
    content = mailing.post("test", ["a@school.example"], {})[0].content
    assert "\n" not in content["subject"]
    assert "\r" not in content["subject"]
    assert "<b>" not in content["html"]
    assert "Bcc: x@y.example <b>" in content["text"]


def test_failures_are_tried_again_with_pauses_and_then_shown(
    set_up: None, broken: None, queued: list[int]
) -> None:
    (message,) = mailing.post("test", ["a@school.example"], {})
    for attempt in range(1, mailing.MAX_ATTEMPTS + 1):
        assert not mailing.deliver(message.pk)
        message.refresh_from_db()
        assert message.attempts == attempt
        if attempt < mailing.MAX_ATTEMPTS:
            assert message.state == "waiting"
            assert message.lease_until is not None
            assert not mailing.deliver(message.pk), "before its time nobody tries"
            queued.clear()
            assert mailing.sweep(message.lease_until - dt.timedelta(seconds=1)) == 0
            assert mailing.sweep(message.lease_until) == 1
            MailMessage.objects.filter(pk=message.pk).update(
                lease_until=timezone.now() - dt.timedelta(seconds=1)
            )
    assert (message.state, message.error) == ("failed", "SMTPServerDisconnected: gone")
    assert mailing.overview().failed == [message]
    mailing.send_again(message)
    message.refresh_from_db()
    assert (message.state, message.attempts) == ("waiting", 0)


def test_a_killed_sender_is_followed_by_another(set_up: None) -> None:
    (message,) = mailing.post("test", ["a@school.example"], {})
    MailMessage.objects.filter(pk=message.pk).update(
        state="sending", attempts=1, lease_until=timezone.now() - dt.timedelta(seconds=1)
    )
    assert mailing.sweep() == 1
    assert mailing.deliver(message.pk)


def test_a_refused_address_is_not_tried_again(set_up: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def send(_self: EmailMultiAlternatives, fail_silently: bool = False) -> int:
        raise smtplib.SMTPRecipientsRefused({"a@school.example": (550, b"unknown")})

    monkeypatch.setattr(EmailMultiAlternatives, "send", send)
    (message,) = mailing.post("test", ["a@school.example"], {})
    mailing.deliver(message.pk)
    message.refresh_from_db()
    assert (message.state, message.attempts) == ("failed", 1)


def test_what_failed_keeps_its_content_a_week_only(set_up: None) -> None:
    (message,) = mailing.post("test", ["a@school.example"], {}, [FILE])
    MailMessage.objects.update(state="failed")
    mailing.purge(timezone.now() + mailing.CONTENT_KEPT + dt.timedelta(hours=1))
    message.refresh_from_db()
    assert message.content == {}
    with pytest.raises(errors.MailGone):
        mailing.send_again(message)
    mailing.purge(timezone.now() + mailing.RECORD_KEPT + dt.timedelta(days=1))
    assert not MailMessage.objects.exists()


def test_a_message_about_somebody_goes_with_them(set_up: None) -> None:
    student = make.student(make.course())
    mailing.send("test", ["a@school.example"], {}, about=student)
    privacy.delete_student(student)
    assert not MailMessage.objects.exists()


def test_attachments_have_a_limit(set_up: None) -> None:
    with pytest.raises(errors.MailTooLarge):
        mailing.send(
            "test",
            ["a@x.example"],
            {},
            [mailing.Attachment("a", bytes(mailing.MAX_ATTACHED_BYTES + 1), "a/b")],
        )


def test_a_sent_message_cannot_keep_content(set_up: None) -> None:
    (message,) = mailing.post("test", ["a@school.example"], {})
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE attendance_mailmessage SET state = 'sent' WHERE id = %s", [message.pk])


def test_the_site_page(set_up: None, broken: None, client: Client) -> None:
    admin = make.administrator()
    admin.email = "admin@school.example"
    admin.save()
    client.force_login(admin, backend="django.contrib.auth.backends.ModelBackend")
    assert client.post(reverse("web:mail-test")).status_code == 302
    message = MailMessage.objects.get()
    MailMessage.objects.update(state="failed", error="OSError: no route")
    page = client.get(reverse("web:site"))
    assert "OSError: no route" in page.text
    assert client.post(reverse("web:mail-again", args=[message.pk])).status_code == 302
    message.refresh_from_db()
    assert message.state == "waiting"
