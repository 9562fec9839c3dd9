"""Taking a key press back, whatever it was."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from attendance import errors, marks, reviews
from attendance.desk.facts import follow_roster
from attendance.models import ClassSession, DeskFact, Mark, Review, RosterEntry


@dataclass(frozen=True, slots=True)
class Press:
    """What one key press said and did."""

    sessions: frozenset[int]
    faces: int
    marks: int
    """Marks it changed."""


def press_of(batch: uuid.UUID) -> Press | None:
    """None where nobody pressed this."""
    words = list(Review.objects.filter(batch=batch).select_related("sighting__snapshot"))
    facts = list(DeskFact.objects.filter(batch=batch))
    if not words and not facts:
        return None
    sessions = {word.sighting.snapshot.session_id for word in words} | {fact.session_id for fact in facts}
    changed = sum(len(word.changed) for word in words) or sum(len(fact.changed) for fact in facts)
    return Press(frozenset(sessions), len({word.sighting_id for word in words}), changed)


def undo(batch: uuid.UUID, by: User) -> None:
    """Take back everything one key press said and did, as far as nobody said something else since.

    Raises NothingToUndo when nothing of it stands any more.
    """
    with transaction.atomic():
        sessions = Review.objects.filter(batch=batch).values("sighting__snapshot__session_id")
        own = DeskFact.objects.filter(batch=batch)
        locked = ClassSession.objects.filter(pk__in=sessions) | ClassSession.objects.filter(
            pk__in=own.values("session_id")
        )
        list(ClassSession.objects.select_for_update().filter(pk__in=locked.values("pk")).order_by("pk"))
        facts = list(own.filter(undone_at__isnull=True).select_related("session__course"))
        words = Review.objects.filter(batch=batch, undone_at__isnull=True).exists()
        if not facts and not words:
            raise errors.NothingToUndo
        own.filter(undone_at__isnull=True).update(undone_at=timezone.now(), undone_by=by)
        if words:
            reviews.undo_batch(batch, by)
        for fact in facts:
            _take_back(fact, by)
            marks.touch(fact.session_id)


def _take_back(fact: DeskFact, by: User) -> None:
    """What the fact did besides being said; a later change by somebody stays."""
    if fact.kind == DeskFact.Kind.ABSENT:
        mark = Mark.objects.filter(session=fact.session_id, student=fact.student_id).first()
        if mark is not None and fact.mark_change_id and marks.latest_change(mark) == fact.mark_change:
            marks.undo(mark, by)
    if fact.kind == DeskFact.Kind.ON_ROSTER:
        _roster_as_before(fact)


def _roster_as_before(fact: DeskFact) -> None:
    entry = RosterEntry.objects.filter(course=fact.session.course_id, student=fact.student_id).first()
    before = fact.shown.get("roster_before")
    if entry is None:
        return
    if before is None:
        entry.delete()
    else:
        entry.enrolled_on = dt.date.fromisoformat(before["enrolled_on"])
        entry.left_on = None if before["left_on"] == "None" else dt.date.fromisoformat(before["left_on"])
        entry.save(update_fields=["enrolled_on", "left_on"])
    follow_roster(fact.session)
