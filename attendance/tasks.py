"""What workers do; each task calls one service. The queue is a hint, the database is the truth."""

from __future__ import annotations

import uuid

from celery import shared_task
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore

from attendance import (
    absence_warnings,
    camera_watch,
    classes,
    digest,
    enrolment,
    figure_kinds,
    figures,
    mailing,
    pipeline,
    report_jobs,
    scheduled_reports,
    stored_files,
    sweeper,
    tallies,
    timetables,
)
from attendance.retention import purge


@shared_task
def process_snapshot(snapshot_id: int) -> str:
    return str(pipeline.process(snapshot_id))


@shared_task
def check_portrait(portrait_id: int) -> None:
    enrolment.check_portrait(portrait_id)


@shared_task
def sweep() -> int:
    office = mailing.sweep() + report_jobs.sweep() + figures.sweep() + stored_files.sweep()
    return sweeper.sweep() + enrolment.sweep() + office


@shared_task
def close_finished_sessions() -> int:
    return classes.close_finished()


@shared_task
def watch_cameras() -> int:
    return camera_watch.watch()


@shared_task
def open_due_sessions() -> int:
    return classes.open_due()


@shared_task
def apply_timetables() -> None:
    timetables.apply_everywhere()


@shared_task
def send_digests() -> int:
    return digest.send_due()


# After a holiday without a worker there is much to delete; each step is done once it is committed.
@shared_task(soft_time_limit=3000, time_limit=3060)
def purge_expired(user_id: int | None = None) -> None:
    purge.run(by=User.objects.filter(pk=user_id or 0).first())


@shared_task
def forget_sessions() -> None:
    """Sessions of browsers that have ended open nothing; their rows go as well."""
    SessionStore.clear_expired()


@shared_task
def send_mail(message_id: int) -> bool:
    return mailing.deliver(message_id)


# A year of a large school takes minutes; its lease, not the clock, says whether it still goes on.
@shared_task(soft_time_limit=3600, time_limit=3660)
def make_report(job_id: str) -> bool:
    return report_jobs.work(uuid.UUID(job_id))


@shared_task
def send_due_reports() -> int:
    return scheduled_reports.send_due()


@shared_task
def send_warnings() -> int:
    return absence_warnings.send_automatic()


# Its limits lie within the lease of the figures.
@shared_task(soft_time_limit=200, time_limit=220)
def work_out_figures(figures_id: int) -> bool:
    return figures.work(figure_kinds.KINDS, figures_id)


@shared_task
def keep_figures_fresh() -> int:
    return figures.keep_fresh()


@shared_task
def keep_tallies() -> int:
    return tallies.keep_all()


@shared_task
def verify_tallies() -> int:
    return tallies.verify()
