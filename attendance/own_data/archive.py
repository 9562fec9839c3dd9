"""The ZIP: tables as JSON and CSV, portraits, and the photos a student is shown in, everybody else made unknowable."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO

import numpy as np
from django.core.files.storage import default_storage
from django.utils import timezone

from attendance import permissions, photos, pipeline, schooltime
from attendance.models import Excuse, Portrait, Sighting, Snapshot, Student
from attendance.own_data import blur, faces, readme, tables
from attendance.own_data.tables import Row
from attendance.reports.csv import stream_csv
from recognition.types import Box

Progress = Callable[[int, int], None]
LOOKED_AT_BETWEEN = 20
"""Photos of lessons that go first, before each photo of the file."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A stored picture and what it is called in the file."""

    stored: str
    name: str
    snapshot: Snapshot | None = None


def write(student: Student, out: BinaryIO, progress: Progress) -> str:
    """Write the file; its name. ``progress`` hears of every picture and may raise to stop."""
    pictures = [*_portraits(student), *_photos(student)]
    letters = dict(_letters(student))
    total = len(pictures) + 1
    progress(0, total)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        names = {picture.stored: picture.name for picture in pictures} | letters
        for done, picture in enumerate(pictures, start=1):
            _let_lessons_go_first()
            for name, jpeg in _pictures_of(student, picture):
                file.writestr(name, jpeg, zipfile.ZIP_STORED)
            progress(done, total)
        for stored, name in letters.items():
            _copy(file, stored, name)
        _write_tables(file, tables.read(student, names))
        file.writestr("README.txt", readme.text(schooltime.get_school().name, timezone.localtime()))
    progress(total, total)
    return f"data {student.number} {schooltime.today()}.zip"


def _write_tables(file: zipfile.ZipFile, found: dict[str, list[Row]]) -> None:
    file.writestr("data.json", json.dumps(found, ensure_ascii=False, indent=1))
    for name, rows in found.items():
        header = list(dict.fromkeys(key for row in rows for key in row))
        lines = ([_flat(row.get(key)) for key in header] for row in rows)
        if rows:
            file.writestr(f"tables/{name}.csv", "\ufeff" + "".join(stream_csv(header, lines)))


def _flat(value: tables.Value) -> str:
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(each, int | float) for each in value):
        return " ".join(str(each) for each in value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)


# --- pictures -----------------------------------------------------------------------------------------
def _portraits(student: Student) -> Iterator[Picture]:
    """Accepted ones alone: of another it is not sure whom it shows."""
    accepted = Portrait.objects.filter(student=student, state=Portrait.State.ACCEPTED).exclude(image="")
    for number, image in enumerate(accepted.values_list("image", flat=True), start=1):
        yield Picture(image, f"portraits/{number:02}.jpg")


def _photos(student: Student) -> Iterator[Picture]:
    """Photos still kept in which a face counts as the student's; an unsure face may be somebody else's."""
    own = permissions.sightings_that_show(Student.objects.filter(pk=student.pk))
    shown = Snapshot.objects.filter(pk__in=own.values("snapshot")).exclude(image="")
    for snapshot in shown.order_by("taken_at", "pk"):
        taken = timezone.localtime(snapshot.taken_at, schooltime.school_zone())
        name = f"photos/{taken:%Y-%m-%d %H-%M-%S} {snapshot.pk}.jpg"
        yield Picture(str(snapshot.image), name, snapshot)


def _pictures_of(student: Student, picture: Picture) -> Iterator[tuple[str, bytes]]:
    """A picture with everybody else hidden, and the student's own face cut out of it; nothing if it went meanwhile."""
    try:
        with default_storage.open(picture.stored) as stored:
            photo = photos.load_upright(stored.read())
    except FileNotFoundError:
        return
    own, known = _boxes(student, picture.snapshot) if picture.snapshot else ([], [])
    found = faces.find(photo)
    if picture.snapshot is None and found:
        own = [max(found, key=lambda box: box.area)]
    elif picture.snapshot is not None and not own:
        return  # no longer theirs
    hidden = blur.hide(photo, own, [*known, *blur.others_among(found, own)])
    yield picture.name, photos.encode_jpeg(hidden)
    if picture.snapshot is not None:
        stem = PurePosixPath(picture.name).stem
        for number, box in enumerate(own, start=1):
            crop = np.ascontiguousarray(blur.around(hidden, box))
            if crop.size:
                yield f"faces/{stem} {number}.jpg", photos.encode_jpeg(crop)


def _boxes(student: Student, snapshot: Snapshot) -> tuple[list[Box], list[Box]]:
    """The faces of a photo that are the student's, and everybody else's, as recognition found them."""
    mine = set(
        permissions.sightings_that_show(Student.objects.filter(pk=student.pk))
        .filter(snapshot=snapshot)
        .values_list("pk", flat=True)
    )
    boxes = {
        pk: Box(*place)
        for pk, *place in Sighting.objects.filter(snapshot=snapshot).values_list(
            "pk", "left", "top", "width", "height"
        )
    }
    return [box for pk, box in boxes.items() if pk in mine], [
        box for pk, box in boxes.items() if pk not in mine
    ]


def _let_lessons_go_first() -> None:
    """With one worker this is the one that rooms full of people wait for."""
    waiting = Snapshot.objects.filter(state__in=[Snapshot.State.RECEIVED, Snapshot.State.QUEUED])
    for pk in list(waiting.order_by("received_at").values_list("pk", flat=True)[:LOOKED_AT_BETWEEN]):
        pipeline.process(pk)


# --- papers -------------------------------------------------------------------------------------------
def _letters(student: Student) -> Iterator[tuple[str, str]]:
    """What the family handed in: letters with excuses, scans of consent; stored name and name in the file."""
    scans = tables.rows_about(student)["consent_scans"]
    excuses = Excuse.objects.filter(student=student).exclude(attachment="").order_by("pk")
    for kind, rows in (
        ("letters", excuses.values_list("attachment", flat=True)),
        ("consent", scans.order_by("pk").values_list("file", flat=True)),
    ):
        for number, stored in enumerate(rows, start=1):
            yield stored, f"{kind}/{number:02}{PurePosixPath(stored).suffix}"


def _copy(file: zipfile.ZipFile, stored: str, name: str) -> None:
    try:
        with default_storage.open(stored) as source, file.open(name, "w") as into:
            for piece in source.chunks():
                into.write(piece)
    except FileNotFoundError:
        return
