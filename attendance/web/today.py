"""The teacher's home: what is on today, what to do next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Count, Exists, OuterRef, Prefetch, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from attendance import errors, permissions, schooltime
from attendance.counts import number_of
from attendance.demo import removal
from attendance.models import Camera, ClassSession, Course, Mark, RosterEntry
from attendance.web.answers import page, user_of
from attendance.web.session_screen import HERE

CAMERA_SILENT = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Lesson:
    session: ClassSession
    when: str
    """``now``, ``next``, ``later`` or ``over``."""
    here: int
    total: int
    to_check: int
    enrolled: int
    camera: str
    camera_is_well: bool


@dataclass(frozen=True, slots=True)
class TodayScreen:
    day: dt.date
    lessons: list[Lesson]
    upcoming: ClassSession | None
    courses: Sequence[Course]
    to_check: int
    sessions_to_check: Sequence[ClassSession]
    excuses: int
    """Excuses that wait for this person's approval."""
    demo: Course | None
    demo_session: ClassSession | None


def build(user: User) -> TodayScreen:
    """A fixed number of queries, however many lessons there are."""
    now = timezone.now()
    start, end = schooltime.day_bounds(schooltime.today())
    cameras = Prefetch("room__cameras", queryset=Camera.objects.filter(revoked_at__isnull=True))
    sessions = list(
        permissions.sessions_for(user)
        .filter(starts_at__lt=end, ends_at__gt=start)
        .annotate(
            total=Count("marks"),
            here=Count("marks", filter=Q(marks__status__in=HERE, marks__to_check=False)),
            checks=Count("marks", filter=Q(marks__to_check=True)),
        )
        .prefetch_related(cameras)
        .order_by("starts_at", "pk")
    )
    courses = list(permissions.courses_for(user).order_by("name", "code"))
    enrolled = _enrolled({session.course_id for session in sessions})
    upcoming_seen = False
    lessons = []
    for session in sessions:
        when = _when(session, now, upcoming_seen)
        upcoming_seen = upcoming_seen or when == "next"
        words, well = _camera_words(session, now)
        lessons.append(
            Lesson(
                session,
                when,
                session.here,
                session.total,
                session.checks,
                enrolled.get(session.course_id, 0),
                words,
                well,
            )
        )
    waiting = Mark.objects.filter(to_check=True)
    to_check = list(
        permissions.sessions_for(user)
        .filter(Exists(waiting.filter(session=OuterRef("pk"))), cancelled_at__isnull=True)
        .annotate(checks=number_of(waiting, "session"))
        .order_by("-starts_at")[:5]
    )
    demo = next((course for course in courses if course.is_demo), None)
    return TodayScreen(
        day=schooltime.today(),
        lessons=lessons,
        upcoming=permissions.sessions_for(user)
        .filter(starts_at__gte=end, cancelled_at__isnull=True)
        .order_by("starts_at")
        .first(),
        courses=courses,
        to_check=sum(session.checks for session in to_check),
        sessions_to_check=to_check,
        excuses=permissions.excuses_to_decide(user).count(),
        demo=demo,
        demo_session=demo.sessions.exclude(state=ClassSession.State.PLANNED).order_by("-starts_at").first()
        if demo
        else None,
    )


def _enrolled(courses: Collection[int]) -> dict[int, int]:
    """How many are on the roster of each of these courses now."""
    entries = RosterEntry.objects.filter(course__in=courses, left_on__isnull=True).order_by()
    return dict(entries.values_list("course").annotate(n=Count("pk")))


@page
@require_GET
def today(request: HttpRequest) -> HttpResponse:
    return render(request, "web/today.html", {"screen": build(user_of(request))})


@page
@require_POST
def remove_demo(request: HttpRequest, course_id: int) -> HttpResponse:
    course = get_object_or_404(permissions.courses_for(request.user), pk=course_id, is_demo=True)
    if not permissions.may_change_course(request.user, course):
        raise errors.RollcallError(_("You may look at this course, but not change it."))
    removal.remove_demo()
    return redirect("web:today")


def _when(session: ClassSession, now: dt.datetime, upcoming_seen: bool) -> str:
    if session.is_cancelled:
        return "over"
    if session.state == ClassSession.State.OPEN or (
        session.starts_at <= now < session.ends_at and session.state == ClassSession.State.PLANNED
    ):
        return "now"
    if session.state == ClassSession.State.CLOSED or session.ends_at <= now:
        return "over"
    return "later" if upcoming_seen else "next"


def _camera_words(session: ClassSession, now: dt.datetime) -> tuple[str, bool]:
    """What to expect of the room's cameras; blank where there are none."""
    cameras = list(session.room.cameras.all()) if session.room else []
    if not cameras:
        return "", True
    seen = [camera.last_seen_at for camera in cameras if camera.last_seen_at]
    if not seen:
        return _("camera never heard of yet"), False
    silent = now - max(seen)
    if silent < CAMERA_SILENT:
        return _("camera ready"), True
    return ngettext("camera silent for %d day", "camera silent for %d days", silent.days) % silent.days, False
