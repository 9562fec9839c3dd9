"""Key presses that say more than who a face is: really absent, the same person, different people, a guest."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from attendance import errors, galleries, marks, reviews, rosters, schooltime
from attendance.desk.settle import faces_of, settle
from attendance.models import (
    ClassSession,
    DeskFact,
    DeskFactFace,
    Mark,
    Review,
    RosterEntry,
    Sighting,
    Student,
)


def really_absent(
    session: ClassSession, student: Student, by: User, *, shown: dict[str, Any] | None = None
) -> DeskFact:
    """None of the faces is the student: absent, by a person's word. Raises AlreadyDecided, NotOnRoster."""
    with transaction.atomic():
        ClassSession.objects.select_for_update().get(pk=session.pk)
        said = _standing(DeskFact.Kind.ABSENT, session).filter(student=student).first()
        if said is not None and said.by_id == by.pk:
            return said
        mark = session.marks.filter(student=student).first()
        if mark is None:
            raise errors.NotOnRoster
        if said is not None or mark.source == Mark.Source.MANUAL:
            raise errors.AlreadyDecided
        before = mark.status
        mark = marks.set_by_hand(session, student, Mark.Status.ABSENT, by)
        moved = [] if before == mark.status else [reviews.MarkMoved(student.pk, before, mark.status)]
        fact = _write(DeskFact.Kind.ABSENT, session, by, student=student, shown=shown, moved=moved)
        fact.mark_change = marks.latest_change(mark)
        fact.save(update_fields=["mark_change"])
    return fact


def merge(session: ClassSession, sighting_ids: Sequence[int], by: User) -> DeskFact:
    """These faces are one person. Raises AlreadyDecided, NothingToMerge, FacesOfOnePhoto."""
    sightings = faces_of(session, sighting_ids)
    if len(sightings) < 2:
        raise errors.NothingToMerge
    if len({face.snapshot_id for face in sightings}) < len(sightings):
        raise errors.FacesOfOnePhoto
    return _bond(DeskFact.Kind.TOGETHER, session, by, [(face, 0) for face in sightings])


def split(session: ClassSession, sighting_ids: Sequence[int], off: Iterable[int], by: User) -> DeskFact:
    """Of these faces, those in ``off`` are somebody else. Raises AlreadyDecided, NothingToSplit."""
    sightings, goes = faces_of(session, sighting_ids), set(off)
    sides = [(face, int(face.pk in goes)) for face in sightings]
    if len({side for _face, side in sides}) < 2:
        raise errors.NothingToSplit
    return _bond(DeskFact.Kind.APART, session, by, sides)


def guest(
    session: ClassSession,
    sighting_ids: Sequence[int],
    student: Student,
    by: User,
    *,
    shown: dict[str, Any] | None = None,
) -> reviews.Decision:
    """The faces are a student of another course, who is no part of this roll: kept as a fact, no mark is made.

    Raises AlreadyDecided, NotElsewhere.
    """
    _must_be_elsewhere(session, student)
    with transaction.atomic():
        decision = settle(session, sighting_ids, Review.Verdict.NOT_IN_CLASS, by, shown=shown)
        if not DeskFact.objects.filter(batch=decision.batch).exists():
            faces = [(word.sighting, 0) for word in decision.reviews]
            _write(
                DeskFact.Kind.GUEST,
                session,
                by,
                student=student,
                shown=shown,
                faces=faces,
                batch=decision.batch,
            )
    return decision


def put_on_roster(
    session: ClassSession,
    sighting_ids: Sequence[int],
    student: Student,
    by: User,
    *,
    shown: dict[str, Any] | None = None,
) -> reviews.Decision:
    """The faces are a student of another course, who belongs to this one from the session's day on.

    Raises AlreadyDecided, NotElsewhere.
    """
    _must_be_elsewhere(session, student)
    batch = uuid.uuid4()
    with transaction.atomic():
        ClassSession.objects.select_for_update().get(pk=session.pk)
        entry = RosterEntry.objects.filter(course=session.course_id, student=student).first()
        before = {"enrolled_on": str(entry.enrolled_on), "left_on": str(entry.left_on)} if entry else None
        day = schooltime.school_day(session.starts_at)
        entry = rosters.add_to_roster(session.course, student, since=day)
        if entry.enrolled_on > day:
            entry.enrolled_on = day
            entry.save(update_fields=["enrolled_on"])
        follow_roster(session)
        decision = settle(session, sighting_ids, Review.Verdict.IS, by, student, shown=shown, batch=batch)
        _write(
            DeskFact.Kind.ON_ROSTER,
            session,
            by,
            student=student,
            shown={**(shown or {}), "roster_before": before},
            moved=decision.moved,
            faces=[(word.sighting, 0) for word in decision.reviews],
            batch=batch,
        )
    return decision


def follow_roster(session: ClassSession) -> None:
    """Galleries, this roll and those of open sessions follow a change of the course's roster."""
    galleries.raise_version(session.course)
    running = session.course.sessions.filter(state=ClassSession.State.OPEN).values_list("pk", flat=True)
    for session_id in {session.pk, *running}:
        marks.recompute(session_id)


def _must_be_elsewhere(session: ClassSession, student: Student) -> None:
    here = marks.roster_on_day(session).filter(student=student).exists()
    elsewhere = RosterEntry.objects.filter(student=student).exclude(course=session.course_id).exists()
    if here or not elsewhere:
        raise errors.NotElsewhere


def _bond(
    kind: DeskFact.Kind, session: ClassSession, by: User, faces: Sequence[tuple[Sighting, int]]
) -> DeskFact:
    with transaction.atomic():
        ClassSession.objects.select_for_update().get(pk=session.pk)
        wanted = {(face.pk, side) for face, side in faces}
        last = _standing(kind, session).prefetch_related("faces").last()
        if last is not None and {(face.sighting_id, face.side) for face in last.faces.all()} == wanted:
            return last  # pressed twice
        return _write(kind, session, by, faces=faces)


def _standing(kind: DeskFact.Kind, session: ClassSession) -> QuerySet[DeskFact]:
    return DeskFact.objects.filter(session=session, kind=kind, undone_at__isnull=True)


def _write(
    kind: DeskFact.Kind,
    session: ClassSession,
    by: User,
    *,
    student: Student | None = None,
    shown: dict[str, Any] | None = None,
    moved: Sequence[reviews.MarkMoved] = (),
    faces: Sequence[tuple[Sighting, int]] = (),
    batch: uuid.UUID | None = None,
) -> DeskFact:
    fact = DeskFact.objects.create(
        kind=kind,
        session=session,
        student=student,
        batch=batch or uuid.uuid4(),
        by=by,
        at=timezone.now(),
        shown=shown or {},
        changed=[move.as_fact for move in moved],
    )
    DeskFactFace.objects.bulk_create(
        DeskFactFace(fact=fact, sighting=face, side=side) for face, side in faces
    )
    marks.touch(session.pk)
    return fact
