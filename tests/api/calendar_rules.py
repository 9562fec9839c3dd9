"""Operations on timetables, holidays and excuses, for the table of who may call what."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from attendance.models import Excuse, Holiday, TimetableSlot

NO_CAMERAS = (403, 403, 401, 401)
SLOT = {
    "weekday": 0, "starts": "09:00", "ends": "09:50", "first_day": "2026-03-02", "last_day": "2026-03-30",
}  # fmt: skip
MINE = (200, 404, 403, 200, *NO_CAMERAS)
READ = (200, 404, 200, 200, *NO_CAMERAS)
EVERY_PERSON = (200, 200, 200, 200, *NO_CAMERAS)
OFFICE = (200, 404, 200, 200, *NO_CAMERAS)
"""A teacher of the course, registrars and administrators."""

RULES: list[tuple[str, str, tuple[int, ...], Any]] = [
    ("GET", "timetable", READ, None),
    ("POST", "timetable", (201, 404, 403, 201, *NO_CAMERAS), SLOT),
    ("POST", "timetable-preview", MINE, SLOT),
    ("PUT", "timetable-slot", MINE, SLOT),
    ("DELETE", "timetable-slot", MINE, None),
    ("GET", "holidays", EVERY_PERSON, None),
    (
        "POST", "holidays", (403, 403, 403, 201, *NO_CAMERAS),
        {"name": "May Day", "first_day": "2026-05-01", "last_day": "2026-05-01"},
    ),
    ("DELETE", "holiday", (403, 403, 403, 204, *NO_CAMERAS), None),
    ("POST", "session-cancel", MINE, {"reason": "storm"}),
    ("POST", "session-restore", (409, 404, 403, 409, *NO_CAMERAS), None),
    ("GET", "excuses", EVERY_PERSON, None),
    (
        "POST", "student-excuses", (201, 404, 201, 201, *NO_CAMERAS),
        {"reason": "illness", "first_day": "2026-03-02"},
    ),
    ("POST", "excuse-approve", OFFICE, None),
    ("POST", "excuse-decline", OFFICE, None),
    ("POST", "excuse-withdraw", OFFICE, None),
]  # fmt: skip


def numbers(world: Any) -> dict[str, int]:
    """What fills the addresses."""
    day = dt.date(2026, 3, 2)
    slot = TimetableSlot.objects.create(
        course=world.course, weekday=0, starts=dt.time(8), ends=dt.time(9), first_day=day, last_day=day
    )
    holiday = Holiday.objects.create(name="Carnival", first_day=day, last_day=day)
    excuse = Excuse.objects.create(
        student=world.students[0], course=world.course, first_day=day, last_day=day, reason="illness",
        entered_by=world.owner, entered_at=timezone.now(),
    )  # fmt: skip
    return {"slot_id": slot.pk, "holiday_id": holiday.pk, "excuse_id": excuse.pk}
