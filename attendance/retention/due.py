"""What is to go, and when: the same conditions for the deletion, for the page and for the dry run."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from attendance import schooltime, waiting
from attendance.models import (
    Course,
    FaceTemplate,
    Portrait,
    ReportJob,
    RetentionRun,
    Review,
    RosterEntry,
    Sighting,
    Snapshot,
    Student,
)
from attendance.retention import periods
from attendance.retention.stock import Stock

EVERY = dt.timedelta(hours=1)
"""How often the clock begins a run (``CELERY_BEAT_SCHEDULE``)."""
LATE = 2 * EVERY
"""What is due for longer than this, and still here, is overdue."""
AHEAD = dt.timedelta(days=28)


# --- what is due --------------------------------------------------------------------------------------
def photos(now: dt.datetime, course: Course | None = None) -> QuerySet[Snapshot]:
    """Photos kept long enough; those still waiting to be looked at stay until they were."""
    due = Q(pk__in=[])
    for days, where in periods.by_days("photo_days", "session__course"):
        due |= where & Q(received_at__lt=now - dt.timedelta(days=days))
    kept = Snapshot.objects.filter(due, expired_at__isnull=True).exclude(state__in=waiting.STATES)
    return _of(kept, "session__course", course)


def unknown_faces(now: dt.datetime, course: Course | None = None) -> QuerySet[Sighting]:
    """Faces nobody could name, kept long enough; not those a person said are somebody."""
    due = Q(pk__in=[])
    for days, where in periods.by_days("unknown_face_days", "snapshot__session__course"):
        due |= where & Q(snapshot__received_at__lt=now - dt.timedelta(days=days))
    return _unnamed(course).filter(due)


def _unnamed(course: Course | None) -> QuerySet[Sighting]:
    kept = Sighting.objects.filter(decision=Sighting.Decision.UNKNOWN, encoding__isnull=False)
    named = Review.objects.filter(sighting=OuterRef("pk"), verdict=Review.Verdict.IS, undone_at__isnull=True)
    return _of(kept.filter(~Exists(named)), "snapshot__session__course", course)


def students_without_a_term(now: dt.datetime, course: Course | None = None) -> QuerySet[Student]:
    """Students with portraits whose last course ended, or was left, long enough ago."""
    current = RosterEntry.objects.filter(_entry_holds(schooltime.school_day(now)))
    due = Student.objects.filter(pk__in=Portrait.objects.values("student"))
    return _of(due.exclude(pk__in=current.values("student")), "courses", course)


def _entry_holds(today: dt.date) -> Q:
    holds = Q(pk__in=[])
    for days, where in periods.by_days("template_days_after_term", "course"):
        since = today - dt.timedelta(days=days)
        left = Q(left_on__isnull=True) | Q(left_on__gte=since)
        holds |= where & Q(course__term__ends_on__gte=since) & left
    return holds


def files(now: dt.datetime) -> QuerySet[ReportJob]:
    """Reports and copies of a person's own data whose time is over."""
    return ReportJob.objects.filter(state=ReportJob.State.DONE, expires_at__lte=now)


def _of(rows: QuerySet, path: str, course: Course | None) -> QuerySet:  # type: ignore[type-arg]
    return rows if course is None else rows.filter(**{path: course})


# --- what there is, what goes on which day, what is late ------------------------------------------------
@dataclass(frozen=True, slots=True)
class DayOfDeletion:
    """What goes on one of the school's days."""

    day: dt.date
    photos: int = 0
    unknown_faces: int = 0
    templates: int = 0
    files: int = 0

    @property
    def total(self) -> int:
        return self.photos + self.unknown_faces + self.templates + self.files


@dataclass(frozen=True, slots=True)
class Overdue:
    """Something that should be gone: how many, since when, why, and what to do."""

    what: str
    count: int
    since: dt.datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Kept:
    """How much there is."""

    photos: int
    unknown_faces: int
    templates: int


@dataclass(frozen=True, slots=True)
class Outlook:
    """Everything the page, the dry run and ``doctor`` say."""

    now: dt.datetime
    kept: Kept
    days: list[DayOfDeletion]
    """What goes today and in the next four weeks; days on which nothing goes are left out, what is late is today's."""
    due_now: DayOfDeletion
    """What a run at this moment would delete."""
    overdue: list[Overdue]
    last: RetentionRun | None
    """The last run that came to its end."""
    next_at: dt.datetime
    compared: RetentionRun | None
    """The last run that compared files and rows."""

    @property
    def most(self) -> int:
        """Of one kind on one day: what the bars are drawn against."""
        return max((day.total for day in self.days), default=0)


@dataclass(frozen=True, slots=True)
class _Counted:
    """All kinds, as they are at one moment."""

    photos: Stock
    waiting: Stock
    """Photos that are to be looked at before they may go."""
    unknown_faces: Stock
    templates: Stock
    files: Stock


def outlook(now: dt.datetime | None = None, course: Course | None = None) -> Outlook:
    """What is kept, what goes when, what is late; of the site, or of one course.

    The number of queries is that of the different numbers of days in force.
    """
    now = now or timezone.now()
    last = RetentionRun.objects.filter(finished_at__isnull=False).first()
    begun = last.started_at if last else None
    counted = _count(now, course)
    today = schooltime.school_day(now)
    return Outlook(
        now=now,
        kept=Kept(
            counted.photos.kept + counted.waiting.kept,
            counted.unknown_faces.kept,
            _of(FaceTemplate.objects.all(), "student__courses", course).count(),
        ),
        days=_ahead(today, counted),
        due_now=DayOfDeletion(
            today,
            counted.photos.due,
            counted.unknown_faces.due,
            counted.templates.due,
            counted.files.due,
        ),
        overdue=list(_overdue(counted, _why_not(now, last))),
        last=last,
        next_at=max(begun + EVERY, now) if begun else now,
        compared=RetentionRun.objects.filter(compared_at__isnull=False).first(),
    )


def _count(now: dt.datetime, course: Course | None) -> _Counted:
    """By the conditions of the deletion, each kind once."""
    unexpired = _of(Snapshot.objects.filter(expired_at__isnull=True), "session__course", course)
    files = Stock()
    if course is None:
        made = ReportJob.objects.filter(state=ReportJob.State.DONE)
        files.count(made, "expires_at", 0, Q(expires_at__lte=now), Q(expires_at__lte=now - LATE))
    return _Counted(
        _received(now, "photo_days", unexpired.exclude(state__in=waiting.STATES), ""),
        _received(now, "photo_days", unexpired.filter(state__in=waiting.STATES), ""),
        _received(now, "unknown_face_days", _unnamed(course), "snapshot__"),
        _templates(now, course),
        files,
    )


def _received(now: dt.datetime, name: str, rows: QuerySet[Any], photo: str) -> Stock:
    """What is kept for so many days after its photo was received; ``photo``: the way to it."""
    stock = Stock()
    for days, where in periods.by_days(name, f"{photo}session__course"):
        column, since = f"{photo}received_at", now - dt.timedelta(days=days)
        due, late = Q(**{f"{column}__lt": since}), Q(**{f"{column}__lt": since - LATE})
        stock.count(rows.filter(where), column, days, due, late)
    return stock


def _templates(now: dt.datetime, course: Course | None) -> Stock:
    """Only of students of whom no course holds any longer than the days looked at: in the middle of a term, nobody."""
    going = students_without_a_term(now + AHEAD + dt.timedelta(days=1), course)
    held = FaceTemplate.objects.filter(student__in=going).order_by().values_list("student")
    last = _last_days(going)
    # A term ends at midnight: before the first run of the day nothing of it is late.
    today, late_day = schooltime.school_day(now), schooltime.school_day(now - LATE)
    stock = Stock()
    for student, count, since in held.annotate(_n=Count("pk"), _since=Min("created_at")):
        day = last.get(student, late_day)
        due, late = count if day <= today else 0, count if day <= late_day else 0
        stock.add(day, count, due=due, late=late, since=since)
    return stock


def _last_days(students: QuerySet[Student]) -> dict[int, dt.date]:
    """The day on which the templates of each of these students go; who never had a course is not among them."""
    last: dict[int, dt.date] = {}
    own = periods.differing()
    school = periods.of_school()
    entries = RosterEntry.objects.filter(student__in=students)
    for student, of, left, ends in entries.values_list(
        "student", "course", "left_on", F("course__term__ends_on")
    ):
        days = own.get(of, school).template_days_after_term
        until = min(left or ends, ends) + dt.timedelta(days=days + 1)
        last[student] = max(last.get(student, until), until)
    return last


def _ahead(today: dt.date, counted: _Counted) -> list[DayOfDeletion]:
    per_kind = {
        "photos": counted.photos,
        "unknown_faces": counted.unknown_faces,
        "templates": counted.templates,
        "files": counted.files,
    }
    counts: dict[dt.date, Counter[str]] = {}
    for kind, stock in per_kind.items():
        for day, number in stock.days.items():
            if day <= today + AHEAD:
                counts.setdefault(max(day, today), Counter())[kind] += number
    return [DayOfDeletion(day, **counts[day]) for day in sorted(counts)]


def _overdue(counted: _Counted, why: str) -> Iterator[Overdue]:
    unseen = _("They still wait to be looked at, and are deleted once they were. Start a worker.")
    for what, stock, reason in (
        (_("photos"), counted.photos, why),
        (_("photos that wait"), counted.waiting, unseen),
        (_("unknown faces"), counted.unknown_faces, why),
        (_("face templates"), counted.templates, why),
        (_("files made by a worker"), counted.files, why),
    ):
        if stock.late:
            yield Overdue(what, stock.late, stock.since, reason)


def _why_not(now: dt.datetime, last: RetentionRun | None) -> str:
    if last is None:
        return _("The deletion has never run. Start beat and a worker, or run it now.")
    if last.error:
        return _("The last run ended with an error: %(error)s") % {"error": last.error}
    if now - last.started_at > LATE:
        return _("The deletion has not run for %(hours)d hours. Start beat and a worker, or run it now.") % {
            "hours": (now - last.started_at) // dt.timedelta(hours=1)
        }
    return _("The last run did not get to it. Run it now, and look into the worker's log if it stays.")
