"""Pairing: a short code, shown on a page, that a device exchanges once for a camera key. Nobody types a key."""

from __future__ import annotations

import datetime as dt
import secrets

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from attendance import cameras, errors, permissions
from attendance.models import Camera, PairingCode, Room

ALPHABET = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
"""Without 0 and O, 1, I and L, U: what is read from one screen and typed on another must be certain."""
LENGTH = 8
LIFETIME = dt.timedelta(minutes=10)
_KEPT = dt.timedelta(days=1)
"""How long a spent code is known, so that it can be refused with its reason."""


def make_code(by: User, *, room: Room | None = None, camera: Camera | None = None) -> tuple[PairingCode, str]:
    """A code for a new camera of a room, or for a new key of a camera; it cannot be shown again.

    Shown as ``ABCD-EFGH``. Raises PermissionDenied for those who may not pair there, ValueError unless exactly
    one of ``room`` and ``camera`` is given.
    """
    if (room is None) == (camera is None):
        raise ValueError("a code is for a room or for a camera")
    if camera is not None:
        allowed = permissions.cameras_to_pair(by).filter(pk=camera.pk).exists()
        room = camera.room
    else:
        assert room is not None
        allowed = permissions.rooms_to_pair(by).filter(pk=room.pk).exists()
    if not allowed:
        raise PermissionDenied
    now = timezone.now()
    PairingCode.objects.filter(expires_at__lt=now - _KEPT).delete()
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    made = PairingCode.objects.create(
        code_hash=_hash(code), room=room, camera=camera, made_by=by, made_at=now, expires_at=now + LIFETIME
    )
    return made, f"{code[:4]}-{code[4:]}"


def pair(code: str, name: str = "", version: str = "") -> tuple[Camera, str]:
    """The camera of a code and its new key; the code is spent.

    ``name`` is given to a new camera, or to the one that is paired again; blank leaves it as it is.
    Raises PairingCodeUnknown, PairingCodeUsed, PairingCodeExpired.
    """
    name = name.strip()[:100]
    with transaction.atomic():
        found = (
            PairingCode.objects.select_for_update(of=("self",))
            .select_related("room", "camera__room", "made_by")
            .filter(code_hash=_hash(_typed(code)))
            .first()
        )
        if found is None:
            raise errors.PairingCodeUnknown
        if found.used_at is not None:
            raise errors.PairingCodeUsed
        now = timezone.now()
        if now >= found.expires_at:
            raise errors.PairingCodeExpired
        if found.camera is None:
            camera, key = cameras.create(name or str(found.room), found.room, found.made_by)
            found.camera = camera
        else:
            camera = found.camera
            key = cameras.rotate(camera)
            if name and name != camera.name:
                camera.name = name
                camera.save(update_fields=["name"])
        found.used_at = now
        found.save(update_fields=["camera", "used_at"])
        cameras.heartbeat(camera, {"version": version})
    return camera, key


def _typed(code: str) -> str:
    """As people type it: any case, with blanks and dashes."""
    return "".join(letter for letter in code[:40].upper() if letter.isalnum())


def _hash(code: str) -> str:
    # 39 bits could be tried one by one by whoever steals the table; the server's own secret is in it.
    return salted_hmac("attendance.pairing", code, algorithm="sha256").hexdigest()
