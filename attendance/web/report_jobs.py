"""Files that a worker makes: asked for, watched, taken, dropped."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from attendance import permissions, report_jobs
from attendance.models import ReportJob
from attendance.reports import files
from attendance.reports.orders import Order
from attendance.web.answers import is_htmx, page, user_of
from attendance.web.job_screen import jobs_context
from attendance.web.report_params import number_in, order_of
from attendance.web.reports import as_attachment


def posted_order(request: HttpRequest) -> Order:
    """The report a form of the reports page is about. Somebody else's is a 404."""
    what, kind = request.POST.get("what", ""), request.POST.get("kind", "")
    pk = number_in(request.POST.get("subject", ""), 0, 2**62) or 0
    asked = QueryDict(request.POST.get("query", "")[:2000]).dict()
    courses = permissions.courses_for(request.user).select_related("term")
    course = get_object_or_404(courses, pk=pk) if what == "course" else None
    return order_of(asked, what, pk, kind, course)


def _own(request: HttpRequest, job_id: uuid.UUID) -> ReportJob:
    return get_object_or_404(report_jobs.jobs_of(request.user), pk=job_id)


@page
@require_POST
def ask(request: HttpRequest) -> HttpResponse:
    try:
        report_jobs.ask(user_of(request), posted_order(request), get_language() or "")
    except ObjectDoesNotExist:
        raise Http404 from None
    if is_htmx(request):
        return jobs_part(request)
    messages.success(request, _("The report is being made. You can leave this page; it will stand here."))
    return redirect(f"{reverse('web:reports')}#jobs")


def jobs_part(request: HttpRequest) -> HttpResponse:
    response = render(request, "web/reports/jobs.html", jobs_context(request))
    response["Cache-Control"] = "private, no-store"
    return response


@page
@require_GET
def jobs(request: HttpRequest) -> HttpResponse:
    """The part that changes while files are being made."""
    return jobs_part(request)


@page
@require_GET
def job_file(request: HttpRequest, job_id: uuid.UUID) -> FileResponse:
    job = _own(request, job_id)
    file = report_jobs.open_file(job, user_of(request))
    content_type = files.TYPES.get(job.kind, files.CSV)
    return as_attachment(FileResponse(file, content_type=content_type), job.file_name)


@page
@require_POST
def remove(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """The file goes at once; one that is being made is stopped."""
    report_jobs.drop(_own(request, job_id))
    return jobs_part(request) if is_htmx(request) else redirect(f"{reverse('web:reports')}#jobs")


@page
@require_POST
def again(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """The same report, as it stands now."""
    job = _own(request, job_id)
    try:
        report_jobs.ask(user_of(request), report_jobs.order_of(job), get_language() or "")
    except ObjectDoesNotExist:
        raise report_jobs.ReportGone from None
    report_jobs.drop(job)
    return jobs_part(request) if is_htmx(request) else redirect(f"{reverse('web:reports')}#jobs")
