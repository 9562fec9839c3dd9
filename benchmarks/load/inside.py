"""What a benchmark does inside a site of its own, in a process that has its settings: ``inside ACT JSON``."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import django


def migrate() -> bool:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    return True


def rooms(cameras: int, students: int = 30) -> dict[str, Any]:
    """For each camera a room, and in it an open lesson of a class whose students have three templates each.

    Answers camera keys, the first lesson's id, and a session cookie of the teacher.
    """
    from django.contrib.auth.models import User
    from django.test import Client
    from django.utils import timezone

    from attendance import cameras as keys
    from attendance import classes, marks
    from attendance.models import Course, Room, RosterEntry, Term

    now = timezone.now()
    teacher = User.objects.create_user("teacher")
    term = Term.objects.create(
        name="Term", starts_on=now - dt.timedelta(days=60), ends_on=now + dt.timedelta(days=60)
    )
    given, sessions = [], []
    for number in range(cameras):
        course = Course.objects.create(code=f"C{number}", name=f"Course {number}", term=term)
        course.teachers.add(teacher)
        for student in _enrolled(number * students, students, teacher):
            RosterEntry.objects.create(course=course, student=student, enrolled_on=term.starts_on)
        room = Room.objects.create(name=f"Room {number}")
        given.append(keys.create(f"Camera {number}", room, teacher)[1])
        lesson = classes.plan(course, now - dt.timedelta(minutes=5), now + dt.timedelta(hours=12), room)
        sessions.append(classes.open_session(lesson).pk)
        marks.recompute(sessions[-1])
    client = Client()
    client.force_login(teacher, backend="django.contrib.auth.backends.ModelBackend")
    return {"keys": given, "sessions": sessions, "cookie": client.cookies["sessionid"].value}


def _enrolled(first: int, students: int, by: Any) -> list[Any]:
    """Students with consent and three templates each, whose encodings are random."""
    import numpy as np
    from django.utils import timezone

    from attendance.engines import current_engine, to_bytes
    from attendance.models import Consent, FaceTemplate, Portrait, Student

    now, version = timezone.now(), current_engine().version
    rng = np.random.default_rng(first)
    made = Student.objects.bulk_create(
        Student(number=f"S{first + i:05d}", given_name=f"Given {first + i}", family_name="Family")
        for i in range(students)
    )
    Consent.objects.bulk_create(
        Consent(
            student=each, state="given", given_by="student", text_version="1", method="form", given_at=now
        )
        for each in made
    )
    portraits = Portrait.objects.bulk_create(
        Portrait(student=each, sha256=f"{each.pk}-{i}", state="accepted", uploaded_by=by, uploaded_at=now)
        for each in made
        for i in range(3)
    )
    FaceTemplate.objects.bulk_create(
        FaceTemplate(
            student_id=each.student_id, portrait=each, encoder_version=version, quality=0.9, chip="", created_at=now,
            encoding=to_bytes(rng.normal(size=128).astype(np.float32) * 0.12),
        )
        for each in portraits
    )  # fmt: skip
    return made


def tell() -> dict[str, Any]:
    """What became of the photos: states, and what was written twice or is missing."""
    from django.core.files.storage import default_storage
    from django.db.models import Count, F, Min, Q
    from django.utils import timezone

    from attendance.models import Sighting, Snapshot

    states = Counter(Snapshot.objects.values_list("state", flat=True))
    waiting = Snapshot.objects.filter(state__in=["received", "queued", "processing"])
    oldest = waiting.aggregate(oldest=Min("received_at"))["oldest"]
    faces = Snapshot.objects.filter(state="done").annotate(written=Count("sightings"))
    done = Snapshot.objects.filter(state="done")
    return {
        "states": states,
        "ids": list(Snapshot.objects.values_list("pk", flat=True)),
        "oldest_s": (timezone.now() - oldest).total_seconds() if oldest else 0.0,
        "repeated": Snapshot.objects.count()
        - Snapshot.objects.values("session", "sha256").distinct().count()
        + faces.filter(~Q(written=F("faces"))).count(),
        "without_file": sum(
            not default_storage.exists(name) for name in Snapshot.objects.values_list("image", flat=True)
        ),
        "faces": Sighting.objects.count(),
        "photo_seconds": list(done.values_list("processing_seconds", flat=True)),
        "delays": [
            (after - before).total_seconds()
            for after, before in done.values_list("processed_at", "received_at")
        ],
    }


def feed(paths: list[str], session: int) -> int:
    """Take these photos in, as the web server does."""
    from attendance import intake
    from attendance.models import ClassSession

    lesson = ClassSession.objects.get(pk=session)
    return sum(intake.receive(lesson, Path(path).read_bytes()).created for path in paths)


def main() -> None:
    django.setup()
    acts = {act.__name__: act for act in (migrate, rooms, tell, feed)}
    print(json.dumps(acts[sys.argv[1]](**json.loads(sys.argv[2]))))


if __name__ == "__main__":
    main()
