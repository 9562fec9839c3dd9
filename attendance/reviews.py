"""A person's decision about faces -> facts that stand -> marks again."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from attendance import errors, marks, offers
from attendance.consent_faces import drop_faces_without_consent
from attendance.models import ClassSession, Review, Sighting, Student

FINAL = (Review.Verdict.IS, Review.Verdict.NOT_IN_CLASS, Review.Verdict.NOT_A_FACE)
"""Verdicts of which one stands for a face; *is not* may stand for several students beside it."""


@dataclass(frozen=True, slots=True)
class MarkMoved:
    """A mark that reads differently after a decision."""

    student_id: int
    before: str
    after: str

    @property
    def as_fact(self) -> dict[str, int | str]:
        return {"student": self.student_id, "from": self.before, "to": self.after}


@dataclass(frozen=True, slots=True)
class Decision:
    """What one key press did; ``batch`` takes it back."""

    batch: uuid.UUID
    reviews: tuple[Review, ...]
    moved: tuple[MarkMoved, ...]


def decide(sighting: Sighting, verdict: str, by: User, student: Student | None = None) -> Review:
    """A person's word about one face; see ``decide_all``."""
    return decide_all([sighting], verdict, by, student).reviews[0]


def decide_all(
    sightings: Sequence[Sighting],
    verdict: str,
    by: User,
    student: Student | None = None,
    *,
    shown: Mapping[str, Any] | None = None,
    unless_decided: bool = False,
    batch: uuid.UUID | None = None,
) -> Decision:
    """Record a person's word about the faces of one session and take the roll again, in one transaction.

    A later word takes the place of an earlier one. With ``unless_decided`` (the desk, where two people may look
    at the same item) a face that somebody else settled in the meantime raises AlreadyDecided and nothing is stored;
    what this person has said already is not said twice. ``batch``: of a larger key press this is a part of.
    Raises UnknownStatus for a verdict that does not exist or lacks its student, NotOnRoster for a student of
    another class.
    """
    if verdict not in Review.Verdict.values or (verdict in ("is", "is_not")) != (student is not None):
        raise errors.UnknownStatus
    if not sightings:
        raise errors.NothingToUndo
    session = sightings[0].snapshot.session
    if verdict == Review.Verdict.IS and not marks.roster_on_day(session).filter(student=student).exists():
        raise errors.NotOnRoster
    batch = batch or uuid.uuid4()
    try:
        with transaction.atomic():
            ClassSession.objects.select_for_update().get(pk=session.pk)
            standing = Review.objects.filter(sighting__in=sightings, undone_at__isnull=True)
            if unless_decided and standing.filter(verdict__in=FINAL).exclude(by=by).exists():
                raise errors.AlreadyDecided
            said = standing.filter(verdict=verdict, student=student, by=by)
            if unless_decided and said.count() == len(sightings):
                words = tuple(said)
                return Decision(words[0].batch, words, ())
            before = _statuses(session)
            written = tuple(
                _record(sighting, verdict, by, student, batch, dict(shown or {})) for sighting in sightings
            )
            if verdict == Review.Verdict.IS and student is not None:
                drop_faces_without_consent(student, [sighting.pk for sighting in sightings])
            marks.recompute(session.pk)
            marks.touch(session.pk)
            moved = _moved(before, _statuses(session))
            _drop_unfounded([sighting.pk for sighting in sightings])
            own = [word.pk for word in written if word.batch == batch][:1]
            Review.objects.filter(pk__in=own).update(changed=[move.as_fact for move in moved])
    except IntegrityError as error:
        raise errors.AlreadyDecided from error
    return Decision(batch, written, moved)


def undo(review: Review, by: User) -> None:
    """Take a word back; another fact, nothing is deleted. Raises NothingToUndo when it was taken back already."""
    _undo(Review.objects.filter(pk=review.pk), by)


def undo_batch(batch: uuid.UUID, by: User) -> None:
    """Take back everything one key press said. Raises NothingToUndo when that was done already, or when somebody
    said something else about all of these faces since."""
    _undo(Review.objects.filter(batch=batch), by)


def _undo(words: QuerySet[Review], by: User) -> None:
    """Faces somebody spoke about since keep the later word; the others get back what stood before."""
    with transaction.atomic():
        sessions = sorted(set(words.values_list("sighting__snapshot__session_id", flat=True)))
        # Locked first, in one order: a decision on the same face comes before or after, never in between.
        list(ClassSession.objects.select_for_update().filter(pk__in=sessions).order_by("pk"))
        standing = list(words.filter(undone_at__isnull=True))
        if not standing:
            raise errors.NothingToUndo
        now = timezone.now()
        Review.objects.filter(pk__in=[word.pk for word in standing]).update(undone_at=now, undone_by=by)
        for word in standing:
            _restore(word)
        _drop_unfounded([word.sighting_id for word in standing])
        for session_id in sessions:
            marks.recompute(session_id)
            marks.touch(session_id)


def _drop_unfounded(sighting_ids: list[int]) -> None:
    """Templates made from these faces go with the word they rest on, once it is committed: courses are locked
    before sessions."""
    transaction.on_commit(lambda: offers.drop_unfounded(sighting_ids), robust=True)


def _restore(word: Review) -> None:
    """What this word took the place of stands again, as a fact of its own."""
    about = Review.objects.filter(sighting=word.sighting_id)
    for before in about.filter(undone_at=word.at, undone_by=word.by_id).exclude(pk=word.pk):
        standing = about.filter(undone_at__isnull=True)
        final = Q(verdict__in=FINAL) if before.verdict in FINAL else Q(verdict=Review.Verdict.IS)
        if standing.filter(final | Q(verdict=before.verdict, student=before.student_id)).exists():
            continue  # somebody has said something else about this face since
        Review.objects.create(
            sighting_id=before.sighting_id,
            verdict=before.verdict,
            student_id=before.student_id,
            by_id=before.by_id,
            at=before.at,
            batch=before.batch,
            shown={**before.shown, "stands_again": before.pk},
        )


def _record(
    sighting: Sighting,
    verdict: str,
    by: User,
    student: Student | None,
    batch: uuid.UUID,
    shown: dict[str, Any],
) -> Review:
    now = timezone.now()
    standing = sighting.reviews.filter(undone_at__isnull=True)
    if verdict in FINAL:
        standing.filter(verdict__in=FINAL).update(undone_at=now, undone_by=by)
    if verdict == Review.Verdict.IS:
        standing.filter(verdict=Review.Verdict.IS_NOT, student=student).update(undone_at=now, undone_by=by)
    if verdict == Review.Verdict.IS_NOT:
        standing.filter(verdict=Review.Verdict.IS, student=student).update(undone_at=now, undone_by=by)
        known = standing.filter(verdict=Review.Verdict.IS_NOT, student=student).first()
        if known is not None:
            return known
    return Review.objects.create(
        sighting=sighting, verdict=verdict, student=student, by=by, at=now, batch=batch, shown=shown
    )


def _statuses(session: ClassSession) -> dict[int, str]:
    return dict(session.marks.values_list("student_id", "status"))


def _moved(before: Mapping[int, str], after: Mapping[int, str]) -> tuple[MarkMoved, ...]:
    return tuple(
        MarkMoved(student_id, before.get(student_id, ""), status)
        for student_id, status in sorted(after.items())
        if before.get(student_id, "") != status
    )
