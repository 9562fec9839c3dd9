"""Answers recorded one after the other: a yes, a no, who said it, when; and taken back where one was a mistake.

A no where consent stands is a withdrawal, which deletes: that is ``privacy.withdraw_consent`` and not done in passing.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from attendance import (
    consent_events,
    consent_scans,
    consent_texts,
    errors,
    galleries,
    privacy,
    schooltime,
)
from attendance.consent_events import Particulars, What
from attendance.models import Consent, ConsentEvent, ConsentSlip, Student

UNDONE_WITHIN = dt.timedelta(days=1)
OLDEST_SIGNATURE = dt.timedelta(days=2 * 366)


class AnswerRefused(errors.RollcallError):
    code = "consent_answer_refused"
    status = 422
    message = _("Say yes or no, and who said it.")


class ConsentStands(errors.RollcallError):
    code = "consent_stands"
    status = 409
    message = _(
        "Consent stands, and photos may exist. A no now is a withdrawal, which deletes them: it is done on the "
        "student's page."
    )


class PhotosSince(errors.RollcallError):
    code = "photos_since"
    status = 409
    message = _("Photos have been added since, so this cannot be taken back. Withdraw consent instead.")


@dataclass(frozen=True, slots=True)
class Answer:
    yes: bool
    given_by: str
    name: str = ""
    """Of whoever signed; a student's own is known."""
    method: str = Consent.Method.PAPER
    relation: str = ""
    signed_on: dt.date | None = None
    slip: ConsentSlip | None = None


def record(student: Student, answer: Answer, by: User, scan: bytes | None = None) -> ConsentEvent:
    """Write one answer down, with the scan of its paper where there is one. The same answer twice is one.

    Raises AnswerRefused, ConsentStands, SomebodySaidNo, ScanRefused and what a damaged picture raises.
    """
    name = _checked(student, answer)
    kept = consent_scans.keep(scan) if scan is not None else None
    try:
        with transaction.atomic():
            lock(student)
            event = _recorded(student, answer, name, by)
            if kept is not None:
                consent_scans.attach(event, kept, by)
    except BaseException:
        consent_scans.drop(kept)
        raise
    return event


def undo(event: ConsentEvent, by: User) -> ConsentEvent:
    """A mistake of recording: what stood before stands again. Raises NothingToUndo, PhotosSince."""
    student = event.student
    with transaction.atomic():
        lock(student)
        answers = [one for one in consent_events.standing_events(student) if one.state != What.ASKED]
        if not answers or answers[0].pk != event.pk or not may_be_undone(event):
            raise errors.NothingToUndo
        before = answers[1] if len(answers) > 1 else None
        goes = event.state == What.GIVEN and (before is None or before.state != What.GIVEN)
        if goes and student.portraits.exists():
            raise PhotosSince
        _stand_again(student, before)
        consent_scans.remove_of(event)
        galleries.raise_version_for(student)
        return consent_events.add(student, What.UNDONE, by, undoes=event)


def may_be_undone(event: ConsentEvent) -> bool:
    """What a person wrote down within a day, and deleted nothing. An answer by link is the reader's own."""
    return (
        event.state in (What.GIVEN, What.REFUSED)
        and event.link_id is None
        and timezone.now() - event.recorded_at < UNDONE_WITHIN
    )


def lock(student: Student) -> None:
    """The rows that a withdrawal takes first too: answers about one student come one after the other."""
    galleries.lock_courses_of([student.pk])
    Student.objects.select_for_update().get(pk=student.pk)


def refuse(
    student: Student, by: User | None, *, given_by: str, given_by_name: str, method: str,
    text_version: str, more: Particulars,
) -> ConsentEvent:  # fmt: skip
    """Somebody said no where no consent stands. Raises ConsentStands."""
    consent, _created = Consent.objects.get_or_create(student=student)
    if consent.state == Consent.State.GIVEN:
        raise ConsentStands
    consent.refused_at = timezone.now()
    consent.save(update_fields=["refused_at"])
    return consent_events.add(
        student, What.REFUSED, by, given_by=given_by, given_by_name=given_by_name, method=method,
        text_version=text_version, more=more,
    )  # fmt: skip


def _recorded(student: Student, answer: Answer, name: str, by: User) -> ConsentEvent:
    version = answer.slip.text_version if answer.slip else consent_texts.current_version()
    last = consent_events.last_answer(student)
    if last is not None and _is_same(last, answer, name, version):
        return last
    more = Particulars(relation=answer.relation, signed_on=answer.signed_on, slip=answer.slip)
    if not answer.yes:
        return refuse(
            student, by, given_by=answer.given_by, given_by_name=name, method=answer.method,
            text_version=version, more=more,
        )  # fmt: skip
    privacy.record_consent(
        student, given_by=answer.given_by, given_by_name=name, method=answer.method, text_version=version,
        by=by, more=more,
    )  # fmt: skip
    return student.consent_events.order_by("-pk")[0]


def _checked(student: Student, answer: Answer) -> str:
    """The name as it is kept. Raises AnswerRefused."""
    if answer.given_by not in Consent.GivenBy.values or answer.method not in Consent.Method.values:
        raise AnswerRefused
    if answer.relation and answer.relation not in ConsentEvent.Relation.values:
        raise AnswerRefused
    name = " ".join(answer.name.split())[:200]
    if answer.given_by == Consent.GivenBy.STUDENT:
        name = name or student.full_name
    if not name:
        raise AnswerRefused(_("Who signed? Write the name."))
    if answer.slip is not None and answer.slip.student_id != student.pk:
        raise AnswerRefused(_("This slip belongs to somebody else."))
    if answer.signed_on is not None:
        today = schooltime.today()
        if not today - OLDEST_SIGNATURE <= answer.signed_on <= today:
            raise AnswerRefused(_("The day of the signature lies in the future, or years back."))
    return name


def _is_same(last: ConsentEvent, answer: Answer, name: str, version: str) -> bool:
    return (
        last.state,
        last.given_by,
        last.given_by_name,
        last.method,
        last.text_version,
        last.signed_on,
    ) == (
        What.GIVEN if answer.yes else What.REFUSED,
        answer.given_by,
        name,
        answer.method,
        version,
        answer.signed_on,
    )


def _stand_again(student: Student, before: ConsentEvent | None) -> None:
    """The row of consent as the answer before left it."""
    consent = Consent.objects.get(student=student)
    consent.refused_at = None
    if before is None or before.state == What.REFUSED:
        consent.state = Consent.State.ASKED
        consent.refused_at = before.recorded_at if before else None
    else:
        consent.state = Consent.State(before.state)
    given = before if before is not None and before.state == What.GIVEN else None
    consent.given_by = given.given_by if given else ""
    consent.given_by_name = given.given_by_name if given else ""
    consent.method = given.method if given else ""
    consent.given_at = given.recorded_at if given else None
    if given:
        consent.text_version = given.text_version
    consent.save()
