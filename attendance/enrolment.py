"""Portrait -> answer about its quality -> face template. Nothing is stored before consent is recorded."""

from __future__ import annotations

import datetime as dt
import logging

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from attendance import clock, errors, faults, galleries, intake, marks, photos, places, second
from attendance.engines import current_engine, from_bytes, to_bytes
from attendance.models import ClassSession, Consent, FaceTemplate, Portrait, Student
from recognition.engine import Engine
from recognition.gallery import Gallery, Template
from recognition.identification import MatchPolicy, duplicates
from recognition.quality import portrait_problems
from recognition.types import Face

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
RETRY_AFTER = dt.timedelta(minutes=2)
REJECTED_KEPT = dt.timedelta(days=1)
"""How long a refused portrait stays visible before it is deleted."""


def has_consent(student: Student) -> bool:
    return Consent.objects.filter(student=student, state=Consent.State.GIVEN).exists()


def receive_portrait(student: Student, data: bytes, by: User, name: str = "") -> Portrait:
    """Keep a photo and have it looked at; the answer appears on the portrait's row.

    The same photo sent twice is the same portrait; one refused before is looked at again.
    Raises ConsentMissing, RecognitionProhibited, PhotoRefused and its kinds, StorageFull, StorageAway.
    """
    if not has_consent(student):
        raise errors.ConsentMissing
    places.check_enrolment(student)
    photo = photos.clean(
        data, max_bytes=settings.ROLLCALL_MAX_UPLOAD_BYTES, max_pixels=settings.ROLLCALL_MAX_PIXELS
    )
    known = student.portraits.filter(sha256=photo.sha256).first()
    if known is not None:
        return known
    stored = intake.store("portraits", photo.jpeg)
    try:
        with transaction.atomic():
            portrait = Portrait.objects.create(
                student=student,
                image=stored,
                sha256=photo.sha256,
                name=name[:200],
                uploaded_by=by,
                uploaded_at=timezone.now(),
            )
            transaction.on_commit(lambda: enqueue(portrait.pk), robust=True)
    except IntegrityError as error:
        default_storage.delete(stored)
        known = student.portraits.filter(sha256=photo.sha256).first()
        if known is not None:
            return known
        raise errors.ConsentMissing from error
    return portrait


def enqueue(portrait_id: int) -> bool:
    """Queue before any classroom photo: a teacher is waiting for this answer."""
    from attendance.tasks import check_portrait

    return intake.publish(check_portrait, portrait_id, priority=intake.AT_ONCE)


def check_portrait(portrait_id: int) -> Portrait | None:
    """Look at a received portrait and enrol it, or say what is wrong. None when there is nothing to do."""
    if not Portrait.objects.filter(
        pk=portrait_id, state=Portrait.State.RECEIVED, attempts__lt=MAX_ATTEMPTS
    ).update(attempts=F("attempts") + 1):
        return None
    portrait = Portrait.objects.select_related("student").get(pk=portrait_id)
    try:
        return _look_at(portrait)
    except faults.PART_IS_AWAY as error:  # no fault of the portrait: the sweeper comes back to it
        log.warning("portrait %s waits for a part of the site: %s", portrait_id, error)
        Portrait.objects.filter(pk=portrait_id).update(attempts=F("attempts") - 1)
        return None


def _look_at(portrait: Portrait) -> Portrait:
    engine = current_engine()
    with default_storage.open(str(portrait.image)) as stored:
        image = photos.load_upright(stored.read())
    faces = engine.analyse(image)
    problems = [str(problem) for problem in portrait_problems(image, faces)]
    if problems or not faces:
        return _answer(portrait, Portrait.State.REJECTED, problems or ["no_face"])
    face = max(faces, key=lambda each: each.detection.box.area)
    twin = None if portrait.told_apart_at else _looks_like(portrait.student, face, engine)
    if twin is not None:
        return _answer(portrait, Portrait.State.HELD, ["looks_like_another"], twin)
    return _enrol(portrait, face, engine)


def accept_held(portrait: Portrait) -> Portrait:
    """A person looked at both students and says they are two people: the portrait is enrolled by the worker.

    Raises NothingToUndo unless it was held.
    """
    with transaction.atomic():
        if not Portrait.objects.filter(pk=portrait.pk, state=Portrait.State.HELD).update(
            state=Portrait.State.RECEIVED,
            told_apart_at=timezone.now(),
            attempts=0,
            problems=[],
            looks_like=None,
        ):
            raise errors.NothingToUndo
        transaction.on_commit(lambda: enqueue(portrait.pk))
    portrait.refresh_from_db()
    return portrait


def remove_portrait(portrait: Portrait) -> None:
    """Delete a portrait, its templates and its files."""
    files = [str(portrait.image), *portrait.templates.values_list("chip", flat=True)]
    student = portrait.student
    with transaction.atomic():
        galleries.lock_courses_of([student.pk])
        portrait.delete()
        files += _without_portraits(student)
        galleries.raise_version_for(student)
        transaction.on_commit(lambda: _delete_files(files))


def _without_portraits(student: Student) -> list[str]:
    """Crops of classroom photos do not stand alone: they go with the last photo made for enrolment."""
    if student.portraits.filter(state=Portrait.State.ACCEPTED, from_class_at__isnull=True).exists():
        return []
    taken = student.portraits.filter(from_class_at__isnull=False)
    files = [*taken.values_list("image", flat=True), *taken.values_list("templates__chip", flat=True)]
    taken.delete()
    return [name for name in files if name]


def sweep(now: dt.datetime | None = None) -> int:
    """Look again at portraits whose task was lost; give up on those that failed three times. How many queued."""
    now = now or clock.now()
    waiting = Portrait.objects.filter(state=Portrait.State.RECEIVED, uploaded_at__lt=now - RETRY_AFTER)
    for portrait in waiting.filter(attempts__gte=MAX_ATTEMPTS):
        _answer(portrait, Portrait.State.REJECTED, ["could_not_be_read"])
    queued = sum(enqueue(pk) for pk in waiting.values_list("pk", flat=True)[:200])
    for portrait in Portrait.objects.filter(
        state=Portrait.State.REJECTED, checked_at__lt=now - REJECTED_KEPT
    ):
        remove_portrait(portrait)
    return queued


def outdated_portraits(engine_version: str) -> QuerySet[Portrait]:
    """Accepted portraits without a template by this engine; those of older engines stay until they have one."""
    current = FaceTemplate.objects.filter(portrait=OuterRef("pk"), encoder_version=engine_version)
    return Portrait.objects.filter(~Exists(current), state=Portrait.State.ACCEPTED).order_by("pk")


def reencode(portrait: Portrait) -> bool:
    """Make a template by the present engine beside the old one. False when the engine finds no face.

    Safe to stop and to start again, and safe in two processes at once.
    """
    engine = current_engine()
    with default_storage.open(str(portrait.image)) as stored:
        faces = engine.analyse(photos.load_upright(stored.read()))
    if not faces:
        return False
    _enrol(portrait, max(faces, key=lambda each: each.detection.box.area), engine)
    return True


def bring_up_to_date(session: ClassSession) -> int:
    """Re-encode the roster's portraits that the present engine has not seen, so that nobody is missed after an
    upgrade that came without ``reencode``. How many; 0, at the cost of one query, on every other day.
    """
    roster = marks.roster_on_day(session).values("student_id")
    version = current_engine().version
    made = 0
    for portrait in outdated_portraits(version).filter(student__in=roster).select_related("student"):
        if (portrait.pk, version) in _without_face:
            continue
        if reencode(portrait):
            made += 1
        else:
            _without_face.add((portrait.pk, version))
    return made


_without_face: set[tuple[int, str]] = set()
"""Portraits in which this process's engine found no face: not looked at again for every photo."""


def remove_outdated(engine_version: str) -> int:
    """Delete templates of other engines where the portrait has one by this engine. How many."""
    current = FaceTemplate.objects.filter(portrait=OuterRef("portrait"), encoder_version=engine_version)
    old = FaceTemplate.objects.filter(Exists(current)).exclude(encoder_version=engine_version)
    files = list(old.values_list("chip", flat=True))
    with transaction.atomic():
        removed, _per_model = old.delete()
        transaction.on_commit(lambda: _delete_files(files))
    return removed


def _answer(
    portrait: Portrait, state: str, problems: list[str], looks_like: Student | None = None
) -> Portrait:
    portrait.state, portrait.problems, portrait.looks_like = state, problems, looks_like
    portrait.checked_at = timezone.now()
    portrait.save(update_fields=["state", "problems", "looks_like", "checked_at"])
    return portrait


def _enrol(portrait: Portrait, face: Face, engine: Engine) -> Portrait:
    """Portrait accepted and template written together, with consent still standing. Raises ConsentMissing."""
    chip = intake.store("templates", photos.encode_jpeg(face.chip))
    try:
        with transaction.atomic():
            # The rows that a withdrawal locks too: it comes before or after, never in between.
            galleries.lock_courses_of([portrait.student_id])
            template = FaceTemplate.objects.create(
                student_id=portrait.student_id,
                portrait=portrait,
                encoding=to_bytes(face.encoding),
                encoder_version=engine.version,
                quality=face.quality.overall,
                chip=chip,
                created_at=timezone.now(),
            )
            second.embed_new(template, face.chip)
            _answer(portrait, Portrait.State.ACCEPTED, [])
            galleries.raise_version_for(portrait.student)
    except IntegrityError as error:
        default_storage.delete(chip)
        if not has_consent(portrait.student):
            raise errors.ConsentMissing from error
        portrait.refresh_from_db()  # looked at twice at once: the other one enrolled it
    return portrait


def _looks_like(student: Student, face: Face, engine: Engine) -> Student | None:
    """Somebody else of the student's courses whose templates this face would be recognised by."""
    mates = Student.objects.filter(roster_entries__course__in=student.courses.all()).exclude(pk=student.pk)
    rows = galleries.templates_in_use(engine.version).filter(student__in=mates)
    gallery = Gallery.build(
        (Template(owner, from_bytes(encoding or b""), quality)
         for owner, encoding, quality in rows.values_list("student_id", "encoding", "quality")),
        version=engine.version,
    )  # fmt: skip
    found = duplicates(face.encoding, gallery, MatchPolicy.default_for(engine.version))
    return Student.objects.get(pk=found[0].subject_id) if found else None


def _delete_files(names: list[str]) -> None:
    for name in filter(None, names):
        default_storage.delete(name)
