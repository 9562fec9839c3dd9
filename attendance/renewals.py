"""Portraits that are old enough to be made again, and a text that was agreed to and is no longer in force.

Nothing is deleted by it and nobody is recognised less: people are asked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db.models import Max
from django.utils import timezone

from attendance import consent_texts
from attendance.models import Portrait

DAYS_A_MONTH = 365.25 / 12


def older_than(now: dt.datetime | None = None) -> dt.datetime | None:
    """Portraits from before this ask for renewal; None where the school does not want to be asked."""
    months = consent_texts.school_settings().renew_after_months
    return (now or timezone.now()) - dt.timedelta(days=months * DAYS_A_MONTH) if months else None


def due(students: Iterable[int], now: dt.datetime | None = None) -> dict[int, dt.datetime]:
    """When the newest portrait made for enrolment was taken, of those for whom that is too long ago; two queries."""
    limit = older_than(now)
    if limit is None:
        return {}
    newest = (
        Portrait.objects.filter(
            student__in=list(students), state=Portrait.State.ACCEPTED, from_class_at__isnull=True
        )
        .order_by()
        .values_list("student_id")
        .annotate(taken=Max("uploaded_at"))
    )
    return {student_id: taken for student_id, taken in newest if taken < limit}


def due_of(portraits: Iterable[Portrait], limit: dt.datetime | None) -> dt.datetime | None:
    """As ``due``, of one student whose portraits are at hand; ``limit`` as ``older_than`` says."""
    accepted = [each for each in portraits if each.state == Portrait.State.ACCEPTED]
    taken = max((each.uploaded_at for each in accepted if each.from_class_at is None), default=None)
    return taken if limit and taken and taken < limit else None
