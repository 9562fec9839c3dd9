"""A person's own data as one file: asked for on the student's page, by the office or by the student."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from attendance import permissions, report_jobs
from attendance.models import ReportJob, Student
from attendance.own_data import files
from attendance.reports.document import percent_text
from attendance.web.answers import is_htmx, says_why, student_page, user_of
from attendance.web.reports import as_attachment

SHOWN = 5
State = ReportJob.State


def _student(request: HttpRequest, student_id: int) -> Student:
    """For the student's own log-in, registrars and administrators; for everybody else it does not exist."""
    student = get_object_or_404(Student, pk=student_id)
    if not files.may_ask(request.user, student):
        raise Http404
    return student


def context_for(request: HttpRequest, student: Student) -> dict[str, object]:
    """What the card of a page shows: nothing for those who may not ask."""
    if not files.may_ask(request.user, student):
        return {}
    jobs = list(files.jobs_of(student, request.user).exclude(state=State.EXPIRED)[:SHOWN])
    busy = any(job.state in (State.QUEUED, State.WORKING) for job in jobs)
    percents = {job.pk: percent_text(job.done / job.total) if job.total else "" for job in jobs}
    return {
        "data_jobs": [(job, percents[job.pk]) for job in jobs],
        "data_busy": busy,
        "data_student": student,
        "data_is_mine": permissions.is_student(request.user),
        "may_ask_data": True,
    }


def _part(request: HttpRequest, student: Student) -> HttpResponse:
    response = render(request, "web/own_data.html", context_for(request, student))
    response["Cache-Control"] = "private, no-store"
    return response


def _after(request: HttpRequest, student: Student) -> HttpResponse:
    if is_htmx(request):
        return _part(request, student)
    if permissions.is_student(request.user):
        return redirect("web:my-data")
    return redirect(f"{reverse('web:student', args=[student.pk])}#own-data")


@login_required
@says_why
@require_GET
def part(request: HttpRequest, student_id: int) -> HttpResponse:
    """The part that changes while the file is made."""
    return _part(request, _student(request, student_id))


@login_required
@says_why
@require_POST
def ask(request: HttpRequest, student_id: int) -> HttpResponse:
    student = _student(request, student_id)
    files.ask(student, user_of(request), get_language() or "")
    if not is_htmx(request):
        messages.success(request, _("The file is being made. You can leave this page; it will stand here."))
    return _after(request, student)


@login_required
@says_why
@require_GET
def take(request: HttpRequest, student_id: int, job_id: uuid.UUID) -> FileResponse:
    student = _student(request, student_id)
    file = files.open_file(_job(request, student, job_id), user_of(request))
    response = FileResponse(file, content_type="application/zip")
    return as_attachment(response, f"data {student.number}.zip")


@login_required
@says_why
@require_POST
def remove(request: HttpRequest, student_id: int, job_id: uuid.UUID) -> HttpResponse:
    """The file goes at once; one that is being made is stopped."""
    student = _student(request, student_id)
    report_jobs.drop(_job(request, student, job_id))
    return _after(request, student)


@student_page
@require_GET
def mine(request: HttpRequest) -> HttpResponse:
    student = get_object_or_404(permissions.students_behind(request.user))
    return render(request, "web/my_data.html", context_for(request, student))


def _job(request: HttpRequest, student: Student, job_id: uuid.UUID) -> ReportJob:
    return get_object_or_404(files.of_viewer(student.pk, job_id, request.user))
