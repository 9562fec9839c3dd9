"""The file with a person's own data: asked for, made by a worker as reports are, fetched by who asked, gone in time."""

from __future__ import annotations

import uuid
from typing import BinaryIO

from django.contrib.auth.models import User
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from attendance import permissions, report_jobs, schooltime
from attendance.models import ReportJob, SavedReport, Student
from attendance.models.reporting import OWN_DATA, What
from attendance.reports.chunks import Progress

State = ReportJob.State


def ask(student: Student, by: User, language: str) -> ReportJob:
    """Have a worker make it; what is being made already is the same job.

    ``by`` is the student's own log-in, a registrar or an administrator: the caller asks ``may_ask``.
    """
    with transaction.atomic():
        unfinished = jobs_of(student, by).filter(state__in=[State.QUEUED, State.WORKING]).first()
        if unfinished is not None:
            return unfinished
        today = schooltime.today()
        job = ReportJob.objects.create(
            asked_by=by, what=OWN_DATA, subject_id=student.pk, kind="zip", first_day=today, last_day=today,
            language=language, created_at=timezone.now(),
        )  # fmt: skip
        transaction.on_commit(lambda: report_jobs.enqueue(job.pk), robust=True)
    return job


def may_ask(user: permissions.Viewer, student: Student) -> bool:
    """The student, and who answers for the school's records: registrars and administrators."""
    if permissions.sees_all_courses(user):
        return True
    return permissions.students_behind(user).filter(pk=student.pk).exists()


def jobs_of(student: Student, user: permissions.Viewer) -> QuerySet[ReportJob]:
    """What this person asked for about the student, newest first."""
    return ReportJob.objects.filter(what=OWN_DATA, subject_id=student.pk, asked_by_id=user.pk or 0)


def write(job: ReportJob, out: BinaryIO, progress: Progress) -> str:
    """Write the file; its name. Raises ObjectDoesNotExist where student or right are gone in the meantime."""
    from attendance.own_data import archive  # brings recognition along, which pages do without

    student = Student.objects.get(pk=job.subject_id)
    if not may_ask(job.asked_by, student):
        raise Student.DoesNotExist
    return archive.write(student, out, progress)


def open_file(job: ReportJob, viewer: User) -> File[bytes]:
    """The file, for who asked for it and while they may. Raises ReportGone."""
    student = Student.objects.filter(pk=job.subject_id).first()
    over = job.expires_at is None or job.expires_at <= timezone.now()
    if job.state != State.DONE or over or student is None:
        raise report_jobs.ReportGone
    if job.asked_by_id != viewer.pk or not may_ask(viewer, student):
        raise report_jobs.ReportGone
    try:
        return default_storage.open(job.file)
    except FileNotFoundError:
        raise report_jobs.ReportGone from None


def of_viewer(student_id: int, job_id: uuid.UUID, viewer: permissions.Viewer) -> QuerySet[ReportJob]:
    """One of the viewer's own, or none."""
    return ReportJob.objects.filter(
        pk=job_id, what=OWN_DATA, subject_id=student_id, asked_by_id=viewer.pk or 0
    )


def forget(student: Student) -> None:
    """Consent ended: made files go at once, and what is being made begins anew, without the face."""
    begun_anew(student)
    transaction.on_commit(lambda: begun_anew(student))  # what was begun while this was not yet seen


def begun_anew(student: Student) -> None:
    jobs = ReportJob.objects.filter(what=OWN_DATA, subject_id=student.pk)
    for job in jobs.filter(state=State.DONE):
        report_jobs.drop(job, error="consent withdrawn")
    jobs.filter(state=State.WORKING).update(state=State.QUEUED, token=None, lease_until=None, attempts=0)


def forget_everything(student: Student) -> None:
    """The student is being deleted: files about them go with their rows, kept reports with their names too.

    What is being made is left without its row, and so without a file.
    """
    SavedReport.objects.filter(what=What.STUDENT, subject_id=student.pk).delete()
    for job in ReportJob.objects.filter(what__in=[OWN_DATA, What.STUDENT], subject_id=student.pk):
        job.delete()
