"""E-mail: off until somebody sets a server up, then queued, tried a few times, and recorded without its content.

A message is a row first and a task second: what the queue loses, the sweeper brings back. Its content stands on
the row until it has gone; a record of who was sent what and when stays.
"""

from __future__ import annotations

import datetime as dt
import logging
import smtplib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.template.loader import render_to_string
from django.utils import timezone, translation

from attendance import clock, errors, intake, schooltime
from attendance.models import MailMessage, ReaderLanguage, Student
from attendance.storage import unguessable_name

log = logging.getLogger(__name__)

PAUSES = (dt.timedelta(minutes=1), dt.timedelta(minutes=10), dt.timedelta(hours=1), dt.timedelta(hours=4))
MAX_ATTEMPTS = len(PAUSES) + 1
LEASE = dt.timedelta(minutes=5)
CONTENT_KEPT = dt.timedelta(days=7)
"""How long a message that failed can be sent again; then its content goes and only the record stays."""
RECORD_KEPT = dt.timedelta(days=365)
MAX_ATTACHED_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Overview:
    """E-mail in numbers, for the site page."""

    set_up: bool
    waiting: int
    sent: int
    """In the last seven days."""
    failed: list[MailMessage]


def overview() -> Overview:
    week_ago = timezone.now() - dt.timedelta(days=7)
    states = MailMessage.State
    return Overview(
        is_set_up(),
        MailMessage.objects.filter(state__in=[states.WAITING, states.SENDING]).count(),
        MailMessage.objects.filter(state=states.SENT, sent_at__gte=week_ago).count(),
        list(MailMessage.objects.filter(state=states.FAILED)[:50]),
    )


def is_set_up() -> bool:
    """Whether anything may leave: a mail server, a sender and the address that links begin with are all named."""
    return bool(settings.EMAIL_HOST and settings.DEFAULT_FROM_EMAIL and settings.ROLLCALL_SITE_URL)


def link_to(path: str) -> str:
    """The whole address of a page, for readers outside the site."""
    return f"{settings.ROLLCALL_SITE_URL}{path}"


def send(
    template: str,
    to: Sequence[str],
    context: Mapping[str, object],
    attachments: Sequence[Attachment] = (),
    *,
    language: str = "",
    about: Student | None = None,
) -> None:
    """Send ``templates/mail/<template>.subject.txt``, ``.txt`` and ``.html`` to each address on its own.

    Answers once it is stored. Without ``language`` each reader gets the language they last used the pages in, others
    the site's. ``about``: whom it tells of; their deletion takes it along. Raises MailNotSetUp, MailTooLarge.
    """
    post(template, to, context, attachments, language=language, about=about)


def post(
    template: str,
    to: Sequence[str],
    context: Mapping[str, object],
    attachments: Sequence[Attachment] = (),
    *,
    language: str = "",
    about: Student | None = None,
) -> list[MailMessage]:
    """As ``send``; the messages as they stand, one an address."""
    if not is_set_up():
        raise errors.MailNotSetUp
    if sum(len(one.content) for one in attachments) > MAX_ATTACHED_BYTES:
        raise errors.MailTooLarge
    with transaction.atomic():
        made = []
        for address in dict.fromkeys(to):
            files = [[one.name, one.content_type, _stored(one)] for one in attachments]
            content = _written(template, context, language or language_of(address)) | {"files": files}
            made.append(
                MailMessage.objects.create(
                    template=template, to=address, created_at=timezone.now(), content=content, about=about
                )
            )
        for message in made:
            transaction.on_commit(lambda pk=message.pk: enqueue(pk), robust=True)  # type: ignore[misc]
    return made


def language_of(address: str) -> str:
    """The language the person with this address last used the pages in; the site's for everybody else."""
    known = ReaderLanguage.objects.filter(user__email__iexact=address).values_list("language", flat=True)
    return known.first() or settings.LANGUAGE_CODE


def remember_language(user: User, language: str) -> None:
    ReaderLanguage.objects.update_or_create(user=user, defaults={"language": language[:10]})


def enqueue(message_id: int) -> bool:
    from attendance.tasks import send_mail

    return intake.publish(send_mail, message_id)


def deliver(message_id: int) -> bool:
    """Hand one message to the mail server; whether it has gone. Attempts count here, so that a crash counts too."""
    if not is_set_up():
        return False
    token = uuid.uuid4()
    waiting = Q(state=MailMessage.State.WAITING) & (Q(lease_until=None) | Q(lease_until__lte=Now()))
    lost = Q(state=MailMessage.State.SENDING, lease_until__lte=Now())
    if not MailMessage.objects.filter(waiting | lost, pk=message_id, attempts__lt=MAX_ATTEMPTS).update(
        state=MailMessage.State.SENDING, token=token, lease_until=Now() + LEASE, attempts=F("attempts") + 1
    ):
        return False
    message = MailMessage.objects.get(pk=message_id)
    try:
        _mail_of(message).send()
    except errors.StorageAway:
        MailMessage.objects.filter(pk=message.pk, token=token).update(
            state=MailMessage.State.WAITING,
            token=None,
            attempts=F("attempts") - 1,
            lease_until=Now() + PAUSES[0],
        )
        return False
    except (smtplib.SMTPException, OSError) as error:
        _failed(message, token, error)
        return False
    _finish(message, token)
    return True


def sweep(now: dt.datetime | None = None) -> int:
    """Queue again what waits and whose time has come; give up on what was tried often enough. How many were queued."""
    if not is_set_up():
        return 0
    now = now or clock.now()
    over = MailMessage.objects.filter(
        state=MailMessage.State.SENDING, lease_until__lte=now, attempts__gte=MAX_ATTEMPTS
    )
    over.update(state=MailMessage.State.FAILED, token=None, lease_until=None)
    due = MailMessage.objects.filter(
        Q(state=MailMessage.State.WAITING, lease_until=None, created_at__lt=now - dt.timedelta(seconds=20))
        | Q(state__in=[MailMessage.State.WAITING, MailMessage.State.SENDING], lease_until__lte=now)
    )
    return sum(enqueue(pk) for pk in due.order_by("pk").values_list("pk", flat=True)[:200])


def send_again(message: MailMessage) -> None:
    """A person sends a failed message once more. Raises MailGone once its content went."""
    if (
        not MailMessage.objects.filter(pk=message.pk, state=MailMessage.State.FAILED)
        .exclude(content={})
        .update(state=MailMessage.State.WAITING, attempts=0, error="", token=None, lease_until=None)
    ):
        raise errors.MailGone
    transaction.on_commit(lambda: enqueue(message.pk), robust=True)


def purge(now: dt.datetime | None = None) -> None:
    """Contents of what failed long ago, and old records."""
    now = now or timezone.now()
    failed = MailMessage.objects.filter(state=MailMessage.State.FAILED, created_at__lt=now - CONTENT_KEPT)
    for message in failed.exclude(content={})[:500]:
        _forget_content(message)
    MailMessage.objects.filter(created_at__lt=now - RECORD_KEPT, content={}).delete()


@receiver(post_delete, sender=MailMessage)
def _delete_files_of(instance: MailMessage, **_more: object) -> None:
    files = instance.content.get("files", [])
    transaction.on_commit(lambda: _delete(files))


def forget_attachments() -> int:
    """Drop files that have not gone yet: one of them may tell of somebody who is being deleted. How many messages."""
    unsent = MailMessage.objects.exclude(content={}).exclude(content__files=[])
    for message in unsent:
        _forget_content(message)
        MailMessage.objects.filter(pk=message.pk).update(
            state=MailMessage.State.FAILED, error="a student in it was deleted", token=None, lease_until=None
        )
    return len(unsent)


def _written(template: str, context: Mapping[str, object], language: str) -> dict[str, object]:
    with translation.override(language), timezone.override(schooltime.school_zone()):
        whole = {
            "school_name": schooltime.get_school().name,
            "site_url": settings.ROLLCALL_SITE_URL,
            "language": language,
            **context,
        }
        subject = " ".join(render_to_string(f"mail/{template}.subject.txt", whole).split())
        return {
            "subject": subject,
            "text": render_to_string(f"mail/{template}.txt", whole).strip() + "\n",
            "html": render_to_string(f"mail/{template}.html", {**whole, "subject": subject}),
        }


def _stored(attachment: Attachment) -> str:
    extension = Path(attachment.name).suffix.lstrip(".") or "bin"
    return default_storage.save(unguessable_name("mail", extension), ContentFile(attachment.content))


def _mail_of(message: MailMessage) -> EmailMultiAlternatives:
    content = message.content
    host = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or "localhost"
    mail = EmailMultiAlternatives(
        content["subject"],
        content["text"],
        to=[message.to],
        # The same at every try, so that a reader's program sees a repeat as one message.
        headers={"Message-ID": f"<rollcall-{message.pk}-{message.created_at:%Y%m%d%H%M%S%f}@{host}>",
                 "Auto-Submitted": "auto-generated"},
    )  # fmt: skip
    mail.attach_alternative(content["html"], "text/html")
    for name, content_type, stored in content["files"]:
        with default_storage.open(stored) as file:
            mail.attach(name, file.read(), content_type)
    return mail


def _failed(message: MailMessage, token: uuid.UUID, error: Exception) -> None:
    log.warning("message %s could not be sent: %s", message.pk, error)
    refused = isinstance(error, smtplib.SMTPRecipientsRefused)
    last = refused or message.attempts >= MAX_ATTEMPTS
    pause = None if last else Now() + PAUSES[message.attempts - 1]
    MailMessage.objects.filter(pk=message.pk, token=token).update(
        state=MailMessage.State.FAILED if last else MailMessage.State.WAITING,
        error=f"{type(error).__name__}: {error}"[:300],
        token=None,
        lease_until=pause,
    )


def _finish(message: MailMessage, token: uuid.UUID) -> None:
    files = message.content["files"]
    done = MailMessage.objects.filter(pk=message.pk, token=token).update(
        state=MailMessage.State.SENT,
        sent_at=timezone.now(),
        content={},
        error="",
        token=None,
        lease_until=None,
    )
    if done:
        _delete(files)


def _forget_content(message: MailMessage) -> None:
    files = message.content.get("files", [])
    MailMessage.objects.filter(pk=message.pk).update(content={})
    transaction.on_commit(lambda: _delete(files))


def _delete(files: Sequence[Sequence[str]]) -> None:
    for _name, _type, stored in files:
        default_storage.delete(stored)
