"""How a camera does, in words: one sentence, and what to do about it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from attendance.models import Camera, CameraStatus, ClassSession

SILENT_IN_SESSION = dt.timedelta(minutes=3)
"""An agent asks twice a minute; after this long without a word it is taken for silent."""
SILENT = dt.timedelta(minutes=15)
CLOCK_IS_OFF = dt.timedelta(minutes=2)
MANY_WAIT = 10


class Level(StrEnum):
    GOOD = "good"
    WARNING = "warning"
    SILENT = "silent"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Health:
    level: Level
    sentence: str | Promise
    advice: str | Promise = ""


def with_facts(cameras: QuerySet[Camera]) -> QuerySet[Camera]:
    """Cameras with what ``health`` looks at, in one query: room, status and ``in_session``."""
    now = timezone.now()
    open_now = ClassSession.objects.filter(
        room_id=OuterRef("room_id"),
        state=ClassSession.State.OPEN,
        starts_at__lte=now,
        ends_at__gte=now,
        cancelled_at__isnull=True,
    )
    return cameras.select_related("room", "status").annotate(in_session=Exists(open_now))


def health(camera: Camera, now: dt.datetime | None = None) -> Health:
    """The first thing that is wrong with a camera of ``with_facts``, or that it works."""
    now = now or timezone.now()
    return _connection(camera, now) or _own_words(camera) or Health(Level.GOOD, _("Works."))


def _connection(camera: Camera, now: dt.datetime) -> Health | None:
    if camera.revoked_at is not None:
        return Health(Level.OFF, _("Its key was revoked: it can send nothing."))
    if camera.last_seen_at is None:
        return Health(
            Level.SILENT, _("It was never heard of."), _("Set it up with a pairing code, or give it its key.")
        )
    silence = now - camera.last_seen_at
    if silence > SILENT_IN_SESSION and getattr(camera, "in_session", False):
        return Health(
            Level.SILENT,
            _("It is silent although a session is open in its room."),
            _("Look whether it has power and network. Nobody is marked absent by a silent camera."),
        )
    if silence > SILENT:
        return Health(
            Level.SILENT, _("It has been silent for a while."), _("Look whether it has power and network.")
        )
    return None


def _own_words(camera: Camera) -> Health | None:
    status: CameraStatus | None = getattr(camera, "status", None)
    if status is None:
        return None
    if status.error:
        return Health(Level.WARNING, status.error)
    if status.clock_offset_ms is not None and abs(status.clock_offset_ms) > CLOCK_IS_OFF / dt.timedelta(
        milliseconds=1
    ):
        return Health(
            Level.WARNING,
            _("Its clock is off by more than two minutes."),
            _("Photos are put right by the difference; still, switch on setting the time by network there."),
        )
    if (status.spool_photos or 0) >= MANY_WAIT:
        waiting = status.spool_photos or 0
        return Health(
            Level.WARNING,
            ngettext("%(count)d photo waits on the camera.", "%(count)d photos wait on the camera.", waiting)
            % {"count": waiting},
            _("The network is slow or was gone; they are sent as soon as it allows."),
        )
    smallest = settings.ROLLCALL_MIN_FACE_PIXELS
    if status.smallest_face is not None and status.smallest_face < smallest:
        return Health(
            Level.WARNING,
            _("The smallest face it saw is %(seen)d pixels wide; %(needed)d are needed.")
            % {"seen": status.smallest_face, "needed": smallest},
            _("Bring it nearer to the back row, turn up its resolution, or use a second camera."),
        )
    return None
