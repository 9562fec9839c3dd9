"""What workers do; each task calls one service. The queue is a hint, the database is the truth."""

from __future__ import annotations

from celery import shared_task

from attendance import classes, enrolment, mailing, pipeline, privacy


@shared_task
def process_snapshot(snapshot_id: int) -> str:
    return str(pipeline.process(snapshot_id))


@shared_task
def check_portrait(portrait_id: int) -> None:
    enrolment.check_portrait(portrait_id)


@shared_task
def sweep() -> int:
    return pipeline.sweep() + enrolment.sweep() + mailing.sweep()


@shared_task
def close_finished_sessions() -> int:
    return classes.close_finished()


@shared_task
def purge_expired() -> None:
    privacy.purge_expired()
    mailing.purge()


@shared_task
def send_mail(message_id: int) -> bool:
    return mailing.deliver(message_id)
