"""What is to go, and when: the same conditions for the deletion, for the page and for the dry run."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.translation import gettext as _

from attendance import schooltime
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

EVERY = dt.timedelta(hours=1)
"""How often the clock begins a run (``CELERY_BEAT_SCHEDULE``)."""
LATE = 2 * EVERY
"""What is due for longer than this, and still here, is overdue."""
AHEAD = dt.timedelta(days=28)
WAITING = (Snapshot.State.RECEIVED, Snapshot.State.QUEUED, Snapshot.State.PROCESSING)


# --- what is due --------------------------------------------------------------------------------------
def photos(now: dt.datetime, course: Course | None = None) -> QuerySet[Snapshot]:
    """Photos kept long enough; those still waiting to be looked at stay until they were."""
    return _old_photos(now, course).exclude(state__in=WAITING)


def _old_photos(now: dt.datetime, course: Course | None = None) -> QuerySet[Snapshot]:
    due = Q(pk__in=[])
    for days, where in periods.by_days("photo_days", "session__course"):
        due |= where & Q(received_at__lt=now - dt.timedelta(days=days))
    return _of(Snapshot.objects.filter(due, expired_at__isnull=True), "session__course", course)


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


# --- what goes on which day ---------------------------------------------------------------------------
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


def ahead(now: dt.datetime, course: Course | None = None) -> list[DayOfDeletion]:
    """What goes today and in the next four weeks, day by day; days on which nothing goes are left out.

    What is late counts for today. The number of queries is that of the different numbers of days in force.
    """
    today = schooltime.school_day(now)
    last = today + AHEAD
    per_kind = {
        "photos": _photo_days(course),
        "unknown_faces": _unknown_days(course),
        "templates": _template_days(now, course),
        "files": iter(()) if course else _file_days(),
    }
    counts: dict[dt.date, Counter[str]] = {}
    for kind, found in per_kind.items():
        for day, number in found:
            if day <= last:
                counts.setdefault(max(day, today), Counter())[kind] += number
    return [DayOfDeletion(day, **counts[day]) for day in sorted(counts)]


def _photo_days(course: Course | None) -> Iterator[tuple[dt.date, int]]:
    kept = _of(Snapshot.objects.filter(expired_at__isnull=True), "session__course", course)
    kept = kept.exclude(state__in=WAITING)
    for days, where in periods.by_days("photo_days", "session__course"):
        yield from _by_day(kept.filter(where), "received_at", days)


def _unknown_days(course: Course | None) -> Iterator[tuple[dt.date, int]]:
    for days, where in periods.by_days("unknown_face_days", "snapshot__session__course"):
        yield from _by_day(_unnamed(course).filter(where), "snapshot__received_at", days)


def _file_days() -> Iterator[tuple[dt.date, int]]:
    return _by_day(ReportJob.objects.filter(state=ReportJob.State.DONE), "expires_at", 0)


def _by_day(rows: QuerySet, column: str, days: int) -> Iterator[tuple[dt.date, int]]:  # type: ignore[type-arg]
    day = TruncDate(column, tzinfo=schooltime.school_zone())
    for found in rows.order_by().annotate(_day=day).values("_day").annotate(_n=Count("pk")):
        yield found["_day"] + dt.timedelta(days=days), found["_n"]


def _template_days(now: dt.datetime, course: Course | None) -> Iterator[tuple[dt.date, int]]:
    """Only of students of whom no course holds any longer than the days looked at: in the middle of a term, nobody."""
    today = schooltime.school_day(now)
    going = students_without_a_term(now + AHEAD + dt.timedelta(days=1), course)
    last: dict[int, dt.date] = {}
    own = periods.differing()
    school = periods.of_school()
    entries = RosterEntry.objects.filter(student__in=going)
    for student, of, left, ends in entries.values_list(
        "student", "course", "left_on", F("course__term__ends_on")
    ):
        days = own.get(of, school).template_days_after_term
        until = min(left or ends, ends) + dt.timedelta(days=days + 1)
        last[student] = max(last.get(student, until), until)
    held = FaceTemplate.objects.filter(student__in=going).order_by().values("student").annotate(n=Count("pk"))
    for found in held:
        yield last.get(found["student"], today), found["n"]


# --- what is late, and why ----------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Overdue:
    """Something that should be gone: how many, since when, why, and what to do."""

    what: str
    count: int
    since: dt.datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Outlook:
    """Everything the page, the dry run and ``doctor`` say."""

    now: dt.datetime
    days: list[DayOfDeletion]
    overdue: list[Overdue]
    last: RetentionRun | None
    """The last run that came to its end."""
    next_at: dt.datetime
    compared: RetentionRun | None
    """The last run that compared files and rows."""
    due_now: DayOfDeletion = field(default_factory=lambda: DayOfDeletion(dt.date.min))

    @property
    def most(self) -> int:
        """Of one kind on one day: what the bars are drawn against."""
        return max((day.total for day in self.days), default=0)


def outlook(now: dt.datetime | None = None, course: Course | None = None) -> Outlook:
    """What is kept, what goes when, what is late; of the site, or of one course."""
    now = now or timezone.now()
    last = RetentionRun.objects.filter(finished_at__isnull=False).first()
    begun = last.started_at if last else None
    return Outlook(
        now=now,
        days=ahead(now, course),
        overdue=list(_overdue(now, last, course)),
        last=last,
        next_at=max(begun + EVERY, now) if begun else now,
        compared=RetentionRun.objects.filter(compared_at__isnull=False).first(),
        due_now=due_now(now, course),
    )


@dataclass(frozen=True, slots=True)
class Kept:
    """How much there is."""

    photos: int
    unknown_faces: int
    templates: int


def kept(course: Course | None = None) -> Kept:
    photos_kept = Snapshot.objects.filter(expired_at__isnull=True)
    return Kept(
        _of(photos_kept, "session__course", course).count(),
        _unnamed(course).count(),
        _of(FaceTemplate.objects.all(), "student__courses", course).count(),
    )


def due_now(now: dt.datetime, course: Course | None = None) -> DayOfDeletion:
    """What a run at this moment would delete."""
    return DayOfDeletion(
        schooltime.school_day(now),
        photos(now, course).count(),
        unknown_faces(now, course).count(),
        FaceTemplate.objects.filter(student__in=students_without_a_term(now, course)).count(),
        0 if course else files(now).count(),
    )


def _overdue(now: dt.datetime, last: RetentionRun | None, course: Course | None) -> Iterator[Overdue]:
    why = _why_not(now, last)
    late = now - LATE
    gone = photos(late, course).aggregate(n=Count("pk"), since=Min("received_at"))
    if gone["n"]:
        yield Overdue(_("photos"), gone["n"], gone["since"], why)
    waiting = (
        _old_photos(late, course).filter(state__in=WAITING).aggregate(n=Count("pk"), since=Min("received_at"))
    )
    if waiting["n"]:
        reason = _("They still wait to be looked at, and are deleted once they were. Start a worker.")
        yield Overdue(_("photos that wait"), waiting["n"], waiting["since"], reason)
    faces = unknown_faces(late, course).aggregate(n=Count("pk"), since=Min("snapshot__received_at"))
    if faces["n"]:
        yield Overdue(_("unknown faces"), faces["n"], faces["since"], why)
    templates = FaceTemplate.objects.filter(student__in=students_without_a_term(late, course))
    # A term ends at midnight: before the first run of the day nothing of it is late.
    held = templates.aggregate(n=Count("pk"), since=Min("created_at"))
    if held["n"]:
        yield Overdue(_("face templates"), held["n"], held["since"], why)
    if course is None and (number := files(late).count()):
        yield Overdue(
            _("files made by a worker"), number, files(late).aggregate(at=Min("expires_at"))["at"], why
        )


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
