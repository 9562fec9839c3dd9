"""The second opinion: every face is also read by a small network of its own, and both answers are kept.

Attendance never depends on it. Switched off, its files missing or damaged, or a fault in it: a line in the log and on
the site page, and photos are looked at as ever.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from numpy.typing import NDArray

from attendance import galleries, marks, photos
from attendance.engines import second_network, to_bytes
from attendance.errors import PhotoRefused
from attendance.models import ClassSession, FaceTemplate, SecondOpinion, Sighting, TemplateEmbedding
from attendance.second_rule import Considered, SecondGallery, consider
from recognition.errors import RecognitionError
from recognition.identification import Identification
from recognition.lfw_cnn.opinion import OpinionPolicy
from recognition.policy import MatchPolicy
from recognition.types import Chips, Face

__all__ = ["opinion_of"]

log = logging.getLogger(__name__)

BATCH = 32
"""Templates embedded at once, and written in one transaction."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """The faces of one photo as the second network sees them: ``embeddings`` (n, d), unit length."""

    version: str
    embeddings: NDArray[np.float32]
    milliseconds: float
    """For one face."""


def opinion_of(sighting: Sighting) -> SecondOpinion | None:
    """What the second network said about a face; None where it was not asked.

    For many faces at once: ``sightings.select_related("second_opinion__student")``, and this asks no more.
    """
    return getattr(sighting, "second_opinion", None)


# --- a photo ----------------------------------------------------------------------------------------
def read(faces: Sequence[Face]) -> Reading | None:
    """All faces of a photo in one batch; None where there is no second network, no face, or it failed."""
    network = second_network()
    if network is None or not faces:
        return None
    started = time.perf_counter()
    embeddings = _encode(np.stack([face.chip for face in faces]))
    if embeddings is None:
        return None
    return Reading(network.encoder.version, embeddings, (time.perf_counter() - started) * 1000.0 / len(faces))


def consider_all(
    session: ClassSession,
    first: Sequence[Identification],
    reading: Reading | None,
    rejected: Mapping[int, frozenset[int]],
    policy: MatchPolicy,
) -> list[Considered]:
    """Both answers for each face of a photo; recognition's alone where there is no second one.

    ``rejected``: for a face's index, the students a person said it is not. ``policy``: recognition's.
    """
    network = second_network()
    alone = [Considered(answer) for answer in first]
    if reading is None or network is None:
        return alone
    try:
        gallery = galleries.second_gallery_for(session, reading.version)
    except (RecognitionError, ValueError, OSError):
        log.exception("the second gallery of session %s cannot be read", session.pk)
        return alone
    return [
        _consider(
            answer, reading.embeddings[at], gallery, network.policy, policy, rejected.get(at, frozenset())
        )
        for at, answer in enumerate(first)
    ]


def _consider(
    first: Identification,
    probe: NDArray[np.float32],
    gallery: SecondGallery,
    opinion_policy: OpinionPolicy,
    policy: MatchPolicy,
    rejected: frozenset[int],
) -> Considered:
    """The rule for one face; recognition's answer alone where it fails, whatever it fails at."""
    try:
        return consider(first, probe, gallery, opinion_policy, policy.evidence, rejected)
    except Exception:
        log.exception("the second opinion on a face failed")
        return Considered(first)


def store(sightings: Sequence[Sighting], answers: Sequence[Considered], reading: Reading | None) -> None:
    """Write the opinions beside the sightings they are about, in the order of both."""
    if reading is None:
        return
    SecondOpinion.objects.bulk_create(
        SecondOpinion(
            sighting=sighting,
            student_id=answer.opinion.subject_id,
            distance=answer.opinion.distance,
            probability=answer.opinion.probability,
            decision=Sighting.Decision.RECOGNISED if answer.second_names else Sighting.Decision.UNKNOWN,
            agreement=str(answer.names),
            confidence=answer.confidence,
            encoder_version=reading.version,
            milliseconds=reading.milliseconds,
        )
        for sighting, answer in zip(sightings, answers, strict=True)
        if answer.opinion is not None
    )


# --- enrolled faces -----------------------------------------------------------------------------------
def embed_new(template: FaceTemplate, chip: NDArray[np.uint8]) -> None:
    """The embedding of a template just written, from the chip it was made of; in its transaction."""
    network = second_network()
    embeddings = None if network is None else _encode(chip[None])
    if network is None or embeddings is None:
        return
    TemplateEmbedding.objects.create(
        template=template, embedding=to_bytes(embeddings[0]), encoder_version=network.encoder.version
    )


def templates_without(version: str) -> QuerySet[FaceTemplate]:
    """Templates the second network of this version has not seen."""
    made = TemplateEmbedding.objects.filter(template=OuterRef("pk"), encoder_version=version)
    return FaceTemplate.objects.filter(~Exists(made)).exclude(chip="").order_by("pk")


def bring_up_to_date(session: ClassSession) -> int:
    """Embeddings for the roster's templates that have none: after an update, or after the switch was turned on.
    How many; 0, at the cost of one query, on every other day."""
    network = second_network()
    if network is None:
        return 0
    roster = marks.roster_on_day(session).values("student_id")
    due = templates_without(network.encoder.version).filter(student_id__in=roster)
    waiting = [pk for pk in due.values_list("pk", flat=True) if pk not in _unreadable]
    return sum(embed(waiting[start : start + BATCH]) for start in range(0, len(waiting), BATCH))


_unreadable: set[int] = set()
"""Templates whose chip this process could not read: not tried again for every photo."""


def embed(template_ids: Iterable[int]) -> int:
    """Make embeddings of these templates from their stored chips. How many were made.

    Safe to stop and to start again, and safe in two processes at once; whose consent ends in the meantime gets none.
    """
    network = second_network()
    templates = FaceTemplate.objects.filter(pk__in=list(template_ids)).order_by("pk")
    if network is None:
        return 0
    readable = [(row, chip) for row in templates if (chip := _stored_chip(row)) is not None]
    embeddings = _encode(np.stack([chip for _row, chip in readable])) if readable else None
    if embeddings is None:
        return 0
    students = {row.student_id for row, _chip in readable}
    with transaction.atomic():
        galleries.lock_courses_of(students)
        there = set(templates.values_list("pk", flat=True))
        made = [
            TemplateEmbedding(
                template=row, embedding=to_bytes(embedding), encoder_version=network.encoder.version
            )
            for (row, _chip), embedding in zip(readable, embeddings, strict=True)
            if row.pk in there
        ]
        TemplateEmbedding.objects.bulk_create(made, ignore_conflicts=True)
        galleries.raise_version_of(students)
    return len(made)


def remove_outdated(version: str) -> int:
    """Delete embeddings of other versions where the template has one of this version. How many."""
    current = TemplateEmbedding.objects.filter(template=OuterRef("template"), encoder_version=version)
    removed, _per_model = (
        TemplateEmbedding.objects.filter(Exists(current)).exclude(encoder_version=version).delete()
    )
    return removed


# --- within -------------------------------------------------------------------------------------------
def _encode(chips: Chips) -> NDArray[np.float32] | None:
    """(n, 150, 150, 3) -> (n, d), or None: whatever goes wrong in the second network stops nothing else."""
    network = second_network()
    if network is None:
        return None
    try:
        embeddings = network.encoder.encode(np.ascontiguousarray(chips))
        if not np.isfinite(embeddings).all():
            raise ValueError("it gave numbers that are not finite")
        return embeddings
    except Exception:
        log.exception("the second network failed on %d faces", len(chips))
        return None


def _stored_chip(template: FaceTemplate) -> NDArray[np.uint8] | None:
    try:
        with default_storage.open(str(template.chip)) as stored:
            return photos.load_upright(stored.read())
    except (OSError, PhotoRefused) as error:
        _unreadable.add(template.pk)
        log.warning("the crop of template %s cannot be read: %s", template.pk, error)
        return None
