"""Reads the numbers of the site page: a fixed number of queries, counted by the database."""

from __future__ import annotations

import datetime as dt

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, TruncHour
from django.utils import timezone

from attendance import schooltime
from attendance.models import ClassSession, Course, FaceTemplate, Mark, RosterEntry, Snapshot
from attendance.reports.site import HOURS, CourseLine, Hour, SiteNumbers, by_need, last_hours

LOOKS_BACK = dt.timedelta(days=30)
"""Older marks that wait for a person are not counted: the review desk does not show them either."""


def read(most_courses: int) -> SiteNumbers:
    """Numbers of the whole site now, with at most so many courses."""
    now = timezone.now()
    courses = Course.objects.filter(term__ends_on__gte=schooltime.school_day(now))
    lines = by_need(_courses(courses, now))
    return SiteNumbers(
        hours=last_hours(timezone.localtime(now, schooltime.school_zone()), _hours(now)),
        courses=lines[:most_courses],
        all_courses=len(lines),
        open_sessions=ClassSession.objects.filter(
            state=ClassSession.State.OPEN, cancelled_at__isnull=True
        ).count(),
        to_check=sum(line.to_check for line in lines),
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


def _courses(courses: QuerySet[Course], now: dt.datetime) -> list[CourseLine]:
    on_roster = RosterEntry.objects.filter(course=OuterRef("pk"), left_on__isnull=True)
    with_templates = on_roster.filter(Exists(FaceTemplate.objects.filter(student=OuterRef("student"))))
    waiting = Mark.objects.filter(
        session__course=OuterRef("pk"),
        to_check=True,
        session__starts_at__gt=now - LOOKS_BACK,
        session__cancelled_at__isnull=True,
    )
    session = ClassSession.objects.filter(
        course=OuterRef("pk"), state=ClassSession.State.OPEN, cancelled_at__isnull=True
    )
    photo = Snapshot.objects.filter(session__course=OuterRef("pk")).order_by("-received_at")
    rows = courses.annotate(
        on_roster=_counted(on_roster, "course"),
        enrolled=_counted(with_templates, "course"),
        open_session=Subquery(session.order_by("-starts_at").values("pk")[:1]),
        to_check=_counted(waiting, "session__course"),
        last_photo_at=Subquery(photo.values("received_at")[:1]),
    )
    return [
        CourseLine(*row)
        for row in rows.values_list(
            "pk", "name", "code", "on_roster", "enrolled", "open_session", "to_check", "last_photo_at"
        )
    ]


def _counted(rows: QuerySet[RosterEntry] | QuerySet[Mark], by: str) -> Coalesce:
    """The number of rows as a subquery; 0 where there is none."""
    return Coalesce(Subquery(rows.order_by().values(by).annotate(n=Count("pk")).values("n")), 0)
