"""Reports made by a worker: asked for, made with progress, kept for some days, fetched by who asked, gone.

As with photos, the queue is a hint and the row the truth: a job is claimed by compare-and-swap with a lease that
its progress renews, and a worker that lost its token writes nothing. A killed worker's job is made anew.
"""

from __future__ import annotations

import datetime as dt
import logging
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ObjectDoesNotExist
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from attendance import clock, errors, intake, mailing, permissions, schooltime
from attendance.models import ReportJob, SavedReport
from attendance.models.reporting import OWN_DATA
from attendance.reports import orders
from attendance.reports.facts import Days
from attendance.reports.orders import Order
from attendance.storage import unguessable_name

log = logging.getLogger(__name__)

KEPT = dt.timedelta(days=7)
RECORD_KEPT = dt.timedelta(days=30)
LEASE = dt.timedelta(minutes=3)
IN_QUEUE = dt.timedelta(minutes=2)
"""How long a task is believed to be on the queue."""
MAX_ATTEMPTS = 3
MAX_UNFINISHED = 10
"""Jobs one person may have waiting."""
SAID_EACH_SECONDS = 1.0
State = ReportJob.State


class TooManyReports(errors.RollcallError):
    code = "too_many_reports"
    status = 429
    message = gettext_lazy("Ten of your reports are being made already. Please wait for one of them.")


class ReportGone(errors.RollcallError):
    code = "report_gone"
    status = 410
    message = gettext_lazy("This file is no longer kept. Make the report again.")


class _Overtaken(Exception):
    """Somebody else has the job, or it was taken back."""


def ask(
    user: User, order: Order, language: str, *, saved: SavedReport | None = None, mail: bool = False
) -> ReportJob:
    """Have a worker make it. The same report asked for while it is being made is the same job.

    Raises UnknownReport, PdfTooLarge, TooManyReports; ObjectDoesNotExist for what is not the reader's.
    """
    orders.is_large(user, order)
    about = orders.courses_of(user, order)
    wanted = {
        "what": order.what, "subject_id": order.subject_id, "kind": order.kind, "language": language,
        "first_day": order.days.first, "last_day": order.days.last, "saved": saved, "mail": mail,
        "options": {"run": order.run, "rate": order.rate, "bom": order.bom},
    }  # fmt: skip
    with transaction.atomic():
        unfinished = ReportJob.objects.filter(asked_by=user, state__in=[State.QUEUED, State.WORKING])
        same = unfinished.filter(**wanted).first()
        if same is not None:
            return same
        if unfinished.count() >= MAX_UNFINISHED and not mail:
            raise TooManyReports
        course = about.get() if order.what in ("course", "session") else None
        job = ReportJob.objects.create(asked_by=user, course=course, created_at=timezone.now(), **wanted)
        transaction.on_commit(lambda: enqueue(job.pk), robust=True)
    return job


def order_of(job: ReportJob) -> Order:
    said = job.options
    return Order(
        job.what, job.subject_id, job.kind, Days(job.first_day, job.last_day), said.get("run"), said.get("rate"),
        said.get("bom", True),
    )  # fmt: skip


def enqueue(job_id: uuid.UUID) -> bool:
    from attendance.tasks import make_report

    ReportJob.objects.filter(pk=job_id, state=State.QUEUED).update(lease_until=Now() + IN_QUEUE)
    # Behind e-mail, on a queue that no photo waits in.
    return intake.publish(make_report, str(job_id), priority=9)


def work(job_id: uuid.UUID) -> bool:
    """Make one file, whatever happens to this worker or any other; whether it is there now."""
    token = _claim(job_id)
    if token is None:
        return False
    job = ReportJob.objects.select_related("asked_by", "saved").get(pk=job_id)
    try:
        with _folder(job, token) as folder, tempfile.TemporaryFile(dir=folder) as out:
            with translation.override(job.language), timezone.override(schooltime.school_zone()):
                about, name = _write(job, token, out, folder)
            return _keep(job, token, out, name, about)
    except _Overtaken:
        return False
    except (errors.StorageAway, errors.StorageFull):
        # No fault of the report: it is made again a little later, and this attempt does not count.
        _ours(job, token).update(
            state=State.QUEUED, token=None, lease_until=Now() + IN_QUEUE, attempts=F("attempts") - 1
        )
    except (errors.RollcallError, ObjectDoesNotExist) as error:
        _give_up(job, token, _why(job, error))
    except Exception:
        log.exception("report %s could not be made", job_id)
        if job.attempts < MAX_ATTEMPTS:
            _ours(job, token).update(state=State.QUEUED, token=None, lease_until=None)
            enqueue(job.pk)
        else:
            _give_up(job, token, _why(job, None))
    return False


def _claim(job_id: uuid.UUID) -> uuid.UUID | None:
    """Take the lease. Attempts are counted here, so that a crash counts too."""
    token = uuid.uuid4()
    free = Q(state=State.QUEUED) | Q(state=State.WORKING, lease_until__lt=Now())
    taken = ReportJob.objects.filter(free, pk=job_id, attempts__lt=MAX_ATTEMPTS).update(
        state=State.WORKING,
        token=token,
        lease_until=Now() + LEASE,
        attempts=F("attempts") + 1,
        done=0,
        total=0,
    )
    return token if taken else None


def _ours(job: ReportJob, token: uuid.UUID) -> QuerySet[ReportJob]:
    return ReportJob.objects.filter(pk=job.pk, token=token, state=State.WORKING)


def _write(job: ReportJob, token: uuid.UUID, out: BinaryIO, folder: Path) -> tuple[list[int], str]:
    """The courses it tells about, as they are before the first mark is read, and the file's name."""
    said = 0.0

    def progress(done: int, total: int) -> None:
        nonlocal said
        if time.monotonic() - said < SAID_EACH_SECONDS and done != total:
            return
        said = time.monotonic()
        if not _ours(job, token).update(done=done, total=total, lease_until=Now() + LEASE):
            raise _Overtaken

    if job.what == OWN_DATA:
        from attendance.own_data import files  # it asks for jobs in its turn

        return [], files.write(job, out, progress)
    order = order_of(job)
    about = list(orders.courses_of(job.asked_by, order).order_by().values_list("pk", flat=True))
    name = orders.write(job.asked_by, order, out, folder, timezone.localtime(), progress)
    return about, name


def _keep(job: ReportJob, token: uuid.UUID, out: BinaryIO, name: str, about: list[int]) -> bool:
    size = out.tell()
    out.seek(0)
    extension = Path(name).suffix.lstrip(".")
    stored = default_storage.save(unguessable_name("reports", extension), File(out))
    now = timezone.now()
    try:
        with transaction.atomic():
            if not _ours(job, token).update(
                state=State.DONE, file=stored, file_name=name, size=size, finished_at=now, expires_at=now + KEPT,
                token=None, lease_until=None, options={**job.options, "courses": about}, error="",
            ):  # fmt: skip
                raise _Overtaken
            job.refresh_from_db()
            if job.mail:
                _mail(job)
    except BaseException:
        if not ReportJob.objects.filter(file=stored).exists():
            default_storage.delete(stored)
        raise
    return True


def _give_up(job: ReportJob, token: uuid.UUID, why: str) -> None:
    _ours(job, token).update(
        state=State.FAILED, error=why[:300], token=None, lease_until=None, finished_at=timezone.now()
    )


def _why(job: ReportJob, error: Exception | None) -> str:
    with translation.override(job.language):
        if isinstance(error, errors.RollcallError):
            return str(error.message)
        if isinstance(error, ObjectDoesNotExist):
            return _("This report is no longer yours to see.")
        return _("The report could not be made. Please tell the administrator.")


# --- fetching and forgetting ----------------------------------------------------------------------
def jobs_of(user: permissions.Viewer) -> QuerySet[ReportJob]:
    """A person's own, newest first; copies of a student's own data stand on the student's page."""
    return ReportJob.objects.filter(asked_by_id=user.pk or 0).exclude(what=OWN_DATA)


def open_file(job: ReportJob, viewer: User) -> File[bytes]:
    """The file, while it is kept and everything it tells about is still the reader's to see. Raises ReportGone."""
    if job.state != State.DONE or job.expires_at is None or job.expires_at <= timezone.now():
        raise ReportGone
    about = set(job.options.get("courses", []))
    mine = permissions.courses_for(viewer).filter(pk__in=about).values_list("pk", flat=True)
    if job.asked_by_id != viewer.pk or about - set(mine):
        raise ReportGone
    try:
        orders.courses_of(viewer, order_of(job))
        return default_storage.open(job.file)
    except (ObjectDoesNotExist, FileNotFoundError):
        raise ReportGone from None


def drop(job: ReportJob, error: str = "") -> None:
    """The file goes at once; a worker still busy with it is left without its token."""
    stored = job.file
    ReportJob.objects.filter(pk=job.pk).update(
        state=State.EXPIRED, file="", file_name="", size=0, token=None, lease_until=None, error=error
    )
    if stored:
        transaction.on_commit(lambda: default_storage.delete(stored))


@receiver(post_delete, sender=ReportJob)
def _delete_file(instance: ReportJob, **_more: object) -> None:
    """Whatever takes the row (a course, a person's log-in) takes the file."""
    if instance.file:
        transaction.on_commit(lambda: default_storage.delete(instance.file))


def forget_files() -> None:
    """Somebody is being deleted: no file that could tell of them stays, and what is being made begins anew."""
    for job in ReportJob.objects.filter(state=State.DONE):
        drop(job, error="student deleted")
    ReportJob.objects.filter(state=State.WORKING).update(
        state=State.QUEUED, token=None, lease_until=None, attempts=0
    )
    mailing.forget_attachments()


def sweep(now: dt.datetime | None = None) -> int:
    """Queue again what was lost, give up on what failed three times, clear up after killed workers."""
    now = now or clock.now()
    unsaid = Q(state=State.QUEUED, lease_until=None, created_at__lt=now - dt.timedelta(seconds=20))
    lost = unsaid | Q(state__in=[State.QUEUED, State.WORKING], lease_until__lt=now)
    for job in ReportJob.objects.filter(lost, attempts__gte=MAX_ATTEMPTS):
        ReportJob.objects.filter(pk=job.pk).filter(lost).update(
            state=State.FAILED, error=_why(job, None)[:300], token=None, lease_until=None, finished_at=now
        )
    _sweep_folders()
    return sum(enqueue(pk) for pk in ReportJob.objects.filter(lost).values_list("pk", flat=True)[:50])


def purge(now: dt.datetime | None = None) -> int:
    """Files whose time is over, and old records; how many files went."""
    now = now or timezone.now()
    over = list(ReportJob.objects.filter(state=State.DONE, expires_at__lte=now))
    for job in over:
        drop(job)
    ReportJob.objects.filter(created_at__lt=now - RECORD_KEPT).exclude(state=State.DONE).delete()
    return len(over)


# --- where a workbook's rows lie on their way -------------------------------------------------------
def _workplace() -> Path:
    return settings.DATA_DIR / "reports-in-work"


@contextmanager
def _folder(job: ReportJob, token: uuid.UUID) -> Iterator[Path]:
    folder = _workplace() / f"{job.pk}.{token}"
    folder.mkdir(parents=True, mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep_folders() -> None:
    """What a killed worker left."""
    if not _workplace().is_dir():
        return
    working = ReportJob.objects.filter(state=State.WORKING).values_list("pk", "token")
    busy = {f"{pk}.{token}" for pk, token in working}
    for folder in _workplace().iterdir():
        if folder.name not in busy:
            shutil.rmtree(folder, ignore_errors=True)


# --- by e-mail --------------------------------------------------------------------------------------
def _mail(job: ReportJob) -> None:
    from attendance.scheduled_reports import mail  # it asks for jobs in its turn

    mail(job)
