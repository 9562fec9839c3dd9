"""What a student sees with their own log-in: their lessons, their marks, the faces that count as theirs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from django.contrib.auth.models import User

from attendance import contests, permissions
from attendance.models import ClassSession, Contest, Mark, Sighting

LESSONS = 60


@dataclass(frozen=True, slots=True)
class OwnLesson:
    """One lesson as its student sees it."""

    mark: Mark
    faces: tuple[Sighting, ...]
    """Their own, oldest first; each with its photo's time."""
    contests: tuple[Contest, ...]
    """Oldest first, without what was taken back."""
    may_contest_mark: bool

    @property
    def session(self) -> ClassSession:
        return self.mark.session

    @property
    def settled(self) -> int:
        return sum(contest.state != Contest.State.OPEN for contest in self.contests)


def lessons(user: User, session_id: int | None = None) -> list[OwnLesson]:
    """The latest sixty lessons of a student, newest first, or one of them; three queries, whatever is asked."""
    own = permissions.own_marks(user).order_by("-session__starts_at", "-pk")
    if session_id is not None:
        own = own.filter(session=session_id)
    marks = list(own[:LESSONS])
    ids = [mark.session_id for mark in marks]
    faces: dict[int, list[Sighting]] = defaultdict(list)
    seen = permissions.own_sightings(user).filter(snapshot__session__in=ids).select_related("snapshot")
    for sighting in seen.order_by("snapshot__taken_at", "pk").defer(
        "encoding", "landmarks", "quality_details"
    ):
        faces[sighting.snapshot.session_id].append(sighting)
    said: dict[int, list[Contest]] = defaultdict(list)
    standing = permissions.contests_for(user).exclude(state=Contest.State.TAKEN_BACK)
    for contest in standing.filter(session__in=ids).select_related("settled_by", "sighting__snapshot"):
        said[contest.session_id].append(contest)
    return [
        OwnLesson(
            mark,
            tuple(faces[mark.session_id]),
            tuple(said[mark.session_id]),
            may_contest_mark=contests.may_say_there(mark, said[mark.session_id]),
        )
        for mark in marks
    ]
