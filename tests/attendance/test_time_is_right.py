"""The table of cases about time: clock changes, midnight, cameras whose clocks are wrong, a school far from UTC.

Instants are kept in UTC; what a person reads is the school's clock; how long something took is never read off a clock
on the wall. Pure parts have tables of their own (test_schooltime, test_recurrence, tests/camera/test_parts).
"""

from __future__ import annotations

import csv
import datetime as dt
import zoneinfo
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from attendance import clock, intake, marks, schooltime
from attendance.models import ClassSession, Course, Mark, RosterEntry
from tests import factories as make

pytestmark = pytest.mark.django_db
MADRID = zoneinfo.ZoneInfo("Europe/Madrid")


def at(text: str, zone: str = "Europe/Madrid", fold: int = 0) -> dt.datetime:
    """What the clock on the wall says, as an instant."""
    return (
        dt.datetime.fromisoformat(text).replace(tzinfo=zoneinfo.ZoneInfo(zone), fold=fold).astimezone(dt.UTC)
    )


@pytest.fixture
def course() -> Course:
    schooltime.set_school_zone("Europe/Madrid")
    return make.course(make.teacher(), students=2)


def freeze(monkeypatch: pytest.MonkeyPatch, instant: dt.datetime) -> None:
    monkeypatch.setattr(timezone, "now", lambda: instant)
    monkeypatch.setattr(clock, "now", lambda: instant)


def taken(session: ClassSession, first_seen: float, minutes: tuple[float, ...]) -> Mark:
    """A roll from photos at these minutes, in which the first student is seen from ``first_seen`` on."""
    student = session.course.students.order_by("pk")[0]
    for minute in minutes:
        shot = make.snapshot(session, minute)
        if minute >= first_seen:
            make.sighting(shot, student)
    marks.recompute(session.pk)
    return session.marks.get(student=student)


@pytest.mark.parametrize(
    ("starts", "fold", "local"),
    [
        ("2026-03-12T09:00", 0, "an ordinary day"),
        ("2026-03-29T01:55", 0, "the clocks jump from 02:00 to 03:00 five minutes into the lesson"),
        ("2026-10-25T02:55", 0, "the clocks fall back from 03:00 to 02:00 five minutes into the lesson"),
        ("2026-10-25T02:10", 0, "the first 02:10 of two"),
        ("2026-10-25T02:10", 1, "the second 02:10 of two"),
        ("2026-03-12T23:50", 0, "midnight comes ten minutes into the lesson"),
        ("2026-12-31T23:50", 0, "the year ends in it"),
    ],
)
def test_who_is_late_is_late_by_the_minutes_that_passed(
    course: Course, starts: str, fold: int, local: str
) -> None:
    session = make.session(course, "closed", at(starts, fold=fold))
    assert session.ends_at - session.starts_at == dt.timedelta(minutes=50)
    mark = taken(session, 12, (1, 4, 12, 22, 35, 48))
    assert (mark.status, mark.minutes_late) == ("late", 12), local
    assert mark.first_seen_at == session.starts_at + dt.timedelta(minutes=12)


@pytest.mark.parametrize(
    ("enrolled", "left", "on_it"),
    [
        ("2026-03-12", None, True),  # since the day it began
        ("2026-03-13", None, False),  # since the day it ended
        ("2026-01-01", "2026-03-13", True),
        ("2026-01-01", "2026-03-12", False),  # left on the day it began
    ],
)
def test_a_lesson_across_midnight_has_the_roster_of_the_day_it_began(
    course: Course, enrolled: str, left: str | None, on_it: bool
) -> None:
    student = make.student()
    RosterEntry.objects.create(course=course, student=student, enrolled_on=enrolled, left_on=left)
    session = make.session(course, "closed", at("2026-03-12T23:30"))
    assert session.ends_at.astimezone(MADRID).date() == dt.date(2026, 3, 13)
    marks.recompute(session.pk)
    assert session.marks.filter(student=student).exists() is on_it


def exif_photo(seed: int, wall_clock: str) -> bytes:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[36867] = wall_clock
    return make.jpeg(seed, exif=exif)


@pytest.mark.parametrize(
    ("starts", "fold", "wall_clock", "believed"),
    [
        ("2026-03-12T09:00", 0, "2026:03:12 09:10:00", True),
        ("2026-03-12T23:50", 0, "2026:03:13 00:05:00", True),  # after midnight
        ("2026-03-29T01:50", 0, "2026:03:29 03:05:00", True),  # after the jump
        ("2026-10-25T02:10", 0, "2026:10:25 02:20:00", True),  # the first of two hours
        ("2026-10-25T02:40", 1, "2026:10:25 02:50:00", False),  # the second: the camera cannot say which
        ("2026-03-12T09:00", 0, "2026:03:12 08:10:00", False),  # an hour behind: never set to summer time
        ("2026-03-12T09:00", 0, "2026:03:12 11:10:00", False),  # ahead of ours
        ("2026-03-12T09:00", 0, "1970:01:01 00:00:07", False),  # a battery that died
        ("2026-03-12T09:00", 0, "2026:02:30 09:10:00", False),  # no such day: as if it had said nothing
    ],
)
def test_a_cameras_own_clock_is_believed_where_it_can_be_right(
    course: Course,
    sent: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    starts: str,
    fold: int,
    wall_clock: str,
    believed: bool,
) -> None:
    session = make.session(course, "open", at(starts, fold=fold))
    arrived = session.starts_at + dt.timedelta(minutes=21)
    freeze(monkeypatch, arrived)
    shot = intake.receive(session, exif_photo(len(wall_clock), wall_clock)).snapshot
    if believed:
        said = dt.datetime.strptime(wall_clock, "%Y:%m:%d %H:%M:%S").replace(tzinfo=MADRID)
        assert (shot.taken_at, shot.clock_suspect) == (said.astimezone(dt.UTC), False)
    else:
        assert shot.taken_at == arrived, "the time of arrival counts"
        assert shot.clock_suspect or wall_clock.startswith("2026:02:30")


@pytest.mark.parametrize("offset", ["+00:00", "+01:00", "-10:00", "+13:45"])
def test_a_camera_may_speak_of_any_zone(course: Course, sent: list[Any], offset: str) -> None:
    session = make.session(course)
    said = (session.starts_at + dt.timedelta(minutes=3)).replace(microsecond=0)
    local = said.astimezone(dt.datetime.fromisoformat(f"2026-01-01T00:00{offset}").tzinfo)
    shot = intake.receive(session, make.jpeg(1), taken_at=local).snapshot
    assert (shot.taken_at, shot.clock_suspect) == (said, False)


@pytest.mark.parametrize(
    ("zone", "starts", "day"),
    [
        ("Australia/Sydney", "2026-03-12T08:30", "2026-03-12"),  # 21:30 of the day before in UTC
        ("Pacific/Honolulu", "2026-03-12T19:00", "2026-03-12"),  # 05:00 of the day after in UTC
        ("Asia/Kathmandu", "2026-03-12T00:10", "2026-03-12"),  # +05:45
        ("Europe/Madrid", "2026-10-25T02:40", "2026-10-25"),
    ],
)
def test_people_read_the_schools_clock(zone: str, starts: str, day: str) -> None:
    schooltime.set_school_zone(zone)
    teacher = make.teacher()
    session = make.session(make.course(teacher, students=1), "closed", at(starts, zone))
    taken(session, 1, (1, 5, 30, 45))
    client = Client()
    client.force_login(teacher, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get(reverse("web:roll-csv", args=[session.pk]))
    rows = list(csv.reader(b"".join(answer).decode("utf-8-sig").splitlines()))
    written = " ".join(cell for row in rows for cell in row) + answer["Content-Disposition"]
    seen_at = (session.starts_at + dt.timedelta(minutes=1)).astimezone(zoneinfo.ZoneInfo(zone))
    assert f"{seen_at:%H:%M}" in written
    page = client.get(reverse("web:session", args=[session.pk])).text
    assert starts[11:] in page
    assert schooltime.school_day(session.starts_at).isoformat() == day
