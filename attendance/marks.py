"""Writes what the roll says, never over a person's word; and takes a person's word."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from attendance import errors, excuses, rollcall, schooltime
from attendance.faces import Standing, standing_of
from attendance.models import (
    Candidate,
    ClassSession,
    FaceTemplate,
    Mark,
    MarkChange,
    RosterEntry,
    Sighting,
    Snapshot,
    Student,
)
from recognition import evidence
from recognition.policy import MatchPolicy

_MACHINE_FIELDS = ["machine_status", "machine_reason", "first_seen_at", "last_seen_at", "seen_in", "to_check"]
_MARK_FIELDS = [
    "status", "source", "reason", "minutes_late", "minutes_early", "decided_by", "decided_at", *_MACHINE_FIELDS
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class RecomputeResult:
    created: int
    changed: int
    removed: int


def roster_on_day(session: ClassSession) -> QuerySet[RosterEntry]:
    """Who belonged to the course on the session's day; a lesson before enrolment does not count."""
    day = schooltime.school_day(session.starts_at)
    return RosterEntry.objects.filter(
        Q(left_on__isnull=True) | Q(left_on__gt=day), course_id=session.course_id, enrolled_on__lte=day
    )


def recompute(session_id: int) -> RecomputeResult:
    """Take the roll from the facts and write it. Doing it twice changes nothing the second time."""
    with transaction.atomic():
        session = ClassSession.objects.select_for_update().get(pk=session_id)
        lines = {line.student_id: line for line in _take_roll(session)}
        existing = {mark.student_id: mark for mark in session.marks.all()}
        excused = excuses.covering_session(session)
        now = timezone.now()
        new: list[Mark] = []
        changed: list[Mark] = []
        for student_id, line in lines.items():
            mark = existing.get(student_id)
            if mark is None:
                mark = Mark(session=session, student_id=student_id, decided_at=now)
                _lay_on(mark, line, student_id in excused)
                new.append(mark)
                continue
            before = [getattr(mark, name) for name in _MARK_FIELDS]
            _lay_on(mark, line, student_id in excused)
            if [getattr(mark, name) for name in _MARK_FIELDS] != before:
                if mark.source != Mark.Source.MANUAL:
                    mark.decided_at = now
                changed.append(mark)
        # Who left the roster keeps what a person said, and loses what only the machine said.
        gone = [
            mark.pk
            for student_id, mark in existing.items()
            if student_id not in lines and mark.source == Mark.Source.RECOGNISED
        ]
        Mark.objects.bulk_create(new)
        Mark.objects.bulk_update(changed, _MARK_FIELDS, batch_size=200)
        Mark.objects.filter(pk__in=gone).delete()
        result = RecomputeResult(len(new), len(changed), len(gone))
        if result.created or result.changed or result.removed:
            touch(session.pk)
        return result


def set_by_hand(
    session: ClassSession, student: Student, status: str, by: User, note: str | None = None
) -> Mark:
    """A person's mark; nothing the machine finds later changes it. Raises UnknownStatus, NotOnRoster."""
    if status not in Mark.Status.values:
        raise errors.UnknownStatus
    with transaction.atomic():
        ClassSession.objects.select_for_update().get(pk=session.pk)
        mark = session.marks.filter(student=student).first()
        if mark is None:
            if not roster_on_day(session).filter(student=student).exists():
                raise errors.NotOnRoster
            mark = Mark(session=session, student=student, decided_at=timezone.now())
            mark.save()
        _change(mark, status, Mark.Source.MANUAL, by)
        if note is not None:
            mark.note = note[:300]
            mark.save(update_fields=["note"])
        touch(session.pk)
    return mark


def set_rest_by_hand(session: ClassSession, status: str, by: User) -> int:
    """One status for everybody still *not evaluated*: a whole class by hand in a minute. How many were set."""
    if status not in Mark.Status.values:
        raise errors.UnknownStatus
    with transaction.atomic():
        ClassSession.objects.select_for_update().get(pk=session.pk)
        open_marks = list(
            session.marks.filter(status=Mark.Status.NOT_EVALUATED).exclude(source=Mark.Source.MANUAL)
        )
        for mark in open_marks:
            _change(mark, status, Mark.Source.MANUAL, by)
        touch(session.pk)
    return len(open_marks)


BY_CODE = "qr"
"""Reason of a mark made by signing in with the code on the projector."""
MOST_MINUTES = 32_767
"""A mark's minutes late; what its column holds on every database."""


def set_by_code(session: ClassSession, student: Student, by: User, at: dt.datetime) -> Mark:
    """A student signed in at ``at``; ``by`` shows the code and answers for it. Raises NotOnRoster.

    What a person said before stands. Whom the camera saw earlier came then, and is not late by signing in later.
    """
    with transaction.atomic():
        ClassSession.objects.select_for_update().get(pk=session.pk)
        mark = session.marks.filter(student=student).first()
        if mark is None:
            if not roster_on_day(session).filter(student=student).exists():
                raise errors.NotOnRoster
            mark = Mark.objects.create(session=session, student=student, decided_at=at)
        if mark.source == Mark.Source.MANUAL:
            return mark
        minutes = int((at - session.starts_at).total_seconds() // 60)
        minutes = min(minutes, MOST_MINUTES)
        if mark.status == Mark.Status.LATE and mark.minutes_late is not None:
            minutes = min(minutes, mark.minutes_late)
        late = minutes > session.late_after_minutes and mark.status != Mark.Status.PRESENT
        _change(mark, Mark.Status.LATE if late else Mark.Status.PRESENT, Mark.Source.MANUAL, by)
        mark.reason, mark.minutes_late, mark.to_check = BY_CODE, minutes if late else None, False
        mark.save(update_fields=["reason", "minutes_late", "to_check"])
        touch(session.pk)
    return mark


def undo(mark: Mark, by: User) -> Mark:
    """Take the latest change by hand back, to what stood before it; both stay in its history. Raises NothingToUndo."""
    with transaction.atomic():
        ClassSession.objects.select_for_update().get(pk=mark.session_id)
        mark = Mark.objects.get(pk=mark.pk)
        last = latest_change(mark)
        if last is None or mark.source != Mark.Source.MANUAL:
            raise errors.NothingToUndo
        now = timezone.now()
        MarkChange.objects.filter(pk=last.pk).update(undone_at=now, undone_by=by)
        if last.old_source == Mark.Source.MANUAL:
            mark.status, mark.decided_by, mark.decided_at = last.old_status, by, now
            mark.save()
        else:
            _give_back_to_machine(mark)
        touch(mark.session_id)
    mark.refresh_from_db()
    return mark


def latest_change(mark: Mark) -> MarkChange | None:
    """The latest change by hand that nobody took back."""
    return mark.changes.filter(undone_at__isnull=True).first()


def lay_excuse(session_id: int, student_id: int) -> bool:
    """An excuse came or went: one student's mark follows, unless a person set it. Whether it changed.

    The roll is not taken again: an old session's other marks are none of the excuse's business.
    """
    with transaction.atomic():
        session = ClassSession.objects.select_for_update().get(pk=session_id)
        mark = session.marks.filter(student=student_id).exclude(source=Mark.Source.MANUAL).first()
        if mark is None:
            return False
        excused = student_id in excuses.covering_session(session)
        status, reason = rollcall.with_excuse(mark.machine_status, mark.machine_reason, excused)
        if (excused is False and mark.status != rollcall.EXCUSED) or status == mark.status:
            return False
        mark.status, mark.reason, mark.decided_at = status, reason, timezone.now()
        mark.save(update_fields=["status", "reason", "decided_at"])
        touch(session.pk)
    return True


def touch(session_id: int) -> None:
    """Whatever shows this session is out of date."""
    ClassSession.objects.filter(pk=session_id).update(roll_version=F("roll_version") + 1)


def _change(mark: Mark, status: str, source: str, by: User) -> None:
    now = timezone.now()
    MarkChange.objects.create(
        mark=mark,
        by=by,
        at=now,
        old_status=mark.status,
        old_source=mark.source,
        new_status=status,
        new_source=source,
    )
    mark.status, mark.source, mark.reason = status, source, ""
    mark.minutes_late = mark.minutes_early = None
    mark.to_check = False  # it waits for nobody any more
    mark.decided_by, mark.decided_at = by, now
    mark.save()


def _give_back_to_machine(mark: Mark) -> None:
    mark.source, mark.decided_by = Mark.Source.RECOGNISED, None
    mark.status, mark.decided_at = mark.machine_status, timezone.now()
    mark.save()
    recompute(mark.session_id)


def _lay_on(mark: Mark, line: rollcall.Line, excused: bool) -> None:
    mark.machine_status, mark.machine_reason = str(line.status), str(line.reason)
    mark.first_seen_at, mark.last_seen_at = line.first_seen_at, line.last_seen_at
    mark.seen_in, mark.to_check = line.seen_in, line.to_check
    if mark.source == Mark.Source.MANUAL:
        mark.to_check = False
        return
    mark.status, mark.reason = rollcall.with_excuse(line.status, line.reason, excused)
    mark.source = str(line.source)
    mark.minutes_late, mark.minutes_early = line.minutes_late, line.minutes_early
    mark.decided_by = None


def _take_roll(session: ClassSession) -> list[rollcall.Line]:
    templates = FaceTemplate.objects.filter(student_id=OuterRef("student_id"))
    roster = [
        rollcall.RosterMember(student_id, has_templates)
        for student_id, has_templates in roster_on_day(session)
        .annotate(has_templates=Exists(templates))
        .order_by("student_id")
        .values_list("student_id", "has_templates")
    ]
    photos = [
        rollcall.Photo(snapshot.pk, snapshot.taken_at, not snapshot.unusable, snapshot.camera_id)
        for snapshot in session.snapshots.filter(state=Snapshot.State.DONE)
    ]
    facts = rollcall.SessionFacts(
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        final=session.state == ClassSession.State.CLOSED,
        policy=rollcall.Policy(
            late_after_minutes=session.late_after_minutes,
            early_before_minutes=session.early_before_minutes,
            min_sightings=session.min_sightings,
            min_usable_photos=session.min_usable_photos,
        ),
    )
    faces = _faces(session)
    return rollcall.take_roll(facts, roster, photos, [face.seen for face in faces], _evidence(faces, photos))


@dataclass(frozen=True, slots=True)
class _Face:
    """A face that stands for a student, and how probable recognition thought that."""

    seen: rollcall.Seen
    probability: float | None
    encoder_version: str


def _faces(session: ClassSession) -> list[_Face]:
    sightings = Sighting.objects.filter(snapshot__session=session, snapshot__state=Snapshot.State.DONE)
    chances = dict(
        Candidate.objects.filter(
            sighting__snapshot__session=session, student_id=F("sighting__student_id")
        ).values_list("sighting_id", "probability")
    )
    found = []
    for sighting in sightings.defer("encoding").prefetch_related("reviews"):
        face = standing_of(sighting, sighting.reviews.all())
        if face.student_id is not None and face.standing in (Standing.NAMED, Standing.TO_CHECK):
            seen = rollcall.Seen(
                student_id=face.student_id,
                photo_id=sighting.snapshot_id,
                certain=face.standing is Standing.NAMED,
                confirmed=face.confirmed,
            )
            found.append(_Face(seen, chances.get(sighting.pk), sighting.encoder_version))
    return found


def _evidence(faces: Iterable[_Face], photos: Iterable[rollcall.Photo]) -> dict[int, rollcall.Evidence]:
    """What each student's sightings weigh together; students with an uncalibrated sighting are left out."""
    by_student: dict[int, list[_Face]] = defaultdict(list)
    for face in faces:
        if not face.seen.confirmed:
            by_student[face.seen.student_id].append(face)
    moment_of = rollcall.moments(photos)
    weights = {}
    for student_id, own in by_student.items():
        sightings = [
            evidence.SightingEvidence(moment_of[face.seen.photo_id], face.probability)
            for face in own
            if face.probability is not None
        ]
        if len(sightings) == len(own):
            policy = MatchPolicy.default_for(own[0].encoder_version)
            weights[student_id] = rollcall.Evidence(evidence.presence(sightings, policy).decision)
    return weights
