"""Whether the mood of a class may be read at all: the law of the country, the site's switch, the course's, the demo.

Off unless an administrator has read the notice and switched it on, for the site and for the course; impossible where
the law prohibits it, also for the demo. Elsewhere the built-in demo class needs no switch of the site: its students
are made up and its photos are composed by the demo's own program.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from attendance import errors, law, places, schooltime
from attendance.models import Course, MadeUpClass, School, Snapshot, SnapshotMood

DEMO_MINIMUM = 3
"""The demo class is small; a real one waits for the school's own minimum."""
SMALLEST, LARGEST = 5, 100
"""Bounds of the school's own minimum."""


def prohibited(school: School | None = None) -> law.Rule | None:
    """The law that prohibits it where the school stands, for every course and for the demo."""
    return places.forbidden(law.Effect.NO_MOOD, school)


def allowed_here(school: School) -> bool:
    """Whether the law where the school stands leaves it the choice. An unknown country does not."""
    return bool(places.place_of(school).country) and prohibited(school) is None


def smallest_group(course: Course, snapshot: Snapshot | None = None) -> int | None:
    """The fewest faces that are a group in this course (in this photo of it); None where no mood is read or shown."""
    if not course.mood_enabled:
        return None
    school = schooltime.get_school()
    if prohibited(school):
        return None
    if is_made_up(course) and (snapshot is None or _sent_by_the_demo(course, snapshot)):
        return DEMO_MINIMUM
    return school.mood_minimum_group if school.mood_enabled and allowed_here(school) else None


def is_on(course: Course) -> bool:
    return smallest_group(course) is not None


def is_made_up(course: Course) -> bool:
    """Whether this is the built-in demo class, and nobody but its made-up students was ever on its roster."""
    if not course.is_demo:
        return False
    made = MadeUpClass.objects.filter(course=course).first()
    return (
        made is not None
        and not course.roster_entries.exclude(student__in=made.students.values("pk")).exists()
    )


def switch_site(on: bool, by: User, *, notice_read: bool) -> None:
    """Off deletes what was stored of every course but the made-up one.

    Raises MoodProhibited by the law of the country, NoticeUnread without the notice.
    """
    school = schooltime.get_school()
    if on:
        _check_may_switch_on(school, notice_read)
    school.mood_enabled = on
    school.mood_switched_by, school.mood_switched_at = by, timezone.now()
    with transaction.atomic():
        school.save(update_fields=["mood_enabled", "mood_switched_by", "mood_switched_at"])
        if not on:
            courses = Course.objects.select_for_update().order_by("pk")
            forget([course.pk for course in courses if not is_made_up(course)])


def switch_course(course: Course, on: bool, by: User, *, notice_read: bool) -> None:
    """Off deletes what was stored of the course.

    Raises MoodProhibited, NoticeUnread, and MoodOffForSite before the site is switched on.
    """
    if on:
        school = schooltime.get_school()
        made_up = is_made_up(course)
        _check_may_switch_on(school, notice_read, made_up=made_up)
        if not made_up and not school.mood_enabled:
            raise errors.MoodOffForSite
    with transaction.atomic():
        Course.objects.select_for_update().get(pk=course.pk)
        course.mood_enabled = on
        course.mood_switched_by, course.mood_switched_at = by, timezone.now()
        course.save(update_fields=["mood_enabled", "mood_switched_by", "mood_switched_at"])
        if not on:
            forget([course.pk])


def set_minimum_group(faces: int) -> None:
    """From how many faces on a group has a mood; hides what is stored of smaller ones. Raises MoodGroupOutOfBounds."""
    if not SMALLEST <= faces <= LARGEST:
        raise errors.MoodGroupOutOfBounds
    school = schooltime.get_school()
    school.mood_minimum_group = faces
    school.save(update_fields=["mood_minimum_group"])


def forget(courses: Sequence[int]) -> None:
    """Delete what was stored of these courses. Their rows are locked by now: no worker stores more meanwhile."""
    SnapshotMood.objects.filter(snapshot__session__course__in=courses).delete()


def _check_may_switch_on(school: School, notice_read: bool, *, made_up: bool = False) -> None:
    """For the made-up class it need not be known where the school is, only not to be prohibited there."""
    if prohibited(school) or not (made_up or allowed_here(school)):
        raise errors.MoodProhibited
    if not notice_read:
        raise errors.NoticeUnread


def _sent_by_the_demo(course: Course, snapshot: Snapshot) -> bool:
    """Whether a photo came with the key that only the demo's program held; a paired device has got another one."""
    camera = snapshot.camera
    return camera is not None and camera.key_hash == course.made_up.camera_key_hash
