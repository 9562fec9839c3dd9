"""Snapshot -> sightings -> marks: the one place where Django meets the recognition of faces.

A snapshot is claimed by compare-and-swap with a lease and a token; what was found is written in one transaction
that checks the token. A second worker, a redelivery, or a worker that wakes up late changes nothing.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

import cv2
import numpy as np
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from attendance import enrolment, faults, intake, marks, moods, photos, policies, second
from attendance.engines import current_engine, to_bytes
from attendance.galleries import gallery_for
from attendance.models import Candidate, ClassSession, Course, Sighting, Snapshot
from attendance.rejections import rejected_for
from attendance.second_rule import Considered
from recognition.identification import Identification, identify
from recognition.types import Face

log = logging.getLogger(__name__)


class Outcome(StrEnum):
    DONE = "done"
    FAILED = "failed"
    RETRY = "retry"
    NOT_OURS = "not_ours"
    """Somebody else has it, finished it, or took it over in the meantime."""


@dataclass(frozen=True, slots=True)
class Claim:
    snapshot_id: int
    token: uuid.UUID


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """What the networks made of a photo, before anybody is named."""

    faces: Sequence[Face]
    unusable: str
    mood: moods.Reading | None
    reading: second.Reading | None


def process(snapshot_id: int) -> Outcome:
    """Look at one photo, whatever happens to this worker or any other."""
    claim = claim_snapshot(snapshot_id)
    if claim is None:
        return Outcome.NOT_OURS
    started = time.monotonic()
    snapshot = Snapshot.objects.select_related("session__course").get(pk=snapshot_id)
    try:
        with default_storage.open(str(snapshot.image)) as stored:
            image = photos.load_upright(stored.read())
        enrolment.bring_up_to_date(snapshot.session)
        second.bring_up_to_date(snapshot.session)
        faces = current_engine().analyse(image)
        look = _Look(
            faces,
            why_unusable(image, faces),
            moods.read(snapshot, image, faces, current_engine().detector.name),
            second.read(faces),
        )
        return _write(claim, snapshot, look, time.monotonic() - started)
    except faults.PART_IS_AWAY as error:
        log.warning("photo %s waits for a part of the site: %s", snapshot_id, error)
        return hand_back(claim)
    except (InterfaceError, OperationalError):
        raise  # nothing can be written down now: the lease brings the photo back
    except Exception as error:
        log.exception("photo %s could not be processed", snapshot_id)
        return give_up_or_retry(claim, f"{type(error).__name__}: {error}")


def claim_snapshot(snapshot_id: int) -> Claim | None:
    """Take the lease, by the database's clock. Attempts are counted here, so that a crash counts too."""
    claim = Claim(snapshot_id, uuid.uuid4())
    taken = (
        Snapshot.objects.filter(pk=snapshot_id, attempts__lt=settings.ROLLCALL_MAX_ATTEMPTS)
        .filter(
            Q(state__in=[Snapshot.State.RECEIVED, Snapshot.State.QUEUED])
            | Q(state=Snapshot.State.PROCESSING, lease_until__lt=Now())
        )
        .update(
            state=Snapshot.State.PROCESSING,
            token=claim.token,
            lease_until=Now() + dt.timedelta(seconds=settings.ROLLCALL_LEASE_SECONDS),
            attempts=F("attempts") + 1,
        )
    )
    return claim if taken else None


def hand_back(claim: Claim) -> Outcome:
    """The store, a key or a model is away, no fault of the photo: it waits for the sweeper, and no attempt counts."""
    ours = Snapshot.objects.filter(pk=claim.snapshot_id, token=claim.token, state=Snapshot.State.PROCESSING)
    handed = ours.update(
        state=Snapshot.State.RECEIVED, attempts=F("attempts") - 1, token=None, lease_until=None
    )
    return Outcome.RETRY if handed else Outcome.NOT_OURS


def give_up_or_retry(claim: Claim, error: str) -> Outcome:
    """After the last attempt the photo is quarantined with its error; before it, it goes back to the queue."""
    ours = Snapshot.objects.filter(pk=claim.snapshot_id, token=claim.token, state=Snapshot.State.PROCESSING)
    with transaction.atomic():
        if ours.filter(attempts__gte=settings.ROLLCALL_MAX_ATTEMPTS).update(
            state=Snapshot.State.FAILED, error=error[:300], token=None, lease_until=None
        ):
            _touch_session_of(claim.snapshot_id)
            return Outcome.FAILED
        if not ours.update(state=Snapshot.State.RECEIVED, error=error[:300], token=None, lease_until=None):
            return Outcome.NOT_OURS
    session = ClassSession.objects.filter(snapshots=claim.snapshot_id)
    intake.enqueue(claim.snapshot_id, urgent=session.filter(state=ClassSession.State.OPEN).exists())
    return Outcome.RETRY


def why_unusable(image: photos.UprightPhoto, faces: Sequence[Face]) -> str:
    """Why a photo proves nothing about who is missing; blank for a usable one.

    A photo with a clear face in it is usable however dark its corners are. Limits: mean grey under 8 of 255
    (black), under 30 (dark), over 245 (bright); standard deviation of the Laplacian of the photo at 640 pixels
    width under 3 (blurred), checked against photos darkened and blurred on purpose.
    """
    if any(face.quality.overall >= 0.3 for face in faces):
        return ""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    mean = float(grey.mean())
    if mean < 8:
        return Snapshot.Unusable.BLACK
    if mean < 30:
        return Snapshot.Unusable.DARK
    if mean > 245:
        return Snapshot.Unusable.BRIGHT
    scale = 640 / grey.shape[1]
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else grey
    if float(cv2.Laplacian(small, cv2.CV_64F).std()) < 3.0:
        return Snapshot.Unusable.BLURRED
    return ""


def identify_faces(session: ClassSession, faces: Sequence[Face]) -> tuple[list[Identification], int]:
    """Recognition's answers for the faces of one photo, and the gallery version they were made with."""
    answers, version = _identify(session, faces, None)
    return [answer.identification for answer in answers], version


def _identify(
    session: ClassSession, faces: Sequence[Face], reading: second.Reading | None
) -> tuple[list[Considered], int]:
    """Both networks' answers, as far as the second one read the photo."""
    engine_version = current_engine().version
    version = Course.objects.values_list("gallery_version", flat=True).get(pk=session.course_id)
    gallery = gallery_for(session, engine_version)
    policy = policies.policy_for(session.course_id, engine_version)
    encodings = np.array([face.encoding for face in faces], np.float32)
    rejected = rejected_for(session.course_id, encodings, gallery)
    first = identify(faces, gallery, policy, rejected=rejected)
    return second.consider_all(session, first, reading, rejected, policy), version


def _write(claim: Claim, snapshot: Snapshot, look: _Look, seconds: float) -> Outcome:
    faces = look.faces
    chips: list[str] = []
    try:
        for face in faces:
            chips.append(intake.store("chips", photos.encode_jpeg(face.chip)))
        with transaction.atomic():
            # The course row is the lock that a withdrawal of consent takes as well: whoever is first, the other
            # sees its result, so that nobody is named who left the gallery while the photo was looked at.
            Course.objects.select_for_update().get(pk=snapshot.session.course_id)
            answers, _version = _identify(snapshot.session, faces, look.reading)
            ours = Snapshot.objects.filter(
                pk=claim.snapshot_id, token=claim.token, state=Snapshot.State.PROCESSING
            )
            if not ours.update(
                state=Snapshot.State.DONE,
                processed_at=timezone.now(),
                processing_seconds=seconds,
                faces=len(faces),
                unusable=look.unusable,
                error="",
                token=None,
                lease_until=None,
            ):
                raise _Overtaken
            sightings = _write_sightings(snapshot, faces, [each.identification for each in answers], chips)
            second.store(sightings, answers, look.reading)
            moods.store(snapshot, look.mood)
            marks.recompute(snapshot.session_id)
            marks.touch(snapshot.session_id)
    except _Overtaken:
        _forget(chips)
        return Outcome.NOT_OURS
    except BaseException:
        _forget(chips)
        raise
    return Outcome.DONE


class _Overtaken(Exception):
    """The lease ran out and another worker has the snapshot."""


def _write_sightings(
    snapshot: Snapshot, faces: Sequence[Face], identifications: Sequence[Identification], chips: Sequence[str]
) -> list[Sighting]:
    engine_version = current_engine().version
    sightings = Sighting.objects.bulk_create(
        Sighting(
            snapshot=snapshot,
            index=index,
            left=face.detection.box.left,
            top=face.detection.box.top,
            width=face.detection.box.width,
            height=face.detection.box.height,
            landmarks=[] if face.detection.landmarks is None else face.detection.landmarks.round(1).tolist(),
            detector_score=float(face.detection.score),
            quality=face.quality.overall,
            quality_details={name: round(value, 3) for name, value in asdict(face.quality).items()},
            chip=chip,
            encoding=to_bytes(face.encoding),
            encoder_version=engine_version,
            decision=str(answer.decision),
            reason=answer.reason,
            student_id=named_student(answer),
        )
        for index, (face, answer, chip) in enumerate(zip(faces, identifications, chips, strict=True))
    )
    Candidate.objects.bulk_create(
        Candidate(
            sighting=sighting,
            student_id=candidate.subject_id,
            rank=rank,
            distance=candidate.distance,
            score=candidate.score,
            probability=candidate.probability,
        )
        for sighting, answer in zip(sightings, identifications, strict=True)
        for rank, candidate in enumerate(answer.candidates)
    )
    return sightings


def named_student(answer: Identification) -> int | None:
    """Who a sighting stands for: the recognised student, or an uncertain face's best candidate."""
    if answer.subject_id is not None:
        return answer.subject_id
    if str(answer.decision) == Sighting.Decision.UNCERTAIN and answer.candidates:
        return answer.candidates[0].subject_id
    return None


def _forget(names: Sequence[str]) -> None:
    for name in names:
        default_storage.delete(name)


def _touch_session_of(snapshot_id: int) -> None:
    marks.touch(Snapshot.objects.values_list("session_id", flat=True).get(pk=snapshot_id))
