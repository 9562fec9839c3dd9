"""The history of consent: what was said, by whom, on which text, how. Only ever added to."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from attendance import errors, law, places, schooltime
from attendance.models import Consent, ConsentEvent, ConsentLink, ConsentSlip, Student

What = ConsentEvent.What


class SomebodySaidNo(errors.RollcallError):
    code = "somebody_said_no"
    status = 409
    message = _("Somebody else said no, and here that is final until they say otherwise.")


@dataclass(frozen=True, slots=True)
class Particulars:
    """What is known of an answer beside the answer."""

    relation: str = ""
    language: str = ""
    """Of the text they read."""
    signed_on: dt.date | None = None
    slip: ConsentSlip | None = None
    link: ConsentLink | None = None


NOTHING_MORE = Particulars()


def add(
    student: Student,
    what: str,
    by: User | None,
    *,
    given_by: str = "",
    given_by_name: str = "",
    method: str = "",
    text_version: str = "",
    more: Particulars = NOTHING_MORE,
    undoes: ConsentEvent | None = None,
) -> ConsentEvent:
    """One step more. ``by`` None only for what came by a link."""
    return ConsentEvent.objects.create(
        student=student,
        state=what,
        given_by=given_by,
        given_by_name=given_by_name[:200],
        relation=more.relation,
        method=method,
        text_version=text_version,
        language=more.language,
        signed_on=more.signed_on,
        slip=more.slip,
        link=more.link,
        undoes=undoes,
        recorded_by=by,
        recorded_at=timezone.now(),
    )


def standing_events(student: Student) -> list[ConsentEvent]:
    """What still counts, newest first: without mistakes that were taken back."""
    events = list(student.consent_events.order_by("-pk"))
    undone = {event.undoes_id for event in events if event.undoes_id}
    return [event for event in events if event.pk not in undone and event.state != What.UNDONE]


def last_answer(student: Student) -> ConsentEvent | None:
    """The answer that stands now: a yes, a no or a withdrawal."""
    answers = (What.GIVEN, What.REFUSED, What.WITHDRAWN)
    return next((event for event in standing_events(student) if event.state in answers), None)


def mark_asked(
    student: Student, by: User, method: str, text_version: str, more: Particulars = NOTHING_MORE
) -> None:
    """A slip was printed or a link sent. Whatever was answered before stands."""
    Consent.objects.get_or_create(student=student, defaults={"text_version": text_version})
    add(student, What.ASKED, by, method=method, text_version=text_version, more=more)


def check_nobody_else_said_no(student: Student, given_by: str, name: str) -> None:
    """Where parents decide, a yes does not overrule another's no, nor the pupil's own. Raises SomebodySaidNo."""
    if law.parents_decide(places.place_of(schooltime.get_school())) is None:
        return
    heard = {(given_by, _same_name(name))}
    for event in standing_events(student):
        who = (event.given_by, _same_name(event.given_by_name))
        if event.state == What.ASKED or who in heard:
            continue
        heard.add(who)
        if event.given_by and event.state in (What.REFUSED, What.WITHDRAWN):
            raise SomebodySaidNo(
                _("%(name)s said no on %(day)s, and here that is final until they say otherwise.")
                % {"name": event.given_by_name, "day": schooltime.school_day(event.recorded_at)}
            )


def _same_name(name: str) -> str:
    return " ".join(name.split()).casefold()
