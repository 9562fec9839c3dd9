"""The gallery of a session: templates of its roster's students with consent, and nobody else."""

from __future__ import annotations

from collections import OrderedDict

from django.db.models import F
from django.db.models.query import QuerySet

from attendance import marks
from attendance.engines import from_bytes
from attendance.models import ClassSession, Consent, Course, FaceTemplate, Student
from recognition.gallery import Gallery, Template

_KEPT = 16
_cache: OrderedDict[tuple[int, int, str, str], Gallery] = OrderedDict()


def gallery_for(session: ClassSession, engine_version: str) -> Gallery:
    """Templates of the session's roster made by this engine version; cached by the course's gallery version."""
    version = Course.objects.values_list("gallery_version", flat=True).get(pk=session.course_id)
    key = (session.course_id, version, engine_version, session.starts_at.date().isoformat())
    gallery = _cache.get(key)
    if gallery is None:
        gallery = Gallery.build(_templates(session, engine_version), version=engine_version)
        # Older versions of this course may hold somebody who withdrew: they leave memory now.
        for stale in [other for other in _cache if other[0] == session.course_id and other[1] != version]:
            del _cache[stale]
        _cache[key] = gallery
        while len(_cache) > _KEPT:
            _cache.popitem(last=False)
    else:
        _cache.move_to_end(key)
    return gallery


def forget() -> None:
    """Empty this process's memory of galleries."""
    _cache.clear()


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
