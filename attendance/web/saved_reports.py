"""Reports under a name, and when they go to whom."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.dates import WEEKDAYS
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from attendance import errors, mailing, report_jobs, scheduled_reports, schooltime
from attendance.models import SavedReport
from attendance.web.answers import page, user_of
from attendance.web.asked import numbers
from attendance.web.job_screen import subjects, title_of
from attendance.web.report_jobs import posted_order
from attendance.web.report_params import number_in


def _saved(request: HttpRequest, saved_id: int, *, own: bool = True) -> SavedReport:
    found = scheduled_reports.saved_for(user_of(request))
    return get_object_or_404(found.filter(owner=user_of(request)) if own else found, pk=saved_id)


def _page() -> str:
    return f"{reverse('web:reports')}#saved"


@page
@require_POST
def save(request: HttpRequest) -> HttpResponse:
    name = request.POST.get("name", "").strip()
    if not name:
        raise errors.RollcallError(_("Give the report a name."))
    try:
        saved = scheduled_reports.save(
            user_of(request), name, posted_order(request), request.POST.get("span", "")
        )
    except ObjectDoesNotExist:
        raise Http404 from None
    messages.success(request, _("“%(name)s” is saved.") % {"name": saved.name})
    return redirect("web:saved-report", saved.pk)


@page
@require_GET
def saved_report(request: HttpRequest, saved_id: int) -> HttpResponse:
    """What it is, as it would be today, and its schedule."""
    saved = _saved(request, saved_id)
    order = scheduled_reports.order_of(saved, schooltime.today())
    about = {saved.what: saved.subject_id} if saved.subject_id else {}
    days = {"from": order.days.first.isoformat(), "to": order.days.last.isoformat()}
    context = {
        "saved": saved,
        "title": title_of(saved, subjects([saved])),
        "days": order.days,
        "preview": f"{reverse('web:reports')}?{urlencode({'what': saved.what, **about, **days})}",
        "people": scheduled_reports.may_receive(saved),
        "chosen": set(saved.recipients.values_list("pk", flat=True)) or {saved.owner_id},
        "weekdays": [(number + 1, name) for number, name in WEEKDAYS.items()],
        "month_days": range(1, 32),
        "hours": range(24),
        "everys": [choice for choice in SavedReport.Every.choices if choice[0]],
        "bys": SavedReport.By.choices,
        "mail_set_up": mailing.is_set_up(),
        "own_address": user_of(request).email,
    }
    return render(request, "web/reports/saved.html", context)


@page
@require_POST
def schedule(request: HttpRequest, saved_id: int) -> HttpResponse:
    saved = _saved(request, saved_id)
    every = request.POST.get("every", "")
    day = number_in(request.POST.get("weekday" if every == "week" else "month_day", ""), 1, 31) or 0
    hour = number_in(request.POST.get("hour", ""), 0, 23)
    people = list(User.objects.filter(pk__in=numbers(request.POST.getlist("to"))))
    allowed = {one.pk for one in scheduled_reports.may_receive(saved)}
    scheduled_reports.schedule(
        saved, every, day, -1 if hour is None else hour, request.POST.get("by", ""),
        [one for one in people if one.pk in allowed],
    )  # fmt: skip
    messages.success(request, _("“%(name)s” will be sent.") % {"name": saved.name})
    return redirect("web:saved-report", saved.pk)


@page
@require_POST
def stop(request: HttpRequest, saved_id: int) -> HttpResponse:
    saved = _saved(request, saved_id, own=False)
    scheduled_reports.stop(saved, user_of(request))
    messages.success(request, _("“%(name)s” is no longer sent to you.") % {"name": saved.name})
    return redirect(_page())


@page
@require_POST
def make_now(request: HttpRequest, saved_id: int) -> HttpResponse:
    """The file of today, made by a worker."""
    saved = _saved(request, saved_id, own=False)
    try:
        order = scheduled_reports.order_of(saved, schooltime.today())
        report_jobs.ask(user_of(request), order, get_language() or "")
    except ObjectDoesNotExist:
        raise report_jobs.ReportGone(_("What this report is about is no longer yours to see.")) from None
    return redirect(f"{reverse('web:reports')}#jobs")


@page
@require_POST
def remove(request: HttpRequest, saved_id: int) -> HttpResponse:
    saved = _saved(request, saved_id)
    saved.delete()
    messages.success(request, _("“%(name)s” is removed.") % {"name": saved.name})
    return redirect(_page())
