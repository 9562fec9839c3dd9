"""Changing which days are school days. The timetables' planned sessions follow.

Each course follows in a transaction of its own: photos that come in must not wait for a whole school.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from attendance import errors, timetables
from attendance.models import Holiday

LONGEST = dt.timedelta(days=200)


class HolidayRefused(errors.RollcallError):
    code = "holiday_refused"
    status = 422
    message = _("A holiday needs a name, a first day and a last day that is not before it.")


def add_holiday(name: str, first: dt.date, last: dt.date) -> Holiday:
    """Days without lessons; planned lessons of timetables in them go. Raises HolidayRefused."""
    holiday = _store(name, first, last)
    timetables.apply_everywhere()
    return holiday


def add_holidays(days: list[tuple[str, dt.date, dt.date]]) -> int:
    """Several at once, all of them or none; how many were new. Raises HolidayRefused."""
    with transaction.atomic():
        before = Holiday.objects.count()
        for name, first, last in days:
            _store(name, first, last)
        made = Holiday.objects.count() - before
    timetables.apply_everywhere()
    return made


def remove_holiday(holiday: Holiday) -> None:
    """The days are school days again, and the timetables' lessons in them come back."""
    holiday.delete()
    timetables.apply_everywhere()


def check_holiday(name: str, first: dt.date, last: dt.date) -> str:
    """The name as it is stored. Raises HolidayRefused."""
    name = " ".join(name.split())[:120]
    if not name or last < first:
        raise HolidayRefused
    if last - first > LONGEST:
        raise HolidayRefused(_("A holiday of more than 200 days is no holiday; please check the days."))
    return name


def _store(name: str, first: dt.date, last: dt.date) -> Holiday:
    name = check_holiday(name, first, last)
    holiday, _created = Holiday.objects.get_or_create(name=name, first_day=first, last_day=last)
    return holiday
