"""Brings back what the queue lost: photos nobody looks at are queued again, those that kill every worker set aside.

The queue is a hint, the database is the truth.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db.models import Case, Q, When

from attendance import clock, intake, marks
from attendance.models import ClassSession, Snapshot

LOST_AFTER = dt.timedelta(minutes=2)
"""How long a snapshot is believed to be on the queue; after that it is counted whether its task still lies there."""
UNQUEUED_AFTER = dt.timedelta(seconds=20)
IS_BEHIND = Case(When(session__state=ClassSession.State.OPEN, then=0), default=1)
"""Open sessions first: somebody is looking at them."""
SWEPT = 500
"""Most photos queued again at once."""


def sweep(now: dt.datetime | None = None) -> int:
    """Queue again what was received and never queued, queued and lost, or claimed and dead. How many."""
    now = now or clock.now()
    quarantine_dead(now)
    waiting = Snapshot.objects.filter(
        Q(state=Snapshot.State.RECEIVED, received_at__lt=now - UNQUEUED_AFTER)
        | Q(pk__in=_lost(now))
        | Q(state=Snapshot.State.PROCESSING, lease_until__lt=now, attempts__lt=settings.ROLLCALL_MAX_ATTEMPTS)
    )
    queued = 0
    first = waiting.annotate(behind=IS_BEHIND).order_by("behind", "received_at")
    for snapshot_id, behind, state in first.values_list("pk", "behind", "state")[:SWEPT]:
        if not intake.enqueue(snapshot_id, urgent=not behind, again=state == Snapshot.State.PROCESSING):
            break
        queued += 1
    return queued


def _lost(now: dt.datetime) -> list[int]:
    """Snapshots queued a while ago whose tasks are gone: as many as there are more of them than tasks on the queue.

    Tasks come off the queue in turn, open sessions' first, so what would have been next has been lost first. A long
    backlog has a task for each, and nothing of it is queued twice; a portrait's task only makes this wait until the
    queue is shorter.
    """
    queued = Snapshot.objects.filter(state=Snapshot.State.QUEUED)
    old = queued.filter(queued_at__lt=now - LOST_AFTER).order_by(IS_BEHIND, "queued_at", "pk")
    if not old.exists():
        return []
    missing = queued.count() - intake.tasks_waiting()
    return list(old.values_list("pk", flat=True)[: min(max(missing, 0), SWEPT)])


def quarantine_dead(now: dt.datetime) -> int:
    """A photo whose worker died at every attempt is set aside and shown to a person."""
    dead = Snapshot.objects.filter(
        state=Snapshot.State.PROCESSING, lease_until__lt=now, attempts__gte=settings.ROLLCALL_MAX_ATTEMPTS
    )
    sessions = set(dead.values_list("session_id", flat=True))
    count = dead.update(
        state=Snapshot.State.FAILED,
        error="The program that looks at photos ended at each attempt.",
        token=None,
        lease_until=None,
    )
    for session_id in sessions:
        marks.touch(session_id)
    return count
