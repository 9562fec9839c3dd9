"""Everything of the demo, gone again."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from django.db.models import ProtectedError

from attendance import privacy
from attendance.demo import logins, photos
from attendance.demo.school import ROOM, TERM
from attendance.models import Camera, Course, Room, Term


@dataclass(frozen=True, slots=True)
class Removed:
    courses: int
    kept_logins: tuple[str, ...]
    """Demo logins that stay: they teach another course, or their word stands somewhere."""


def remove_demo(*, with_logins: bool = False, with_photos: bool = False) -> Removed:
    """Delete every demo course with its students, photos, templates and marks, then its room, camera and term.

    ``with_logins``: the demo's logins too, where nothing else hangs on them; a page leaves them, as somebody is
    signed in with one. ``with_photos``: the fetched photos as well.
    """
    courses = list(Course.objects.filter(is_demo=True))
    for course in courses:
        privacy.delete_course(course)
    for camera in Camera.objects.filter(room__name=ROOM, snapshots__isnull=True):
        camera.delete()
    for row in (*Room.objects.filter(name=ROOM), *Term.objects.filter(name=TERM)):
        try:
            row.delete()
        except ProtectedError:
            continue  # somebody's own course uses it by now
    kept = logins.remove() if with_logins else []
    if with_photos:
        shutil.rmtree(photos.folder(), ignore_errors=True)
    return Removed(len(courses), tuple(kept))
