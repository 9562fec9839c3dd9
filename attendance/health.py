"""What works and what does not, part by part; asked by the site page, by ``/readyz`` and by ``doctor``."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Min
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from attendance import health_parts, mailing, waiting
from attendance.health_parts import Part
from attendance.models import MailMessage, ReportJob, Snapshot
from attendance.storage import media
from recognition import lfw_cnn
from recognition.errors import SecondOpinionUnavailable
from recognition.lfw_cnn import weight_files

BACKLOG_IS_OLD = dt.timedelta(minutes=5)
OFFICE_IS_LATE = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Backlog:
    waiting: int
    failed: int
    oldest: dt.datetime | None

    @property
    def age(self) -> dt.timedelta:
        return timezone.now() - self.oldest if self.oldest else dt.timedelta()


def check() -> list[Part]:
    """Every part, the needed ones first."""
    return [
        _database(),
        _storage(),
        _queue(),
        _worker(),
        _office(),
        health_parts.beat(),
        health_parts.keys(),
        health_parts.models(),
        _second_opinion(),
        *health_parts.mood(),
        health_parts.the_clock(),
    ]


def backlog() -> Backlog:
    found = Snapshot.objects.filter(waiting.photos())
    return Backlog(
        found.count(),
        Snapshot.objects.filter(state=Snapshot.State.FAILED).count(),
        found.aggregate(oldest=Min("received_at"))["oldest"],
    )


def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"ok": True})


def readyz(request: HttpRequest) -> JsonResponse:
    """503 while photos cannot be accepted; what is wrong with the rest is said, not shown in numbers."""
    parts = check()
    ready = all(part.ok for part in parts if part.needed_to_accept)
    return JsonResponse(
        {"ready": ready, "parts": {part.name: "ok" if part.ok else str(part.message) for part in parts}},
        status=200 if ready else 503,
    )


def _database() -> Part:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return Part("database", False, _("The database does not answer. Nothing can be stored now."), True)
    return Part("database", True, _("works"), True)


def _storage() -> Part:
    ok, sentence = media().works()
    return Part("storage", ok, sentence, needed_to_accept=True)


def _queue() -> Part:
    try:
        redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1).ping()
    except (redis.RedisError, OSError, ValueError):
        return Part(
            "queue", False, _("Redis does not answer. Photos are kept and looked at when it is back.")
        )
    return Part("queue", True, _("works"))


def _worker() -> Part:
    """Judged by whether one lives and by what gets done: an old backlog is what people notice."""
    try:
        now = backlog()
    except DatabaseError:
        return Part("workers", False, health_parts.UNKNOWN)
    if now.waiting >= settings.ROLLCALL_MAX_WAITING:
        full = _(
            "%(n)d photos wait, as many as may: no more are taken in, and cameras keep theirs, until some are done."
        )
        return Part("workers", False, full % {"n": now.waiting})
    found = health_parts.silence("worker")
    if found.unknown:
        return Part(
            "workers", False, _("They wait for Redis: photos are kept, and looked at when it is back.")
        )
    if found.minutes is None:
        return Part("workers", False, _("No worker runs: photos are kept, and looked at once one does."))
    if found.too_long:
        words = ngettext(
            "No worker was heard of for %(minutes)d minute: photos are kept, and looked at once one runs.",
            "No worker was heard of for %(minutes)d minutes: photos are kept, and looked at once one runs.",
            found.minutes,
        )
        return Part("workers", False, words % {"minutes": found.minutes})
    if now.age > BACKLOG_IS_OLD:
        minutes = int(now.age.total_seconds() // 60)
        return Part(
            "workers", False, _("The oldest photo has waited %(minutes)d minutes.") % {"minutes": minutes}
        )
    return Part("workers", True, _("works"))


def _office() -> Part:
    """Reports and e-mail; photos do without it."""
    before = timezone.now() - OFFICE_IS_LATE
    try:
        late = ReportJob.objects.filter(state=ReportJob.State.QUEUED, created_at__lt=before).exists() or (
            mailing.is_set_up()
            and MailMessage.objects.filter(
                state=MailMessage.State.WAITING, attempts=0, created_at__lt=before
            ).exists()
        )
    except DatabaseError:
        return Part("office", False, health_parts.UNKNOWN)
    if late:
        return Part("office", False, _("Reports or e-mail have waited for more than ten minutes."))
    return Part("office", True, _("works"))


def _second_opinion() -> Part:
    """Attendance does without it, so this part never keeps the site from being ready."""
    name = "second_opinion"
    if not settings.ROLLCALL_SECOND_OPINION:
        return Part(name, True, _("switched off"))
    files = (lfw_cnn.WEIGHTS, lfw_cnn.OPINION)
    if not all(path.is_file() for path in files):
        return Part(name, False, _("Its files are missing: faces are looked at by one model alone."))
    if not all(_is_whole(path, path.stat().st_mtime_ns) for path in files):
        return Part(name, False, _("Its files are damaged: faces are looked at by one model alone."))
    return Part(name, True, _("works"))


@lru_cache(maxsize=4)
def _is_whole(path: Path, changed_at: int) -> bool:
    """Whether the file is the one its check sum names; read again once it has changed."""
    try:
        weight_files.checked(path)
    except SecondOpinionUnavailable:
        return False
    return True
