"""A made-up term of classroom photos from ``lfw.zip``: who sits where on which day, and the photos that show it.

Students and visitors come from the half of the people that fitted nothing (``recognition.evaluate.lfw_data``).
The same seed gives the same term.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from recognition.evaluate.lfw_data import Lfw

STUDENTS, VISITORS, PHOTOS, ENROLLED = 30, 2, 6, 3
ABSENT = 0.08
"""Chance that a student misses a lesson."""
LEAST_PROBES = 3
"""Pictures of everybody that are never enrolled."""
PROBES = 8
"""At most so many held-out pictures of one person are put into classroom photos."""
MINUTES = (3, 11, 19, 28, 36, 44)
LENGTH = dt.timedelta(minutes=50)

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class TermPerson:
    name: str
    portraits: tuple[Path, ...]
    probes: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Lesson:
    number: int
    present: tuple[TermPerson, ...]
    visitors: tuple[TermPerson, ...]


@dataclass(frozen=True, slots=True)
class ClassPhoto:
    """One photo as JPEG, and whose face is where: names with left, top, right, bottom in its pixels."""

    minute: int
    jpeg: bytes
    faces: tuple[tuple[str, Box], ...]


@dataclass(frozen=True, slots=True)
class Term:
    students: tuple[TermPerson, ...]
    lessons: tuple[Lesson, ...]
    seed: int


def draw(data: Path, pictures: Path, lessons: int, seed: int) -> Term:
    """The cast and who is there when; the pictures it needs are unpacked into ``pictures``.

    ``data`` is ``lfw.zip`` or its folder. Raises DataSetError when it is not there.
    """
    folder = data.parent if data.suffix == ".zip" else data
    lfw = Lfw(folder)
    rng = random.Random(seed)  # noqa: S311 - the same term every time is what is wanted
    test_half = sorted(lfw.halves[1])
    many = [name for name in test_half if len(lfw.rows_of[name]) >= ENROLLED + LEAST_PROBES]
    class_names = rng.sample(many, STUDENTS)
    others = [
        name for name in test_half if len(lfw.rows_of[name]) >= LEAST_PROBES and name not in class_names
    ]
    visitor_names = rng.sample(others, VISITORS * lessons)
    with zipfile.ZipFile(lfw.path) as archive:

        def person(name: str, enrolled: int) -> TermPerson:
            files = [lfw.names[row] for row in lfw.rows_of[name]]
            rng.shuffle(files)
            paths = [Path(archive.extract(file, pictures)) for file in files[: enrolled + PROBES]]
            return TermPerson(name, tuple(paths[:enrolled]), tuple(paths[enrolled:]))

        students = tuple(person(name, ENROLLED) for name in class_names)
        visitors = [person(name, 0) for name in visitor_names]
    days = tuple(
        Lesson(
            number,
            tuple(one for one in students if rng.random() >= ABSENT),
            tuple(visitors[VISITORS * number : VISITORS * (number + 1)]),
        )
        for number in range(lessons)
    )
    return Term(students, days, seed)


def photos_of(
    term: Term, lesson: Lesson, enrolled: frozenset[Path], kept: Path | None
) -> Iterator[ClassPhoto]:
    """The lesson's photos, in order, without the pictures that were enrolled; with ``kept``, composed once and
    read from that folder afterwards."""
    for number, minute in enumerate(MINUTES[:PHOTOS]):
        base = kept and kept / f"{term.seed}-{len(term.lessons)}-{lesson.number}-{number}"
        if base and base.with_suffix(".json").is_file():
            listed = json.loads(base.with_suffix(".json").read_text())
            faces = tuple((name, (box[0], box[1], box[2], box[3])) for name, box in listed)
            yield ClassPhoto(minute, base.with_suffix(".jpg").read_bytes(), faces)
            continue
        photo = _composed(term, lesson, enrolled, number, minute)
        if base:
            base.with_suffix(".jpg").write_bytes(photo.jpeg)
            base.with_suffix(".json").write_text(json.dumps(photo.faces))
        yield photo


def _composed(term: Term, lesson: Lesson, enrolled: frozenset[Path], number: int, minute: int) -> ClassPhoto:
    from attendance.demo import room
    from attendance.demo.compose import Shot, Sitter, compose
    from attendance.demo.faces import box_of
    from attendance.demo.people import FacePhoto

    seats = room.seats(STUDENTS + VISITORS)
    order = list(range(len(seats)))
    random.Random(term.seed).shuffle(order)  # noqa: S311 - everybody keeps a seat
    place = {one.name: order[index] for index, one in enumerate(term.students)}
    place |= {one.name: order[STUDENTS + index] for index, one in enumerate(lesson.visitors)}
    there = [*lesson.present, *lesson.visitors]
    sitters = []
    for one in there:
        held_out = [path for path in one.probes if path not in enrolled]
        turn = random.Random(f"{term.seed} {one.name} {lesson.number}").randrange(len(held_out))  # noqa: S311
        photo = FacePhoto(held_out[(turn + number) % len(held_out)])
        sitters.append(Sitter(seats[place[one.name]], photo, box_of(photo)))
    shot = Shot(sitters, seats, lesson.number * PHOTOS + number, dt.time(9, minute), term.seed)
    made = compose(shot)
    faces = tuple((one.name, box) for one, box in zip(there, made.faces, strict=True) if box is not None)
    return ClassPhoto(minute, made.jpeg, faces)
