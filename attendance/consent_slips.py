"""Slips of paper: one a student and text, known by a short code that says nothing about them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from attendance import consent_texts
from attendance.consent_events import What
from attendance.models import Consent, ConsentEvent, ConsentSlip, Student

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without letters and digits that are read as one another."""
LENGTH = 6


def prepare(students: Sequence[Student], by: User) -> list[ConsentSlip]:
    """The slips of these students for the text in force, in their order; printed before, they keep their codes.

    Who gets a first one has been asked from now on. The number of queries does not grow with the students.
    """
    version, now = consent_texts.current_version(), timezone.now()
    with transaction.atomic():
        list(Student.objects.select_for_update().filter(pk__in=[one.pk for one in students]).order_by("pk"))
        known = slips_of(students, version)
        new = [one for one in students if one.pk not in known]
        codes = _new_codes(len(new))
        made = ConsentSlip.objects.bulk_create(
            ConsentSlip(student=one, code=code, text_version=version, printed_by=by, printed_at=now)
            for one, code in zip(new, codes, strict=True)
        )
        Consent.objects.bulk_create(
            (Consent(student=one, text_version=version) for one in new), ignore_conflicts=True
        )
        ConsentEvent.objects.bulk_create(
            ConsentEvent(
                student=slip.student, state=What.ASKED, method=Consent.Method.PAPER, text_version=version,
                slip=slip, recorded_by=by, recorded_at=now,
            )
            for slip in made
        )  # fmt: skip
    known |= {slip.student_id: slip for slip in made}
    return [known[one.pk] for one in students]


def slips_of(students: Sequence[Student], version: str) -> dict[int, ConsentSlip]:
    """Slips printed for these students and this text, by student id; one query."""
    found = ConsentSlip.objects.filter(student__in=[one.pk for one in students], text_version=version)
    return {slip.student_id: slip for slip in found.select_related("student")}


def all_slips_of(students: Sequence[Student]) -> dict[int, list[ConsentSlip]]:
    """Every slip printed for these students, the newest first: paper may come back on an earlier text."""
    found: dict[int, list[ConsentSlip]] = {}
    printed = ConsentSlip.objects.filter(student__in=[one.pk for one in students])
    for slip in printed.order_by("-printed_at", "-pk"):
        found.setdefault(slip.student_id, []).append(slip)
    return found


def as_printed(code: str) -> str:
    """``7K4-M2Q``: in two parts, as people read and type it."""
    return f"{code[:3]}-{code[3:]}"


def as_kept(typed: str) -> str:
    """The code in what somebody typed or a reader sent: with or without the dash, or the whole address of the QR."""
    last = typed.strip().rstrip("/").rsplit("/", 1)[-1]
    return re.sub(r"[\s-]", "", last).upper()[:LENGTH]


def _new_codes(number: int) -> list[str]:
    codes: set[str] = set()
    while len(codes) < number:
        wanted = {
            "".join(secrets.choice(ALPHABET) for _ in range(LENGTH)) for _ in range(number - len(codes))
        }
        codes |= wanted - set(ConsentSlip.objects.filter(code__in=wanted).values_list("code", flat=True))
    return list(codes)
