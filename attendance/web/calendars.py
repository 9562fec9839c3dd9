"""Calendar addresses of one's own lessons; and the addresses themselves, for calendar programs."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from attendance import feeds, permissions
from attendance.models import CalendarFeed
from attendance.web.answers import page, user_of
from attendance.web.asked import number


@page
@require_GET
def calendars(request: HttpRequest) -> HttpResponse:
    return _page(request)


@page
@require_POST
def make(request: HttpRequest) -> HttpResponse:
    """A new address, shown once."""
    text = request.POST.get("course", "")
    course = None
    if text:
        mine = permissions.courses_for(request.user)
        course = get_object_or_404(mine, pk=number(text))
    _feed, token = feeds.make(user_of(request), course)
    return _page(request, request.build_absolute_uri(reverse("web:calendar-feed", args=[token])))


@page
@require_POST
def revoke(request: HttpRequest, feed_id: int) -> HttpResponse:
    feeds.revoke(get_object_or_404(CalendarFeed, pk=feed_id, owner=user_of(request)))
    messages.success(request, _("The address gives nothing from now on."))
    return redirect("web:calendars")


@require_GET
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """Lessons for a calendar program, which cannot sign in: the address is the key."""
    found = feeds.find(token)
    if found is None:
        raise Http404
    response = HttpResponse(feeds.read(found), content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="rollcall.ics"'
    response["Cache-Control"] = "private, no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response


def _page(request: HttpRequest, address: str = "") -> HttpResponse:
    context = {
        "address": address,
        "feeds": CalendarFeed.objects.filter(owner=user_of(request), revoked_at__isnull=True).select_related(
            "course"
        ),
        "courses": permissions.courses_for(request.user).order_by("name", "code"),
    }
    response = render(request, "web/calendars.html", context)
    response["Cache-Control"] = "private, no-store"
    return response
