"""A question by e-mail: one student, one reader, one answer, until a day. No log-in is needed to say no.

The address holds 256 random bits and is kept nowhere but in the message until it has gone; the database knows its
SHA-256. Opening it changes nothing, since programs that look through mail open addresses too.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import transaction
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from attendance import audit, consent_events, consent_texts, consents, errors, mailing, privacy, schooltime
from attendance.consent_events import Particulars
from attendance.models import AuditEntry, Consent, ConsentEvent, ConsentLink, MailMessage, Student

LINKS_A_DAY = 3
"""To one address about one student."""
SENT_AN_HOUR = 300
"""By one person: two large year groups."""
OPENED_IN_TEN_MINUTES = 1200
"""From one network address, which may be a proxy with a whole school's parents behind it; a guess hits one of 2^256."""


class LinkRefused(errors.RollcallError):
    code = "consent_link_refused"
    status = 404
    message = _(
        "This link does not work. It may have been cut off in the e-mail: copy the whole address, or ask the school "
        "for a new one."
    )


class LinkExpired(LinkRefused):
    code = "consent_link_expired"
    status = 410
    message = _("This link has expired. Nothing has been decided by that: the school can send a new one.")


class LinkReplaced(LinkExpired):
    code = "consent_link_replaced"
    message = _("The school has sent a newer link since. Please use the one in the latest e-mail.")


class LinkUsed(LinkRefused):
    code = "consent_link_used"
    status = 409
    message = _("This question has been answered already. To change the answer, please talk to the school.")


class TooManyTries(LinkRefused):
    code = "too_many_tries"
    status = 429
    message = _("Too many tries from this network. Please wait ten minutes.")


class TooManyLinks(errors.RollcallError):
    code = "too_many_links"
    status = 429
    message = _("Many links have gone within the hour. Please wait before sending more.")


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a link goes to."""

    email: str
    given_by: str
    name: str = ""


def readers_of(student: Student) -> list[Reader]:
    """Addresses known of a student: guardians first, then the student's own. Prefetched contacts cost no query."""
    guardians = [Reader(one.email, Consent.GivenBy.GUARDIAN, one.name) for one in student.contacts.all()]
    known = {one.email.casefold() for one in guardians}
    if student.email and student.email.casefold() not in known:
        guardians.append(Reader(student.email, Consent.GivenBy.STUDENT, student.full_name))
    return guardians


def send(student: Student, reader: Reader, by: User, language: str = "") -> ConsentLink | None:
    """Send the question; None where this address got as many as it may today.

    An earlier open link to the address ends. Raises MailNotSetUp, TooManyLinks.
    """
    if not mailing.is_set_up():
        raise errors.MailNotSetUp
    _count(f"consent-links:{by.pk}", SENT_AN_HOUR, 3600, TooManyLinks)
    now, version = timezone.now(), consent_texts.current_version()
    language = language or mailing.language_of(reader.email)
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        consents.lock(student)
        earlier = ConsentLink.objects.filter(student=student, to__iexact=reader.email)
        if earlier.filter(sent_at__gt=now - dt.timedelta(days=1)).count() >= LINKS_A_DAY:
            return None
        earlier.filter(answer="", revoked_at=None, expires_at__gt=now).update(revoked_at=now)
        link = ConsentLink.objects.create(
            student=student, token_hash=hash_of(token), to=reader.email, reader=reader.given_by,
            reader_name=reader.name[:200], language=language, text_version=version, sent_by=by, sent_at=now,
            expires_at=now + dt.timedelta(days=consent_texts.school_settings().link_days),
        )  # fmt: skip
        link.message = _mailed(link, token)[0]
        link.save(update_fields=["message"])
        more = Particulars(language=language, link=link)
        consent_events.mark_asked(student, by, Consent.Method.EMAIL, version, more)
    return link


def find(token: str, address: str) -> ConsentLink:
    """The link behind an address that was opened. Raises LinkRefused, LinkExpired, LinkReplaced, TooManyTries."""
    _count(f"consent-opened:{address}", OPENED_IN_TEN_MINUTES, 600, TooManyTries)
    link = ConsentLink.objects.select_related("student").filter(token_hash=hash_of(token)).first()
    if link is None:
        raise LinkRefused
    if link.revoked_at is not None:
        raise LinkReplaced
    if timezone.now() >= link.expires_at:
        raise LinkExpired
    return link


def answer(link: ConsentLink, *, yes: bool, name: str, relation: str = "") -> ConsentLink:
    """The reader's answer, once. The same answer sent twice is one; a no where consent stands is its withdrawal.

    Raises LinkUsed, LinkExpired, AnswerRefused, SomebodySaidNo.
    """
    name = " ".join(name.split())[:200]
    if not name:
        raise consents.AnswerRefused(_("Please write your name."))
    if relation and relation not in ConsentEvent.Relation.values:
        raise consents.AnswerRefused
    said = ConsentLink.Answer.GIVEN if yes else ConsentLink.Answer.REFUSED
    with transaction.atomic():
        consents.lock(link.student)
        now = timezone.now()
        open_ones = ConsentLink.objects.filter(answer="", revoked_at=None, expires_at__gt=now)
        if not open_ones.filter(pk=link.pk).update(answer=said, answered_at=now):
            return _answered_before(link, said)
        more = Particulars(relation=relation, language=link.language, link=link)
        if yes:
            privacy.record_consent(
                link.student, given_by=link.reader, given_by_name=name, method=Consent.Method.EMAIL,
                text_version=link.text_version, by=None, more=more,
            )  # fmt: skip
        elif _stands(link.student):
            _withdrawn(link, name, more)
        else:
            consents.refuse(
                link.student, None, given_by=link.reader, given_by_name=name, method=Consent.Method.EMAIL,
                text_version=link.text_version, more=more,
            )  # fmt: skip
        _written_down(link, said)
    link.refresh_from_db()
    return link


def withdraw(link: ConsentLink) -> ConsentLink:
    """The yes of this link is taken back, as easily as it was given; what exists about the face is deleted.

    Raises LinkUsed where there is none, or where somebody decided otherwise since, LinkExpired.
    """
    with transaction.atomic():
        consents.lock(link.student)
        now = timezone.now()
        changed = ConsentLink.objects.filter(
            pk=link.pk, answer="given", withdrawn_at=None, expires_at__gt=now
        ).update(withdrawn_at=now)
        if not changed:
            link.refresh_from_db()
            if link.withdrawn_at is None:
                raise LinkUsed
            return link
        if _stands(link.student):
            yes = link.events.filter(state=Consent.State.GIVEN).first()
            name = yes.given_by_name if yes else link.reader_name
            _withdrawn(link, name, Particulars(language=link.language, link=link))
        _written_down(link, "withdrawn")
    link.refresh_from_db()
    return link


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _stands(student: Student) -> bool:
    return Consent.objects.filter(student=student, state=Consent.State.GIVEN).exists()


def _withdrawn(link: ConsentLink, name: str, more: Particulars) -> None:
    """Whoever sent the link answers for the marks that stay."""
    privacy.withdraw_consent(
        link.student, link.sent_by, given_by=link.reader, given_by_name=name, method=Consent.Method.EMAIL,
        more=more,
    )  # fmt: skip


def _answered_before(link: ConsentLink, said: str) -> ConsentLink:
    link.refresh_from_db()
    if link.answer == said and link.withdrawn_at is None:
        return link
    if link.answer:
        raise LinkUsed
    raise LinkReplaced if link.revoked_at else LinkExpired


def _mailed(link: ConsentLink, token: str) -> list[MailMessage]:
    with translation.override(link.language):
        context = {
            "student": link.student.full_name,
            "to_student": link.reader == Consent.GivenBy.STUDENT,
            "link": mailing.link_to(reverse("web:consent-link", args=[token])),
            "until": schooltime.school_day(link.expires_at),
            "ask_whom": consent_texts.school_settings().ask_whom,
        }
    return mailing.post("consent", [link.to], context, language=link.language, about=link.student)


def _written_down(link: ConsentLink, what: str) -> None:
    """Into the log of who changed what: nobody was signed in."""
    about: dict[str, int | str] = {"student": link.student_id, "link": link.pk, "answer": what}
    audit.record(AuditEntry.Verb.CHANGED, "web:consent-link", about)


def _count(key: str, most: int, seconds: int, too_many: type[errors.RollcallError]) -> None:
    """Counted in this process's cache: a bound, not a ledger."""
    cache.add(key, 0, seconds)
    if cache.incr(key) > most:
        raise too_many
