"""Courses: the list, the roster, the sessions, the cameras of their rooms."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from django.db.models import Count, Prefetch, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from attendance import errors, permissions, renewals, rosters
from attendance.counts import number_of
from attendance.models import (
    Camera,
    ClassSession,
    Consent,
    Course,
    FaceTemplate,
    Mark,
    Room,
    RosterEntry,
    Student,
)
from attendance.reports import facts
from attendance.reports.document import percent_text
from attendance.reports.tables import attendance_rate
from attendance.web.answers import page, user_of
from attendance.web.faces import portrait_urls
from attendance.web.forms import CourseForm, StudentForm
from attendance.web.session_screen import HERE


@dataclass(frozen=True, slots=True)
class RosterRow:
    student: Student
    portrait_url: str
    consent: str
    """``given``, ``asked``, ``withdrawn``, or blank where nobody asked."""
    templates: int
    rate: str
    """Per cent of counted lessons attended, as the reports say it; blank where no lesson counts yet."""


def _course(request: HttpRequest, course_id: int) -> Course:
    return get_object_or_404(permissions.courses_for(request.user).select_related("term"), pk=course_id)


def changeable_course(request: HttpRequest, course_id: int) -> Course:
    """The course, for somebody who may change it."""
    course = _course(request, course_id)
    if not permissions.may_change_course(request.user, course):
        raise errors.RollcallError(_("You may look at this course, but not change it."))
    return course


def course_to_ask(request: HttpRequest, course_id: int) -> Course:
    """The course, for somebody who may ask for consent and write down the answers."""
    course = _course(request, course_id)
    if not permissions.may_keep_consent(request.user, course):
        raise errors.RollcallError(_("You may look at this course, but not change it."))
    return course


def roster_rows(course: Course) -> list[RosterRow]:
    """Everybody on the roster today, in the order of class lists; four queries."""
    students = list(
        Student.objects.filter(roster_entries__course=course, roster_entries__left_on__isnull=True).order_by(
            "family_name", "given_name", "number"
        )
    )
    ids = [student.pk for student in students]
    consents = dict(Consent.objects.filter(student_id__in=ids).values_list("student_id", "state"))
    templates = Counter(
        FaceTemplate.objects.filter(student_id__in=ids).order_by().values_list("student_id", flat=True)
    )
    statuses: dict[int, Counter[str]] = defaultdict(Counter)
    counted = (
        Mark.objects.filter(
            session__course=course,
            session__state=ClassSession.State.CLOSED,
            session__cancelled_at__isnull=True,
        )
        .order_by()
        .values_list("student_id", "status")
        .annotate(number=Count("pk"))
    )
    for student_id, status, number in counted:
        statuses[student_id][status] = number
    portraits = portrait_urls(ids)
    credit = facts.course_rule(course).credit
    return [
        RosterRow(
            student,
            portraits.get(student.pk, ""),
            consents.get(student.pk, ""),
            templates[student.pk],
            percent_text(attendance_rate(statuses[student.pk].elements(), credit)),
        )
        for student in students
    ]


@page
@require_GET
def courses(request: HttpRequest) -> HttpResponse:
    lessons = ClassSession.objects.filter(cancelled_at__isnull=True)
    found = (
        permissions.courses_for(request.user)
        .select_related("term")
        .annotate(
            enrolled=number_of(RosterEntry.objects.filter(left_on__isnull=True), "course"),
            open_now=number_of(lessons.filter(state=ClassSession.State.OPEN), "course"),
            lessons=number_of(lessons.exclude(state=ClassSession.State.PLANNED), "course"),
        )
        .order_by("-term__starts_on", "name", "code")
    )
    return render(request, "web/courses.html", {"courses": found})


@page
def new_course(request: HttpRequest) -> HttpResponse:
    form = CourseForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        if not permissions.may_create_courses(request.user):
            raise errors.RollcallError(_("You may not make courses."))
        course = form.save()
        course.teachers.add(user_of(request))
        return redirect("web:roster-import", course.pk)
    return render(request, "web/course_new.html", {"form": form})


@page
@require_GET
def roster(request: HttpRequest, course_id: int) -> HttpResponse:
    course = _course(request, course_id)
    rows = roster_rows(course)
    context = {
        "course": course,
        "rows": rows,
        "tab": "roster",
        "without_photo": sum(not row.templates for row in rows),
        "without_consent": sum(row.consent != Consent.State.GIVEN for row in rows),
        "old_portraits": len(renewals.due([row.student.pk for row in rows])),
        "form": StudentForm(),
        "may_change": permissions.may_change_course(request.user, course),
    }
    return render(request, "web/course_roster.html", context)


@page
@require_POST
def add_student(request: HttpRequest, course_id: int) -> HttpResponse:
    course = changeable_course(request, course_id)
    form = StudentForm(request.POST)
    if form.is_valid():
        student = rosters.add_student(course, **form.cleaned_data, by=user_of(request))
        return redirect("web:student", student.pk)
    context = {
        "course": course,
        "rows": roster_rows(course),
        "tab": "roster",
        "form": form,
        "may_change": True,
    }
    return render(request, "web/course_roster.html", context, status=422)


@page
@require_POST
def remove_student(request: HttpRequest, course_id: int, student_id: int) -> HttpResponse:
    course = changeable_course(request, course_id)
    student = get_object_or_404(Student, pk=student_id, roster_entries__course=course)
    rosters.remove_from_roster(course, student)
    return redirect("web:course", course_id)


@page
@require_GET
def sessions(request: HttpRequest, course_id: int) -> HttpResponse:
    course = _course(request, course_id)
    found = (
        course.sessions.select_related("room")
        .annotate(
            total=Count("marks"),
            here=Count("marks", filter=Q(marks__status__in=HERE, marks__to_check=False)),
            checks=Count("marks", filter=Q(marks__to_check=True)),
            unknown=Count("marks", filter=Q(marks__status=Mark.Status.NOT_EVALUATED, marks__to_check=False)),
        )
        .order_by("-starts_at")[:400]
    )
    context = {
        "course": course,
        "sessions": found,
        "tab": "sessions",
        "may_change": permissions.may_change_course(request.user, course),
    }
    return render(request, "web/course_sessions.html", context)


@page
@require_GET
def cameras(request: HttpRequest, course_id: int) -> HttpResponse:
    """The cameras of the rooms this course meets in; keys are made on the site page."""
    course = _course(request, course_id)
    working = Prefetch("cameras", queryset=Camera.objects.filter(revoked_at__isnull=True))
    rooms = Room.objects.filter(classsession__course=course).distinct().prefetch_related(working)
    return render(request, "web/course_cameras.html", {"course": course, "rooms": rooms, "tab": "cameras"})
