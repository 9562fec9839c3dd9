"""A face that a person names as somebody without consent: the mark is taken from it, the face is not kept."""

from __future__ import annotations

import functools
from collections.abc import Collection

from django.core.files.storage import default_storage
from django.db import transaction

from attendance.models import Candidate, Consent, SecondOpinion, Sighting, Student


def drop_faces_without_consent(student: Student, sightings: Collection[int]) -> None:
    """Crop and numbers of these faces go where no consent of this student stands; who was seen where stays.

    Within the caller's transaction: the files go once it is committed. What the person said can still be undone.
    """
    if Consent.objects.filter(student=student, state=Consent.State.GIVEN).exists():
        return
    faces = Sighting.objects.filter(pk__in=list(sightings))
    chips = [name for name in faces.values_list("chip", flat=True) if name]
    SecondOpinion.objects.filter(sighting__in=faces).delete()
    Candidate.objects.filter(sighting__in=faces, student=student).delete()
    faces.update(chip="", encoding=None)
    for name in chips:
        transaction.on_commit(functools.partial(default_storage.delete, name))
