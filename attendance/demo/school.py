"""The demo's rows: term, room, camera, course, roster, earlier and coming lessons; made through the services."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from attendance import cameras, classes, errors, marks, mood_switches, privacy, rosters, schooltime
from attendance.demo.errors import DemoError
from attendance.demo.lesson import LENGTH
from attendance.demo.logins import Logins
from attendance.models import Camera, ClassSession, Course, MadeUpClass, Mark, Room, Student, Term

TERM = "Demo term"
ROOM = "Demo room"
MADE_UP = "made up for the demo"


@dataclass(frozen=True, slots=True)
class ClassSpec:
    """What a demo class is called, and what its page says about where its photos came from."""

    code: str
    name: str
    about: str
    made_up: bool = False
    """The built-in class; a folder may hold photos of people whom one may not read a mood in."""


@dataclass(frozen=True, slots=True)
class DemoClass:
    course: Course
    room: Room
    camera: Camera
    camera_key: str
    logins: Logins


def make_class(spec: ClassSpec, logins: Logins) -> DemoClass:
    """A course of its own term with a room and a camera. Raises DemoError when it is there already."""
    today = schooltime.today()
    with transaction.atomic():
        term, _created = Term.objects.get_or_create(
            name=TERM,
            defaults={"starts_on": today - dt.timedelta(days=60), "ends_on": today + dt.timedelta(days=90)},
        )
        if Course.objects.filter(term=term, code=spec.code).exists():
            raise DemoError("This demo class is here already; ./run manage demo --remove removes it.")
        course = Course.objects.create(
            code=spec.code, name=spec.name, term=term, is_demo=True, about=spec.about
        )
        course.teachers.add(logins.teacher)
        room, _created = Room.objects.get_or_create(name=ROOM)
        camera, key = cameras.create(f"Demo camera {spec.code}", room, logins.admin)
        if spec.made_up:
            MadeUpClass.objects.create(course=course, camera_key_hash=camera.key_hash)
            if mood_switches.prohibited() is None:
                mood_switches.switch_course(course, True, logins.admin, notice_read=True)
    return DemoClass(course, room, camera, key, logins)


def add_students(demo: DemoClass, names: Sequence[tuple[str, str]], *, consent: bool) -> list[Student]:
    """On the roster from the term's first day; with consent, recorded as what it is: a demo's."""
    first = demo.course.roster_entries.count() + 1
    students = []
    for number, (given, family) in enumerate(names, start=first):
        student = rosters.add_student(
            demo.course, number=f"{demo.course.code}-{number:02}", given_name=given, family_name=family
        )
        if consent:
            privacy.record_consent(
                student,
                given_by="student",
                given_by_name="nobody was asked: demo photo",
                method="form",
                text_version="demo",
                by=demo.logins.teacher,
            )
        students.append(student)
    for made in MadeUpClass.objects.filter(course=demo.course):
        made.students.add(*students)
    return students


def plan_lesson(demo: DemoClass, *, photos: int, min_sightings: int | None = None) -> ClassSession:
    """Today's lesson: it ends about now, and is open while its photos come in."""
    now = timezone.now().replace(second=0, microsecond=0)
    end = now - dt.timedelta(minutes=now.minute % 5)
    policy = {
        "min_sightings": min(2, photos) if min_sightings is None else min_sightings,
        "min_usable_photos": min(3, photos),
    }
    return classes.open_session(classes.plan(demo.course, end - LENGTH, end, demo.room, **policy))


def close_lesson(session: ClassSession) -> ClassSession:
    """The lesson is over: who was not seen is absent now."""
    try:
        return classes.close_session(session)
    except errors.SessionState:
        session.refresh_from_db()  # the scheduler closed it in the same moment
        return session


def add_other_lessons(demo: DemoClass, students: Sequence[Student], lesson: ClassSession, seed: int) -> int:
    """Lessons of the last two weeks with marks entered by hand, and two to come; how many in all."""
    rng = random.Random(seed)  # noqa: S311 - the same weeks every time are what is wanted
    count = 0
    for day in _weekdays_around(lesson.starts_at):
        start = lesson.starts_at + dt.timedelta(days=day)
        session = classes.plan(demo.course, start, start + LENGTH, demo.room)
        count += 1
        if day > 0:
            continue
        classes.open_session(session)
        for index, student in enumerate(students):
            status = _made_up_status(rng, often_away=index == len(students) - 1)
            marks.set_by_hand(session, student, status, demo.logins.teacher, note=MADE_UP)
        classes.close_session(session)
    return count


def mark_by_hand(session: ClassSession, students: Sequence[Student], logins: Logins) -> dict[int, str]:
    """Today's marks of those without photos: there, there, there, excused, absent. By student."""
    status = Mark.Status
    given = dict(
        zip(
            (student.pk for student in students),
            (status.PRESENT, status.PRESENT, status.PRESENT, status.EXCUSED, status.ABSENT),
            strict=False,
        )
    )
    for student in students:
        marks.set_by_hand(session, student, given[student.pk], logins.teacher)
    return {pk: str(value) for pk, value in given.items()}


def _weekdays_around(lesson: dt.datetime) -> list[int]:
    """Days from today's lesson: six lessons of the last two weeks and the next two, on weekdays."""
    weekday = schooltime.school_day(lesson).weekday()
    earlier = [-day for day in range(1, 15) if (weekday - day) % 7 < 5]
    coming = [day for day in range(1, 8) if (weekday + day) % 7 < 5]
    return sorted([*earlier[1::2][:6], *coming[1::2][:2]])


def _made_up_status(rng: random.Random, *, often_away: bool) -> str:
    status = Mark.Status
    weights = (35, 10, 0, 15, 40) if often_away else (86, 6, 2, 3, 3)
    choices = (status.PRESENT, status.LATE, status.LEFT_EARLY, status.EXCUSED, status.ABSENT)
    return str(rng.choices(choices, weights)[0])
