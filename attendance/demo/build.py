"""From a plan to a marked roll: enrol, compose, send, wait, close, judge."""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from celery import current_app

from attendance import enrolment, errors, schooltime
from attendance.demo import room, school, unclear
from attendance.demo.camera import ApiSender, DirectSender, Sender
from attendance.demo.check import TrueFace, TrueMark, TruePhoto, Verdict, judge
from attendance.demo.compose import Composed, Shot, Sitter, compose
from attendance.demo.errors import NothingLooked
from attendance.demo.faces import box_of
from attendance.demo.folders import Labelled
from attendance.demo.lesson import Part, Plan
from attendance.demo.people import Person
from attendance.models import ClassSession, Portrait, Snapshot, Student

PATIENCE = 150.0
"""Seconds without any photo being looked at before the demo gives up on the worker."""
Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Built:
    demo: school.DemoClass
    session: ClassSession
    verdict: Verdict


def build(
    plan: Plan,
    demo: school.DemoClass,
    *,
    server: str | None,
    say: Say,
    extra_names: Sequence[tuple[str, str]] = (),
    other_lessons: bool = False,
) -> Built:
    """The whole lesson of a plan. ``server`` None: everything happens in this process."""
    with _tasks_here(server is None):
        enrolled = [part.person for part in plan.students]
        students = _enrol(demo, enrolled, say)
        extra = school.add_students(demo, extra_names, consent=False)
        session = school.plan_lesson(demo, photos=len(plan.minutes))
        if other_lessons:
            school.add_other_lessons(demo, [*students, *extra], session, plan.seed)
        ids = {id(part): student.pk for part, student in zip(plan.students, students, strict=True)}
        truth = _send_composed(plan, session, ids, _sender(demo, server), say)
        _wait_for_photos(session, say)
    session = school.close_lesson(session)
    by_hand = school.mark_by_hand(session, extra, demo.logins)
    expected = [TrueMark(ids[id(part)], part.expected, part.to_check) for part in plan.students]
    expected += [TrueMark(pk, status) for pk, status in by_hand.items()]
    return Built(demo, session, judge(session, truth, expected))


def build_labelled(
    people: Sequence[Person],
    photos: Sequence[Labelled],
    demo: school.DemoClass,
    *,
    server: str | None,
    say: Say,
) -> Built:
    """A lesson of photos as they were taken, each with a list of who is in it; seen once is present here."""
    with _tasks_here(server is None):
        students = _enrol(demo, people, say)
        by_name = {student.full_name: student.pk for student in students}
        session = school.plan_lesson(demo, photos=len(photos), min_sightings=1)
        sender = _sender(demo, server)
        truth = []
        for number, photo in enumerate(photos):
            data = photo.path.read_bytes()
            minute = dt.timedelta(minutes=3 + 41 * number // max(1, len(photos) - 1))
            sender.send(session, data, session.starts_at + minute, f"demo-{number}")
            truth.append(
                TruePhoto(
                    hashlib.sha256(data).hexdigest(),
                    tuple(TrueFace(by_name[name], None) for name in sorted(photo.names & set(by_name))),
                )
            )
        say(f"Sent {len(photos)} photos")
        _wait_for_photos(session, say)
    return Built(demo, school.close_lesson(session), judge(session, truth, ()))


def _enrol(demo: school.DemoClass, people: Sequence[Person], say: Say) -> list[Student]:
    """Students with consent and portraits, each portrait looked at by a worker."""
    names = [(person.given_name, person.family_name) for person in people]
    students = school.add_students(demo, names, consent=True)
    for student, person in zip(students, people, strict=True):
        for photo in person.portraits:
            with photo.path.open("rb") as stream:
                data = stream.read()
            try:
                enrolment.receive_portrait(student, data, demo.logins.teacher, photo.path.name)
            except errors.PhotoRefused as error:
                say(f"{photo.path.name} of {person.name} was refused: {error.message}")
    portraits = Portrait.objects.filter(student__in=students)
    _wait(
        lambda: (portraits.exclude(state=Portrait.State.RECEIVED).count(), portraits.count()),
        "portraits",
        say,
    )
    accepted = portraits.filter(state=Portrait.State.ACCEPTED).count()
    say(f"Enrolled {len(students)} students with {accepted} of {portraits.count()} portraits")
    for portrait in portraits.exclude(state=Portrait.State.ACCEPTED).select_related("student"):
        say(f"  not used: {portrait.name} of {portrait.student} ({', '.join(portrait.problems)})")
    return students


def _send_composed(
    plan: Plan, session: ClassSession, ids: dict[int, int], sender: Sender, say: Say
) -> list[TruePhoto]:
    strength = unclear.strength_for(
        session, plan, ids, lambda number, value: _photo(plan, session, number, value)[1]
    )
    truth = []
    for number, minute in enumerate(plan.minutes):
        parts, composed = _photo(plan, session, number, strength)
        sender.send(
            session, composed.jpeg, session.starts_at + dt.timedelta(minutes=minute), f"demo-{number}"
        )
        faces = tuple(
            TrueFace(ids.get(id(part)), box, number in part.unclear)
            for part, box in zip(parts, composed.faces, strict=False)
        )
        truth.append(TruePhoto(hashlib.sha256(composed.jpeg).hexdigest(), faces))
    say(f"Sent {len(truth)} classroom photos")
    return truth


def _photo(plan: Plan, session: ClassSession, number: int, strength: float) -> tuple[list[Part], Composed]:
    """One photo of the lesson, and whose faces are in it, in the order of its faces."""
    seats = room.seats(plan.seats)
    parts = [part for part in plan.parts if number in part.photos]
    sitters = []
    for part in parts:
        photo = part.person.seen[number % len(part.person.seen)]
        value = strength if number in part.unclear else 0.0
        sitters.append(Sitter(seats[part.seat], photo, box_of(photo), value))
    sitters += [Sitter(seats[seat], None) for seat in plan.bowed]
    taken = session.starts_at + dt.timedelta(minutes=plan.minutes[number])
    clock = taken.astimezone(schooltime.school_zone()).time()
    return parts, compose(Shot(sitters, seats, number, clock, plan.seed))


def _sender(demo: school.DemoClass, server: str | None) -> Sender:
    return DirectSender(demo.camera) if server is None else ApiSender(server, demo.camera_key)


def _wait_for_photos(session: ClassSession, say: Say) -> None:
    ended = (Snapshot.State.DONE, Snapshot.State.FAILED)
    photos = Snapshot.objects.filter(session=session)
    _wait(lambda: (photos.filter(state__in=ended).count(), photos.count()), "photos", say)
    failed = photos.filter(state=Snapshot.State.FAILED).count()
    say(f"Looked at {photos.count() - failed} photos" + (f"; {failed} failed" if failed else ""))


def _wait(progress: Callable[[], tuple[int, int]], what: str, say: Say) -> None:
    """Until everything is done. Raises NothingLooked when nothing moves for a long time."""
    done, total = progress()
    moved = time.monotonic()
    while done < total:
        time.sleep(0.3)
        now_done, total = progress()
        if now_done > done:
            done, moved = now_done, time.monotonic()
        if time.monotonic() - moved > PATIENCE:
            raise NothingLooked(
                f"Only {done} of {total} {what} were looked at; is a worker running (./run starts one)?"
            )


@contextmanager
def _tasks_here(here: bool) -> Iterator[None]:
    """Run what would be queued at once in this process, for as long as this lasts."""
    before = current_app.conf.task_always_eager
    current_app.conf.task_always_eager = here or before
    try:
        yield
    finally:
        current_app.conf.task_always_eager = before
