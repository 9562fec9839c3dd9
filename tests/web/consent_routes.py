"""Routes of consent, for the table of who sees what."""

from __future__ import annotations

from typing import Any

from attendance import consent_scans, consents
from attendance.models import ConsentEvent


def answered(s: Any) -> ConsentEvent:
    """An answer with the scan of its paper."""
    known = ConsentEvent.objects.filter(student=s.student, scan__isnull=False).first()
    if known is not None:
        return known
    answer = consents.Answer(yes=True, given_by="guardian", name="A Parent")
    event = consents.record(s.student, answer, s.owner)
    consent_scans.attach(event, consent_scans.keep(b"%PDF-1.7\n%%EOF\n"), s.owner)
    return event


PAGES = {
    "consents": lambda s: [s.course.pk],
    "consent-scan": lambda s: [answered(s).pk],
}
PAGES |= {
    "consent-slips": lambda s: [s.course.pk],
    "consent-return": lambda s: [s.course.pk],
    "consent-ask": lambda s: [s.course.pk],
}
PAPERWORK = {
    "consent-slips-make": lambda s: [s.course.pk],
    "consent-answers": lambda s: [s.course.pk],
    "consent-undo": lambda s: [s.course.pk, answered(s).pk],
    "consent-send": lambda s: [s.course.pk],
    "consent-address": lambda s: [s.course.pk, s.student.pk],
    "consent-record": lambda s: [s.without_consent.pk],
    "consent-withdraw": lambda s: [s.student.pk],
}
"""What the office does as well as a teacher of the course: POST."""
SITE_PAGES = {"consent-settings": lambda s: []}
BY_SECRET = {"consent-link"}
"""Public: whoever holds the address, and nobody else; ``test_consent_links.py`` asks with forged and old ones."""
ELSEWHERE = {"consent-slip"}
"""Leads staff of the course on, and is a 404 for everybody else: ``test_consent_pages.py``."""
