"""The site in numbers: hours without gaps, courses by need, counted by the database."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from attendance import marks, schooltime
from attendance.models import Course, Mark
from attendance.reports import site_facts
from attendance.reports.site import Hour, Need, by_need, last_hours
from tests import factories as make

NOON = dt.datetime(2026, 3, 12, 12, 40, tzinfo=dt.UTC)


def test_hours_without_photos_are_there_too() -> None:
    counted = [Hour(NOON.replace(minute=0), 3, 40, 6.0), Hour(NOON.replace(hour=9, minute=0), 1, 0, 1.0)]
    hours = last_hours(NOON, counted)
    assert len(hours) == 24
    assert hours[-1].photos == 3
    assert hours[-1].seconds_a_photo == 2.0
    assert [hour.starts_at.hour for hour in hours[-4:]] == [9, 10, 11, 12]
    assert hours[-2].photos == 0
    assert hours[-2].seconds_a_photo is None


def test_hours_begin_by_the_schools_clock() -> None:
    calcutta = zoneinfo.ZoneInfo("Asia/Kolkata")
    hours = last_hours(NOON.astimezone(calcutta), [])
    assert (hours[-1].starts_at.hour, hours[-1].starts_at.minute) == (18, 0)


@given(
    st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2026, 12, 31), timezones=st.just(dt.UTC)),
    st.integers(-30, 30),
)
def test_what_is_older_or_to_come_is_left_out(now: dt.datetime, away: int) -> None:
    at = now.replace(minute=0, second=0, microsecond=0) + dt.timedelta(hours=away)
    hours = last_hours(now, [Hour(at, 5)])
    assert len(hours) == 24
    assert sum(hour.photos for hour in hours) == (5 if -24 < away <= 0 else 0)


def test_courses_in_session_come_first_then_those_with_most_to_check() -> None:
    def line(pk: int, name: str, session: int | None, to_check: int) -> Need:
        return Need(pk, name, "", session, to_check)

    lines = [line(1, "Zoology", None, 0), line(2, "art", None, 0), line(3, "B", None, 4), line(4, "C", 9, 0)]
    assert [one.id for one in by_need(lines)] == [4, 3, 2, 1]


@pytest.mark.django_db
def test_the_sites_numbers_are_what_is_there() -> None:
    now = timezone.now()
    course = make.course(make.teacher(), students=3)
    session = make.session(course)
    for seconds, faces in ((2.0, 10), (4.0, 20)):
        make.snapshot(session, processed_at=now, processing_seconds=seconds, faces=faces)
    make.snapshot(session, processed_at=now - dt.timedelta(hours=40), processing_seconds=9.0, faces=5)
    make.snapshot(session, state="failed")
    one, two, _three = course.students.order_by("pk")
    make.template(one)
    make.template(one)
    marks.recompute(session.pk)
    Mark.objects.filter(session=session, student=two).update(to_check=True)
    numbers = site_facts.read(10)
    assert (numbers.photos, numbers.faces, numbers.seconds_a_photo) == (2, 30, 3.0)
    assert (numbers.hours[-1].photos, numbers.open_sessions, numbers.to_check) == (2, 1, 1)
    (line,) = numbers.courses
    assert (line.students, line.enrolled, line.to_check, line.open_session) == (3, 1, 1, session.pk)
    assert line.last_photo_at is not None


@pytest.mark.django_db
def test_courses_of_past_terms_are_not_counted_and_few_are_shown() -> None:
    for _ in range(4):
        make.course()
    assert len(site_facts.read(3).courses) == 3
    assert site_facts.read(3).all_courses == 4
    term = Course.objects.first().term  # type: ignore[union-attr]
    term.starts_on, term.ends_on = dt.date(2020, 1, 1), dt.date(2020, 6, 1)
    term.save()
    assert site_facts.read(3).all_courses == 0


@pytest.mark.django_db
def test_an_hour_is_the_schools_hour() -> None:
    schooltime.set_school_zone("Asia/Kolkata")
    make.snapshot(make.session(make.course()), processed_at=timezone.now(), processing_seconds=1.0, faces=1)
    numbers = site_facts.read(1)
    assert numbers.hours[-1].photos == 1
    assert numbers.hours[-1].starts_at.utcoffset() == dt.timedelta(hours=5, minutes=30)


@pytest.mark.django_db
def test_the_number_of_queries_is_fixed() -> None:
    def queries() -> int:
        schooltime.school_zone()
        with CaptureQueriesContext(connection) as captured:
            site_facts.read(5)
        return len(captured)

    make.session(make.course(students=1))
    few = queries()
    for _ in range(5):
        session = make.session(make.course(students=4))
        make.snapshot(session, processed_at=timezone.now())
        marks.recompute(session.pk)
    assert queries() == few <= 6
