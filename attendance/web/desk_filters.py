"""What the desk is narrowed to; it stands in the address, so that a link shows the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import HttpRequest

from attendance import permissions
from attendance.desk.items import Kind
from attendance.models import ClassSession, Course, Room
from attendance.web.asked import number


@dataclass(frozen=True, slots=True)
class Filters:
    course: int | None = None
    session: int | None = None
    room: int | None = None
    kind: str = ""

    @property
    def query(self) -> dict[str, int | str]:
        chosen = {"course": self.course, "session": self.session, "room": self.room, "kind": self.kind}
        return {name: value for name, value in chosen.items() if value}


@dataclass(frozen=True, slots=True)
class FilterScreen:
    chosen: Filters
    courses: Sequence[Course]
    rooms: Sequence[Room]
    session: ClassSession | None
    """The one session it is narrowed to."""


def of(request: HttpRequest) -> Filters:
    """From the address; what makes no sense is left out."""
    query = request.GET
    kind = query.get("kind", "")
    return Filters(
        course=number(query.get("course")),
        session=number(query.get("session")),
        room=number(query.get("room")),
        kind=kind if kind in set(Kind) else "",
    )


def narrow(sessions: QuerySet[ClassSession], chosen: Filters) -> QuerySet[ClassSession]:
    if chosen.course:
        sessions = sessions.filter(course_id=chosen.course)
    if chosen.session:
        sessions = sessions.filter(pk=chosen.session)
    if chosen.room:
        sessions = sessions.filter(room_id=chosen.room)
    return sessions


def screen(request: HttpRequest, chosen: Filters) -> FilterScreen:
    """What can be chosen: a fixed number of queries."""
    sessions = permissions.sessions_for(request.user)
    return FilterScreen(
        chosen,
        courses=list(permissions.courses_for(request.user).order_by("name", "code").only("name")),
        rooms=list(Room.objects.filter(pk__in=sessions.values("room_id")).order_by("name")),
        session=sessions.filter(pk=chosen.session).first() if chosen.session else None,
    )
