"""For administrators: the notice about mood, the school's country, and the switches."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from attendance import moods, schooltime
from attendance.models import Course
from attendance.web.answers import administrators_only, page, user_of


@page
@require_GET
def mood(request: HttpRequest) -> HttpResponse:
    administrators_only(request)
    school = schooltime.get_school()
    context = {
        "school": school,
        "allowed": moods.allowed_here(school),
        "courses": Course.objects.select_related("term", "mood_switched_by").order_by("name", "code"),
    }
    return render(request, "web/mood_settings.html", context)


@page
@require_POST
def switch_site(request: HttpRequest) -> HttpResponse:
    administrators_only(request)
    moods.switch_site(request.POST.get("on") == "1", notice_read=request.POST.get("notice_read") == "1")
    return redirect("web:mood")


@page
@require_POST
def switch_course(request: HttpRequest, course_id: int) -> HttpResponse:
    administrators_only(request)
    course = get_object_or_404(Course, pk=course_id)
    on = request.POST.get("on") == "1"
    moods.switch_course(course, on, user_of(request), notice_read=request.POST.get("notice_read") == "1")
    return redirect("web:mood")
