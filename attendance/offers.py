"""Faces a person put a name to, offered as templates where they add something; accepted in a step of their own.

Confident recognitions are never offered: they only teach what is known. Which corrections add something, and which
would let a gallery drift towards somebody else, ``recognition.growth`` decides; here the facts are read and written.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from numpy.typing import NDArray

from attendance import enrolment, errors, galleries, intake, photos
from attendance.engines import from_bytes, to_bytes
from attendance.models import (
    Consent,
    Course,
    DeclinedOffer,
    FaceTemplate,
    Portrait,
    Review,
    RosterEntry,
    Sighting,
    Student,
)
from recognition import growth
from recognition.gallery import Gallery, Template
from recognition.growth import Growth, Verdict
from recognition.identification import Probe
from recognition.policy import MatchPolicy

LOOKED_AT = 200
"""Latest corrections considered for one list."""
SHOWN = 12
MARGIN = 0.45
"""Of the face's size, kept round it in the picture, so that a later engine finds the face again."""
TURNED = 0.12
"""The nose this far beside the middle, in eye distances, is a turned head."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A face that could become a template of its student."""

    sighting: Sighting
    student: Student
    growth: Growth
    adds: tuple[str, ...]
    """What is new about it: ``turned_left``, ``turned_right``, ``poor_light``, ``small`` or ``looks_different``."""


def offers_for(student: Student) -> list[Offer]:
    """Faces of one student worth a look, the most telling first; four queries."""
    return _offers([student.pk])


def offers_in(course: Course) -> list[Offer]:
    """Faces of a course's roster worth a look, the most telling first; five queries."""
    roster = RosterEntry.objects.filter(course=course, left_on__isnull=True).order_by()
    return _offers(list(roster.values_list("student", flat=True)))


def accept(sighting: Sighting, student: Student, by: User) -> Portrait:
    """The face becomes a portrait of its own origin, with its template; consent is asked of the database.

    Raises OfferGone when it adds nothing any more, was answered, or its photo has expired; ConsentMissing.
    """
    if not enrolment.has_consent(student):
        raise errors.ConsentMissing
    offer = next((each for each in offers_for(student) if each.sighting.pk == sighting.pk), None)
    if offer is None:
        raise errors.OfferGone
    found = Sighting.objects.select_related("snapshot").get(pk=sighting.pk)
    picture = intake.store("portraits", _region(found))
    chip = intake.store("templates", _read(str(found.chip)))
    try:
        with transaction.atomic():
            galleries.lock_courses_of([student.pk])
            portrait = _write(found, student, by, picture, chip)
            galleries.raise_version_for(student)
    except IntegrityError as error:
        for name in (picture, chip):
            default_storage.delete(name)
        if not enrolment.has_consent(student):
            raise errors.ConsentMissing from error
        raise errors.OfferGone from error
    return portrait


def decline(sighting: Sighting, student: Student, by: User) -> None:
    """Not wanted: it is not offered again. Doing it twice changes nothing."""
    DeclinedOffer.objects.get_or_create(
        sighting=sighting, defaults={"student": student, "by": by, "at": timezone.now()}
    )


def undo_decline(sighting: Sighting, student: Student) -> None:
    """Offer it again. Raises NothingToUndo when it was not declined."""
    if not DeclinedOffer.objects.filter(sighting=sighting, student=student).delete()[0]:
        raise errors.NothingToUndo


def drop_unfounded(sighting_ids: Iterable[int] | None = None) -> int:
    """Templates taken from faces that no longer count as their student's go: of these faces, or of all. How many."""
    founded = Review.objects.filter(
        sighting=OuterRef("sighting"),
        student=OuterRef("student"),
        verdict=Review.Verdict.IS,
        undone_at__isnull=True,
    )
    taken = Portrait.objects.filter(~Exists(founded), from_class_at__isnull=False, sighting__isnull=False)
    if sighting_ids is not None:
        taken = taken.filter(sighting__in=list(sighting_ids))
    unfounded = list(taken.select_related("student"))
    for portrait in unfounded:
        enrolment.remove_portrait(portrait)
    return len(unfounded)


# --- what is offered ------------------------------------------------------------------------------
def _offers(students: Sequence[int]) -> list[Offer]:
    # Settled in one go with many others, nobody looked at a face by itself.
    words = [word for word in _corrections(students)[:LOOKED_AT] if not word.shown.get("bulk")]
    if not words:
        return []
    templates = _templates({word.student_id for word in words if word.student_id})
    found = []
    for word in words:
        assert word.student is not None
        sighting = word.sighting
        grown = _judge(sighting, word.student.pk, templates)
        if grown.verdict is Verdict.ADDS:
            found.append(Offer(sighting, word.student, grown, _what_is_new(sighting)))
    found.sort(key=lambda offer: (-offer.growth.nearest, offer.sighting.pk))
    return found[:SHOWN]


def _corrections(students: Sequence[int]) -> QuerySet[Review]:
    """Standing words of people that gave a face a name recognition was not sure of, or had not given.

    Students as numbers: left to look them up itself, a database reads the words about everybody.
    """
    confident = Q(sighting__decision=Sighting.Decision.RECOGNISED, sighting__student=F("student"))
    return (
        Review.objects.filter(
            verdict=Review.Verdict.IS,
            undone_at__isnull=True,
            student__in=students,
            student__consent__state=Consent.State.GIVEN,
            sighting__encoding__isnull=False,
            sighting__declined_offer__isnull=True,
            sighting__portraits__isnull=True,
            sighting__quality__gte=growth.MIN_QUALITY,
        )
        .exclude(confident)
        .exclude(sighting__chip="")
        .exclude(sighting__snapshot__image="")
        .select_related("sighting__snapshot__session__course", "student")
        .order_by("-at", "-pk")
    )


@dataclass(frozen=True, slots=True)
class _Templates:
    """Templates of the students and of everybody who shares a course with them, by engine version."""

    portraits: Mapping[tuple[int, str], Sequence[NDArray[np.float32]]]
    added: Mapping[tuple[int, str], Sequence[NDArray[np.float32]]]
    mates: Mapping[int, frozenset[int]]
    galleries: dict[str, Gallery] = field(default_factory=dict)
    """Everybody's by engine version, made when it is asked for."""

    def others(self, student_id: int, version: str) -> Gallery:
        """Of everybody who shares a course with the student."""
        if version not in self.galleries:
            self.galleries[version] = Gallery.build(
                (
                    Template(student, encoding, 1.0)
                    for kept in (self.portraits, self.added)
                    for (student, engine), encodings in kept.items()
                    for encoding in encodings
                    if engine == version
                ),
                version=version,
            )
        return self.galleries[version].only(self.mates.get(student_id, frozenset()))


def _templates(students: set[int]) -> _Templates:
    rosters: dict[int, set[int]] = defaultdict(set)
    courses = RosterEntry.objects.filter(student__in=students).values("course")
    for course, student in RosterEntry.objects.filter(course__in=courses).values_list("course", "student"):
        rosters[course].add(student)
    mates = {
        student: frozenset().union(*(roster for roster in rosters.values() if student in roster)) - {student}
        for student in students
    }
    wanted = students.union(*mates.values()) if mates else students
    portraits: dict[tuple[int, str], list[NDArray[np.float32]]] = defaultdict(list)
    added: dict[tuple[int, str], list[NDArray[np.float32]]] = defaultdict(list)
    rows = FaceTemplate.objects.filter(
        student__in=wanted, student__consent__state=Consent.State.GIVEN
    ).values_list("student", "encoder_version", "encoding", "portrait__from_class_at")
    for student, version, encoding, from_class_at in rows:
        (portraits if from_class_at is None else added)[student, version].append(from_bytes(encoding or b""))
    return _Templates(portraits, added, mates)


def _judge(sighting: Sighting, student_id: int, templates: _Templates) -> Growth:
    version = sighting.encoder_version
    probe = Probe(_encoding(sighting), sighting.quality, sighting.width)
    return growth.judge(
        probe,
        templates.portraits.get((student_id, version), ()),
        templates.added.get((student_id, version), ()),
        templates.others(student_id, version),
        MatchPolicy.default_for(version),
    )


def _encoding(sighting: Sighting) -> NDArray[np.float32]:
    encoding = sighting.encoding
    assert encoding is not None
    return from_bytes(encoding)


def _what_is_new(sighting: Sighting) -> tuple[str, ...]:
    measured = sighting.quality_details
    found = []
    aside = _aside(sighting.landmarks)
    if abs(aside) > TURNED:
        found.append("turned_right" if aside > 0 else "turned_left")
    if measured.get("light", 1.0) < 0.8:
        found.append("poor_light")
    if measured.get("size", 1.0) < 0.6:
        found.append("small")
    return tuple(found) or ("looks_different",)


def _aside(landmarks: Sequence[Sequence[float]]) -> float:
    """How far the nose lies beside the middle of eyes and mouth, in eye distances; above 0 to the photo's right."""
    if len(landmarks) != 5:
        return 0.0
    points = np.asarray(landmarks, dtype=np.float64)
    eyes, mouth, across = points[:2].mean(0), points[3:].mean(0), points[1] - points[0]
    span = float(np.hypot(*across))
    return float(np.dot(points[2] - (eyes + mouth) / 2, across)) / span**2 if span >= 1 else 0.0


# --- what an accepted offer becomes ---------------------------------------------------------------
def _write(sighting: Sighting, student: Student, by: User, picture: str, chip: str) -> Portrait:
    now = timezone.now()
    portrait = Portrait.objects.create(
        student=student,
        image=picture,
        sha256=hashlib.sha256(f"sighting {sighting.pk}".encode()).hexdigest(),
        state=Portrait.State.ACCEPTED,
        from_class_at=now,
        sighting=sighting,
        uploaded_by=by,
        uploaded_at=now,
        checked_at=now,
    )
    FaceTemplate.objects.create(
        student=student,
        portrait=portrait,
        encoding=to_bytes(_encoding(sighting)),
        encoder_version=sighting.encoder_version,
        quality=sighting.quality,
        chip=chip,
        created_at=now,
    )
    return portrait


def _region(sighting: Sighting) -> bytes:
    """The face with a margin, cut from the photo as JPEG; other people's faces in the cut are painted over."""
    image = photos.load_upright(_read(str(sighting.snapshot.image))).copy()
    height, width = image.shape[:2]
    left, top, right, bottom = _box(sighting)
    neighbours = sighting.snapshot.sightings.exclude(pk=sighting.pk).only("left", "top", "width", "height")
    own = image[max(top, 0) : bottom, max(left, 0) : right].copy()
    for other in neighbours:
        x, y, x_end, y_end = _box(other)
        image[max(y, 0) : max(y_end, 0), max(x, 0) : max(x_end, 0)] = 127
    image[max(top, 0) : bottom, max(left, 0) : right] = own
    across, down = round(sighting.width * MARGIN), round(sighting.height * MARGIN)
    cut = image[
        max(top - down, 0) : min(bottom + down, height), max(left - across, 0) : min(right + across, width)
    ]
    return photos.encode_jpeg(np.ascontiguousarray(cut))


def _box(sighting: Sighting) -> tuple[int, int, int, int]:
    """Left, top, right and bottom in whole pixels; may lie outside the photo."""
    left, top = round(sighting.left), round(sighting.top)
    return left, top, round(left + sighting.width), round(top + sighting.height)


def _read(name: str) -> bytes:
    try:
        with default_storage.open(name) as stored:
            return bytes(stored.read())
    except FileNotFoundError as error:
        raise errors.OfferGone from error
