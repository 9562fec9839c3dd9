"""Class sessions: planned, opened, closed; each change is checked and followed by a new roll."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from attendance import errors, marks
from attendance.models import ClassSession, Course, Room

DEFAULT_LENGTH = dt.timedelta(minutes=50)


def plan(
    course: Course, starts_at: dt.datetime, ends_at: dt.datetime, room: Room | None = None, **policy: int
) -> ClassSession:
    """A session in the future or the past. Raises SessionState when it would end before it starts."""
    if ends_at <= starts_at:
        raise errors.SessionState(_("A session must end after it starts."))
    return ClassSession.objects.create(
        course=course, starts_at=starts_at, ends_at=ends_at, room=room, **policy
    )


def start_now(course: Course, room: Room | None = None) -> ClassSession:
    """Take a roll now: the course's open session, or a new one that begins this minute."""
    running = course.sessions.filter(state=ClassSession.State.OPEN).order_by("-starts_at").first()
    if running is not None:
        return running
    now = timezone.now().replace(second=0, microsecond=0)
    return open_session(plan(course, now, now + DEFAULT_LENGTH, room))


def open_session(session: ClassSession) -> ClassSession:
    """Open, or open again. Everybody on the roster has a line from now on. Raises SessionState if open."""
    with transaction.atomic():
        changed = (
            ClassSession.objects.filter(pk=session.pk)
            .exclude(state=ClassSession.State.OPEN)
            .update(state=ClassSession.State.OPEN, opened_at=timezone.now(), closed_at=None)
        )
        if not changed:
            raise errors.SessionState(_("This session is open already."))
        marks.recompute(session.pk)
    session.refresh_from_db()
    return session


def close_session(session: ClassSession) -> ClassSession:
    """Close: who was not seen is now absent, or not evaluated. Raises SessionState unless open."""
    with transaction.atomic():
        changed = ClassSession.objects.filter(pk=session.pk, state=ClassSession.State.OPEN).update(
            state=ClassSession.State.CLOSED, closed_at=timezone.now()
        )
        if not changed:
            raise errors.SessionState(_("Only an open session can be closed."))
        marks.recompute(session.pk)
    session.refresh_from_db()
    return session


def close_finished(now: dt.datetime | None = None) -> int:
    """Close open sessions whose end and grace time have passed; how many were closed."""
    now = now or timezone.now()
    closed = 0
    for session in ClassSession.objects.filter(state=ClassSession.State.OPEN, ends_at__lt=now):
        if session.ends_at + dt.timedelta(minutes=session.grace_minutes) < now:
            try:
                close_session(session)
            except errors.SessionState:
                continue  # somebody closed it in the same moment
            closed += 1
    return closed
