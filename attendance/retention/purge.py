"""The deletion: everything that is due, in steps that can be stopped and begun again, with a record of what went."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from attendance import erasing, errors, galleries, mailing, offers, report_jobs
from attendance.models import FaceTemplate, Portrait, RetentionRun, SecondOpinion, Sighting, Snapshot
from attendance.privacy import delete_files
from attendance.retention import due, strays
from attendance.storage import media

log = logging.getLogger(__name__)

STEP = 500
"""Rows of one transaction."""
COMPARED_EVERY = dt.timedelta(hours=20)
"""Files and rows are compared once a day: reading a whole store takes its time."""
RUNS_KEPT = dt.timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Purged:
    """What one run deleted."""

    photos: int
    unknown_faces: int
    templates: int
    files: int = 0


def run(
    now: dt.datetime | None = None, by: User | None = None, *, compare: bool | None = None
) -> RetentionRun:
    """Delete what is due and write down what went. ``compare``: files with rows too; None: once a day.

    What goes wrong is written into the run and raised again, so that the page can say it.
    """
    now = now or timezone.now()
    record = RetentionRun.objects.create(started_at=now, by=by)
    try:
        done = purge_expired(now)
        record.photos, record.unknown_faces = done.photos, done.unknown_faces
        record.templates, record.files = done.templates, done.files
        offers.drop_unfounded()
        mailing.purge(now)
        if _compares(now) if compare is None else compare:
            _compare(record, now)
    except Exception as error:
        record.error = f"{type(error).__name__}: {error}"[:300]
        raise
    finally:
        record.finished_at = max(now, timezone.now())
        record.save()
    RetentionRun.objects.filter(started_at__lt=now - RUNS_KEPT).delete()
    erasing.settle_log()
    return record


def purge_expired(now: dt.datetime | None = None) -> Purged:
    """Delete what has been kept as long as the school said. Marks stay."""
    now = now or timezone.now()
    return Purged(_photos(now), _unknown_faces(now), _templates(now), report_jobs.purge(now))


def _photos(now: dt.datetime) -> int:
    """Photos with the chips and encodings of their faces; who was seen where stays as the reason of a mark."""
    count = 0
    while ids := list(due.photos(now).order_by("pk").values_list("pk", flat=True)[:STEP]):
        sightings = Sighting.objects.filter(snapshot_id__in=ids)
        with transaction.atomic():
            names = list(Snapshot.objects.filter(pk__in=ids).values_list("image", flat=True))
            names += sightings.values_list("chip", flat=True)
            SecondOpinion.objects.filter(sighting__in=sightings).delete()
            sightings.update(chip="", encoding=None)
            Snapshot.objects.filter(pk__in=ids).update(image="", expired_at=now)
            _after_commit(names)
        count += len(ids)
    return count


def _unknown_faces(now: dt.datetime) -> int:
    count = 0
    while ids := list(due.unknown_faces(now).order_by("pk").values_list("pk", flat=True)[:STEP]):
        with transaction.atomic():
            names = list(Sighting.objects.filter(pk__in=ids).values_list("chip", flat=True))
            SecondOpinion.objects.filter(sighting_id__in=ids).delete()
            Sighting.objects.filter(pk__in=ids).update(chip="", encoding=None)
            _after_commit(names)
        count += len(ids)
    return count


def _templates(now: dt.datetime) -> int:
    """Templates and portraits of students whose last term ended long enough ago."""
    count = 0
    while students := list(due.students_without_a_term(now).order_by("pk")[:STEP]):
        for student in students:
            portraits = Portrait.objects.filter(student=student)
            templates = FaceTemplate.objects.filter(student=student)
            with transaction.atomic():
                names = list(portraits.values_list("image", flat=True))
                names += templates.values_list("chip", flat=True)
                count += templates.count()
                portraits.delete()
                galleries.raise_version_for(student)
                _after_commit(names)
    return count


def _after_commit(names: list[str]) -> None:
    transaction.on_commit(lambda: delete_files(names))


def _compares(now: dt.datetime) -> bool:
    return not RetentionRun.objects.filter(compared_at__gt=now - COMPARED_EVERY).exists()


def _compare(record: RetentionRun, now: dt.datetime) -> None:
    found = strays.compare(now)
    record.compared_at, record.missing = now, len(found.missing)
    if not found.believable:
        record.strays_left = len(found.strays)
        return
    for stray in found.strays:
        try:
            media().remove(stray)
            record.strays_deleted += 1
        except (errors.StorageAway, OSError) as error:
            record.strays_left += 1
            log.warning("%s could not be deleted: %s", stray, type(error).__name__)
