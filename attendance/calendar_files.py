"""Calendar files (.ics, RFC 5545) read within bounds: lessons and whole days in, plain values out."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import icalendar
import recurring_ical_events
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from attendance import errors
from attendance.recurrence import Span

MAX_BYTES = 1024 * 1024
MAX_EVENTS = 3000
MAX_SERIES = 300
MAX_OCCURRENCES = 3000
LONGEST_LESSON = dt.timedelta(hours=14)
_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
# With these, a daily or weekly rule can run on to the year 9999 without ever coming round.
_RARE_PARTS = ("BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS")
_CLOCK_PARTS = ("BYHOUR", "BYMINUTE", "BYSECOND")


class CalendarFileRefused(errors.RollcallError):
    code = "calendar_file_refused"
    status = 422
    message = _("This file cannot be read as a calendar (.ics).")


@dataclass(frozen=True, slots=True)
class Lesson:
    """One time an event takes place."""

    key: str
    """Of the event and its place in its series; the same when the file is read again. SHA-256, hex."""
    name: str
    room: str
    span: Span | None
    """None where it cannot be a lesson; ``problem`` says why."""
    cancelled: bool = False
    problem: str | Promise = ""


@dataclass(frozen=True, slots=True)
class WholeDays:
    """An event of whole days, both included."""

    name: str
    first: dt.date
    last: dt.date


@contextmanager
def _in_words() -> Iterator[None]:
    """What the calendar libraries stumble over in a damaged file is a refusal like the others."""
    try:
        yield
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        raise CalendarFileRefused from error


@_in_words()
def lessons_of(data: bytes, first: dt.date, last: dt.date, zone: dt.tzinfo) -> list[Lesson]:
    """What takes place between two days (included), in the order of time. Times without a zone are the school's.

    Raises CalendarFileRefused.
    """
    answer = []
    for event in _occurrences(data, first, last):
        name, room = _text(event, "SUMMARY")[:200], _text(event, "LOCATION")[:100]
        key, cancelled = _key(event), _text(event, "STATUS").upper() == "CANCELLED"
        begin, end = event.decoded("DTSTART"), event.decoded("DTEND", None)
        if not isinstance(begin, dt.datetime) or not isinstance(end, dt.datetime):
            answer.append(Lesson(key, name, room, None, cancelled, _("It has no time of day.")))
            continue
        span = Span(_instant(begin, zone), _instant(end, zone))
        if span.ends_at <= span.starts_at:
            answer.append(Lesson(key, name, room, None, cancelled, _("It ends before it starts.")))
        elif span.ends_at - span.starts_at > LONGEST_LESSON:
            answer.append(Lesson(key, name, room, None, cancelled, _("It is longer than 14 hours.")))
        else:
            answer.append(Lesson(key, name, room, span, cancelled))
    never = dt.datetime.max.replace(tzinfo=dt.UTC)
    return sorted(answer, key=lambda one: (one.span.starts_at if one.span else never, one.key))


@_in_words()
def whole_days_of(data: bytes, first: dt.date, last: dt.date) -> tuple[list[WholeDays], int]:
    """(events of whole days that touch these days, how many others the file has). Raises CalendarFileRefused."""
    found, others = set(), 0
    for event in _occurrences(data, first, last):
        begin, end = event.decoded("DTSTART"), event.decoded("DTEND", None)
        if isinstance(begin, dt.datetime) or isinstance(end, dt.datetime):
            others += 1
            continue
        # DTEND of whole days is the day after (RFC 5545, 3.6.1).
        until = max((end or begin + dt.timedelta(days=1)) - dt.timedelta(days=1), begin)
        if _text(event, "STATUS").upper() != "CANCELLED":
            found.add(WholeDays(_text(event, "SUMMARY")[:120], begin, until))
    return sorted(found, key=lambda one: (one.first, one.name)), others


def _occurrences(data: bytes, first: dt.date, last: dt.date) -> list[icalendar.Event]:
    calendar = _read(data)
    query = recurring_ical_events.of(calendar, skip_bad_series=True)
    found = query.between(first, last + dt.timedelta(days=1))
    if len(found) > MAX_OCCURRENCES:
        raise CalendarFileRefused(
            _("The file has more than %(limit)d lessons in this term.") % {"limit": MAX_OCCURRENCES}
        )
    return list(found)


def _read(data: bytes) -> icalendar.Calendar:
    if len(data) > MAX_BYTES:
        raise CalendarFileRefused(_("The file is larger than 1 MB; a timetable is much smaller."))
    if b"BEGIN:VCALENDAR" not in data[:4096].upper():
        raise CalendarFileRefused
    if data.upper().count(b"BEGIN:VEVENT") > MAX_EVENTS:
        raise CalendarFileRefused(_("The file has more than %(limit)d events.") % {"limit": MAX_EVENTS})
    calendar = icalendar.Calendar.from_ical(data)
    if not isinstance(calendar, icalendar.Calendar):
        raise CalendarFileRefused
    series = 0
    for event in calendar.walk("VEVENT"):
        rules = event.get("RRULE")
        for rule in rules if isinstance(rules, list) else [rules] if rules else []:
            series += 1
            _check_rule(rule)
    if series > MAX_SERIES:
        raise CalendarFileRefused(
            _("The file has more than %(limit)d events that come again.") % {"limit": MAX_SERIES}
        )
    return calendar


def _check_rule(rule: icalendar.vRecur) -> None:
    """Only what a timetable needs. Rules of seconds, or that never come round, would keep the server busy."""
    frequency = _first(rule.get("FREQ"))
    interval = _first(rule.get("INTERVAL")) or "1"
    sane = (
        frequency in _FREQUENCIES
        and interval.isdecimal()
        and int(interval) >= 1
        and not any(part in rule for part in _CLOCK_PARTS)
        and (frequency in ("MONTHLY", "YEARLY") or not any(part in rule for part in _RARE_PARTS))
    )
    if not sane:
        raise CalendarFileRefused(
            _("An event of the file comes again in a way that no timetable does (%(rule)s).")
            % {"rule": str(dict(rule))[:80]}
        )


def _first(values: object) -> str:
    if isinstance(values, list):
        return str(values[0]) if values else ""
    return "" if values is None else str(values)


def _instant(when: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    return (when if when.tzinfo else when.replace(tzinfo=zone)).astimezone(dt.UTC)


def _text(event: icalendar.Event, name: str) -> str:
    value = event.get(name)
    several: Iterable[object] = value if isinstance(value, list) else [value] if value is not None else []
    text = " ".join(str(one) for one in several)
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _key(event: icalendar.Event) -> str:
    """The UID, and the place in the series, which stays when one lesson is moved (RFC 5545, 3.8.4.4)."""
    place = event.get("RECURRENCE-ID")
    parts = (_text(event, "UID"), place.to_ical().decode() if place is not None else "")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
