"""A student's own pages: their lessons, the faces that count as theirs, and a way to object."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.views import PasswordResetConfirmView
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from attendance import contests, own, permissions, schooltime
from attendance.models import ClassSession, Contest, Sighting
from attendance.web import media
from attendance.web.answers import student_page, user_of
from attendance.web.asked import number
from attendance.web.forms import FirstPasswordForm


class FirstSignIn(PasswordResetConfirmView):
    """The link an administrator gave: choose a password, and be signed in. It works once."""

    template_name = "registration/first_sign_in.html"
    form_class = FirstPasswordForm
    post_reset_login = True
    post_reset_login_backend = "django.contrib.auth.backends.ModelBackend"
    success_url = reverse_lazy("web:mine")


@student_page
@require_GET
def mine(request: HttpRequest) -> HttpResponse:
    lessons = own.lessons(user_of(request))
    context = {"lessons": lessons, "answers": [each for each in lessons if each.settled]}
    return render(request, "web/mine.html", context)


@student_page
@require_GET
def lesson(request: HttpRequest, session_id: int) -> HttpResponse:
    found = own.lessons(user_of(request), session_id)
    if not found:
        raise Http404
    open_or_declined = (Contest.State.OPEN, Contest.State.DECLINED)
    contested = {each.sighting_id: each for each in found[0].contests if each.state in open_or_declined}
    context = {"lesson": found[0], "contested": contested, "school": schooltime.get_school()}
    return render(request, "web/my_lesson.html", context)


@student_page
@require_GET
def own_face(request: HttpRequest, sighting_id: int) -> HttpResponse:
    """The crop of a face that counts as this student's."""
    sighting = get_object_or_404(permissions.own_sightings(request.user), pk=sighting_id)
    return media.picture(request, sighting.chip.name)


@student_page
@require_POST
def contest(request: HttpRequest, session_id: int) -> HttpResponse:
    """ "That wasn't me" with a face, "I was there" without one."""
    mark = get_object_or_404(permissions.own_marks(request.user), session=session_id)
    chosen = request.POST.get("sighting", "")
    note = request.POST.get("note", "")
    if chosen:
        contests.say_not_me(_own_sighting(request, mark.session, chosen), mark.student, note)
    else:
        contests.say_was_there(mark.session, mark.student, note)
    messages.success(request, _("Your teacher will see this and answer here."))
    return redirect("web:my-lesson", session_id)


@student_page
@require_POST
def take_back(request: HttpRequest, contest_id: int) -> HttpResponse:
    found = get_object_or_404(permissions.contests_for(request.user), pk=contest_id)
    contests.take_back(found)
    messages.success(request, _("Taken back."))
    return redirect("web:my-lesson", found.session_id)


def _own_sighting(request: HttpRequest, session: ClassSession, chosen: str) -> Sighting:
    faces = permissions.own_sightings(request.user).filter(snapshot__session=session)
    return get_object_or_404(faces.select_related("snapshot__session"), pk=number(chosen))
