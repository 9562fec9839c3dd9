"""A camera that is silent when its room's session is under way is told to the course's teachers, once."""

from __future__ import annotations

import datetime as dt

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce, Greatest
from django.urls import reverse
from django.utils import timezone

from attendance import mailing
from attendance.camera_health import SILENT_IN_SESSION
from attendance.models import Camera, CameraAlert, ClassSession

GRACE = dt.timedelta(minutes=3)
"""After a session's start, or its opening if that was later: a device may need a moment to wake up."""


def watch(now: dt.datetime | None = None) -> int:
    """Raise alerts for silent cameras of sessions under way, end those of cameras heard again; returns the new ones."""
    now = now or timezone.now()
    _end_alerts(now)
    raised = 0
    for session in _under_way(now).select_related("course", "room"):
        for camera in _silent(session, now):
            raised += _raise(session, camera, now)
    return raised


def open_alerts(session: ClassSession) -> QuerySet[CameraAlert]:
    """Cameras of a session that were silent and have not been heard since."""
    return CameraAlert.objects.filter(session=session, heard_again_at__isnull=True).select_related("camera")


def _under_way(now: dt.datetime) -> QuerySet[ClassSession]:
    began = Greatest("starts_at", Coalesce("opened_at", "starts_at"))
    return ClassSession.objects.annotate(began=began).filter(
        state=ClassSession.State.OPEN,
        room__isnull=False,
        began__lte=now - GRACE,
        ends_at__gt=now,
        cancelled_at__isnull=True,
    )


def _silent(session: ClassSession, now: dt.datetime) -> QuerySet[Camera]:
    unheard = Q(last_seen_at__isnull=True) | Q(last_seen_at__lt=now - SILENT_IN_SESSION)
    return Camera.objects.filter(unheard, room=session.room, revoked_at__isnull=True).exclude(
        alerts__session=session
    )


def _raise(session: ClassSession, camera: Camera, now: dt.datetime) -> bool:
    _alert, created = CameraAlert.objects.get_or_create(
        session=session, camera=camera, defaults={"raised_at": now}
    )
    if not created:
        return False
    ClassSession.objects.filter(pk=session.pk).update(roll_version=F("roll_version") + 1)
    readers = [user.email for user in session.course.teachers.filter(is_active=True) if user.email]
    if readers and mailing.is_set_up():
        context = {
            "camera": camera,
            "session": session,
            "link": mailing.link_to(reverse("web:session", args=[session.pk])),
        }
        mailing.send("camera_silent", readers, context)
    return True


def _end_alerts(now: dt.datetime) -> None:
    heard = CameraAlert.objects.filter(heard_again_at__isnull=True, camera__last_seen_at__gt=F("raised_at"))
    sessions = list(heard.values_list("session_id", flat=True))
    if heard.update(heard_again_at=now):
        ClassSession.objects.filter(pk__in=sessions).update(roll_version=F("roll_version") + 1)
