"""Cameras: their keys (shown once, stored as a hash, revocable), what they are told, what they say of themselves."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from attendance import errors, permissions, schooltime
from attendance.models import Camera, CameraStatus, ClassSession, Room

KEY_MARK = "rcam_"
MINUTES_BETWEEN_SHOTS = 3
BURST = 5
LONG_SIDE = 3840
JPEG_QUALITY = 90
POLL_SECONDS = 30
"""How often a camera asks for its timetable: how soon it notices that a session was opened."""
REPORTED = (
    "version", "source", "capturing", "clock_offset_ms", "spool_photos", "spool_bytes", "last_shot_at",
    "smallest_face", "error",
)  # fmt: skip


def create(name: str, room: Room, by: User) -> tuple[Camera, str]:
    """A new camera and its key in clear; the key cannot be shown again."""
    key = _new_key()
    camera = Camera.objects.create(
        name=name, room=room, key_hash=_hash(key), key_prefix=key[: len(KEY_MARK) + 4], created_by=by
    )
    return camera, key


def rotate(camera: Camera) -> str:
    """Replace the key; the old one ends at once."""
    key = _new_key()
    camera.key_hash, camera.key_prefix = _hash(key), key[: len(KEY_MARK) + 4]
    camera.revoked_at = None
    camera.save(update_fields=["key_hash", "key_prefix", "revoked_at"])
    return key


def revoke(camera: Camera) -> None:
    camera.revoked_at = timezone.now()
    camera.save(update_fields=["revoked_at"])


def authenticate(key: str) -> Camera | None:
    """The camera of a key, or None for an unknown or revoked one."""
    if not key.startswith(KEY_MARK) or len(key) > 100:
        return None
    camera = (
        Camera.objects.filter(key_hash=_hash(key), revoked_at__isnull=True).select_related("room").first()
    )
    if camera is not None:
        Camera.objects.filter(pk=camera.pk).update(last_seen_at=timezone.now())
    return camera


def session_now(camera: Camera) -> ClassSession:
    """The session of the camera's room that takes photos now: an open one that is running, else the latest open
    one, else the last one closed within its grace time. Raises NoSessionNow.
    """
    now = timezone.now()
    sessions = permissions.sessions_for_camera(camera).filter(cancelled_at__isnull=True)
    running = sessions.filter(state=ClassSession.State.OPEN).order_by("-starts_at")
    found = running.filter(starts_at__lte=now, ends_at__gte=now).first() or running.first()
    if found is None:
        last = sessions.filter(state=ClassSession.State.CLOSED).order_by("-closed_at").first()
        if last is not None and last.closed_at is not None:
            in_grace = now <= last.closed_at + dt.timedelta(minutes=last.grace_minutes)
            found = last if in_grace else None
    if found is None:
        raise errors.NoSessionNow
    return found


@dataclass(frozen=True, slots=True)
class ShotPolicy:
    """How a camera shoots: seconds from shot to shot, frames to choose from, the largest picture it may send."""

    interval_seconds: int
    burst: int
    long_side: int
    jpeg_quality: int
    min_face_pixels: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """What a camera may know: when its room has sessions. Nothing about students."""

    camera: Camera
    time_zone: str
    now: dt.datetime
    sessions: list[ClassSession]
    policy: ShotPolicy
    poll_seconds: int

    @property
    def etag(self) -> str:
        """The same for as long as nothing but the clock has moved."""
        facts = [self.camera.pk, self.camera.name, self.camera.room_id, self.camera.room.name, self.time_zone]
        for each in self.sessions:
            facts += [each.pk, each.course.name, each.starts_at, each.ends_at, each.state]
        return hashlib.sha256(repr((facts, self.policy, self.poll_seconds)).encode()).hexdigest()[:32]


def schedule(camera: Camera) -> Schedule:
    """What a camera is told: today's and tomorrow's sessions of its room, earliest first."""
    now, zone = timezone.now(), schooltime.school_zone()
    today = schooltime.school_day(now, zone)
    first, _end = schooltime.day_bounds(today, zone)
    _start, last = schooltime.day_bounds(today + dt.timedelta(days=1), zone)
    reached = permissions.sessions_for_camera(camera)
    near = reached.filter(starts_at__lt=last, ends_at__gt=first)
    return Schedule(
        camera, zone.key, now, list(near.order_by("starts_at", "pk")), policy_of(camera), POLL_SECONDS
    )


def policy_of(camera: Camera) -> ShotPolicy:
    """The site's way to shoot, with what is set for this camera laid over it."""
    return ShotPolicy(
        interval_seconds=60 * (camera.minutes_between_shots or MINUTES_BETWEEN_SHOTS),
        burst=camera.burst or BURST,
        long_side=LONG_SIDE,
        jpeg_quality=JPEG_QUALITY,
        min_face_pixels=settings.ROLLCALL_MIN_FACE_PIXELS,
    )


def heartbeat(camera: Camera, report: Mapping[str, object]) -> CameraStatus:
    """Keep what an agent says of itself; what it left out is unknown from now on."""
    known = {name: report.get(name) for name in REPORTED}
    status, _created = CameraStatus.objects.update_or_create(
        camera=camera, defaults={**known, "heard_at": timezone.now()}
    )
    return status


def _new_key() -> str:
    return KEY_MARK + secrets.token_urlsafe(32)


def _hash(key: str) -> str:
    # 256 random bits need no slow hash: there is nothing to guess.
    return hashlib.sha256(key.encode()).hexdigest()
