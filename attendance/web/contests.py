"""A teacher's answer to what a student objected to, and an administrator's gift of log-ins."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from attendance import accounts, contests, errors, permissions
from attendance.models import Contest, Mark, Student
from attendance.web.answers import page, user_of


def _contest(request: HttpRequest, contest_id: int) -> Contest:
    found = get_object_or_404(
        permissions.contests_for(request.user).select_related("session__course"), pk=contest_id
    )
    if not permissions.may_change_course(request.user, found.session.course):
        raise errors.RollcallError(_("You may look at this session, but not change it."))
    return found


@page
@require_POST
def settle(request: HttpRequest, contest_id: int) -> HttpResponse:
    """Uphold with the mark that is right, or decline; with words to the student."""
    found = _contest(request, contest_id)
    answer, verdict = request.POST.get("answer", ""), request.POST.get("verdict", "")
    if verdict == "uphold":
        contests.uphold(found, user_of(request), answer, request.POST.get("status") or Mark.Status.PRESENT)
    elif verdict == "decline":
        contests.decline(found, user_of(request), answer)
    else:
        raise errors.UnknownStatus
    return redirect(f"{reverse('web:session', args=[found.session_id])}#contests")


@page
@require_POST
def reopen(request: HttpRequest, contest_id: int) -> HttpResponse:
    found = _contest(request, contest_id)
    contests.reopen(found, user_of(request))
    return redirect(f"{reverse('web:session', args=[found.session_id])}#contests")


def _student(request: HttpRequest, student_id: int) -> Student:
    if not permissions.may_give_logins(request.user):
        raise Http404
    return get_object_or_404(Student, pk=student_id)


@page
@require_POST
def give_login(request: HttpRequest, student_id: int) -> HttpResponse:
    """The link is on the answer to this form and never again; a new one ends the old."""
    student = _student(request, student_id)
    account = accounts.give_login(student, user_of(request))
    link = request.build_absolute_uri(reverse("web:first-sign-in", args=accounts.new_link(account)))
    context = {"student": student, "account": account, "link": link}
    response = render(request, "web/student_login_link.html", context)
    response["Cache-Control"] = "no-store"
    return response


@page
@require_POST
def take_login(request: HttpRequest, student_id: int) -> HttpResponse:
    accounts.take_login(_student(request, student_id))
    return redirect("web:student", student_id)
