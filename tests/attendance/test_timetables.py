"""A timetable made into sessions: twice the same, only what has not begun moves, holidays are free."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from attendance import classes, errors, marks, rules, school_days, schooltime, timetables
from attendance.models import ClassSession, Course, Mark, TimetableSlot
from tests import factories as make

pytestmark = pytest.mark.django_db
MONDAY = 0


@pytest.fixture
def teacher() -> User:
    return make.teacher()


@pytest.fixture
def course(teacher: User) -> Course:
    schooltime.set_school_zone("Europe/Madrid")
    return make.course(teacher, students=2)


def next_monday(weeks: int = 1) -> dt.date:
    today = schooltime.today()
    return today - dt.timedelta(days=today.weekday()) + dt.timedelta(weeks=weeks)


def slot_values(**values: Any) -> dict[str, Any]:
    return {
        "weekday": MONDAY, "starts": dt.time(9), "ends": dt.time(9, 50), "first_day": next_monday(),
        "last_day": next_monday(10) + dt.timedelta(days=6), **values,
    }  # fmt: skip


def local_starts(course: Course) -> list[str]:
    zone = schooltime.school_zone()
    return [f"{one.starts_at.astimezone(zone):%a %H:%M}" for one in course.sessions.order_by("starts_at")]


def test_applying_twice_changes_nothing(course: Course, teacher: User) -> None:
    _change, first = timetables.add_slot(course, teacher, **slot_values())
    before = list(course.sessions.values())
    assert first == timetables.Applied(10, 0, 0)
    assert timetables.apply(course) == timetables.Applied(0, 0, 0)
    assert list(course.sessions.values()) == before
    assert set(local_starts(course)) == {"Mon 09:00"}


def test_a_new_time_moves_only_what_has_not_begun(course: Course, teacher: User) -> None:
    timetables.add_slot(course, teacher, **slot_values())
    slot = course.slots.get()
    first, second, third = course.sessions.order_by("starts_at")[:3]
    classes.open_session(first)
    marks.set_by_hand(second, course.students.first(), "present", teacher)
    _change, applied = timetables.change_slot(slot, teacher, weekday=2, starts=dt.time(11), ends=dt.time(12))
    assert applied == timetables.Applied(0, 8, 0)
    assert local_starts(course) == ["Mon 09:00", "Mon 09:00"] + ["Wed 11:00"] * 8
    third.refresh_from_db()
    assert third.starts_at.astimezone(schooltime.school_zone()).weekday() == 2


def test_every_change_can_be_taken_back(course: Course, teacher: User) -> None:
    added, _ = timetables.add_slot(course, teacher, **slot_values())
    slot = course.slots.get()
    kept = set(course.sessions.values_list("pk", flat=True))
    changed, _ = timetables.change_slot(slot, teacher, starts=dt.time(15), ends=dt.time(16))
    with pytest.raises(errors.NothingToUndo):
        timetables.undo(added)
    timetables.undo(changed)
    assert set(local_starts(course)) == {"Mon 09:00"}
    assert set(course.sessions.values_list("pk", flat=True)) == kept
    removed, applied = timetables.remove_slot(slot, teacher)
    assert applied.removed == 10
    assert timetables.undo(removed).created == 10
    with pytest.raises(errors.NothingToUndo):
        timetables.undo(removed)
    timetables.undo(added)
    assert not course.sessions.exists()


def test_a_cancelled_lesson_moves_with_its_slot_and_stays_cancelled(course: Course, teacher: User) -> None:
    timetables.add_slot(course, teacher, **slot_values())
    one = course.sessions.order_by("starts_at").first()
    assert one is not None
    classes.cancel(one, teacher, "trip")
    timetables.change_slot(course.slots.get(), teacher, starts=dt.time(10), ends=dt.time(11))
    one.refresh_from_db()
    assert one.is_cancelled
    assert one.cancel_reason == "trip"
    assert set(local_starts(course)) == {"Mon 10:00"}
    timetables.remove_slot(course.slots.get(), teacher)
    assert list(course.sessions.all()) == [one]


def test_holidays_are_free_and_their_removal_brings_lessons_back(course: Course, teacher: User) -> None:
    timetables.add_slot(course, teacher, **slot_values())
    holiday = school_days.add_holiday("Spring break", next_monday(2), next_monday(3))
    assert course.sessions.count() == 8
    school_days.remove_holiday(holiday)
    assert course.sessions.count() == 10


def test_the_preview_says_what_applying_does(course: Course, teacher: User) -> None:
    draft = TimetableSlot(course=course, **slot_values(every_weeks=2))
    rows = timetables.preview(course, draft)
    assert [row.verdict for row in rows] == ["new"] * 5
    assert not course.sessions.exists()
    _change, applied = timetables.add_slot(course, teacher, **slot_values(every_weeks=2))
    assert applied.created == 5
    slot = course.slots.get()
    slot.starts, slot.ends = dt.time(8), dt.time(9)
    rows = timetables.preview(course, slot)
    assert {row.verdict for row in rows} == {"moved"}
    assert all(row.before and row.before.starts_at > row.span.starts_at for row in rows)


def test_a_taken_room_is_said(course: Course, teacher: User) -> None:
    room, other = make.room(), make.course()
    timetables.add_slot(other, teacher, **slot_values(room=room, last_day=next_monday(2)))
    draft = TimetableSlot(
        course=course, **slot_values(room=room, starts=dt.time(9, 30), ends=dt.time(10, 20))
    )
    rows = timetables.preview(course, draft)
    assert [[clash.course_name for clash in row.clashes] for row in rows[:3]] == [
        [other.name],
        [other.name],
        [],
    ]
    assert rows[0].clashes[0].same_room
    after = TimetableSlot(
        course=course, **slot_values(room=room, starts=dt.time(9, 50), ends=dt.time(10, 40))
    )
    assert not any(row.clashes for row in timetables.preview(course, after))


def test_the_number_of_queries_does_not_grow(
    course: Course, teacher: User, django_assert_max_num_queries: Any
) -> None:
    for hour in range(8, 12):
        timetables.add_slot(course, teacher, **slot_values(starts=dt.time(hour), ends=dt.time(hour, 50)))
    slot = course.slots.first()
    assert slot is not None
    slot.weekday = 4
    with django_assert_max_num_queries(8):
        timetables.preview(course, slot)


@pytest.mark.parametrize(
    "wrong",
    [
        {"ends": dt.time(9)},
        {"last_day": dt.date(2020, 1, 1)},
        {"every_weeks": 9},
        {"last_day": dt.date(2200, 1, 1)},
    ],
)
def test_a_slot_that_cannot_be(course: Course, teacher: User, wrong: dict[str, Any]) -> None:
    with pytest.raises(timetables.TimetableRefused):
        timetables.add_slot(course, teacher, **slot_values(**wrong))
    assert not course.slots.exists()


# --- the clock --------------------------------------------------------------------------------------
def running(course: Course, teacher: User, minutes: int = 60) -> ClassSession:
    """A lesson of a timetable that began five minutes ago."""
    slot = TimetableSlot.objects.create(course=course, **slot_values())
    now = timezone.now()
    return make.session(
        course, "planned", now - dt.timedelta(minutes=5), slot=slot, slot_day=schooltime.today(),
        ends_at=now + dt.timedelta(minutes=minutes),
    )  # fmt: skip


def test_the_clock_opens_and_closes(course: Course, teacher: User) -> None:
    session = running(course, teacher)
    assert classes.open_due() == 1
    assert classes.open_due() == 0
    session.refresh_from_db()
    assert session.state == "open"
    assert classes.close_finished() == 0
    assert classes.close_finished(session.ends_at + dt.timedelta(seconds=1)) == 1


def test_what_a_person_closed_stays_closed(course: Course, teacher: User) -> None:
    session = running(course, teacher)
    classes.close_session(classes.open_session(session))
    assert classes.open_due() == 0


def test_it_opens_nothing_in_holidays_cancelled_by_hand_or_switched_off(
    course: Course, teacher: User
) -> None:
    session = running(course, teacher)
    session_by_hand = make.session(course, "planned")
    holiday = school_days.add_holiday("Today", schooltime.today() - dt.timedelta(days=1), schooltime.today())
    assert classes.open_due() == 0
    school_days.remove_holiday(holiday)
    classes.cancel(session, teacher)
    assert classes.open_due() == 0
    with pytest.raises(errors.SessionState):
        classes.open_session(session)
    classes.restore(session)
    rules.change(course, {"by_clock": False}, teacher)
    assert classes.open_due() == 0
    rules.change(course, {"by_clock": True}, teacher)
    assert classes.open_due() == 1
    session_by_hand.refresh_from_db()
    assert session_by_hand.state == "planned"


def test_opened_again_after_the_end_it_is_left_to_whoever_did(course: Course, teacher: User) -> None:
    session = running(course, teacher)
    ClassSession.objects.filter(pk=session.pk).update(ends_at=timezone.now() - dt.timedelta(minutes=1))
    classes.open_session(session)
    assert classes.close_finished() == 0
    assert classes.close_finished(timezone.now() + dt.timedelta(minutes=20)) == 1


def test_take_a_roll_now_means_the_planned_lesson_that_is_on(course: Course, teacher: User) -> None:
    session = running(course, teacher)
    assert classes.start_now(course).pk == session.pk
    assert course.sessions.count() == 1


def test_planned_sessions_take_the_rules_and_marked_ones_keep_theirs(course: Course, teacher: User) -> None:
    timetables.add_slot(course, teacher, **slot_values())
    begun = running(course, teacher)
    assert rules.change(None, {"late_after_minutes": 3, "min_sightings": 1}, teacher) == 10
    assert set(course.sessions.filter(starts_at__gt=timezone.now()).values_list("late_after_minutes")) == {
        (3,)
    }
    begun.refresh_from_db()
    assert begun.late_after_minutes == 10
    assert classes.plan(course, begun.starts_at, begun.ends_at).late_after_minutes == 3
    rules.change(course, {"late_after_minutes": 7}, teacher)
    assert rules.rules_for(course).late_after_minutes == 7
    assert rules.rules_for(make.course()).late_after_minutes == 3
    with pytest.raises(rules.RulesRefused):
        rules.change(course, {"window_absences": 5, "window_lessons": 3}, teacher)
    assert not Mark.objects.exists()
