"""The desk's queue: what can change a mark in the sessions a person sees, most valuable first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from attendance.desk import reading, rolls
from attendance.desk.items import Item, build_items
from attendance.models import ClassSession, Contest, Mark, Sighting, Snapshot

LOOKS_BACK = rolls.LOOKS_BACK
MAX_SESSIONS = 60
SECONDS_A_DECISION = 4
"""What one item takes somebody who knows the class."""


@dataclass(frozen=True, slots=True)
class DeskItem:
    """An item and the session it belongs to."""

    session: ClassSession
    item: Item

    @property
    def key(self) -> str:
        """Names it among the items of all sessions."""
        return f"{self.session.pk}-{self.item.address}"


@dataclass(frozen=True, slots=True)
class Left:
    """What there is to do."""

    items: int
    marks: int
    """Marks that deciding everything is expected to change, rounded, at least 1 while there is an item."""
    seconds: int


def items_for(sessions: QuerySet[ClassSession], kind: str = "") -> list[DeskItem]:
    """What is open in these sessions of the last thirty days: most valuable first, the newest session first."""
    chosen = list(
        _with_something_open(sessions)
        .filter(starts_at__gte=timezone.now() - LOOKS_BACK)
        .order_by("-starts_at", "-pk")[:MAX_SESSIONS]
    )
    if not chosen:
        return []
    known = reading.read(chosen)
    found = [DeskItem(session, item) for session in chosen for item in build_items(known[session.pk])]
    return sorted((each for each in found if kind in ("", each.item.kind)), key=lambda each: -each.item.worth)


def left(items: Sequence[DeskItem]) -> Left:
    """The counter of the desk, and of whatever else tells people to come."""
    return Left(len(items), worth(items), SECONDS_A_DECISION * len(items))


def worth(items: Iterable[DeskItem]) -> int:
    """Marks that deciding all of these may change, at most one for each student of a session."""
    best: dict[tuple[int, int], float] = {}
    for each in items:
        likely = next((c.likeness.student_id for c in each.item.candidates if c.open), 0)
        key = (each.session.pk, each.item.student_id or likely)
        best[key] = max(best.get(key, 0.0), each.item.worth)
    return max(1, round(sum(best.values()))) if best else 0


def _with_something_open(sessions: QuerySet[ClassSession]) -> QuerySet[ClassSession]:
    could_change = Q(status__in=[Mark.Status.LATE, Mark.Status.LEFT_EARLY]) & ~Q(source=Mark.Source.MANUAL)
    marks = Mark.objects.filter(session=OuterRef("pk")).filter(rolls.open_marks() | could_change)
    faces = Sighting.objects.filter(snapshot__session=OuterRef("pk"), snapshot__state=Snapshot.State.DONE)
    reports = Contest.objects.filter(session=OuterRef("pk"), state=Contest.State.OPEN)
    open_ones = sessions.filter((Exists(marks) & Exists(faces)) | Exists(reports))
    return open_ones.filter(cancelled_at__isnull=True).exclude(state=ClassSession.State.PLANNED)
