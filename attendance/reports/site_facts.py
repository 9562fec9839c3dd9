"""Reads the numbers of the site page: a fixed number of queries, counted by the database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import TruncHour
from django.utils import timezone

from attendance import schooltime
from attendance.counts import number_of
from attendance.models import ClassSession, Course, FaceTemplate, Mark, RosterEntry, Snapshot
from attendance.reports.site import HOURS, CourseLine, Hour, Need, SiteNumbers, by_need, last_hours

LOOKS_BACK = dt.timedelta(days=30)
"""Older marks that wait for a person are not counted: the review desk does not show them either."""


def read(most_courses: int) -> SiteNumbers:
    """Numbers of the whole site now, with at most so many courses."""
    now = timezone.now()
    needs = by_need(_needs(Course.objects.filter(term__ends_on__gte=schooltime.school_day(now)), now))
    return SiteNumbers(
        hours=last_hours(timezone.localtime(now, schooltime.school_zone()), _hours(now)),
        courses=_lines(needs[:most_courses]),
        all_courses=len(needs),
        open_sessions=ClassSession.objects.filter(
            state=ClassSession.State.OPEN, cancelled_at__isnull=True
        ).count(),
        to_check=sum(need.to_check for need in needs),
    )


def _hours(now: dt.datetime) -> list[Hour]:
    rows = (
        Snapshot.objects.filter(
            state=Snapshot.State.DONE, processed_at__gt=now - dt.timedelta(hours=HOURS + 1)
        )
        .annotate(hour=TruncHour("processed_at", tzinfo=schooltime.school_zone()))
        .values("hour")
        .annotate(photos=Count("pk"), found=Sum("faces"), spent=Sum("processing_seconds"))
        .order_by("hour")
    )
    return [Hour(row["hour"], row["photos"], row["found"] or 0, row["spent"] or 0.0) for row in rows]


def _needs(courses: QuerySet[Course], now: dt.datetime) -> list[Need]:
    """What says which of all courses are shown; three queries."""
    sessions = ClassSession.objects.filter(state=ClassSession.State.OPEN, cancelled_at__isnull=True)
    open_now = dict(sessions.order_by("starts_at").values_list("course", "pk"))
    waiting = Mark.objects.filter(
        to_check=True, session__starts_at__gt=now - LOOKS_BACK, session__cancelled_at__isnull=True
    )
    to_check = dict(waiting.order_by().values_list("session__course").annotate(n=Count("pk")))
    rows = courses.order_by().values_list("pk", "name", "code")
    return [Need(pk, name, code, open_now.get(pk), to_check.get(pk, 0)) for pk, name, code in rows]


def _lines(needs: Sequence[Need]) -> tuple[CourseLine, ...]:
    """The rest of what is shown of these few; one query."""
    on_roster = RosterEntry.objects.filter(left_on__isnull=True)
    with_templates = on_roster.filter(Exists(FaceTemplate.objects.filter(student=OuterRef("student"))))
    photo = Snapshot.objects.filter(session__course=OuterRef("pk")).order_by("-received_at")
    rows = Course.objects.filter(pk__in=[need.id for need in needs]).annotate(
        on_roster=number_of(on_roster, "course"),
        enrolled=number_of(with_templates, "course"),
        last_photo_at=Subquery(photo.values("received_at")[:1]),
    )
    found = {pk: rest for pk, *rest in rows.values_list("pk", "on_roster", "enrolled", "last_photo_at")}
    return tuple(_line(need, *found[need.id]) for need in needs if need.id in found)


def _line(need: Need, students: int, enrolled: int, last_photo_at: dt.datetime | None) -> CourseLine:
    return CourseLine(
        need.id, need.name, need.code, students, enrolled, need.open_session, need.to_check, last_photo_at
    )
