"""Small builders for tests: a school, a class, a session, photos and faces, all through the models."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import itertools
import uuid
from pathlib import Path

import numpy as np
from django.contrib.auth.models import Group, User
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image

from attendance import permissions, privacy
from attendance.engines import to_bytes
from attendance.models import (
    ClassSession,
    Course,
    FaceTemplate,
    Portrait,
    Room,
    RosterEntry,
    Sighting,
    Snapshot,
    Student,
    Term,
)
from attendance.storage import unguessable_name

_numbers = itertools.count(1)
ENGINE = "test-engine"
PASSWORD = "correct horse battery"


def teacher(name: str = "") -> User:
    return User.objects.create_user(name or f"teacher{next(_numbers)}", password=PASSWORD)


def administrator() -> User:
    user = teacher(f"admin{next(_numbers)}")
    user.groups.add(Group.objects.get_or_create(name=permissions.ADMINISTRATORS)[0])
    return user


def registrar() -> User:
    user = teacher(f"registrar{next(_numbers)}")
    user.groups.add(Group.objects.get_or_create(name=permissions.REGISTRARS)[0])
    return user


def course(owner: User | None = None, students: int = 0, **fields: object) -> Course:
    n = next(_numbers)
    term, _ = Term.objects.get_or_create(
        name="Test term",
        defaults={"starts_on": dt.date(2026, 1, 1), "ends_on": dt.date(2026, 12, 31)},
    )
    made = Course.objects.create(**{"code": f"C{n}", "name": f"Course {n}", "term": term, **fields})
    if owner is not None:
        made.teachers.add(owner)
    for _ in range(students):
        student(made)
    return made


def student(
    in_course: Course | None = None, since: dt.date = dt.date(2026, 1, 1), **fields: object
) -> Student:
    n = next(_numbers)
    made = Student.objects.create(
        **{"number": f"S{n:05d}", "given_name": f"Given{n}", "family_name": f"Family{n}", **fields}
    )
    if in_course is not None:
        RosterEntry.objects.create(course=in_course, student=made, enrolled_on=since)
    return made


def room(name: str = "") -> Room:
    return Room.objects.create(name=name or f"Room {next(_numbers)}")


def session(
    of: Course, state: str = "open", starts_at: dt.datetime | None = None, **fields: object
) -> ClassSession:
    start = starts_at or timezone.now() - dt.timedelta(minutes=30)
    return ClassSession.objects.create(
        **{
            "course": of,
            "starts_at": start,
            "ends_at": start + dt.timedelta(minutes=50),
            "state": state,
            "closed_at": timezone.now() if state == "closed" else None,
            **fields,
        }
    )


def jpeg(seed: int = 0, size: tuple[int, int] = (160, 120), **options: object) -> bytes:
    """A photo of coloured noise; another seed gives other bytes."""
    pixels = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", **options)
    return out.getvalue()


def stored(kind: str, content: bytes) -> str:
    """A file in the store, without the syncing that only power cuts need."""
    name = unguessable_name(kind)
    path = Path(default_storage.path(name))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return name


def snapshot(
    of: ClassSession, minute: float = 0, state: str = "done", usable: bool = True, **fields: object
) -> Snapshot:
    """A photo taken ``minute`` minutes into the session."""
    name = stored("photos", jpeg(next(_numbers)))
    return Snapshot.objects.create(
        **{
            "session": of,
            "image": name,
            "sha256": hashlib.sha256(uuid.uuid4().bytes).hexdigest(),
            "width": 160,
            "height": 120,
            "taken_at": of.starts_at + dt.timedelta(minutes=minute),
            "received_at": timezone.now(),
            "state": state,
            "unusable": "" if usable else "dark",
            **fields,
        }
    )


def encoding(seed: int) -> np.ndarray:
    """128 numbers as far from other seeds' as different people's are from each other."""
    return (np.random.default_rng(seed).normal(size=128) * 0.06).astype(np.float32)


def sighting(
    on: Snapshot, of: Student | None = None, decision: str = "recognised", index: int = 0, **fields: object
) -> Sighting:
    chip = stored("chips", jpeg(next(_numbers), (150, 150)))
    return Sighting.objects.create(
        **{
            "snapshot": on,
            "index": index,
            "left": 10 * index,
            "top": 5,
            "width": 40,
            "height": 40,
            "detector_score": 0.9,
            "quality": 0.8,
            "chip": chip,
            "encoding": to_bytes(encoding(next(_numbers))),
            "encoder_version": ENGINE,
            "decision": decision,
            "student": of,
            **fields,
        }
    )


def consent(for_student: Student, by: User | None = None) -> None:
    privacy.record_consent(
        for_student,
        given_by="guardian",
        given_by_name="A Parent",
        method="paper",
        text_version="2026-1",
        by=by or teacher(),
    )


def template(of: Student, vector: np.ndarray | None = None, engine: str = ENGINE) -> FaceTemplate:
    """An accepted portrait and its template; consent is recorded where it is missing."""
    if not hasattr(of, "consent") or of.consent.state != "given":
        consent(of)
        of.refresh_from_db()
    n = next(_numbers)
    image = stored("portraits", jpeg(n))
    chip = stored("templates", jpeg(n, (150, 150)))
    portrait = Portrait.objects.create(
        student=of,
        image=image,
        sha256=hashlib.sha256(uuid.uuid4().bytes).hexdigest(),
        state="accepted",
        uploaded_by=teacher(),
        uploaded_at=timezone.now(),
    )
    return FaceTemplate.objects.create(
        student=of,
        portrait=portrait,
        encoding=to_bytes(encoding(n) if vector is None else vector),
        encoder_version=engine,
        quality=0.9,
        chip=chip,
        created_at=timezone.now(),
    )
