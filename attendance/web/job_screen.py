"""What the reports page says of files being made, and of reports kept under a name."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.translation import gettext as _

from attendance import report_jobs, scheduled_reports
from attendance.models import Course, ReportJob, SavedReport, Student
from attendance.reports.document import percent_text
from attendance.web.answers import user_of

SHOWN = 12
State = ReportJob.State


@dataclass(frozen=True, slots=True)
class JobRow:
    """One file that is being made, ready or gone."""

    id: str
    title: str
    kind: str
    state: str
    done: int
    total: int
    percent: str
    size: int
    expires_at: dt.datetime | None
    error: str

    @property
    def busy(self) -> bool:
        return self.state in (State.QUEUED, State.WORKING)


@dataclass(frozen=True, slots=True)
class SavedRow:
    report: SavedReport
    title: str
    mine: bool
    recipients: int


def subjects(reports: list[ReportJob] | list[SavedReport]) -> dict[tuple[str, int], str]:
    """What each is about, by name; two queries however many there are."""
    wanted: dict[str, set[int]] = {"course": set(), "student": set()}
    for one in reports:
        if one.what in wanted:
            wanted[one.what].add(one.subject_id)
    names = {
        ("course", pk): name
        for pk, name in Course.objects.filter(pk__in=wanted["course"]).values_list("pk", "name")
    }
    return names | {
        ("student", one.pk): one.full_name for one in Student.objects.filter(pk__in=wanted["student"])
    }


def title_of(one: ReportJob | SavedReport, names: dict[tuple[str, int], str]) -> str:
    plain = {
        "session": _("Roll of a session"),
        "missing": _("Rolls that are missing"),
        "summary": _("All courses"),
        "absences": _("Absences in a row"),
        "away": _("Excused absences, also to come"),
    }
    return names.get((one.what, one.subject_id), "") or plain.get(one.what, "–")


def job_rows(request: HttpRequest) -> list[JobRow]:
    jobs = list(report_jobs.jobs_of(request.user).exclude(state=State.EXPIRED)[:SHOWN])
    names = subjects(jobs)
    return [
        JobRow(
            str(job.pk),
            job.file_name or title_of(job, names),
            job.kind,
            job.state,
            job.done,
            job.total,
            percent_text(job.done / job.total) if job.total else "",
            job.size,
            job.expires_at,
            job.error,
        )
        for job in jobs
    ]


def jobs_context(request: HttpRequest) -> dict[str, object]:
    rows = job_rows(request)
    return {"jobs": rows, "busy": any(row.busy for row in rows)}


def saved_rows(request: HttpRequest) -> list[SavedRow]:
    user = user_of(request)
    found = list(scheduled_reports.saved_for(user).prefetch_related("recipients"))
    names = subjects(found)
    return [
        SavedRow(one, title_of(one, names), one.owner_id == user.pk, len(one.recipients.all()))
        for one in found
    ]
