"""Calendar files: what they mean, what they may not do, and the feed that comes back out."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import icalendar
import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from attendance import calendar_files, classes, feeds, schooltime, timetable_import
from attendance.calendar_files import CalendarFileRefused, lessons_of, whole_days_of
from attendance.models import ClassSession, Course, Holiday, Term
from tests import factories as make

UTC = dt.UTC
NOW = dt.datetime(2026, 3, 1, 8, tzinfo=UTC)


def ics(*events: str) -> bytes:
    body = "".join(f"BEGIN:VEVENT\r\n{event.strip()}\r\nEND:VEVENT\r\n" for event in events)
    text = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:test\r\n{body}END:VCALENDAR\r\n"
    return text.replace("\r\n", "\n").replace("\n", "\r\n").encode()


WEEKLY = """UID:a@x
DTSTART;TZID=Europe/Madrid:20260309T090000
DTEND;TZID=Europe/Madrid:20260309T095000
RRULE:FREQ=WEEKLY;UNTIL=20260420T000000Z
EXDATE;TZID=Europe/Madrid:20260316T090000
SUMMARY:Algebra
LOCATION:Room 1"""
MOVED = """UID:a@x
RECURRENCE-ID;TZID=Europe/Madrid:20260323T090000
DTSTART;TZID=Europe/Madrid:20260323T110000
DTEND;TZID=Europe/Madrid:20260323T115000
SUMMARY:Algebra
LOCATION:Room 1"""


def days(
    text: str = "UID:h\nDTSTART;VALUE=DATE:20260406\nDTEND;VALUE=DATE:20260411\nSUMMARY:Easter",
) -> bytes:
    return ics(text)


def test_a_series_with_a_gap_and_a_moved_lesson() -> None:
    found = lessons_of(ics(WEEKLY, MOVED), dt.date(2026, 3, 1), dt.date(2026, 4, 30), UTC)
    starts = [one.span.starts_at for one in found if one.span]
    assert starts == [
        dt.datetime(2026, 3, 9, 8, tzinfo=UTC), dt.datetime(2026, 3, 23, 10, tzinfo=UTC),
        dt.datetime(2026, 3, 30, 7, tzinfo=UTC), dt.datetime(2026, 4, 6, 7, tzinfo=UTC),
        dt.datetime(2026, 4, 13, 7, tzinfo=UTC),
    ]  # fmt: skip
    plain = lessons_of(ics(WEEKLY), dt.date(2026, 3, 1), dt.date(2026, 4, 30), UTC)
    assert {one.key for one in plain} == {one.key for one in found}


def test_times_without_a_zone_are_the_schools() -> None:
    import zoneinfo

    event = "UID:f\nDTSTART:20260701T090000\nDURATION:PT45M\nSUMMARY:X"
    (found,) = lessons_of(
        ics(event), dt.date(2026, 7, 1), dt.date(2026, 7, 1), zoneinfo.ZoneInfo("America/Santiago")
    )
    assert found.span is not None
    assert found.span.starts_at == dt.datetime(2026, 7, 1, 13, tzinfo=UTC)
    assert found.span.ends_at - found.span.starts_at == dt.timedelta(minutes=45)


def test_whole_days_end_the_day_before_dtend() -> None:
    found, others = whole_days_of(ics(days().decode().split("BEGIN:VEVENT")[1].split("END:VEVENT")[0], WEEKLY),
                                  dt.date(2026, 4, 1), dt.date(2026, 4, 30))  # fmt: skip
    assert [(one.name, one.first, one.last) for one in found] == [
        ("Easter", dt.date(2026, 4, 6), dt.date(2026, 4, 10))
    ]
    assert others > 0


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY", "FREQ=MINUTELY;INTERVAL=1", "FREQ=HOURLY", "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=WEEKLY;BYSECOND=0,1,2,3", "FREQ=DAILY;BYHOUR=1,2,3,4",
    ],
)  # fmt: skip
def test_rules_that_would_keep_the_server_busy(rule: str) -> None:
    event = f"UID:e\nDTSTART:20260309T090000Z\nDTEND:20260309T100000Z\nRRULE:{rule}\nSUMMARY:X"
    began = time.process_time()
    with pytest.raises(CalendarFileRefused):
        lessons_of(ics(event), dt.date(2026, 3, 1), dt.date(2026, 12, 31), UTC)
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "data",
    [
        b"", b"hello", b"\x00\xff\xfe", b"BEGIN:VCALENDAR",
        b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:x\nEND:VEVENT\nEND:VCALENDAR",
        b"BEGIN:VCALENDAR\n" + b"X:" + b"a" * 2_000_000, b"BEGIN:VCALENDAR\n" + b"BEGIN:VEVENT\nEND:VEVENT\n" * 4000,
        ics("UID:x\nDTSTART:99999999T999999Z\nSUMMARY:X"),
        ics("UID:x\nDTSTART:20260309T090000Z\nDTEND:20260309T100000Z\nRRULE:FREQ=NONSENSE\nSUMMARY:X"),
    ],
)  # fmt: skip
def test_files_that_are_no_calendar(data: bytes) -> None:
    try:
        found = lessons_of(data, dt.date(2026, 3, 1), dt.date(2026, 12, 31), UTC)
    except CalendarFileRefused:
        found = []
    assert not found


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(tail: bytes) -> None:
    data = (
        b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTART:20260309T090000Z\r\n"
        + tail
        + b"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    try:
        lessons_of(data, dt.date(2026, 3, 1), dt.date(2026, 3, 31), UTC)
        whole_days_of(data, dt.date(2026, 3, 1), dt.date(2026, 3, 31))
    except CalendarFileRefused:
        return


# --- into a course -----------------------------------------------------------------------------------
@pytest.fixture
def teacher(db: None) -> User:
    return make.teacher()


@pytest.fixture
def course(teacher: User) -> Course:
    schooltime.set_school_zone("Europe/Madrid")
    term = Term.objects.create(name="Spring", starts_on=dt.date(2026, 2, 1), ends_on=dt.date(2026, 6, 30))
    return make.course(teacher, students=1, term=term)


@pytest.fixture(autouse=True)
def _spring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def take(course: Course, data: bytes, teacher: User, names: list[str] | None = None) -> tuple[Any, Any]:
    return timetable_import.import_rows(course, timetable_import.preview(course, data, names), teacher)


def test_import_twice_and_undo(course: Course, teacher: User) -> None:
    change, counts = take(course, ics(WEEKLY), teacher)
    assert counts["new"] == 5
    assert {one.room.name for one in course.sessions.select_related("room") if one.room} == {"Room 1"}
    again = timetable_import.preview(course, ics(WEEKLY))
    assert (again.count("same"), len(again.to_store)) == (5, 0)
    assert timetable_import.undo(change).removed == 5
    assert not course.sessions.exists()


def test_a_changed_file_moves_and_cancels_and_undo_brings_back(course: Course, teacher: User) -> None:
    take(course, ics(WEEKLY), teacher)
    before = list(course.sessions.order_by("pk").values("starts_at", "ends_at", "room", "cancelled_at"))
    gone = MOVED.replace("20260323T", "20260330T") + "\nSTATUS:CANCELLED"
    change, counts = take(course, ics(WEEKLY, MOVED, gone), teacher)
    assert (counts["moved"], counts["cancelled"], counts["same"]) == (1, 1, 3)
    assert course.sessions.filter(cancelled_at__isnull=False).count() == 1
    timetable_import.undo(change)
    assert (
        list(course.sessions.order_by("pk").values("starts_at", "ends_at", "room", "cancelled_at")) == before
    )


def test_what_is_left_out_says_why(course: Course, teacher: User) -> None:
    Holiday.objects.create(name="Break", first_day=dt.date(2026, 4, 6), last_day=dt.date(2026, 4, 10))
    other = WEEKLY.replace("a@x", "b@x").replace("Algebra", "Geometry")
    long = "UID:l\nDTSTART:20260310T000000Z\nDTEND:20260311T000000Z\nSUMMARY:Camp"
    allday = "UID:d\nDTSTART;VALUE=DATE:20260312\nSUMMARY:Day"
    data = ics(WEEKLY, other, long, allday)
    seen = timetable_import.preview(course, data)
    assert dict(seen.names) == {"Algebra": 5, "Geometry": 5, "Camp": 1, "Day": 1}
    assert {str(row.why) for row in seen.rows if row.verdict == "left_out"} == {
        "It is in a holiday.", "It is longer than 14 hours.", "It has no time of day.",
    }  # fmt: skip
    assert any(row.clashes for row in seen.rows)
    chosen = timetable_import.preview(course, data, ["Algebra"])
    assert (chosen.count("new"), chosen.count("left_out")) == (4, 1)
    assert not any(row.clashes for row in chosen.rows)


# --- the feed ----------------------------------------------------------------------------------------
def test_a_feed_says_lessons_and_no_names(course: Course, teacher: User) -> None:
    room = make.room("Aula 5")
    for day in (1, 2):
        make.session(course, "planned", NOW + dt.timedelta(days=day), room=room)
    classes.cancel(course.sessions.latest("starts_at"), teacher)
    Holiday.objects.create(name="Break", first_day=dt.date(2026, 4, 6), last_day=dt.date(2026, 4, 10))
    make.session(make.course(), "planned", NOW)
    feed, token = feeds.make(teacher, None)
    assert len(token) >= 43
    assert token not in str(feed.__dict__)
    text = feeds.read(feed).decode()
    student = course.students.get()
    assert student.family_name not in text
    assert student.number not in text
    events = icalendar.Calendar.from_ical(text).walk("VEVENT")
    assert [str(event["SUMMARY"]) for event in events] == [course.name, course.name, "Break"]
    assert [str(event.get("STATUS", "")) for event in events] == ["CONFIRMED", "CANCELLED", ""]
    assert {str(event["LOCATION"]) for event in events[:2]} == {"Aula 5"}


def test_a_feed_is_revoked_or_empty_when_its_owner_may_see_no_more(course: Course, teacher: User) -> None:
    make.session(course, "planned", NOW)
    feed, token = feeds.make(teacher, course)
    assert feeds.find(token) == feed
    assert b"VEVENT" in feeds.read(feed)
    course.teachers.remove(teacher)
    assert b"VEVENT" not in feeds.read(feed)
    feeds.revoke(feed)
    assert feeds.find(token) is None
    assert feeds.find("") is None
    other, token = feeds.make(teacher, course)
    User.objects.filter(pk=teacher.pk).update(is_active=False)
    assert feeds.find(token) is None
    assert ClassSession.objects.count() == 1
    assert other.token_hash != token


def test_a_feed_comes_back_in_as_it_went_out(course: Course, teacher: User) -> None:
    make.session(course, "planned", NOW + dt.timedelta(days=3))
    feed, _token = feeds.make(teacher, None)
    (lesson,) = calendar_files.lessons_of(feeds.read(feed), dt.date(2026, 3, 1), dt.date(2026, 3, 31), UTC)
    assert lesson.span is not None
    assert lesson.span.starts_at == NOW + dt.timedelta(days=3)
