"""Days without lessons: kept for the whole school, asked for by the timetable, the clock and the reports."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from attendance import schooltime
from attendance.models import Holiday
from attendance.recurrence import DayRange


def between(first: dt.date, last: dt.date) -> list[DayRange]:
    """Holidays that touch these days; one query."""
    found = Holiday.objects.filter(first_day__lte=last, last_day__gte=first)
    return [DayRange(*days) for days in found.values_list("first_day", "last_day")]


def falls_on(instant: dt.datetime, holidays: Collection[DayRange], zone: dt.tzinfo) -> bool:
    """Whether the school's day of ``instant`` lies in one of them."""
    day = schooltime.school_day(instant, zone)
    return any(day in holiday for holiday in holidays)


def on_day(day: dt.date) -> Holiday | None:
    return Holiday.objects.filter(first_day__lte=day, last_day__gte=day).first()
