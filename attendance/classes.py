"""Class sessions: planned, opened, closed, cancelled; each change is checked and followed by a new roll."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from attendance import errors, holidays, marks, rules, schooltime
from attendance.models import ClassSession, Course, Room

DEFAULT_LENGTH = dt.timedelta(minutes=50)
EARLY = dt.timedelta(minutes=10)
"""So long before its start a planned session is the one meant by *now*."""


def plan(
    course: Course, starts_at: dt.datetime, ends_at: dt.datetime, room: Room | None = None, **policy: int
) -> ClassSession:
    """A session in the future or the past, by the course's rules where ``policy`` says nothing else.

    Raises SessionState when it would end before it starts.
    """
    if ends_at <= starts_at:
        raise errors.SessionState(_("A session must end after it starts."))
    by_rules = rules.rules_for(course).session_policy()
    return ClassSession.objects.create(
        course=course, starts_at=starts_at, ends_at=ends_at, room=room, **(by_rules | policy)
    )


def start_now(course: Course, room: Room | None = None) -> ClassSession:
    """Take a roll now: the course's open session, the planned one that is on now, or one that begins this minute."""
    taking = course.sessions.filter(cancelled_at__isnull=True)
    running = taking.filter(state=ClassSession.State.OPEN).order_by("-starts_at").first()
    if running is not None:
        return running
    now = timezone.now().replace(second=0, microsecond=0)
    due = taking.filter(state=ClassSession.State.PLANNED, starts_at__lte=now + EARLY, ends_at__gt=now)
    planned = due.order_by("starts_at").first()
    if planned is not None:
        return open_session(planned)
    return open_session(plan(course, now, now + DEFAULT_LENGTH, room))


def open_session(session: ClassSession) -> ClassSession:
    """Open, or open again. Everybody on the roster has a line from now on. Raises SessionState if open or cancelled."""
    with transaction.atomic():
        changed = (
            ClassSession.objects.filter(pk=session.pk, cancelled_at__isnull=True)
            .exclude(state=ClassSession.State.OPEN)
            .update(state=ClassSession.State.OPEN, opened_at=timezone.now(), closed_at=None)
        )
        if not changed:
            raise errors.SessionState(_("This session is open already, or cancelled."))
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


def cancel(session: ClassSession, by: User, reason: str = "") -> ClassSession:
    """The lesson does not take place: it takes no photos and counts nowhere until restored. Raises SessionState."""
    changed = ClassSession.objects.filter(pk=session.pk, cancelled_at__isnull=True).update(
        cancelled_at=timezone.now(),
        cancelled_by=by,
        cancel_reason=" ".join(reason.split())[:200],
        roll_version=F("roll_version") + 1,
    )
    if not changed:
        raise errors.SessionState(_("This session is cancelled already."))
    session.refresh_from_db()
    return session


def restore(session: ClassSession) -> ClassSession:
    """The lesson takes place after all, with the marks it had. Raises SessionState unless it is cancelled."""
    changed = ClassSession.objects.filter(pk=session.pk, cancelled_at__isnull=False).update(
        cancelled_at=None, cancelled_by=None, cancel_reason="", roll_version=F("roll_version") + 1
    )
    if not changed:
        raise errors.SessionState(_("This session is not cancelled."))
    session.refresh_from_db()
    return session


def open_due(now: dt.datetime | None = None) -> int:
    """Open the planned sessions of timetables that are on now, where the course goes by the clock; how many.

    Never a cancelled one, never in a holiday, and never one that a person has closed: that is not planned any more.
    """
    now = now or timezone.now()
    due = _by_the_clock(
        ClassSession.objects.filter(
            state=ClassSession.State.PLANNED, cancelled_at__isnull=True, starts_at__lte=now, ends_at__gt=now
        )
    )
    zone = schooltime.school_zone()
    days = [schooltime.school_day(one.starts_at, zone) for one in due]
    off = holidays.between(min(days), max(days)) if days else []
    opened = 0
    for session in due:
        if not holidays.falls_on(session.starts_at, off, zone):
            opened += _unless_somebody_did(open_session, session)
    return opened


def close_finished(now: dt.datetime | None = None) -> int:
    """Close open sessions that are over; how many were closed.

    Sessions of a timetable at their end, where the course goes by the clock; the others once their grace time has
    passed. One that was opened again after its end is left open for the grace time, for whoever opened it.
    """
    now = now or timezone.now()
    over = ClassSession.objects.filter(
        state=ClassSession.State.OPEN, cancelled_at__isnull=True, ends_at__lt=now
    )
    prompt = {one.pk for one in _by_the_clock(over)}
    closed = 0
    for session in over:
        grace = dt.timedelta(minutes=session.grace_minutes)
        end = session.ends_at if session.pk in prompt else session.ends_at + grace
        if session.opened_at is not None and session.opened_at > session.ends_at:
            end = max(end, session.opened_at + grace)
        if end < now:
            closed += _unless_somebody_did(close_session, session)
    return closed


def opens_by_itself(session: ClassSession) -> bool:
    """Whether the clock will open this planned session; two queries at most."""
    if session.state != ClassSession.State.PLANNED or session.is_cancelled:
        return False
    if session.ends_at <= timezone.now() or holidays.on_day(schooltime.school_day(session.starts_at)):
        return False
    return bool(_by_the_clock(ClassSession.objects.filter(pk=session.pk)))


def _by_the_clock(sessions: QuerySet[ClassSession]) -> list[ClassSession]:
    """Those of a timetable, in courses whose rules say that the clock opens and closes; two queries."""
    planned = list(sessions.filter(Q(slot__isnull=False) | Q(import_key__isnull=False)))
    by_course = rules.rules_of({one.course_id for one in planned})
    return [one for one in planned if by_course[one.course_id].by_clock]


def _unless_somebody_did(change: Callable[[ClassSession], ClassSession], session: ClassSession) -> bool:
    """False where a person did the same in the same moment."""
    try:
        change(session)
    except errors.SessionState:
        return False
    return True
