"""The rolls of sessions as the desk sees them: only the students an open face, a report or the desk could be about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from django.db.models import Case, Count, Exists, F, Max, OuterRef, Q, When
from django.utils import timezone

from attendance.desk.items import RollState
from attendance.models import ClassSession, FaceTemplate, Mark

LOOKS_BACK = timedelta(days=30)
SESSIONS_NEVER_SEEN = 2
"""A student is asked about as *never seen* after so many lessons without being recognised once."""

SAYS_NOTHING = (Mark.Status.NOT_EVALUATED, Mark.Status.ABSENT)

Rolls = dict[int, dict[int, RollState]]
OfSession = tuple[int, int]
"""A session and a student of it."""


def open_marks() -> Q:
    """Marks that a face could change: no person set them, and they say nothing good yet."""
    return ~Q(source=Mark.Source.MANUAL) & (Q(to_check=True) | Q(status__in=SAYS_NOTHING))


def to_check(sessions: Sequence[ClassSession]) -> set[OfSession]:
    """Whose marks wait for a person."""
    waiting = Mark.objects.filter(session__in=sessions, to_check=True)
    return set(waiting.values_list("session_id", "student_id"))


def read(
    sessions: Sequence[ClassSession], students: Collection[int], seen_on: Mapping[OfSession, Collection[int]]
) -> Rolls:
    """By session and student: of these students, and of those whom no camera has seen of late.

    ``seen_on``: photos in which a student is named.
    """
    course_of = {session.pk: session.course_id for session in sessions}
    never = _never_seen(sessions)
    late, left = Q(status=Mark.Status.LATE), Q(status=Mark.Status.LEFT_EARLY)
    rows = Mark.objects.filter(
        session__in=sessions, student__in={*students, *(student for _course, student in never)}
    ).values_list(
        "session_id",
        "student_id",
        "status",
        "source",
        "to_check",
        "machine_status",
        Case(When(late, then=F("first_seen_at"))),
        Case(When(left, then=F("last_seen_at"))),
    )
    rolls: Rolls = defaultdict(dict)
    for session_id, student_id, status, source, waits, machine_status, first, last in rows:
        by_hand = source == Mark.Source.MANUAL
        rolls[session_id][student_id] = RollState(
            student_id,
            open=not by_hand and (waits or status in SAYS_NOTHING),
            to_check=waits,
            seen_on=frozenset(seen_on.get((session_id, student_id), ())),
            early_until=None if by_hand else first,
            gone_from=None if by_hand else last,
            missing=not by_hand and machine_status == Mark.Status.ABSENT,
            never_seen=(course_of[session_id], student_id) in never,
        )
    return rolls


def _never_seen(sessions: Sequence[ClassSession]) -> set[OfSession]:
    """(course, student) pairs that the camera could have recognised, missed in several lessons and saw in none."""
    enrolled = FaceTemplate.objects.filter(student_id=OuterRef("student_id"))
    missed = (
        Mark.objects.filter(session__in=sessions, machine_status=Mark.Status.ABSENT, seen_in=0)
        .exclude(source=Mark.Source.MANUAL)
        .filter(Exists(enrolled))
    )
    rows = (
        Mark.objects.filter(
            student__in=set(missed.values_list("student_id", flat=True)),
            session__course__in={session.course_id for session in sessions},
            session__starts_at__gte=timezone.now() - LOOKS_BACK,
        )
        .values("session__course_id", "student_id")
        .annotate(missed=Count("pk", filter=Q(machine_status=Mark.Status.ABSENT)), seen=Max("seen_in"))
        .filter(missed__gte=SESSIONS_NEVER_SEEN, seen=0)
        .values_list("session__course_id", "student_id")
    )
    return set(rows)
