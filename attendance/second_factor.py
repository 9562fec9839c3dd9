"""The second factor: who needs one, switching it on and off, codes of the app and codes for a lost phone.

Codes come from an authenticator app (RFC 6238), in steps of 30 seconds, one step either way, each good once. Beside it
ten recovery codes of 80 random bits, shown once, stored as hashes, each good once. Wrong tries must wait: 1, 2, 4,
8 ... seconds, counted for the person and not for the browser, so that a day has room for 17 guesses.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
from base64 import b32encode
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken

from attendance import audit, errors, permissions
from attendance.models import AuditEntry, Authenticator
from attendance.models.second_factor import DIGITS, new_key

RECOVERY_CODES = 10
RECOVERY_BYTES = 10
SHOWN_FOR = dt.timedelta(hours=1)
"""A key that was shown and not confirmed is replaced after this."""


class Due(StrEnum):
    """What a browser must do before it may do anything else."""

    CODE = "code"
    SET_UP = "set-up"


class WrongCode(errors.RollcallError):
    code = "wrong_code"
    status = 403
    message = _(
        "This code is not right, or it was used already. Wait for the next one in the app and type that."
    )


class TooSoon(errors.RollcallError):
    code = "too_soon"
    status = 429

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(_wait_words(seconds))


class AlreadyOn(errors.RollcallError):
    code = "second_factor_on"
    status = 409
    message = _("The second factor is switched on already.")


class OwnFactor(errors.RollcallError):
    code = "own_factor"
    status = 409
    message = _("Your own second factor is switched off on your account page, with a code.")


class Needed(errors.RollcallError):
    code = "second_factor_needed"
    status = 403
    message = _("Administrators of this site need a second factor. Sign in to the site and set it up first.")


def needed(user: permissions.Viewer) -> bool:
    """Whether this person may not be without one."""
    return bool(settings.ROLLCALL_SECOND_FACTOR_REQUIRED) and permissions.is_administrator(user)


def has(user: User) -> bool:
    return bool(Authenticator.objects.filter(user_id=user.pk, confirmed=True).exists())


def missing(user: User) -> bool:
    """Needed, and not there."""
    return needed(user) and not has(user)


def due(user: User, verified: bool) -> Due | None:
    """What a browser signed in as this person must do first; ``verified``: it has given a code."""
    if verified:
        return None
    if has(user):
        return Due.CODE
    return Due.SET_UP if needed(user) else None


def offered(user: User) -> Authenticator:
    """The key to put into the app: the same for an hour, until it is confirmed. Raises AlreadyOn."""
    with transaction.atomic():
        found: Authenticator = Authenticator.objects.select_for_update().get_or_create(
            user=user, defaults={"confirmed": False, "name": "app"}
        )[0]
        if not found.confirmed and timezone.now() - found.created_at > SHOWN_FOR:
            found.key, found.created_at = new_key(), timezone.now()
            found.save()
    if found.confirmed:
        raise AlreadyOn
    return found


def address_of(device: Authenticator, school: str) -> str:
    """What the QR code says to the app (the key URI format of authenticator apps)."""
    issuer = " ".join(f"Rollcall {school}".replace(":", " ").split())
    label = quote(f"{issuer}:{device.user.get_username()}")
    return f"otpauth://totp/{label}?secret={device.letters}&issuer={quote(issuer)}&algorithm=SHA1&digits={DIGITS}&period=30"


def switch_on(user: User, code: str) -> tuple[Authenticator, list[str]]:
    """Confirm the offered key by a code of it; the recovery codes, shown now and never again.

    Raises WrongCode, TooSoon, AlreadyOn.
    """
    if has(user):
        raise AlreadyOn
    device = _try(Authenticator, user, _clean(code), confirmed=False)
    with transaction.atomic():
        Authenticator.objects.filter(pk=device.pk).update(confirmed=True)
        codes = _new_codes(user)
    audit.record(AuditEntry.Verb.CHANGED, "second-factor:on", {"user": user.pk}, by=user)
    device.confirmed = True
    return device, codes


def check(user: User, code: str) -> Any:
    """The device that a code of the app, or a recovery code, belongs to; the code is used up.

    Raises WrongCode, TooSoon.
    """
    cleaned = _clean(code)
    if len(cleaned) == DIGITS and cleaned.isascii() and cleaned.isdecimal():
        return _try(Authenticator, user, cleaned)
    return _try(StaticDevice, user, hash_of(user, cleaned))


def renew_codes(user: User, code: str) -> list[str]:
    """Ten new recovery codes; the old ones open nothing. Raises WrongCode, TooSoon."""
    check(user, code)
    codes = _new_codes(user)
    audit.record(AuditEntry.Verb.CHANGED, "second-factor:codes", {"user": user.pk}, by=user)
    return codes


def switch_off(user: User, code: str) -> None:
    """Take one's own off. Raises WrongCode, TooSoon."""
    check(user, code)
    take_off(user, by=user)


def take_off_for(user: User, by: User) -> None:
    """For somebody who lost the phone and the recovery codes; written in the log. Raises OwnFactor."""
    if user.pk == by.pk:
        raise OwnFactor
    take_off(user, by=by)


def take_off(user: User, by: User | None) -> bool:
    """Whether there was one. ``by`` is None at the terminal. Every browser that gave a code has given none."""
    with transaction.atomic():
        removed, _each = Authenticator.objects.filter(user=user, confirmed=True).delete()
        StaticDevice.objects.filter(user=user).delete()
    if removed:
        audit.record(AuditEntry.Verb.CHANGED, "second-factor:off", {"user": user.pk}, by=by)
    return bool(removed)


def codes_left(user: User) -> int:
    return int(StaticToken.objects.filter(device__user=user).count())


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody for whom the second factor matters: an administrator, or whoever has one."""

    user: User
    administrator: bool
    since: dt.datetime | None
    last_used: dt.datetime | None


def holders() -> list[Holder]:
    """Administrators, and everybody with a second factor, by name. Three queries."""
    devices = {each.user_id: each for each in Authenticator.objects.filter(confirmed=True)}
    admins = set(permissions.administrators().values_list("pk", flat=True))
    people = User.objects.filter(pk__in=admins | set(devices)).order_by("username")
    found = []
    for user in people:
        device = devices.get(user.pk)
        since, used = (device.created_at, device.last_used_at) if device else (None, None)
        found.append(Holder(user, user.pk in admins, since, used))
    return found


def hash_of(user: User, code: str) -> str:
    """16 letters: 80 random bits need no slow hash, and nobody finds another text with the same 80 bits."""
    digest = hashlib.sha256(f"recovery:{user.pk}:{code}".encode()).digest()
    return b32encode(digest[:RECOVERY_BYTES]).decode()


def _new_codes(user: User) -> list[str]:
    codes = [b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode().lower() for _ in range(RECOVERY_CODES)]
    with transaction.atomic():
        # One lock for all that is done with a person's factor: two renewals at once leave ten codes, not twenty.
        Authenticator.objects.select_for_update().get(user=user)
        device, _created = StaticDevice.objects.get_or_create(
            user=user, defaults={"name": "recovery codes", "confirmed": True}
        )
        device.token_set.all().delete()
        StaticToken.objects.bulk_create(
            StaticToken(device=device, token=hash_of(user, code)) for code in codes
        )
    return ["-".join(re.findall("....", code)) for code in codes]


def _try(model: Any, user: User, token: str, *, confirmed: bool = True) -> Any:
    """The device if the token is right. Its row is locked meanwhile: of two browsers with one code one gets in."""
    wait, right = 0, False
    with transaction.atomic():
        device = model.objects.select_for_update().filter(user=user, confirmed=confirmed).first()
        if device is not None:
            allowed, why = device.verify_is_allowed()
            if allowed:
                right = device.verify_token(token)
            else:
                wait = max(int((why["locked_until"] - timezone.now()).total_seconds()) + 1, 1)
    if wait:
        raise TooSoon(wait)
    if not right:
        raise WrongCode
    return device


def _clean(code: str) -> str:
    return re.sub(r"[\s\-]", "", code).lower()[:40]


def _wait_words(seconds: int) -> str | Promise:
    minutes = -(-seconds // 60)
    if seconds < 60:
        return ngettext(
            "Too many wrong codes. Please try again in %d second.",
            "Too many wrong codes. Please try again in %d seconds.",
            seconds,
        ) % (seconds)
    return ngettext(
        "Too many wrong codes. Please try again in %d minute, or use a recovery code.",
        "Too many wrong codes. Please try again in %d minutes, or use a recovery code.",
        minutes,
    ) % (minutes)
