"""Calendar feeds: lessons for a calendar program, under an address nobody can guess and its owner can revoke.

Calendar programs cannot sign in, so the address itself is the key. It gives courses, rooms and times, never a
student; and never more than its owner may see at that moment.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

import icalendar
from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from attendance import errors, permissions, schooltime
from attendance.models import CalendarFeed, ClassSession, Course, Holiday

BACK = dt.timedelta(days=60)
AHEAD = dt.timedelta(days=400)
MOST_SESSIONS = 3000
MOST_FEEDS = 20
SEEN_EVERY = dt.timedelta(minutes=10)


class TooManyFeeds(errors.RollcallError):
    code = "too_many_feeds"
    status = 409
    message = _("You have 20 calendar addresses already; please switch one off first.")


def make(owner: User, course: Course | None) -> tuple[CalendarFeed, str]:
    """A new feed and its token, which is shown now and never again. Raises TooManyFeeds."""
    if owner.calendar_feeds.filter(revoked_at__isnull=True).count() >= MOST_FEEDS:
        raise TooManyFeeds
    token = secrets.token_urlsafe(32)
    feed = CalendarFeed.objects.create(
        owner=owner, course=course, token_hash=hash_of(token), created_at=timezone.now()
    )
    return feed, token


def revoke(feed: CalendarFeed) -> None:
    """The address gives nothing from now on."""
    CalendarFeed.objects.filter(pk=feed.pk, revoked_at__isnull=True).update(revoked_at=timezone.now())


def find(token: str) -> CalendarFeed | None:
    """The feed of an address, while neither it nor its owner's account is switched off."""
    found = CalendarFeed.objects.filter(
        token_hash=hash_of(token), revoked_at__isnull=True, owner__is_active=True
    )
    return found.select_related("owner", "course").first()


def hash_of(token: str) -> str:
    """Tokens carry 256 random bits, so that a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def read(feed: CalendarFeed, now: dt.datetime | None = None) -> bytes:
    """The lessons as RFC 5545 text; cancelled ones say so. Three queries."""
    now = now or timezone.now()
    if feed.last_read_at is None or now - feed.last_read_at > SEEN_EVERY:
        CalendarFeed.objects.filter(pk=feed.pk).update(last_read_at=now)
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//Rollcall//timetable//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", feed.course.name if feed.course else schooltime.get_school().name)
    for session in _sessions(feed, now):
        calendar.add_component(_event(session, now))
    first, last = schooltime.school_day(now - BACK), schooltime.school_day(now + AHEAD)
    for holiday in Holiday.objects.filter(Q(first_day__lte=last) & Q(last_day__gte=first)):
        calendar.add_component(_days(holiday, now))
    return bytes(calendar.to_ical())


def _sessions(feed: CalendarFeed, now: dt.datetime) -> list[ClassSession]:
    """What the owner teaches (or, of one course, may see) at this moment."""
    courses = permissions.courses_for(feed.owner)
    courses = courses.filter(pk=feed.course_id) if feed.course_id else courses.filter(teachers=feed.owner)
    found = ClassSession.objects.filter(
        course__in=courses, starts_at__gte=now - BACK, starts_at__lt=now + AHEAD
    )
    return list(found.select_related("course", "room").order_by("starts_at")[:MOST_SESSIONS])


def _event(session: ClassSession, now: dt.datetime) -> icalendar.Event:
    event = icalendar.Event()
    event.add("uid", f"session-{session.pk}@rollcall")
    event.add("dtstamp", now.astimezone(dt.UTC))
    event.add("dtstart", session.starts_at.astimezone(dt.UTC))
    event.add("dtend", session.ends_at.astimezone(dt.UTC))
    event.add("sequence", session.roll_version)
    event.add("summary", session.course.name)
    if session.room:
        event.add("location", session.room.name)
    event.add("status", "CANCELLED" if session.is_cancelled else "CONFIRMED")
    return event


def _days(holiday: Holiday, now: dt.datetime) -> icalendar.Event:
    event = icalendar.Event()
    event.add("uid", f"holiday-{holiday.pk}@rollcall")
    event.add("dtstamp", now.astimezone(dt.UTC))
    event.add("dtstart", holiday.first_day)
    event.add("dtend", holiday.last_day + dt.timedelta(days=1))
    event.add("summary", holiday.name)
    event.add("transp", "TRANSPARENT")
    return event
