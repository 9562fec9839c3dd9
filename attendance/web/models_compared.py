"""For administrators: what two models say of the same faces, and what people say of both."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from attendance import permissions
from attendance.web import models_screen
from attendance.web.answers import administrators_only, page
from attendance.web.asked import number


@page
@require_GET
def models(request: HttpRequest) -> HttpResponse:
    administrators_only(request)
    courses = permissions.courses_for(request.user)
    asked = number(request.GET.get("course"))
    chosen = get_object_or_404(courses, pk=asked) if asked is not None else None
    screen = models_screen.build(chosen, request.GET.get("show", ""), request.GET.get("page"))
    context = {"screen": screen, "chosen": chosen}
    return render(request, "web/models.html", context)
