"""Which approved excuse covers which lesson. Reading only; ``excusing`` enters, approves and withdraws them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db.models import Q, QuerySet

from attendance import schooltime
from attendance.models import ClassSession, Excuse


def covering_session(session: ClassSession) -> dict[int, Excuse]:
    """The excuse of each student who has one for this session, by student id; one query."""
    day = schooltime.school_day(session.starts_at)
    by_days = Q(by_session=False, first_day__lte=day, last_day__gte=day)
    found = (
        Excuse.objects.filter(by_days | Q(by_session=True, sessions=session), state=Excuse.State.APPROVED)
        .filter(Q(course__isnull=True) | Q(course=session.course_id))
        .filter(student__roster_entries__course=session.course_id)
        .order_by("pk")
    )
    return {excuse.student_id: excuse for excuse in found}


def covering_student(student_id: int, sessions: Iterable[ClassSession]) -> dict[int, Excuse]:
    """The excuse of one student for each of these sessions that has one, by session id; two queries."""
    wanted = list(sessions)
    approved = Excuse.objects.filter(student=student_id, state=Excuse.State.APPROVED).order_by("pk")
    excuses = list(approved.prefetch_related("sessions"))
    zone = schooltime.school_zone()
    found = {}
    for session in wanted:
        day = schooltime.school_day(session.starts_at, zone)
        for excuse in excuses:
            if excuse.course_id in (None, session.course_id) and (
                session in excuse.sessions.all()
                if excuse.by_session
                else excuse.first_day <= day <= excuse.last_day
            ):
                found[session.pk] = excuse
    return found


def sessions_covered(excuse: Excuse, courses: Collection[int] | None = None) -> QuerySet[ClassSession]:
    """Sessions an excuse speaks of, whatever its state; those of the student's courses."""
    found = ClassSession.objects.filter(course__roster_entries__student=excuse.student_id)
    if courses is not None:
        found = found.filter(course__in=courses)
    if excuse.course_id is not None:
        found = found.filter(course=excuse.course_id)
    if excuse.by_session:
        return found.filter(excuses=excuse)
    start = schooltime.day_bounds(excuse.first_day)[0]
    end = schooltime.day_bounds(excuse.last_day)[1]
    return found.filter(starts_at__gte=start, starts_at__lt=end)


def in_words(excuse: Excuse) -> str:
    """``illness: letter from the parents``."""
    reason = str(Excuse.Reason(excuse.reason).label)
    return f"{reason}: {excuse.note}" if excuse.note else reason
