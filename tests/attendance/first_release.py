"""A school as the first version kept it, made with that version's tables; and what a later one must still find.

``build`` runs on an empty database, through the models as they were at ``FIRST``.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

FIRST = [("attendance", "0002_consent_guards")]
DAY = dt.datetime(2026, 3, 12, 8, 0, tzinfo=dt.UTC)
ENCODING = bytes(range(256)) * 2


def build() -> None:
    """The first version's tables with one of everything in them; files and encodings lie unsealed, as they did."""
    for targets in ([("auth", "0012_alter_user_first_name_max_length")], FIRST):
        MigrationExecutor(connection).migrate(targets)
    apps = MigrationExecutor(connection).loader.project_state(FIRST).apps

    def make(model: str, **fields: Any) -> Any:
        app = "auth" if model in ("User", "Group") else "attendance"
        return apps.get_model(app, model).objects.create(**fields)

    teacher = make("User", username="grant", password="!")
    make("School", pk=1, name="Riverside", time_zone="Europe/Madrid", photo_days=14)
    term = make("Term", name="Spring", starts_on=dt.date(2026, 1, 7), ends_on=dt.date(2026, 6, 30))
    course = make("Course", code="ALG", name="Algebra", term=term)
    course.teachers.add(teacher)
    room = make("Room", name="204")
    camera = make(
        "Camera", name="Front", room=room, key_hash="a" * 64, key_prefix="rcam_abcd", created_by=teacher
    )
    pupils = [
        make("Student", number=f"S{n}", given_name=given, family_name="Núñez")
        for n, given in enumerate(("Ana", "Ben", "Cai"))
    ]
    for pupil in pupils:
        make("RosterEntry", course=course, student=pupil, enrolled_on=dt.date(2026, 1, 7))
    lesson = make(
        "ClassSession", course=course, room=room, starts_at=DAY, ends_at=DAY + dt.timedelta(minutes=50),
        state="closed", opened_at=DAY, closed_at=DAY + dt.timedelta(minutes=50),
    )  # fmt: skip
    marks = (("present", "recognised", None), ("excused", "manual", teacher), ("absent", "recognised", None))
    for pupil, (status, source, by) in zip(pupils, marks, strict=True):
        make(
            "Mark", session=lesson, student=pupil, status=status, source=source, decided_by=by, decided_at=DAY,
            machine_status="absent" if status == "excused" else status,
        )  # fmt: skip
    for state, given in (("given", DAY), ("withdrawn", None)):
        make(
            "Consent", student=pupils[0 if given else 1], state=state, given_by="guardian", given_by_name="P. Núñez",
            method="paper", text_version="2026-1", given_at=given,
        )  # fmt: skip
    portrait = make(
        "Portrait", student=pupils[0], image=_file("portraits/aa/1.jpg"), sha256="b" * 64, state="accepted",
        uploaded_by=teacher, uploaded_at=DAY,
    )  # fmt: skip
    make(
        "FaceTemplate", student=pupils[0], portrait=portrait, encoding=ENCODING, encoder_version="first",
        quality=0.9, chip=_file("templates/aa/2.jpg"), created_at=DAY,
    )  # fmt: skip
    shot = make(
        "Snapshot", session=lesson, camera=camera, image=_file("photos/aa/3.jpg"), sha256="c" * 64, width=64,
        height=64, taken_at=DAY, received_at=DAY, state="done", faces=1,
    )  # fmt: skip
    face = make(
        "Sighting", snapshot=shot, index=0, left=1, top=2, width=30, height=30, detector_score=0.9, quality=0.8,
        chip=_file("chips/aa/4.jpg"), encoding=ENCODING, encoder_version="first", decision="recognised",
        student=pupils[0],
    )  # fmt: skip
    make("Candidate", sighting=face, student=pupils[0], rank=0, distance=0.3, score=-0.3)
    make("Review", sighting=face, verdict="is", student=pupils[0], by=teacher, at=DAY)


def back_up(folder: Path) -> None:
    """A backup in the form every version since reads: the database, the files, and the list with their sums."""
    from attendance import backups

    database = folder / backups._database_name()
    folder.mkdir(parents=True)
    backups._dump(database)
    sums = {database.name: hashlib.sha256(database.read_bytes()).hexdigest()}
    for path in Path(settings.MEDIA_ROOT).rglob("*.jpg"):
        name = f"media/{path.relative_to(settings.MEDIA_ROOT)}"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(path.read_bytes())
        sums[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    applied = sorted(".".join(key) for key in MigrationExecutor(connection).recorder.applied_migrations())
    facts = {
        "format": 1,
        "made_at": DAY.isoformat(),
        "database": database.name,
        "migrations": applied,
        "sha256": sums,
    }
    (folder / "manifest.json").write_text(json.dumps(facts))


def found() -> dict[str, Any]:
    """What the present version finds of it, through its own models; guards tried, everything sealed on the way."""
    from django.core.files.storage import default_storage

    from attendance.models import (
        Camera,
        Consent,
        FaceTemplate,
        Mark,
        Review,
        School,
        Sighting,
        Snapshot,
        Student,
    )
    from attendance.sealing import is_sealed

    call_command("keys", "rotate", verbosity=0)
    template, face, shot = FaceTemplate.objects.get(), Sighting.objects.get(), Snapshot.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("SELECT encoding FROM attendance_facetemplate")
        sealed = is_sealed(bytes(cursor.fetchone()[0]))
    with default_storage.open(str(shot.image)) as photo:
        plain = photo.read().decode()
    return {
        "school": list(School.objects.values_list("name", "time_zone", "photo_days")),
        "students": list(
            Student.objects.order_by("number").values_list("number", "given_name", "family_name")
        ),
        "marks": [
            [mark.student.number, mark.status, mark.source, mark.machine_status, mark.decided_at.isoformat()]
            for mark in Mark.objects.order_by("student__number")
        ],
        "consents": list(Consent.objects.order_by("student__number").values_list("student__number", "state")),
        "encodings": bytes(template.encoding) == bytes(face.encoding or b"") == ENCODING,
        "sealed": [sealed, default_storage.key_of(str(shot.image)) is not None],
        "photo": plain,
        "camera": Camera.objects.get().name,
        "review": Review.objects.get().verdict,
        "guards": [_refused(sql) for sql in GUARDED],
    }


GUARDED = (
    "UPDATE attendance_consent SET state = 'withdrawn' WHERE state = 'given'",
    "DELETE FROM attendance_consent WHERE state = 'given'",
    "UPDATE attendance_portrait SET student_id = (SELECT id FROM attendance_student WHERE number = 'S2')",
    "UPDATE attendance_facetemplate SET student_id = (SELECT id FROM attendance_student WHERE number = 'S1')",
    "INSERT INTO attendance_mark (session_id, student_id, status, source, reason, note, decided_at, machine_status,"
    " machine_reason, seen_in, to_check) SELECT session_id, student_id, status, source, reason, note, decided_at,"
    " machine_status, machine_reason, seen_in, to_check FROM attendance_mark",
)
"""What the database itself refused from the first version on."""


def _refused(sql: str) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
    except DatabaseError:
        return True
    return False


def _file(name: str) -> str:
    path = Path(settings.MEDIA_ROOT) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"what lay in {name}")
    return name
