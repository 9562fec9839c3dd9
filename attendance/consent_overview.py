"""Where a course stands with consent: who was asked, who answered what, whom to ask again."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Max, Prefetch

from attendance import consent_slips, consent_texts, renewals
from attendance.consent_events import What
from attendance.models import Consent, ConsentEvent, ConsentLink, Course, Student


@dataclass(frozen=True, slots=True)
class Standing:
    """One student on the roster."""

    student: Student
    consent: Consent | None
    state: str
    """``given``, ``refused``, ``withdrawn``, ``asked``, or blank where nobody asked."""
    asked_at: dt.datetime | None
    slip: str
    """The code of the slip of the text in force, as it is kept; blank where none was printed."""
    is_earlier_text: bool
    asks_again: bool
    """The law here wants the new text to be asked about."""
    portrait_from: dt.datetime | None
    """When the newest portrait was taken, where it is to be renewed."""

    @property
    def is_outstanding(self) -> bool:
        """Nobody has answered yet."""
        return self.state in ("", What.ASKED)

    @property
    def is_to_ask(self) -> bool:
        """A slip or a link makes sense: no answer yet, or an answer to a text that no longer counts."""
        return self.is_outstanding or self.asks_again

    @property
    def slip_shown(self) -> str:
        return consent_slips.as_printed(self.slip) if self.slip else ""


@dataclass(frozen=True, slots=True)
class Counts:
    students: int
    asked: int
    """Of those without an answer."""
    given: int
    refused: int
    withdrawn: int
    outstanding: int
    earlier_text: int
    portraits: int
    """Whose portraits are to be renewed."""


def standings(course: Course) -> list[Standing]:
    """Everybody on the roster today, in the order of class lists; the number of queries does not grow with them."""
    links = ConsentLink.objects.select_related("message").order_by("-pk")
    students = list(
        Student.objects.filter(roster_entries__course=course, roster_entries__left_on__isnull=True)
        .prefetch_related("contacts", Prefetch("consent_links", links))
        .order_by("family_name", "given_name", "number")
    )
    return standings_of(students)


def standings_of(students: Sequence[Student]) -> list[Standing]:
    ids = [one.pk for one in students]
    version = consent_texts.current_version()
    asks_again = consent_texts.renewal_rule() is not None
    consents = {one.student_id: one for one in Consent.objects.filter(student__in=ids)}
    asked = dict(
        ConsentEvent.objects.filter(student__in=ids, state=What.ASKED)
        .order_by()
        .values_list("student_id")
        .annotate(last=Max("recorded_at"))
    )
    slips = consent_slips.slips_of(students, version)
    portraits = renewals.due(ids)
    found = []
    for student in students:
        consent = consents.get(student.pk)
        earlier = consent_texts.is_earlier(consent, version)
        found.append(
            Standing(
                student=student,
                consent=consent,
                state=consent.standing if consent else "",
                asked_at=asked.get(student.pk),
                slip=slips[student.pk].code if student.pk in slips else "",
                is_earlier_text=earlier,
                asks_again=earlier and asks_again,
                portrait_from=portraits.get(student.pk),
            )
        )
    return found


def counts(rows: Sequence[Standing]) -> Counts:
    states = Counter(row.state for row in rows)
    return Counts(
        students=len(rows),
        asked=sum(row.is_outstanding and row.asked_at is not None for row in rows),
        given=states[What.GIVEN],
        refused=states[What.REFUSED],
        withdrawn=states[What.WITHDRAWN],
        outstanding=sum(row.is_outstanding for row in rows),
        earlier_text=sum(row.is_earlier_text for row in rows),
        portraits=sum(row.portrait_from is not None for row in rows),
    )
