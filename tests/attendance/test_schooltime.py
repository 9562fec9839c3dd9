"""UTC inside, the school's zone outside."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest

from attendance import schooltime

SYDNEY = zoneinfo.ZoneInfo("Australia/Sydney")
HONOLULU = zoneinfo.ZoneInfo("Pacific/Honolulu")
MADRID = zoneinfo.ZoneInfo("Europe/Madrid")


@pytest.mark.parametrize(
    ("instant", "zone", "day"),
    [
        ("2026-03-11T22:00+00:00", SYDNEY, "2026-03-12"),  # 09:00 in Sydney is the day before in UTC
        ("2026-03-13T06:00+00:00", HONOLULU, "2026-03-12"),  # 20:00 in Honolulu is the day after in UTC
        ("2026-03-29T00:30+00:00", MADRID, "2026-03-29"),  # half an hour before the clocks go forward
        ("2026-10-25T00:30+00:00", MADRID, "2026-10-25"),  # the first 02:30 of two
        ("2026-10-25T22:59:59+00:00", MADRID, "2026-10-25"),
        ("2026-10-25T23:00:00+00:00", MADRID, "2026-10-26"),  # midnight exactly
    ],
)
def test_the_day_of_an_instant_is_the_schools_day(instant: str, zone: dt.tzinfo, day: str) -> None:
    assert schooltime.school_day(dt.datetime.fromisoformat(instant), zone).isoformat() == day


@pytest.mark.parametrize(
    ("day", "hours"),
    [("2026-03-28", 24), ("2026-03-29", 23), ("2026-10-25", 25)],
    ids=["plain", "spring", "autumn"],
)
def test_a_day_is_as_long_as_the_clocks_make_it(day: str, hours: int) -> None:
    start, end = schooltime.day_bounds(dt.date.fromisoformat(day), MADRID)
    assert end - start == dt.timedelta(hours=hours)
    assert schooltime.school_day(start, MADRID).isoformat() == day
    assert schooltime.school_day(end - dt.timedelta(microseconds=1), MADRID).isoformat() == day


@pytest.mark.django_db
def test_the_schools_zone_is_a_setting_that_takes_effect_at_once() -> None:
    schooltime.set_school_zone("Australia/Sydney")
    assert schooltime.school_zone() == SYDNEY
    schooltime.set_school_zone("Pacific/Honolulu")
    assert schooltime.school_zone() == HONOLULU
    with pytest.raises(zoneinfo.ZoneInfoNotFoundError):
        schooltime.set_school_zone("Mars/Olympus")
    assert schooltime.school_zone() == HONOLULU
