"""The galleries of a session: its roster's students with consent, and nobody else; for each of the two networks."""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

import numpy as np
from django.db.models import F
from django.db.models.query import QuerySet
from numpy.typing import NDArray

from attendance import marks
from attendance.engines import from_bytes
from attendance.models import (
    ClassSession,
    Consent,
    Course,
    FaceTemplate,
    RosterEntry,
    Student,
    TemplateEmbedding,
)
from attendance.second_rule import SecondGallery
from recognition.gallery import Gallery, Template

_KEPT = 16

Key = tuple[int, int, str, str]
"""Course, its gallery version, the encoder's version, the day."""
Kept = TypeVar("Kept")


class _Memory(Generic[Kept]):
    """The galleries used last, each under its key; a newer version of a course drives out the older ones.

    One thread uses them, another lets go of what is out of date (``worker_memory``).
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, Kept] = OrderedDict()
        self._one = threading.Lock()

    def get(self, key: Key, build: Callable[[], Kept]) -> Kept:
        with self._one:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = build()
        with self._one:
            # Older versions of this course may hold somebody who withdrew: they leave memory now.
            for stale in [other for other in self._kept if other[0] == key[0] and other[1] != key[1]]:
                del self._kept[stale]
            self._kept[key] = made
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return made

    def drop_stale(self, versions: Mapping[int, int]) -> None:
        """Let go of what is of another version than its course's now, or of a course that is gone."""
        with self._one:
            for stale in [key for key in self._kept if versions.get(key[0]) != key[1]]:
                del self._kept[stale]

    def courses(self) -> set[int]:
        with self._one:
            return {key[0] for key in self._kept}

    def held(self) -> list[Kept]:
        with self._one:
            return list(self._kept.values())

    def clear(self) -> None:
        with self._one:
            self._kept.clear()


_galleries: _Memory[Gallery] = _Memory()
_second_galleries: _Memory[SecondGallery] = _Memory()


def gallery_for(session: ClassSession, engine_version: str) -> Gallery:
    """Templates of the session's roster made by this engine version; cached by the course's gallery version."""
    return _galleries.get(
        _key(session, engine_version),
        lambda: Gallery.build(_templates(session, engine_version), version=engine_version),
    )


def second_gallery_for(session: ClassSession, version: str) -> SecondGallery:
    """What the second network of this version made of the roster's templates; cached in the same way."""
    return _second_galleries.get(_key(session, version), lambda: _embeddings(session, version))


def forget_stale() -> None:
    """Let go of galleries out of date: they may hold somebody who withdrew. One query, none where nothing is held."""
    held = _galleries.courses() | _second_galleries.courses()
    if held:
        versions = dict(Course.objects.filter(pk__in=held).values_list("pk", "gallery_version"))
        _galleries.drop_stale(versions)
        _second_galleries.drop_stale(versions)


def remembered() -> tuple[list[Gallery], list[SecondGallery]]:
    """What this process holds at the moment."""
    return _galleries.held(), _second_galleries.held()


def forget() -> None:
    """Empty this process's memory of galleries."""
    _galleries.clear()
    _second_galleries.clear()


def lock_courses_of(students: Iterable[int]) -> None:
    """Take the rows that a withdrawal of consent locks too: it comes before or after this transaction."""
    entries = RosterEntry.objects.filter(student_id__in=list(students))
    list(Course.objects.select_for_update().filter(pk__in=entries.values("course_id")).order_by("pk"))


def raise_version_of(students: Iterable[int]) -> None:
    """Every gallery these students are in is out of date, in every worker."""
    entries = RosterEntry.objects.filter(student_id__in=list(students))
    Course.objects.filter(pk__in=entries.values("course_id")).update(gallery_version=F("gallery_version") + 1)


def raise_version_for(student: Student) -> None:
    """Every gallery this student is in is out of date, in every worker."""
    Course.objects.filter(roster_entries__student=student).update(gallery_version=F("gallery_version") + 1)


def raise_version(course: Course) -> None:
    Course.objects.filter(pk=course.pk).update(gallery_version=F("gallery_version") + 1)


def templates_in_use(engine_version: str) -> QuerySet[FaceTemplate]:
    """Templates that may be compared with: by this engine, with consent standing."""
    return FaceTemplate.objects.filter(
        encoder_version=engine_version, student__consent__state=Consent.State.GIVEN
    )


def _templates(session: ClassSession, engine_version: str) -> list[Template]:
    roster = marks.roster_on_day(session).values("student_id")
    rows = templates_in_use(engine_version).filter(student_id__in=roster)
    return [
        Template(student_id, from_bytes(encoding or b""), quality)
        for student_id, encoding, quality in rows.values_list("student_id", "encoding", "quality")
    ]


def _embeddings(session: ClassSession, version: str) -> SecondGallery:
    rows = TemplateEmbedding.objects.filter(
        encoder_version=version,
        template__student__consent__state=Consent.State.GIVEN,
        template__student_id__in=marks.roster_on_day(session).values("student_id"),
    )
    found: dict[int, list[NDArray[np.float32]]] = defaultdict(list)
    for student_id, embedding in rows.order_by("pk").values_list("template__student_id", "embedding"):
        found[student_id].append(from_bytes(embedding or b""))
    return SecondGallery.build({student_id: np.stack(own) for student_id, own in found.items()})


def _key(session: ClassSession, version: str) -> Key:
    gallery_version = Course.objects.values_list("gallery_version", flat=True).get(pk=session.course_id)
    return session.course_id, gallery_version, version, session.starts_at.date().isoformat()
