"""Kept no longer than said: days of the school and of a course, what goes when, files and rows, what is late."""

from __future__ import annotations

import datetime as dt
import io
import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from attendance import schooltime, stored_files
from attendance.models import ClassSession, CourseRetention, ReportJob, RetentionRun, Sighting, Snapshot
from attendance.retention import due, periods, purge, strays
from attendance.retention.periods import Periods, RetentionRefused
from tests import factories as make

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def session() -> ClassSession:
    return make.session(make.course(make.teacher(), students=2))


def photo_with_faces(session: ClassSession) -> Snapshot:
    """A photo with a face somebody has and one nobody has."""
    student = session.course.students.order_by("pk").first()
    snapshot = make.snapshot(session)
    make.sighting(snapshot, student)
    make.sighting(snapshot, None, "unknown", 1)
    return snapshot


def all_files() -> set[str]:
    root = Path(default_storage.path(""))
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def at(days: float) -> dt.datetime:
    return timezone.now() + dt.timedelta(days=days)


# --- whose days hold ----------------------------------------------------------------------------------
def test_a_course_keeps_shorter_than_the_school_and_never_longer(session: ClassSession) -> None:
    course, by = session.course, make.administrator()
    assert periods.of_course(course) == Periods(30, 7, 30)
    periods.set_course(course, {"photo_days": 10}, by)
    assert periods.of_course(course) == Periods(10, 7, 30)
    with pytest.raises(RetentionRefused, match="not longer"):
        periods.set_course(course, {"photo_days": 31}, by)
    periods.set_school(Periods(5, 5, 5), courses_may_keep_longer=False)
    assert periods.of_course(course) == Periods(5, 5, 5), "the school's shorter days hold for the course too"
    periods.set_school(Periods(5, 5, 5), courses_may_keep_longer=True)
    assert periods.of_course(course) == Periods(10, 5, 5)
    periods.set_course(course, {}, by)
    assert not CourseRetention.objects.exists()


@pytest.mark.parametrize(
    "days", [Periods(0, 7, 30), Periods(30, 0, 30), Periods(366, 7, 30), Periods(30, 7, -1)]
)
def test_days_that_make_no_sense_are_refused_in_a_sentence(days: Periods) -> None:
    with pytest.raises(RetentionRefused, match="Give a whole number of days, from"):
        periods.set_school(days, courses_may_keep_longer=False)
    assert periods.of_school() == Periods(30, 7, 30)


def test_the_database_refuses_a_course_that_keeps_forever(session: ClassSession) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        CourseRetention.objects.create(
            course=session.course, photo_days=3650, changed_by=make.teacher(), changed_at=timezone.now()
        )


# --- what goes, when ----------------------------------------------------------------------------------
def test_each_course_by_its_own_days(session: ClassSession, django_capture_on_commit_callbacks: Any) -> None:
    other = make.session(make.course(students=1))
    photo_with_faces(session)
    photo_with_faces(other)
    periods.set_course(session.course, {"photo_days": 3, "unknown_face_days": 2}, make.administrator())
    with django_capture_on_commit_callbacks(execute=True):
        assert purge.purge_expired(at(1.9)) == purge.Purged(0, 0, 0)
        assert purge.purge_expired(at(2.1)) == purge.Purged(0, 1, 0)
        assert purge.purge_expired(at(3.1)) == purge.Purged(1, 0, 0)
    assert not session.snapshots.get().image
    assert other.snapshots.get().image
    assert Sighting.objects.filter(snapshot__session=other, encoding__isnull=False).count() == 2
    assert all_files() == set(stored_files.named())


def test_templates_go_after_the_longest_of_a_students_courses(session: ClassSession) -> None:
    student = session.course.students.order_by("pk").first()
    make.template(student)
    second = make.course()
    entry = second.roster_entries.create(student=student, enrolled_on=dt.date(2026, 1, 1))
    periods.set_course(session.course, {"template_days_after_term": 0}, make.administrator())
    end = dt.datetime.combine(session.course.term.ends_on, dt.time(12), tzinfo=dt.UTC)
    assert purge.purge_expired(end + 20 * DAY).templates == 0, "the second course still keeps them"
    entry.left_on = session.course.term.ends_on - 25 * DAY
    entry.save()
    assert purge.purge_expired(end + 4 * DAY).templates == 0
    assert purge.purge_expired(end + 6 * DAY).templates == 1, "left 25 days before the end, kept for 30"


def test_the_list_of_days_is_what_the_deletion_then_does(session: ClassSession) -> None:
    student = session.course.students.order_by("pk").first()
    make.template(student)
    photo_with_faces(session)
    periods.set_course(
        session.course, {"photo_days": 10, "template_days_after_term": 0}, make.administrator()
    )
    term = session.course.term
    term.ends_on = schooltime.today() + 12 * DAY
    term.save()
    listed = due.outlook(timezone.now()).days
    today = schooltime.today()
    assert [((one.day - today).days, one.photos, one.unknown_faces, one.templates) for one in listed] == [
        (7, 0, 1, 0),
        (10, 1, 0, 0),
        (13, 0, 0, 1),
    ]
    for one in listed:
        noon = schooltime.day_bounds(one.day)[1]
        before = due.outlook(noon - 2 * DAY).due_now
        assert before.total == 0
        done = purge.purge_expired(noon)
        assert (done.photos, done.unknown_faces, done.templates) == (
            one.photos,
            one.unknown_faces,
            one.templates,
        )
    assert due.outlook(timezone.now()).days == []


def test_files_a_worker_made_are_counted_to_the_hour() -> None:
    now, day = timezone.now(), schooltime.today()
    for hours in (-30, -1, 48):
        ReportJob.objects.create(
            asked_by=make.administrator(), what="summary", kind="csv", first_day=day, last_day=day,
            state="done", created_at=now, expires_at=now + dt.timedelta(hours=hours), file=f"reports/{-hours}",
        )  # fmt: skip
    found = due.outlook(now)
    assert found.due_now.files == due.files(now).count() == 2
    assert [(one.what, one.count) for one in found.overdue] == [("files made by a worker", 1)]
    assert [(one.day, one.files) for one in found.days] == [(day, 2), (day + 2 * DAY, 1)]


def test_the_list_costs_the_same_for_one_photo_and_for_forty(session: ClassSession) -> None:
    photo_with_faces(session)
    due.outlook()  # the school's zone is known from now on
    with CaptureQueriesContext(connection) as few:
        due.outlook()
    for _n in range(39):
        photo_with_faces(session)
        make.template(make.student(session.course))
    with CaptureQueriesContext(connection) as many:
        due.outlook()
    assert len(many) == len(few)


def test_a_photo_nobody_looked_at_is_late_and_says_why(session: ClassSession) -> None:
    make.snapshot(session, state="received")
    purge.run(at(31))
    late = due.outlook(at(31)).overdue
    assert [(one.what, one.count) for one in late] == [("photos that wait", 1)]
    assert "Start a worker" in late[0].reason
    assert session.snapshots.get().image, "accepted is kept until it was looked at"


def test_what_no_run_came_for_is_late(session: ClassSession) -> None:
    photo_with_faces(session)
    assert due.outlook(at(29)).overdue[0].what == "unknown faces"
    late = {one.what: one.reason for one in due.outlook(at(31)).overdue}
    assert set(late) == {"photos", "unknown faces"}
    assert "never run" in late["photos"]
    purge.run(at(31))
    assert due.outlook(at(31)).overdue == []
    photo_with_faces(session)
    assert "has not run for" in due.outlook(at(62)).overdue[0].reason


def test_a_run_that_fails_is_written_down_and_said(
    session: ClassSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo_with_faces(session)
    monkeypatch.setattr(purge, "_templates", lambda now: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        purge.run(at(1))
    run = RetentionRun.objects.get()
    assert "ZeroDivisionError" in run.error
    assert run.finished_at is not None
    assert "ZeroDivisionError" in due.outlook(at(31)).overdue[0].reason


# --- files and rows -----------------------------------------------------------------------------------
def stray(name: str, days_old: float) -> None:
    path = Path(default_storage.path(name))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"left behind")
    then = time.time() - days_old * 86400
    os.utime(path, (then, then))


def test_old_files_without_a_row_go_and_young_ones_stay(session: ClassSession) -> None:
    photo_with_faces(session)
    stray("photos/ab/old.jpg", 2)
    stray("chips/ab/.half.jpg.1234.part", 2)
    stray("photos/ab/on-its-way-in.jpg", 0.1)
    run = purge.run(compare=True)
    assert (run.strays_deleted, run.strays_left, run.missing) == (2, 0, 0)
    assert all_files() == set(stored_files.named()) | {"photos/ab/on-its-way-in.jpg"}


def test_a_row_without_its_file_is_counted_and_named(session: ClassSession) -> None:
    name = str(photo_with_faces(session).image)
    Path(default_storage.path(name)).unlink()
    assert strays.compare(timezone.now()).missing == [name]
    assert purge.run(compare=True).missing == 1


def test_a_store_that_belongs_to_another_database_is_left_alone(
    session: ClassSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strays, "FEW", 3)
    photo_with_faces(session)
    for number in range(4):
        stray(f"photos/ab/{number}.jpg", 2)
    run = purge.run(compare=True)
    assert (run.strays_deleted, run.strays_left) == (0, 4)
    assert len(all_files()) == 3 + 4


def test_files_and_rows_are_compared_once_a_day() -> None:
    assert purge.run(at(0)).compared_at
    assert not purge.run(at(0.1)).compared_at
    assert purge.run(at(0.9)).compared_at


# --- at a terminal ------------------------------------------------------------------------------------
def test_the_dry_run_says_the_same_and_deletes_nothing(
    session: ClassSession, django_capture_on_commit_callbacks: Any
) -> None:
    photo_with_faces(session)
    Snapshot.objects.update(received_at=timezone.now() - 40 * DAY)
    stray("photos/ab/old.jpg", 2)
    out = io.StringIO()
    call_command("retention", "--dry-run", "--files", stdout=out)
    said = out.getvalue()
    assert "due now:   1 photos, 1 unknown faces" in said
    assert "1 that no row knows" in said
    assert "no row    photos/ab/old.jpg" in said
    assert "OVERDUE" in said
    assert session.snapshots.get().image
    assert "photos/ab/old.jpg" in all_files()
    assert not RetentionRun.objects.exists()
    with django_capture_on_commit_callbacks(execute=True):
        call_command("retention", stdout=out)
    assert "deleted: 1 photos, 0 unknown faces, 0 face templates" in out.getvalue(), (
        "its faces went with the photo"
    )
    assert all_files() == set()
