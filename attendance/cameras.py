"""Camera keys: shown once, stored as a hash, revocable."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from django.contrib.auth.models import User
from django.utils import timezone

from attendance import errors, permissions
from attendance.models import Camera, ClassSession, Room

KEY_MARK = "rcam_"


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
    sessions = permissions.sessions_for_camera(camera)
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


def _new_key() -> str:
    return KEY_MARK + secrets.token_urlsafe(32)


def _hash(key: str) -> str:
    # 256 random bits need no slow hash: there is nothing to guess.
    return hashlib.sha256(key.encode()).hexdigest()
