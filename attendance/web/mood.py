"""For administrators: the notice about mood, the school's country, the switches, and how large a group is."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from attendance import errors, mood_switches, places, schooltime
from attendance.models import Course
from attendance.web.answers import administrators_only, page, user_of


class GroupForm(forms.Form):
    faces = forms.IntegerField()


@page
@require_GET
def mood(request: HttpRequest) -> HttpResponse:
    administrators_only(request)
    school = schooltime.get_school()
    courses = list(Course.objects.select_related("term", "mood_switched_by").order_by("name", "code"))
    context = {
        "school": school,
        "country": places.place_of(school).country,
        "prohibited": mood_switches.prohibited(school),
        "courses": courses,
        "made_up": [course.pk for course in courses if mood_switches.is_made_up(course)],
        "demo_is_read": any(course.is_demo and mood_switches.is_on(course) for course in courses),
        "demo_minimum": mood_switches.DEMO_MINIMUM,
        "smallest": mood_switches.SMALLEST,
        "largest": mood_switches.LARGEST,
    }
    return render(request, "web/mood_settings.html", context)


@page
@require_POST
def switch_site(request: HttpRequest) -> HttpResponse:
    administrators_only(request)
    on = request.POST.get("on") == "1"
    mood_switches.switch_site(on, user_of(request), notice_read=request.POST.get("notice_read") == "1")
    return redirect("web:mood")


@page
@require_POST
def switch_course(request: HttpRequest, course_id: int) -> HttpResponse:
    administrators_only(request)
    course = get_object_or_404(Course, pk=course_id)
    on = request.POST.get("on") == "1"
    notice_read = request.POST.get("notice_read") == "1"
    mood_switches.switch_course(course, on, user_of(request), notice_read=notice_read)
    return redirect("web:mood")


@page
@require_POST
def set_group(request: HttpRequest) -> HttpResponse:
    administrators_only(request)
    form = GroupForm(request.POST)
    if not form.is_valid():
        raise errors.MoodGroupOutOfBounds
    mood_switches.set_minimum_group(form.cleaned_data["faces"])
    messages.success(request, _("Stored. What was read of smaller groups is not shown."))
    return redirect("web:mood")
