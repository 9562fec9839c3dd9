"""Why a mark reads as it does: everything that led to it, in time order.

``timeline`` is pure: plain facts in, events out. ``of_mark`` reads the facts in a fixed number of queries.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.contrib.auth.models import User
from django.db.models import Prefetch, Q

from attendance.models import (
    Candidate,
    ClassSession,
    Consent,
    Contest,
    DeskFact,
    Mark,
    MarkChange,
    Review,
    Sighting,
    Snapshot,
    Student,
)


class Kind(StrEnum):
    RECOGNISED = "recognised"
    UNSURE = "unsure"
    UNKNOWN = "unknown"
    """A face that recognition gave no name, and that a person spoke about with this student in mind."""
    NOT_SEEN = "not_seen"
    """A usable photo without this student."""
    UNUSABLE = "unusable"
    """A photo that proves nothing about who is missing."""
    SAID = "said"
    """A person's word about a face."""
    TAKEN_BACK = "taken_back"
    CHANGED = "changed"
    """The mark, by hand."""
    DESK = "desk"
    """A person's word about the student's whole session at the desk."""
    CONTESTED = "contested"
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"
    """Consent; what was known about the face went with it."""


@dataclass(frozen=True, slots=True)
class PhotoFact:
    photo_id: int
    taken_at: dt.datetime
    unusable: str = ""


@dataclass(frozen=True, slots=True)
class FaceFact:
    """One face that counts, counted or was spoken about as this student's."""

    sighting_id: int
    photo_id: int
    taken_at: dt.datetime
    decision: str
    reason: str
    about_student: bool
    """Recognition itself had this student in mind."""
    quality: float
    pixels: int
    has_crop: bool
    probability: float | None = None
    distance: float | None = None
    second: str = ""
    """The second network: ``agrees``, ``differs``, ``unsure`` or blank where it was not asked."""


@dataclass(frozen=True, slots=True)
class WordFact:
    """Something a person did, and perhaps took back."""

    kind: Kind
    at: dt.datetime
    by: str
    what: str
    """Verdict of a review, status of a change, kind of a contest or desk fact, answer's state."""
    before: str = ""
    """What a mark read before it was changed."""
    note: str = ""
    sighting_id: int | None = None
    photo_at: dt.datetime | None = None
    student: str = ""
    """Whom a verdict names, where it is somebody else."""
    undone_at: dt.datetime | None = None
    undone_by: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the history."""

    at: dt.datetime
    kind: Kind
    face: FaceFact | None = None
    photo: PhotoFact | None = None
    word: WordFact | None = None


def timeline(
    photos: Sequence[PhotoFact], faces: Sequence[FaceFact], words: Sequence[WordFact]
) -> list[Event]:
    """Every fact as one event, a word taken back as two; in time order, whatever order the facts come in.

    Photos without a face of this student come as ``NOT_SEEN``, or ``UNUSABLE`` where they prove nothing.
    """
    named = {word.sighting_id for word in words if _names_the_student(word)}
    seen_on = {face.photo_id for face in faces if face.about_student or face.sighting_id in named}
    events = [Event(face.taken_at, _kind_of(face), face=face) for face in faces]
    for photo in photos:
        if photo.unusable:
            events.append(Event(photo.taken_at, Kind.UNUSABLE, photo=photo))
        elif photo.photo_id not in seen_on:
            events.append(Event(photo.taken_at, Kind.NOT_SEEN, photo=photo))
    for word in words:
        events.append(Event(word.at, word.kind, word=word))
        if word.undone_at is not None:
            events.append(Event(word.undone_at, Kind.TAKEN_BACK, word=word))
    return sorted(events, key=_order)


def _kind_of(face: FaceFact) -> Kind:
    if not face.about_student:
        return Kind.UNKNOWN
    return Kind.RECOGNISED if face.decision == Sighting.Decision.RECOGNISED else Kind.UNSURE


def _names_the_student(word: WordFact) -> bool:
    stands = word.undone_at is None and not word.student
    return stands and word.kind is Kind.SAID and word.what == Review.Verdict.IS


def _order(event: Event) -> tuple[dt.datetime, bool, bool, int]:
    """What cameras saw before what people said about it in the same moment; then as the facts were stored."""
    about = event.face.sighting_id if event.face else event.photo.photo_id if event.photo else 0
    return event.at, event.word is not None, event.face is None, about


@dataclass(frozen=True, slots=True)
class MarkHistory:
    """A mark with everything that led to it."""

    session: ClassSession
    mark: Mark
    events: list[Event]
    usable_photos: int
    consent_withdrawn_at: dt.datetime | None = None


def of_mark(session: ClassSession, student: Student) -> MarkHistory:
    """The history of one mark; nine queries, however much happened. Raises Mark.DoesNotExist."""
    mark = session.marks.select_related("student", "decided_by").get(student=student)
    snapshots = list(
        session.snapshots.filter(state=Snapshot.State.DONE).only("session", "taken_at", "unusable")
    )
    photos = [PhotoFact(each.pk, each.taken_at, each.unusable) for each in snapshots]
    sightings = _sightings(session, student)
    faces = [_face(each, student) for each in sightings]
    words = [word for sighting in sightings for word in _reviews(sighting, student)]
    words += _changes(mark) + _desk(session, student) + _contests(session, student)
    gone = student.consent_events.filter(state=Consent.State.WITHDRAWN).select_related("recorded_by").first()
    if gone is not None:
        words.append(WordFact(Kind.WITHDRAWN, gone.recorded_at, _name(gone.recorded_by), "withdrawn"))
    return MarkHistory(
        session,
        mark,
        timeline(photos, faces, words),
        usable_photos=sum(not photo.unusable for photo in photos),
        consent_withdrawn_at=gone.recorded_at if gone else None,
    )


def _sightings(session: ClassSession, student: Student) -> list[Sighting]:
    spoken_about = Q(reviews__student=student)
    own = Candidate.objects.filter(student=student)
    return list(
        Sighting.objects.filter(Q(student=student) | spoken_about, snapshot__session=session)
        .distinct()
        .select_related("snapshot", "second_opinion")
        .defer("encoding", "landmarks", "quality_details")
        .prefetch_related(
            Prefetch("candidates", queryset=own, to_attr="own_candidates"),
            Prefetch("reviews", queryset=Review.objects.select_related("by", "undone_by", "student")),
        )
        .order_by("snapshot__taken_at", "pk")
    )


def _face(sighting: Sighting, student: Student) -> FaceFact:
    own: list[Candidate] = getattr(sighting, "own_candidates", [])
    nearest = own[0] if own else None
    return FaceFact(
        sighting_id=sighting.pk,
        photo_id=sighting.snapshot_id,
        taken_at=sighting.snapshot.taken_at,
        decision=sighting.decision,
        reason=sighting.reason,
        about_student=sighting.student_id == student.pk,
        quality=sighting.quality,
        pixels=round(max(sighting.width, sighting.height)),
        has_crop=bool(sighting.chip),
        probability=nearest.probability if nearest else None,
        distance=nearest.distance if nearest else None,
        second=_second(sighting, student),
    )


def _second(sighting: Sighting, student: Student) -> str:
    opinion = getattr(sighting, "second_opinion", None)
    if opinion is None:
        return ""
    if opinion.decision != Sighting.Decision.RECOGNISED:
        return "unsure"
    return "agrees" if opinion.student_id == student.pk else "differs"


def _reviews(sighting: Sighting, student: Student) -> list[WordFact]:
    return [
        WordFact(
            Kind.SAID,
            review.at,
            _name(review.by),
            review.verdict,
            sighting_id=sighting.pk,
            photo_at=sighting.snapshot.taken_at,
            student=review.student.full_name if review.student and review.student_id != student.pk else "",
            undone_at=review.undone_at,
            undone_by=_name(review.undone_by),
        )
        for review in sighting.reviews.all()
    ]


def _changes(mark: Mark) -> list[WordFact]:
    changes = MarkChange.objects.filter(mark=mark).select_related("by", "undone_by")
    return [
        WordFact(
            Kind.CHANGED,
            each.at,
            _name(each.by),
            each.new_status,
            before=each.old_status,
            undone_at=each.undone_at,
            undone_by=_name(each.undone_by),
        )
        for each in changes
    ]


def _desk(session: ClassSession, student: Student) -> list[WordFact]:
    facts = DeskFact.objects.filter(session=session, student=student).select_related("by", "undone_by")
    return [
        WordFact(
            Kind.DESK,
            each.at,
            _name(each.by),
            each.kind,
            undone_at=each.undone_at,
            undone_by=_name(each.undone_by),
        )
        for each in facts
    ]


def _contests(session: ClassSession, student: Student) -> list[WordFact]:
    said = Contest.objects.filter(session=session, student=student).select_related(
        "settled_by", "sighting__snapshot"
    )
    words = []
    for each in said:
        photo_at = each.sighting.snapshot.taken_at if each.sighting else None
        words.append(
            WordFact(Kind.CONTESTED, each.at, student.full_name, each.kind, note=each.note, photo_at=photo_at)
        )
        if each.settled_at is not None:
            words.append(
                WordFact(Kind.ANSWERED, each.settled_at, _name(each.settled_by), each.state, note=each.answer)
            )
    return words


def _name(user: User | None) -> str:
    return (user.get_full_name() or user.get_username()) if user else ""
