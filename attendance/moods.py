"""The mood of a class: reading it in a photo, and how it ran through a session.

Whether it may be read at all, :mod:`attendance.mood_switches` knows. Where it is off, no emotion network is loaded and
nothing is stored.
"""

from __future__ import annotations

import datetime as dt
import logging
import traceback
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from attendance import mood_switches
from attendance.models import ClassSession, Course, Snapshot, SnapshotMood
from attendance.photos import UprightPhoto
from recognition.types import Face

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from emotion import Calibration, ClassMood

log = logging.getLogger(__name__)

SQUARE_DETECTORS = ("hog", "mmod")
"""Detectors that draw dlib's squares; the others draw round the whole face."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One photo's sums, ready to be stored."""

    faces: int
    read: tuple[float, ...]
    classifier_version: str


@dataclass(frozen=True, slots=True)
class Moment:
    """The mood of the class at one photo, smoothed with those before it."""

    taken_at: dt.datetime
    mood: ClassMood


def read(snapshot: Snapshot, image: UprightPhoto, faces: Sequence[Face], detector: str) -> Reading | None:
    """Read a photo, if its course wants it and the group is large enough.

    Attendance never depends on it: whatever goes wrong in the network is a line in the log.
    """
    smallest = mood_switches.smallest_group(snapshot.session.course, snapshot)
    boxes = _boxes_in(image, faces)
    if smallest is None or len(boxes) < smallest:
        return None
    try:
        return _read(image, boxes, detector)
    except Exception as error:  # noqa: BLE001 - whatever it is, the roll is made
        # Not what the error says: it may hold where somebody's face was.
        last = traceback.extract_tb(error.__traceback__)[-1]
        log.warning(
            "the mood of the class was not read: %s at %s:%s",
            type(error).__name__,
            Path(last.filename).name,
            last.lineno,
        )
        return None


def _boxes_in(image: UprightPhoto, faces: Sequence[Face]) -> list[tuple[float, float, float, float]]:
    """(left, top, width, height) of the faces whose middle is in the photo: of others too little can be seen."""
    rows, columns = image.shape[:2]
    boxes = [face.detection.box for face in faces]
    return [
        (box.left, box.top, box.width, box.height)
        for box in boxes
        if min(box.width, box.height) > 0
        and 0 <= box.left + box.width / 2 < columns
        and 0 <= box.top + box.height / 2 < rows
    ]


def _read(image: UprightPhoto, boxes: Sequence[tuple[float, float, float, float]], detector: str) -> Reading:
    from emotion import OUTLINE, SQUARE, load_classifier

    classifier = load_classifier()
    framing = SQUARE if detector.startswith(SQUARE_DETECTORS) else OUTLINE
    totals = classifier.read(image, boxes, framing_of=framing).sum(axis=0)
    if not abs(float(totals.sum()) - len(boxes)) < 0.01:
        raise ArithmeticError("the network's answers are no probabilities")
    return Reading(len(boxes), tuple(float(total) for total in totals), classifier.version)


def store(snapshot: Snapshot, reading: Reading | None) -> None:
    """Keep what was read, unless it was switched off meanwhile. The caller has locked the course's row."""
    if reading is None:
        return
    smallest = mood_switches.smallest_group(Course.objects.get(pk=snapshot.session.course_id), snapshot)
    if smallest is not None and reading.faces >= smallest:
        SnapshotMood.objects.create(
            snapshot=snapshot,
            faces=reading.faces,
            read=[round(value, 4) for value in reading.read],
            classifier_version=reading.classifier_version,
        )


def of_session(session: ClassSession) -> list[Moment]:
    """How the mood of the class ran through a session; empty where it is off or was never read.

    Photos are smoothed with those before them that the same network read.
    """
    rows = (
        _shown(session.course, [session.pk])
        .order_by("snapshot__taken_at", "snapshot_id")
        .values_list("classifier_version", "snapshot__taken_at", "faces", "read")
    )
    moments: list[Moment] = []
    for version, group in groupby(rows, key=lambda row: row[0]):
        calibration = calibration_of(version)
        if calibration is not None:
            moments += _smoothed([row[1:] for row in group], calibration)
    return moments


def by_session(course: Course, session_ids: Sequence[int]) -> dict[int, ClassMood]:
    """The mood of the class in each of these sessions; empty where it is off.

    A session's photos show the same people again and again, so its interval is that of one of its photos. Of a session
    that two versions of the network read, the photos of the one that read most of them count.
    """
    sums: dict[int, dict[str, list[tuple[int, Sequence[float]]]]] = defaultdict(lambda: defaultdict(list))
    rows = _shown(course, session_ids).order_by("snapshot__taken_at", "snapshot_id")
    for session_id, version, faces, read in rows.values_list(
        "snapshot__session_id", "classifier_version", "faces", "read"
    ):
        if calibration_of(version) is not None:
            sums[session_id][version].append((faces, read))
    return {session_id: _together(versions) for session_id, versions in sums.items()}


@lru_cache(maxsize=32)
def calibration_of(version: str) -> Calibration | None:
    """How a version of the network reads; None, and a line in the log once a process, where that is not known.

    What it read is then left out: shares that are not adjusted would look like those that are.
    """
    from emotion import EmotionError
    from emotion.shipped import calibrations

    try:
        return calibrations()[version]
    except KeyError:
        log.warning("moods read by %s are left out: how it reads is not known here", version)
    except EmotionError as error:
        log.warning("the mood of the class cannot be shown: %s", error)
    return None


def _shown(course: Course, session_ids: Sequence[int]) -> QuerySet[SnapshotMood]:
    """What was stored of these sessions and may be shown: of usable photos, and of groups as large as is asked now."""
    smallest = mood_switches.smallest_group(course) if session_ids else None
    if smallest is None:
        return SnapshotMood.objects.none()
    return SnapshotMood.objects.filter(
        snapshot__session__in=session_ids, snapshot__unusable="", faces__gte=smallest
    )


def _smoothed(
    photos: Sequence[tuple[dt.datetime, int, Sequence[float]]], calibration: Calibration
) -> list[Moment]:
    from emotion.mood import mood_of_counts, smoothed

    moods = [
        (taken_at.timestamp(), mood_of_counts(faces, read, calibration)) for taken_at, faces, read in photos
    ]
    return [Moment(photo[0], mood) for photo, mood in zip(photos, smoothed(moods, calibration), strict=True)]


def _together(versions: dict[str, list[tuple[int, Sequence[float]]]]) -> ClassMood:
    from emotion.mood import mood_of_counts

    version, photos = max(versions.items(), key=lambda item: len(item[1]))
    calibration = calibration_of(version)
    assert calibration is not None
    mean = [sum(column) / len(photos) for column in zip(*(read for _faces, read in photos), strict=True)]
    faces = round(sum(faces for faces, _read in photos) / len(photos))
    return mood_of_counts(faces, mean, calibration)
