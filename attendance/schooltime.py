"""The one place that turns instants into the school's days and back. UTC inside, the school's zone outside."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from attendance.models import School

_CACHE_KEY = "school-time-zone"


def get_school() -> School:
    """The site's settings row, made with defaults where there is none yet."""
    school, _created = School.objects.get_or_create(pk=1)
    return school


def school_zone() -> zoneinfo.ZoneInfo:
    """The school's time zone; cached for a minute."""
    name: str | None = cache.get(_CACHE_KEY)
    if name is None:
        name = get_school().time_zone or settings.SCHOOL_TIME_ZONE
        cache.set(_CACHE_KEY, name, 60)
    return zoneinfo.ZoneInfo(name)


def set_school_zone(name: str) -> None:
    """Store the zone. Raises ``zoneinfo.ZoneInfoNotFoundError`` for an unknown name."""
    zoneinfo.ZoneInfo(name)
    school = get_school()
    school.time_zone = name
    school.save(update_fields=["time_zone"])
    cache.delete(_CACHE_KEY)


def school_day(instant: dt.datetime, zone: dt.tzinfo | None = None) -> dt.date:
    """The calendar day at the school when ``instant`` (aware) happens."""
    return instant.astimezone(zone or school_zone()).date()


def today() -> dt.date:
    return school_day(timezone.now())


def day_bounds(day: dt.date, zone: dt.tzinfo | None = None) -> tuple[dt.datetime, dt.datetime]:
    """First instant of ``day`` at the school and of the day after; 23 to 25 hours apart."""
    zone = zone or school_zone()
    start = dt.datetime.combine(day, dt.time.min, tzinfo=zone)
    end = dt.datetime.combine(day + dt.timedelta(days=1), dt.time.min, tzinfo=zone)
    return start.astimezone(dt.UTC), end.astimezone(dt.UTC)


class SchoolTimeMiddleware:
    """Pages show times in the school's zone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with timezone.override(school_zone()):
            return self.get_response(request)
