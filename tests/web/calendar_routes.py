"""Routes of timetable, calendars, holidays, excuses and rules, for the table of who sees what."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from attendance.models import Excuse, Holiday, TimetableChange, TimetableSlot


def _slot(s: Any) -> TimetableSlot:
    return TimetableSlot.objects.get_or_create(
        course=s.course, weekday=0, starts=dt.time(9), ends=dt.time(10), first_day=dt.date(2026, 1, 1),
        last_day=dt.date(2026, 1, 1),
    )[0]  # fmt: skip


def _change(s: Any) -> TimetableChange:
    return TimetableChange.objects.get_or_create(
        course=s.course, slot=_slot(s), kind="added", by=s.owner, defaults={"at": timezone.now()}
    )[0]


def _holiday() -> Holiday:
    day = dt.date(2026, 1, 1)
    return Holiday.objects.get_or_create(name="New Year", first_day=day, last_day=day)[0]


def excuse(s: Any) -> Excuse:
    day = dt.date(2026, 1, 1)
    return Excuse.objects.get_or_create(
        student=s.student, course=s.course, first_day=day, last_day=day, reason="illness",
        entered_by=s.owner, defaults={"entered_at": timezone.now()},
    )[0]  # fmt: skip


PAGES = {
    "course-timetable": lambda s: [s.course.pk],
    "excuse-new": lambda s: [s.student.pk],
}
FOR_CHANGERS = {
    "slot-edit": lambda s: [s.course.pk, _slot(s).pk],
    "timetable-import": lambda s: [s.course.pk],
}
CHANGES = {
    "slot-add": lambda s: [s.course.pk],
    "slot-save": lambda s: [s.course.pk, _slot(s).pk],
    "slot-remove": lambda s: [s.course.pk, _slot(s).pk],
    "timetable-undo": lambda s: [s.course.pk, _change(s).pk],
    "timetable-confirm": lambda s: [s.course.pk],
    "session-cancel": lambda s: [s.session.pk],
    "session-restore": lambda s: [s.session.pk],
}
OWN = {"calendars": lambda s: [], "excuses": lambda s: []}
SITE_PAGES = {
    "holidays": lambda s: [],
    "rules": lambda s: [],
    "rules-course": lambda s: [s.course.pk],
}
SITE_CHANGES = {
    "holiday-add": lambda s: [],
    "holiday-remove": lambda s: [_holiday().pk],
    "holidays-import": lambda s: [],
    "rules-as-school": lambda s: [s.course.pk],
    "rules-words": lambda s: [],
    "school-set": lambda s: [],
    "logo-remove": lambda s: [],
}
ELSEWHERE = {"excuse-decide", "excuse-letter", "calendar-new", "calendar-revoke", "calendar-feed", "logo"}
"""Excuses are also a registrar's to change; a feed's address is its own key: ``test_calendar_pages.py``."""
