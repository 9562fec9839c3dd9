"""Lists ask the database as often for fifty rows as for five."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from attendance.models import Camera, ClassSession, Course, Excuse, Mark, Room, RosterEntry, Student, Term
from tests import factories as make

from .conftest import SchoolFixture


def add(school: SchoolFixture, rows: int) -> None:
    """So many courses with an open lesson now, each with a student to check, an excuse that waits, and a camera."""
    now = timezone.now()
    term = Term.objects.get()
    first = Course.objects.count()
    courses = Course.objects.bulk_create(
        Course(code=f"N{first + n}", name=f"Number {first + n}", term=term) for n in range(rows)
    )
    for course in courses:
        course.teachers.add(school.owner)
    people = Student.objects.bulk_create(
        Student(number=f"N{first + n}", given_name=f"Given {first + n}") for n in range(rows)
    )
    rooms = Room.objects.bulk_create(Room(name=f"Number {first + n}") for n in range(rows))
    both = list(zip(courses, people, strict=True))
    RosterEntry.objects.bulk_create(
        RosterEntry(course=course, student=who, enrolled_on=dt.date(2026, 1, 1)) for course, who in both
    )
    lessons = ClassSession.objects.bulk_create(
        ClassSession(
            course=course, room=room, starts_at=now, ends_at=now + dt.timedelta(minutes=50), state="open"
        )
        for course, room in zip(courses, rooms, strict=True)
    )
    Mark.objects.bulk_create(
        Mark(session=lesson, student=who, to_check=True, decided_at=now)
        for lesson, who in zip(lessons, people, strict=True)
    )
    Excuse.objects.bulk_create(
        Excuse(
            student=who, course=course if n % 2 else None, first_day=now.date(), last_day=now.date(),
            reason="illness", entered_by=school.owner, entered_at=now,
        )
        for n, (course, who) in enumerate(both)
    )  # fmt: skip
    Camera.objects.bulk_create(
        Camera(
            name="Ceiling", room=room, key_hash=f"{room.pk:064d}", key_prefix="rcam_", created_by=school.owner
        )
        for room in rooms
    )


@pytest.mark.parametrize("who", ["owner", "administrator"])
def test_fifty_rows_take_as_many_queries_as_five(school: SchoolFixture, who: str) -> None:
    names = ["today", "courses", "excuses", *(["cameras", "site"] if who == "administrator" else [])]
    client = school.client(who)

    def queries() -> dict[str, int]:
        found = {}
        for name in names:
            client.get(reverse(f"web:{name}"))
            with CaptureQueriesContext(connection) as captured:
                assert client.get(reverse(f"web:{name}")).status_code == 200
            found[name] = len(captured)
        return found

    add(school, 5)
    five = queries()
    add(school, 45)
    assert queries() == five
    page = client.get(reverse("web:courses")).text
    assert page.count("course-card__row") >= 50


def test_what_is_counted_of_a_course_is_not_multiplied(school: SchoolFixture) -> None:
    course = make.course(school.owner, students=3, name="Counted")
    for state in ("closed", "closed", "open", "planned"):
        make.session(course, state)
    cancelled = make.session(course, "closed")
    ClassSession.objects.filter(pk=cancelled.pk).update(
        cancelled_at=timezone.now(), cancelled_by=school.owner
    )
    shown = next(
        one for one in school.client().get(reverse("web:courses")).context["courses"] if one == course
    )
    assert (shown.enrolled, shown.open_now, shown.lessons) == (3, 1, 3)
