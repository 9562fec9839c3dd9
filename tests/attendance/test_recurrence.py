"""A lesson that comes again: attacked with dates, zones and clock changes."""

from __future__ import annotations

import datetime as dt
import itertools
import zoneinfo

from hypothesis import given
from hypothesis import strategies as st

from attendance.recurrence import DayRange, Span, Weekly, days_of, overlapping, span_on, spans_of

ZONES = [
    zoneinfo.ZoneInfo(name) for name in ("Europe/Madrid", "America/Santiago", "Australia/Lord_Howe", "UTC")
]
DAYS = st.dates(dt.date(2020, 1, 1), dt.date(2030, 12, 31))
TIMES = st.times().map(lambda time: time.replace(second=0, microsecond=0))
MADRID = ZONES[0]


@st.composite
def weeklies(draw: st.DrawFn) -> Weekly:
    first = draw(DAYS)
    starts = draw(TIMES)
    ends = draw(TIMES.filter(lambda time: time != starts))
    length = dt.timedelta(days=draw(st.integers(0, 400)))
    return Weekly(draw(st.integers(0, 6)), starts, ends, first, first + length, draw(st.integers(1, 8)))


@given(weeklies())
def test_days_are_the_weekday_in_range_and_n_weeks_apart(rule: Weekly) -> None:
    days = list(days_of(rule))
    assert all(day.weekday() == rule.weekday and rule.first_day <= day <= rule.last_day for day in days)
    gaps = {later - earlier for earlier, later in itertools.pairwise(days)}
    assert gaps <= {dt.timedelta(weeks=rule.every_weeks)}
    if rule.every_weeks == 1:
        whole = range((rule.last_day - rule.first_day).days + 1)
        assert days == [
            day for n in whole if (day := rule.first_day + dt.timedelta(days=n)).weekday() == rule.weekday
        ]


@given(weeklies(), st.lists(st.tuples(DAYS, st.integers(0, 30)), max_size=5))
def test_no_lesson_begins_in_a_holiday_and_no_other_is_lost(
    rule: Weekly, off: list[tuple[dt.date, int]]
) -> None:
    holidays = [DayRange(first, first + dt.timedelta(days=more)) for first, more in off]
    kept = list(days_of(rule, holidays))
    assert kept == [day for day in days_of(rule) if not any(day in holiday for holiday in holidays)]


@given(weeklies(), st.sampled_from(ZONES))
def test_lessons_last_and_begin_when_the_schools_clock_says(rule: Weekly, zone: zoneinfo.ZoneInfo) -> None:
    for day, span in spans_of(rule, zone):
        assert dt.timedelta(0) < span.ends_at - span.starts_at < dt.timedelta(hours=26)
        local = span.starts_at.astimezone(zone)
        skipped = dt.datetime.combine(day, rule.starts, tzinfo=zone).astimezone(dt.UTC).astimezone(zone)
        assert local == skipped
        if skipped.replace(tzinfo=None) == dt.datetime.combine(day, rule.starts):
            assert (local.date(), local.time()) == (day, rule.starts)


def test_nine_is_nine_before_and_after_the_clocks_change() -> None:
    rule = Weekly(0, dt.time(9), dt.time(9, 50), dt.date(2026, 3, 23), dt.date(2026, 3, 30))
    before, after = (span for _day, span in spans_of(rule, MADRID))
    assert before.starts_at == dt.datetime(2026, 3, 23, 8, tzinfo=dt.UTC)
    assert after.starts_at == dt.datetime(2026, 3, 30, 7, tzinfo=dt.UTC)


def test_a_lesson_in_the_hour_that_is_skipped_still_takes_its_time() -> None:
    span = span_on(dt.date(2026, 3, 29), dt.time(2, 10), dt.time(2, 50), MADRID)
    assert span.ends_at - span.starts_at == dt.timedelta(minutes=40)
    across = span_on(dt.date(2026, 3, 29), dt.time(2, 50), dt.time(3, 10), MADRID)
    assert across.ends_at - across.starts_at == dt.timedelta(minutes=20)


def test_across_midnight_ends_on_the_next_day() -> None:
    span = span_on(dt.date(2026, 5, 1), dt.time(23), dt.time(1), MADRID)
    assert span.ends_at - span.starts_at == dt.timedelta(hours=2)
    night = span_on(dt.date(2026, 10, 24), dt.time(23), dt.time(6), MADRID)
    assert night.ends_at - night.starts_at == dt.timedelta(hours=8)


INSTANTS = st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2026, 1, 3), timezones=st.just(dt.UTC))
SPANS = st.builds(
    lambda start, minutes: Span(start, start + dt.timedelta(minutes=minutes)), INSTANTS, st.integers(1, 600)
)


@given(st.lists(SPANS, max_size=12))
def test_overlaps_are_every_pair_that_shares_a_moment(spans: list[Span]) -> None:
    found = {frozenset(pair) for pair in overlapping(list(enumerate(spans)))}
    assert found == {
        frozenset((one, two))
        for one in range(len(spans))
        for two in range(one)
        if spans[one].overlaps(spans[two])
    }
