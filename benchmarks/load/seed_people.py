"""Of the made-up school: people, courses, rosters, rooms, templates, what they asked for and were sent."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, models

from attendance import permissions
from attendance.audit import digest_of
from attendance.engines import current_engine
from attendance.models import (
    AuditEntry,
    AuditHead,
    Camera,
    CameraStatus,
    Consent,
    ConsentEvent,
    Course,
    Excuse,
    FaceTemplate,
    MailMessage,
    Portrait,
    ReportJob,
    Room,
    RosterEntry,
    Student,
    StudentAccount,
    StudentContact,
    TemplateEmbedding,
    Term,
    TimetableSlot,
)
from attendance.sealing import keyring
from attendance.storage import unguessable_name
from benchmarks.load.rows import write
from benchmarks.load.seed import ROSTER, Size, scatter

GIVEN = (
    "Ana",
    "Ben",
    "Chen",
    "Dina",
    "Emil",
    "Fatima",
    "Gus",
    "Hana",
    "Ivo",
    "Kofi",
    "Lea",
    "Mara",
    "Omar",
    "Tia",
)
FAMILY = (
    "Abbott",
    "Brown",
    "Cole",
    "Diaz",
    "Evans",
    "Garcia",
    "Haas",
    "Ito",
    "Jones",
    "Klein",
    "Novak",
    "Patel",
)
SECOND = "lfwcnn1"
POOL = 64
"""Encodings are sealed so many times; rows share what was sealed."""
BOSS, REGISTRAR, PUPIL, FIRST_TEACHER = 1, 2, 3, 10


def tables() -> list[type[models.Model]]:
    there = set(connection.introspection.table_names())
    found = [*apps.get_app_config("attendance").get_models(), User]
    return [model for model in found if model._meta.db_table in there]


def teacher_of(course: int, size: Size) -> int:
    """Courses count from 0; the answer is a user's id."""
    return FIRST_TEACHER + min(course // 5, size.teachers - 1)


def roster_of(course: int, size: Size) -> range:
    """Ids of the students of a course: classes of fifty have several courses together."""
    first = course * ROSTER % size.students
    return range(first + 1, first + ROSTER + 1)


def sealed_pool(model: type[models.Model], field: str) -> list[bytes]:
    """Random encodings of length 0.96, sealed for this column."""
    import numpy as np

    found: Any = model._meta.get_field(field)
    rng = np.random.default_rng(1)
    size = 128 if field == "encoding" else 192
    made = rng.normal(size=(POOL, size)).astype("<f4") * 0.085
    return [keyring().seal(one.tobytes(), found.place) for one in made]


def picture(kind: str, side: tuple[int, int]) -> str:
    """The name of the one file of a kind."""
    import cv2
    import numpy as np

    _ok, data = cv2.imencode(".jpg", np.full((side[1], side[0], 3), 128, np.uint8))
    return default_storage.save(unguessable_name(kind), ContentFile(data.tobytes()))


def users(size: Size, now: dt.datetime) -> None:
    names = [(BOSS, "administrator"), (REGISTRAR, "registrar"), (PUPIL, "pupil")]
    names += [(FIRST_TEACHER + n, f"teacher{n}") for n in range(size.teachers)]
    write(User, ("id", "username", "password", "date_joined"), ((pk, name, "!", now) for pk, name in names))
    for name, user in ((permissions.ADMINISTRATORS, BOSS), (permissions.REGISTRARS, REGISTRAR)):
        group, _made = Group.objects.get_or_create(name=name)
        group.user_set.add(user)


def students(size: Size, now: dt.datetime) -> None:
    def rows() -> Iterator[Sequence[Any]]:
        for pk in range(1, size.students + 1):
            given, family = GIVEN[scatter(pk) % len(GIVEN)], FAMILY[scatter(pk * 7) % len(FAMILY)]
            yield pk, f"L{pk:06d}", given, f"{family} {pk}", f"s{pk}@school.example", now

    write(Student, ("id", "number", "given_name", "family_name", "email", "created_at"), rows())
    write(StudentAccount, ("student", "user", "created_by", "created_at"), [(1, PUPIL, BOSS, now)])
    write(
        StudentContact,
        ("student", "name", "email"),
        ((pk, "A Parent", f"p{pk}@home.example") for pk in range(1, size.students + 1)),
    )


def courses(size: Size, now: dt.datetime) -> None:
    first, last = (now - dt.timedelta(days=150)).date(), (now + dt.timedelta(days=60)).date()
    write(Term, ("id", "name", "starts_on", "ends_on"), [(1, "This term", first, last)])
    numbers = range(size.courses)
    write(Course, ("id", "code", "name", "term"), ((n + 1, f"C{n:04d}", f"Course {n}", 1) for n in numbers))
    through = Course.teachers.through
    write(through, ("course", "user"), ((n + 1, teacher_of(n, size)) for n in numbers))
    entries = ((n + 1, pk, first) for n in numbers for pk in roster_of(n, size))
    write(RosterEntry, ("course", "student", "enrolled_on"), entries)
    slots = (
        (n + 1, day, dt.time(8 + n % 6), dt.time(9 + n % 6), first, last)
        for n in numbers
        for day in (n % 5, 4 - n % 4)
    )
    write(TimetableSlot, ("course", "weekday", "starts", "ends", "first_day", "last_day"), slots)


def rooms(size: Size, now: dt.datetime) -> None:
    numbers = range(1, size.rooms + 1)
    write(Room, ("id", "name"), ((n, f"Room {n:03d}") for n in numbers))
    names = ("id", "name", "room", "key_hash", "key_prefix", "created_by", "created_at", "last_seen_at")
    write(Camera, names, ((n, "Ceiling", n, f"{n:064d}", "rcam_Load", BOSS, now, now) for n in numbers))
    write(CameraStatus, ("camera", "heard_at", "capturing"), ((n, now, True) for n in numbers))


def templates(size: Size, now: dt.datetime) -> None:
    """Consent and three templates for all but every twentieth student."""
    version = current_engine().version
    chip, image = picture("templates", (150, 150)), picture("portraits", (600, 800))
    sealed, embedded = sealed_pool(FaceTemplate, "encoding"), sealed_pool(TemplateEmbedding, "embedding")
    having = [pk for pk in range(1, size.students + 1) if pk % 20]
    given = ("student", "state", "given_by", "given_by_name", "method", "text_version")
    write(
        Consent,
        (*given, "given_at"),
        ((pk, "given", "guardian", "A Parent", "paper", "1", now) for pk in having),
    )
    write(
        ConsentEvent,
        (*given, "recorded_by", "recorded_at"),
        ((pk, "given", "guardian", "A Parent", "paper", "1", BOSS, now) for pk in having),
    )
    numbered = [(3 * pk + n, pk) for pk in having for n in range(3)]
    names = ("id", "student", "image", "sha256", "name", "state", "uploaded_by", "uploaded_at", "checked_at")
    write(
        Portrait,
        names,
        ((n, pk, image, f"{n:064x}", "p.jpg", "accepted", BOSS, now, now) for n, pk in numbered),
    )
    names = ("id", "student", "portrait", "encoding", "encoder_version", "quality", "chip", "created_at")
    rows = ((n, pk, n, sealed[n % POOL], version, 0.5 + scatter(n) / 2000, chip, now) for n, pk in numbered)
    write(FaceTemplate, names, rows)
    both = ((n, embedded[n % POOL], SECOND) for n, _pk in numbered)
    write(TemplateEmbedding, ("template", "embedding", "encoder_version"), both)


def office(size: Size, now: dt.datetime) -> None:
    """Excuses, e-mails and report files, most of them settled and gone."""

    def excuses() -> Iterator[Sequence[Any]]:
        for n in range(size.share(4000)):
            day = (now - dt.timedelta(days=n % 140 - 6)).date()
            asked = n % 50 == 0
            decided = (None, None) if asked else (BOSS, now)
            student = scatter(n) * size.students // 1000 + 1
            yield (
                student,
                day,
                day + dt.timedelta(days=n % 3),
                "illness",
                "asked" if asked else "approved",
                BOSS,
                now,
                *decided,
            )

    names = (
        "student",
        "first_day",
        "last_day",
        "reason",
        "state",
        "entered_by",
        "entered_at",
        "decided_by",
        "decided_at",
    )
    write(Excuse, names, excuses())
    mails = (
        (f"t{n % 50}@school.example", "digest", "sent", now - dt.timedelta(hours=n), now, "{}")
        for n in range(size.share(10_000))
    )
    write(MailMessage, ("to", "template", "state", "created_at", "sent_at", "content"), mails)
    today = now.date()
    jobs = (
        (
            uuid.UUID(int=n + 1),
            FIRST_TEACHER + n % size.teachers,
            "course",
            1,
            "xlsx",
            today,
            today,
            "expired",
            now,
        )
        for n in range(size.share(5000))
    )
    names = ("id", "asked_by", "what", "subject_id", "kind", "first_day", "last_day", "state", "created_at")
    write(ReportJob, names, jobs)


def log(size: Size, now: dt.datetime) -> None:
    """A term of looks, each entry chained to the one before."""
    last = AuditEntry(number=0, digest="")
    count = size.share(200_000)

    def entries() -> Iterator[Sequence[Any]]:
        nonlocal last
        for n in range(1, count + 1):
            student = scatter(n) * size.students // 1000 + 1
            user = FIRST_TEACHER + n % size.teachers
            entry = AuditEntry(
                number=n, at=now - dt.timedelta(seconds=60 * (count - n)), actor_id=user, actor=f"teacher{user}",
                verb="looked", what="web:student", about={"student": student}, student_id=student, previous=last.digest,
            )  # fmt: skip
            entry.digest = digest_of(entry)
            last = entry
            yield (
                n,
                entry.at,
                user,
                entry.actor,
                "looked",
                entry.what,
                json.dumps(entry.about),
                student,
                entry.previous,
                entry.digest,
            )

    names = ("number", "at", "actor_id", "actor", "verb", "what", "about", "student_id", "previous", "digest")
    write(AuditEntry, names, entries())
    AuditHead.objects.update_or_create(pk=1, defaults={"number": count, "digest": last.digest})


STEPS = (users, students, courses, rooms, templates, office, log)
