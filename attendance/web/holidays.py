"""For administrators: the days without lessons."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from attendance import calendar_files, school_days, schooltime
from attendance.models import Holiday
from attendance.web.answers import administrators_only, page
from attendance.web.asked import numbers
from attendance.web.calendar_forms import HolidayForm
from attendance.web.carried import carried, carry

AHEAD = dt.timedelta(days=500)


@page
@require_GET
def holidays(request: HttpRequest) -> HttpResponse:
    administrators_only(request)
    return _page(request, HolidayForm())


@page
@require_POST
def add(request: HttpRequest) -> HttpResponse:
    administrators_only(request)
    form = HolidayForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422 if request.POST.get("name") else 200)
    holiday = school_days.add_holiday(*form.days())
    messages.success(
        request, _("%(name)s is free. Planned lessons of timetables follow.") % {"name": holiday.name}
    )
    return redirect("web:holidays")


@page
@require_POST
def remove(request: HttpRequest, holiday_id: int) -> HttpResponse:
    administrators_only(request)
    holiday = get_object_or_404(Holiday, pk=holiday_id)
    kept = {"name": holiday.name, "first": holiday.first_day, "last": holiday.last_day}
    school_days.remove_holiday(holiday)
    messages.success(
        request,
        _("%(name)s is not free any more. The timetables' lessons are back.") % {"name": kept["name"]},
    )
    return _page(request, HolidayForm(initial={
        "name": kept["name"], "first_day": kept["first"], "last_day": kept["last"],
    }))  # fmt: skip


@page
@require_POST
def import_file(request: HttpRequest) -> HttpResponse:
    """Whole days of a calendar file: shown first, stored after a yes."""
    administrators_only(request)
    data = carried(request, calendar_files.CalendarFileRefused)
    upload = request.FILES.get("file")
    confirmed = data is not None
    if data is None:
        if upload is None:
            return redirect("web:holidays")
        data = upload.read(calendar_files.MAX_BYTES + 1)
    today = schooltime.today()
    found, others = calendar_files.whole_days_of(data, today - dt.timedelta(days=60), today + AHEAD)
    if confirmed:
        chosen = set(numbers(request.POST.getlist("day")))
        days = [
            (one.name or _("Holiday"), one.first, one.last) for at, one in enumerate(found) if at in chosen
        ]
        made = school_days.add_holidays(days)
        messages.success(
            request, ngettext("%(n)d holiday added.", "%(n)d holidays added.", made) % {"n": made}
        )
        return redirect("web:holidays")
    known = set(Holiday.objects.values_list("name", "first_day", "last_day"))
    rows = [(at, one, (one.name, one.first, one.last) in known) for at, one in enumerate(found)]
    context = {"rows": rows, "others": others, "carried": carry(data)}
    return render(request, "web/holidays_preview.html", context)


def _page(request: HttpRequest, form: HolidayForm, status: int = 200) -> HttpResponse:
    today = schooltime.today()
    context = {
        "form": form,
        "coming": Holiday.objects.filter(last_day__gte=today),
        "past": Holiday.objects.filter(last_day__lt=today).order_by("-first_day")[:30],
    }
    return render(request, "web/holidays.html", context, status=status)
