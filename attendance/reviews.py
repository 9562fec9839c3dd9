"""A person's decision about a face -> a fact that stands -> marks again."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from attendance import errors, marks
from attendance.models import Review, Sighting, Student

_FINAL = (Review.Verdict.IS, Review.Verdict.NOT_IN_CLASS, Review.Verdict.NOT_A_FACE)


def decide(sighting: Sighting, verdict: str, by: User, student: Student | None = None) -> Review:
    """Record a person's word about one face and take the roll again.

    A later word of the same kind takes the place of an earlier one of the same person; somebody else's word
    within the same moment is an AlreadyDecided. Raises NotOnRoster for a student of another class.
    """
    session = sighting.snapshot.session
    if verdict not in Review.Verdict.values or (verdict in ("is", "is_not")) != (student is not None):
        raise errors.UnknownStatus
    if verdict == Review.Verdict.IS and not marks.roster_on_day(session).filter(student=student).exists():
        raise errors.NotOnRoster
    try:
        with transaction.atomic():
            now = timezone.now()
            standing = sighting.reviews.filter(undone_at__isnull=True)
            if verdict in _FINAL:
                standing.filter(verdict__in=_FINAL).update(undone_at=now, undone_by=by)
            if verdict == Review.Verdict.IS:
                standing.filter(verdict=Review.Verdict.IS_NOT, student=student).update(
                    undone_at=now, undone_by=by
                )
            if verdict == Review.Verdict.IS_NOT:
                standing.filter(verdict=Review.Verdict.IS, student=student).update(
                    undone_at=now, undone_by=by
                )
                known = standing.filter(verdict=Review.Verdict.IS_NOT, student=student).first()
                if known is not None:
                    return known
            review = Review.objects.create(sighting=sighting, verdict=verdict, student=student, by=by, at=now)
            marks.recompute(session.pk)
            marks.touch(session.pk)
    except IntegrityError as error:
        raise errors.AlreadyDecided from error
    return review


def undo(review: Review, by: User) -> None:
    """Take a word back; another fact, nothing is deleted. Raises NothingToUndo when it was taken back already."""
    with transaction.atomic():
        changed = Review.objects.filter(pk=review.pk, undone_at__isnull=True).update(
            undone_at=timezone.now(), undone_by=by
        )
        if not changed:
            raise errors.NothingToUndo
        session_id = review.sighting.snapshot.session_id
        marks.recompute(session_id)
        marks.touch(session_id)
