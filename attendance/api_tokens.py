"""Tokens for scripts: made for one person, shown once, stored as a hash, named, ended by a day or by hand."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from attendance import errors
from attendance.models import ApiToken

MARK = "rtok_"
PREFIX_LETTERS = 10
DAYS = (30, 90, 365)
"""How long a token may last."""
MOST = 20
SEEN_EVERY = dt.timedelta(minutes=5)


class TooManyTokens(errors.RollcallError):
    code = "too_many_tokens"
    status = 409
    message = _("You have 20 tokens already; please end one first.")


class TokenRefused(errors.RollcallError):
    code = "token_refused"
    status = 422
    message = _("Give the token a name, so that you know later what it is for, and choose how long it lasts.")


def make(owner: User, name: str, days: int) -> tuple[ApiToken, str]:
    """A new token and its text, which cannot be shown again. Raises TokenRefused, TooManyTokens."""
    name = " ".join(name.split())
    if not name or len(name) > 80 or "\x00" in name or days not in DAYS:
        raise TokenRefused
    text, now = MARK + secrets.token_urlsafe(32), timezone.now()
    with transaction.atomic():
        User.objects.select_for_update().get(pk=owner.pk)
        if alive(owner).count() >= MOST:
            raise TooManyTokens
        token = ApiToken.objects.create(
            owner=owner, name=name, token_hash=hash_of(text), prefix=text[:PREFIX_LETTERS], created_at=now,
            expires_at=now + dt.timedelta(days=days),
        )  # fmt: skip
    return token, text


def alive(owner: User) -> QuerySet[ApiToken]:
    """Tokens of this person that still open something, newest first."""
    return ApiToken.objects.filter(owner=owner, revoked_at__isnull=True, expires_at__gt=timezone.now())


def ended(owner: User, days: int = 30) -> QuerySet[ApiToken]:
    """Those that ended lately, by hand or by their day."""
    now = timezone.now()
    since = now - dt.timedelta(days=days)
    ends = Q(revoked_at__gte=since) | Q(revoked_at__isnull=True, expires_at__range=(since, now))
    return ApiToken.objects.filter(ends, owner=owner)


def revoke(token: ApiToken) -> None:
    """It opens nothing from now on."""
    ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=timezone.now())


def find(text: str) -> ApiToken | None:
    """The token with this text, while neither it has ended nor its owner's account is switched off."""
    if len(text) > 100:
        return None
    now = timezone.now()
    found = (
        ApiToken.objects.filter(
            token_hash=hash_of(text), revoked_at__isnull=True, expires_at__gt=now, owner__is_active=True
        )
        .select_related("owner")
        .first()
    )
    if found is not None and (found.last_used_at is None or now - found.last_used_at > SEEN_EVERY):
        ApiToken.objects.filter(pk=found.pk).update(last_used_at=now)
    return found


def hash_of(text: str) -> str:
    """Tokens carry 256 random bits, older ones 160, so that a plain hash is enough."""
    return hashlib.sha256(text.encode()).hexdigest()
