"""What an address asks of a report: days, rule, format. Whatever stands there, the answer makes sense."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from attendance import schooltime
from attendance.models import Course
from attendance.reports.facts import Days
from attendance.reports.matrix import Rule
from attendance.reports.orders import AHEAD, Order
from attendance.web.asked import number

Values = Mapping[str, str]
"""``request.GET``, or what stood in an address that is sent along."""


def days_of(values: Values, course: Course | None = None, *, ahead: bool = False) -> Days:
    """``from`` and ``to``; else the course's term up to today, else the last 90 days (``ahead``: the next 30)."""
    today = schooltime.today()
    first = course.term.starts_on if course else today - dt.timedelta(days=90)
    last = min(course.term.ends_on, today) if course else today
    if ahead:
        first, last = today, today + AHEAD
    asked = day_in(values.get("from", "")) or first, day_in(values.get("to", "")) or max(last, first)
    return Days(min(asked), max(asked))


def order_of(values: Values, what: str, pk: int, kind: str, course: Course | None = None) -> Order:
    """``run`` and ``rate`` within sense; else the course's own rule. ``bom=0`` leaves out the byte order mark."""
    run = number_in(values.get("run", ""), 1, 99)
    rate = number_in(values.get("rate", ""), 0, 100)
    return Order(
        what, pk, kind, days_of(values, course, ahead=what == "away"), run, rate, values.get("bom") != "0"
    )


def rule_of(values: Values, course: Course) -> Rule:
    return order_of(values, "course", course.pk, "csv", course).rule_for(course)


def day_in(text: str) -> dt.date | None:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1970 <= day.year <= 2200 else None


def number_in(text: str, least: int, most: int) -> int | None:
    found = number(text)
    return found if found is not None and least <= found <= most else None
