"""Of the made-up school: photos, the faces in them, whom they were compared with, what people said of them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from typing import Any

from attendance.engines import current_engine
from attendance.models import Review, Sighting, Snapshot
from benchmarks.load.rows import run, write
from benchmarks.load.seed import FACES, PHOTOS, Size, scatter
from benchmarks.load.seed_people import POOL, SECOND, picture, roster_of, sealed_pool, teacher_of
from benchmarks.load.seed_term import STILL_TO_CHECK, is_unsure, lessons

KEPT = dt.timedelta(days=30)
UNKNOWN_KEPT = dt.timedelta(days=7)
MINUTES = (2, 10, 18, 26)
LANDMARKS = json.dumps([[610.1, 420.2], [650.3, 421.0], [630.2, 445.9], [612.8, 462.4], [647.7, 463.0]])
QUALITY = json.dumps({"overall": 0.8, "face_pixels": 90.0, "sharpness": 0.7, "light": 0.9, "frontal": 0.8})
FAILED = 25

Photo = tuple[int, int, int, int, dt.datetime]
"""Its id, its lesson's, the course, its number in the lesson, when it was taken."""


def photos(size: Size, now: dt.datetime) -> Iterator[Photo]:
    number = 0
    for lesson, course, starts, state in lessons(size, now):
        if state != "planned":
            for place, minute in enumerate(MINUTES[:PHOTOS]):
                number += 1
                yield number, lesson, course, place, starts + dt.timedelta(minutes=minute)


def snapshots(size: Size, now: dt.datetime) -> None:
    image = picture("photos", (1600, 1200))
    last: Photo | None = None

    def rows() -> Iterator[Sequence[Any]]:
        nonlocal last
        for photo in photos(size, now):
            pk, lesson, course, _place, taken = last = photo
            kept = now - taken < KEPT
            yield (
                pk, lesson, course % size.rooms + 1, image if kept else "", f"{pk:064x}", 1600, 1200, taken, taken,
                "done", taken, 1.1, FACES, None if kept else taken + KEPT, 1, "",
            )  # fmt: skip
        assert last is not None
        pk, lesson, course, _place, taken = last
        for extra in range(1, FAILED + 1):
            yield (
                pk + extra, lesson, course % size.rooms + 1, image, f"{pk + extra:064x}", 1600, 1200, taken, taken,
                "failed", None, None, None, None, 3, "OSError: made up",
            )  # fmt: skip

    names = (
        "id", "session", "camera", "image", "sha256", "width", "height", "taken_at", "received_at", "state",
        "processed_at", "processing_seconds", "faces", "expired_at", "attempts", "error",
    )  # fmt: skip
    write(Snapshot, names, rows())


def face_id(photo: int, index: int) -> int:
    return (photo - 1) * FACES + index + 1


def sightings(size: Size, now: dt.datetime) -> None:
    """Every second student of the roster is in every second photo; some are unsure, some are nobody's."""
    version, chip, sealed = (
        current_engine().version,
        picture("chips", (150, 150)),
        sealed_pool(Sighting, "encoding"),
    )

    def rows() -> Iterator[Sequence[Any]]:
        for photo, lesson, course, number, taken in photos(size, now):
            people, age = roster_of(course, size), now - taken
            for index in range(FACES):
                place, pk = 2 * index + number % 2, face_id(photo, index)
                decision, student, reason = "recognised", people[place], "clear"
                if is_unsure(lesson, place):
                    decision, reason = "uncertain", "middle_band"
                elif scatter(pk) >= 975:
                    decision, student, reason = "unknown", None, "too_far"
                kept = age < (KEPT if student else UNKNOWN_KEPT)
                yield (
                    pk, photo, index, 60.0 * index, 400.0, 70.0, 88.0, LANDMARKS, 0.9, scatter(pk) / 1000, QUALITY,
                    chip if kept else "", sealed[pk % POOL] if kept else None, version, decision, reason, student,
                )  # fmt: skip

    names = (
        "id", "snapshot", "index", "left", "top", "width", "height", "landmarks", "detector_score", "quality",
        "quality_details", "chip", "encoding", "encoder_version", "decision", "reason", "student",
    )  # fmt: skip
    write(Sighting, names, rows())


def candidates(size: Size, now: dt.datetime) -> None:
    """Five a face, the first whom recognition named."""
    run(
        """
        INSERT INTO attendance_candidate (sighting_id, student_id, rank, distance, score, probability)
        SELECT s.id, (COALESCE(s.student_id, 1) - 1 + r.place) %% %s + 1, r.place, 0.35 + 0.1 * r.place,
               CASE WHEN s.decision = 'recognised' AND r.place = 0 THEN 0.6 ELSE 0.3 - 0.05 * r.place END,
               CASE WHEN r.place > 0 THEN 0.01 WHEN s.decision = 'recognised' THEN 0.99 ELSE 0.6 END
        FROM attendance_sighting s
        CROSS JOIN (SELECT 0 AS place UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4) r
        """,
        size.students,
    )


def opinions(size: Size, now: dt.datetime) -> None:
    """The second network's, of every face that is kept."""
    run(
        """
        INSERT INTO attendance_secondopinion
            (sighting_id, student_id, distance, probability, decision, agreement, confidence, encoder_version,
             milliseconds)
        SELECT s.id, s.student_id, 0.4, 0.9,
               CASE WHEN s.student_id IS NULL THEN 'unknown' ELSE 'recognised' END,
               CASE WHEN s.student_id IS NULL THEN 'neither' WHEN s.decision = 'uncertain' THEN 'second_only'
                    ELSE 'same' END,
               0.99, %s, 1.4
        FROM attendance_sighting s WHERE s.chip <> ''
        """,
        SECOND,
    )


def reviews(size: Size, now: dt.datetime) -> None:
    """Teachers said of older unsure faces who they are, and of some strangers that they are nobody of the class."""

    def rows() -> Iterator[Sequence[Any]]:
        for photo, lesson, course, number, taken in photos(size, now):
            if now - taken < dt.timedelta(days=STILL_TO_CHECK):
                continue
            people, teacher = roster_of(course, size), teacher_of(course, size)
            for index in range(FACES):
                place, pk = 2 * index + number % 2, face_id(photo, index)
                if is_unsure(lesson, place):
                    yield pk, "is", people[place], teacher, taken
                elif scatter(pk) >= 995:
                    yield pk, "not_in_class", None, teacher, taken

    write_reviews = ((*row[:5], _batch(row[0]), "{}", "[]") for row in rows())
    write(Review, ("sighting", "verdict", "student", "by", "at", "batch", "shown", "changed"), write_reviews)


def _batch(number: int) -> str:
    return f"{number:032x}"


STEPS = (snapshots, sightings, candidates, opinions, reviews)
