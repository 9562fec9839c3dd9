"""The mood of a class: whether it may be read at all, reading it, and how it ran through a session.

Off unless an administrator has read the notice and switched it on, for the site and for the course; impossible
where the law prohibits it. Where it is off, no emotion network is loaded and nothing is stored.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.utils import timezone

from attendance import errors, law, places, schooltime
from attendance.models import ClassSession, Course, School, Snapshot, SnapshotMood
from attendance.photos import UprightPhoto
from recognition.types import Face

if TYPE_CHECKING:
    from emotion import ClassMood

log = logging.getLogger(__name__)

DEMO_MINIMUM = 3
"""The demo class is small; a real one waits for the school's own minimum."""
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


def allowed_here(school: School) -> bool:
    """Whether the law where the school stands leaves it the choice. An unknown country does not."""
    return bool(school.country) and places.forbidden(law.Effect.NO_MOOD, school) is None


def is_on(course: Course, school: School | None = None) -> bool:
    """Whether photos of this course are read. The demo class shows it everywhere: nobody in it is a pupil."""
    if not course.mood_enabled:
        return False
    if course.is_demo:
        return True
    school = school or schooltime.get_school()
    return school.mood_enabled and allowed_here(school)


def minimum_group(course: Course, school: School | None = None) -> int:
    return DEMO_MINIMUM if course.is_demo else (school or schooltime.get_school()).mood_minimum_group


def switch_site(on: bool, *, notice_read: bool) -> None:
    """Raises MoodProhibited by the law of the country, NoticeUnread without the notice."""
    school = schooltime.get_school()
    if on:
        _check_may_switch_on(school, notice_read)
    school.mood_enabled = on
    school.save(update_fields=["mood_enabled"])


def switch_course(course: Course, on: bool, by: User, *, notice_read: bool) -> None:
    """Raises MoodProhibited, NoticeUnread, and MoodOffForSite before the site is switched on."""
    if on and not course.is_demo:
        school = schooltime.get_school()
        _check_may_switch_on(school, notice_read)
        if not school.mood_enabled:
            raise errors.MoodOffForSite
    course.mood_enabled = on
    course.mood_switched_by, course.mood_switched_at = by, timezone.now()
    course.save(update_fields=["mood_enabled", "mood_switched_by", "mood_switched_at"])


def read(course: Course, image: UprightPhoto, faces: Sequence[Face], detector: str) -> Reading | None:
    """Read a photo, if this course wants it and the group is large enough.

    Attendance never depends on it: a missing or damaged network is a line in the log and on the site page.
    """
    if not is_on(course) or len(faces) < minimum_group(course):
        return None
    from emotion import OUTLINE, SQUARE, EmotionError, load_classifier

    try:
        classifier = load_classifier()
        framing = SQUARE if detector.startswith(SQUARE_DETECTORS) else OUTLINE
        boxes = [(box.left, box.top, box.width, box.height) for box in (face.detection.box for face in faces)]
        probabilities = classifier.read(image, boxes, framing_of=framing)
    except EmotionError as error:
        log.warning("the mood of the class was not read: %s", error)
        return None
    return Reading(len(faces), tuple(float(total) for total in probabilities.sum(axis=0)), classifier.version)


def store(snapshot: Snapshot, reading: Reading | None) -> None:
    if reading is not None:
        SnapshotMood.objects.create(
            snapshot=snapshot,
            faces=reading.faces,
            read=[round(value, 4) for value in reading.read],
            classifier_version=reading.classifier_version,
        )


def of_session(session: ClassSession) -> list[Moment]:
    """How the mood of the class ran through a session; empty where it is off or was never read."""
    if not is_on(session.course):
        return []
    rows = list(
        SnapshotMood.objects.filter(snapshot__session=session, snapshot__unusable="")
        .order_by("snapshot__taken_at", "snapshot_id")
        .values_list("snapshot__taken_at", "faces", "read")
    )
    if not rows:
        return []
    from emotion import EmotionError, load_classifier, smoothed
    from emotion.mood import mood_of_counts

    try:
        calibration = load_classifier().calibration
    except EmotionError as error:
        log.warning("the mood of the class cannot be shown: %s", error)
        return []
    moods = [
        (taken_at.timestamp(), mood_of_counts(faces, tuple(read), calibration))
        for taken_at, faces, read in rows
    ]
    return [Moment(row[0], mood) for row, mood in zip(rows, smoothed(moods, calibration), strict=True)]


def by_session(course: Course, session_ids: Sequence[int]) -> dict[int, ClassMood]:
    """The mood of the class in each of these sessions; empty where it is off. One query.

    A session's photos show the same people again and again, so its interval is that of one of its photos.
    """
    if not session_ids or not is_on(course):
        return {}
    sums: dict[int, list[tuple[int, Sequence[float]]]] = defaultdict(list)
    rows = SnapshotMood.objects.filter(snapshot__session__in=session_ids, snapshot__unusable="")
    for session_id, faces, read in rows.values_list("snapshot__session_id", "faces", "read"):
        sums[session_id].append((faces, read))
    if not sums:
        return {}
    from emotion import EmotionError, load_classifier
    from emotion.mood import mood_of_counts

    try:
        calibration = load_classifier().calibration
    except EmotionError as error:
        log.warning("the mood of the class cannot be shown: %s", error)
        return {}
    found = {}
    for session_id, photos in sums.items():
        mean = [sum(column) / len(photos) for column in zip(*(read for _faces, read in photos), strict=True)]
        faces = round(sum(faces for faces, _read in photos) / len(photos))
        found[session_id] = mood_of_counts(faces, tuple(mean), calibration)
    return found


def _check_may_switch_on(school: School, notice_read: bool) -> None:
    if not allowed_here(school):
        raise errors.MoodProhibited
    if not notice_read:
        raise errors.NoticeUnread
