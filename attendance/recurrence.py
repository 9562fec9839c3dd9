"""A lesson that comes again, on the school's clock. Pure: a rule and holidays in, instants out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

WEEK = dt.timedelta(weeks=1)
DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Weekly:
    """Every ``every_weeks`` weeks on ``weekday`` (Monday is 0), from ``first_day`` to ``last_day`` inclusive.

    Weeks begin on Monday and are counted from the one ``first_day`` lies in. ``ends`` not after ``starts``
    means the day after.
    """

    weekday: int
    starts: dt.time
    ends: dt.time
    first_day: dt.date
    last_day: dt.date
    every_weeks: int = 1


@dataclass(frozen=True, slots=True)
class Span:
    """From one instant to another (aware)."""

    starts_at: dt.datetime
    ends_at: dt.datetime

    def overlaps(self, other: Span) -> bool:
        """Lessons that touch do not overlap."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at


@dataclass(frozen=True, slots=True)
class DayRange:
    """Days of a holiday, both included."""

    first: dt.date
    last: dt.date

    def __contains__(self, day: dt.date) -> bool:
        return self.first <= day <= self.last


def days_of(rule: Weekly, holidays: Collection[DayRange] = ()) -> Iterator[dt.date]:
    """The days a lesson begins on, in order, without those in a holiday."""
    monday = rule.first_day - rule.first_day.weekday() * DAY
    try:
        day = monday + rule.weekday * DAY
        while day <= rule.last_day:
            if day >= rule.first_day and not any(day in holiday for holiday in holidays):
                yield day
            day += rule.every_weeks * WEEK
    except OverflowError:
        return  # the end of the calendar


def wall_clock(day: dt.date, time: dt.time, zone: dt.tzinfo) -> dt.datetime:
    """The instant (UTC) at which the school's clock shows ``time`` on ``day``.

    A time the clock skips in spring is the instant it would have been without the change (PEP 495, ``fold=0``);
    a time it shows twice in autumn is the first.
    """
    return dt.datetime.combine(day, time, tzinfo=zone).astimezone(dt.UTC)


def span_on(day: dt.date, starts: dt.time, ends: dt.time, zone: dt.tzinfo) -> Span:
    """A lesson on ``day``; an end that is not after the start lies on the next day.

    Where the clock change would leave it without length, it keeps the length the clock faces say.
    """
    last = day if ends > starts else day + DAY
    begin, end = wall_clock(day, starts, zone), wall_clock(last, ends, zone)
    if end <= begin:
        end = begin + (dt.datetime.combine(last, ends) - dt.datetime.combine(day, starts))
    return Span(begin, end)


def spans_of(
    rule: Weekly, zone: dt.tzinfo, holidays: Collection[DayRange] = ()
) -> Iterator[tuple[dt.date, Span]]:
    """(day, lesson) of each time the rule comes round."""
    for day in days_of(rule, holidays):
        yield day, span_on(day, rule.starts, rule.ends, zone)


def overlapping(spans: Iterable[tuple[int, Span]]) -> list[tuple[int, int]]:
    """Pairs of keys whose spans overlap, by start; a sweep, so that a year of lessons takes no time."""
    found: list[tuple[int, int]] = []
    running: list[tuple[int, Span]] = []
    ordered: Sequence[tuple[int, Span]] = sorted(spans, key=lambda one: (one[1].starts_at, one[0]))
    for key, span in ordered:
        running = [(other, lesson) for other, lesson in running if lesson.ends_at > span.starts_at]
        found += [(other, key) for other, lesson in running if lesson.overlaps(span)]
        running.append((key, span))
    return found
