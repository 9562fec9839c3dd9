"""Excuses: entered for a student, approved or declined, withdrawn; what waits and who will be away."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from attendance import errors, excusing, permissions, schooltime
from attendance.models import ClassSession, Course, Excuse, Student
from attendance.web.answers import back, page, user_of
from attendance.web.asked import numbers
from attendance.web.calendar_forms import ExcuseForm
from attendance.web.media import paper

PARTS = ("waiting", "coming", "past")
RECENT = dt.timedelta(days=21)
PER_PAGE = 30
SHOWN = 200
"""Lessons to tick."""


@dataclass(frozen=True, slots=True)
class ExcuseRow:
    excuse: Excuse
    may_decide: bool
    may_read: bool
    """The attachment."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of the page's lists, a page of it at a time; ``query`` leaves the other lists where they are."""

    rows: list[ExcuseRow]
    listed: Page[Excuse]
    query: str


def _part(request: HttpRequest, name: str, found: QuerySet[Excuse]) -> Part:
    listed = Paginator(found, PER_PAGE).get_page(request.GET.get(name))
    first = PER_PAGE * (listed.number - 1)
    others = {key: value for key, value in request.GET.items() if key in PARTS and key != name}
    query = urlencode([*others.items(), (name, "")])
    return Part(rows_of(found[first : first + PER_PAGE], user_of(request)), listed, query)


def rows_of(excuses: QuerySet[Excuse], user: User) -> list[ExcuseRow]:
    """With what this user may do about each; the students' courses are asked for once."""
    found = list(excuses.select_related("student", "course", "entered_by", "decided_by", "withdrawn_by"))
    decided = permissions.excuses_decidable(user, ((one.student_id, one.course_id) for one in found))
    return [
        ExcuseRow(
            one,
            (may := (one.student_id, one.course_id) in decided),
            may or one.entered_by_id == user.pk,
        )
        for one in found
    ]


@page
@require_GET
def excuses(request: HttpRequest) -> HttpResponse:
    """What waits for a yes, who is away today or will be, and what was lately."""
    mine = permissions.excuses_for(request.user)
    coming = Q(state=Excuse.State.APPROVED, last_day__gte=(today := schooltime.today()))
    lately = mine.exclude(state=Excuse.State.ASKED).filter(last_day__gte=today - RECENT).exclude(coming)
    context = {
        "waiting": _part(
            request, "waiting", mine.filter(state=Excuse.State.ASKED).order_by("first_day", "pk")
        ),
        "coming": _part(request, "coming", mine.filter(coming).order_by("first_day", "pk")),
        "past": _part(request, "past", lately),
    }
    return render(request, "web/excuses.html", context)


@page
def new_excuse(request: HttpRequest, student_id: int) -> HttpResponse:
    student = get_object_or_404(permissions.students_for(request.user), pk=student_id)
    courses = _courses(request, student)
    form = ExcuseForm(courses, request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            return _store(request, student, form)
        except (excusing.ExcuseRefused, excusing.AttachmentRefused, errors.PhotoRefused) as error:
            form.add_error(None, str(error.message))
    context = {
        "student": student,
        "form": form,
        "sessions": _sessions(courses),
        "ticked": request.POST.getlist("session"),
        "decides_all": permissions.may_decide_excuse(request.user, student, None),
    }
    return render(request, "web/excuse_new.html", context, status=422 if form.errors else 200)


@page
@require_POST
def decide(request: HttpRequest, excuse_id: int, decision: str) -> HttpResponse:
    excuse = _excuse(request, excuse_id)
    if not permissions.may_decide_excuse(request.user, excuse.student, excuse.course):
        raise errors.RollcallError(_("Somebody else has to decide on this excuse: the school's office."))
    user = user_of(request)
    if decision == "approve":
        excusing.approve_excuse(excuse, user)
        messages.success(request, _("Approved. The marks follow."))
    elif decision == "decline":
        excusing.decline(excuse, user)
        messages.success(request, _("Declined."))
    elif decision == "withdraw":
        excusing.withdraw(excuse, user)
        messages.success(request, _("Withdrawn. The marks are as they were without it."))
    else:
        excusing.ask_again(excuse)
        messages.success(request, _("It waits for approval again."))
    return back(request, reverse("web:excuses"))


@page
@require_GET
def attachment(request: HttpRequest, excuse_id: int) -> HttpResponse:
    """The letter."""
    excuse = _excuse(request, excuse_id)
    if not permissions.may_read_attachment(request.user, excuse):
        raise Http404
    title = f"{excuse.student.number} {excuse.first_day}"
    return paper(excuse.attachment.name, excuse.attachment_type, title)


def _excuse(request: HttpRequest, excuse_id: int) -> Excuse:
    mine = permissions.excuses_for(request.user).select_related("student", "course")
    return get_object_or_404(mine, pk=excuse_id)


def _courses(request: HttpRequest, student: Student) -> QuerySet[Course]:
    return permissions.courses_for(request.user).filter(roster_entries__student=student)


def _sessions(courses: QuerySet[Course]) -> QuerySet[ClassSession]:
    """Lessons from three weeks back to three weeks ahead, to be ticked."""
    start, end = (schooltime.day_bounds(schooltime.today() + span)[0] for span in (-RECENT, RECENT))
    found = ClassSession.objects.filter(course__in=courses, cancelled_at__isnull=True)
    return (
        found.filter(starts_at__gte=start, starts_at__lt=end)
        .select_related("course")
        .order_by("starts_at")[:SHOWN]
    )


def _store(request: HttpRequest, student: Student, form: ExcuseForm) -> HttpResponse:
    data, user = form.cleaned_data, user_of(request)
    course: Course | None = data["course"]
    ids = numbers(request.POST.getlist("session"))
    if ids:
        chosen = list(ClassSession.objects.filter(pk__in=ids, course__in=_courses(request, student)))
        when = excusing.When.of_sessions(chosen)
        # One course's lessons are that course's matter.
        course = course or (chosen[0].course if len({one.course_id for one in chosen}) == 1 else None)
    else:
        when = excusing.When(data["first_day"], data["last_day"] or data["first_day"])
    if not permissions.may_enter_excuse(user, student, course):
        raise errors.RollcallError(_("You may look at this student, but not change anything."))
    upload = data["attachment"]
    excuse = excusing.enter(
        student, course, when, data["reason"], user, note=data["note"],
        attachment=upload.read(excusing.MOST_BYTES + 1) if upload else b"",
        approve=permissions.may_decide_excuse(user, student, course),
    )  # fmt: skip
    if excuse.state == Excuse.State.APPROVED:
        messages.success(request, _("The excuse is recorded. The marks follow."))
    else:
        messages.success(request, _("The excuse is recorded and waits for the school's office."))
    return redirect("web:student", student.pk)
