"""The second factor of a person: the key an authenticator app shares with us, and when it was last used."""

from __future__ import annotations

import time
from base64 import b32encode
from secrets import token_bytes

from django.db import models
from django_otp.models import Device, ThrottlingMixin, TimestampMixin
from django_otp.oath import TOTP

from attendance.models.sealed import SealedField

KEY_BYTES = 20
"""As RFC 4226 recommends for HMAC-SHA-1."""
STEP_SECONDS = 30
DIGITS = 6
STEPS_EITHER_WAY = 1
"""A phone's clock may be wrong by one step."""


def new_key() -> bytes:
    return token_bytes(KEY_BYTES)


class Authenticator(TimestampMixin, ThrottlingMixin, Device):  # type: ignore[misc]
    """An authenticator app (TOTP, RFC 6238), one a person. As django-otp's own device, but its key lies sealed.

    ``confirmed`` is False until a first code was right. Tries after wrong codes must wait: 1, 2, 4, 8 ... seconds.
    """

    key = SealedField(default=new_key)
    drift = models.SmallIntegerField(default=0)
    """Steps by which the phone's clock is known to be off."""
    last_step = models.BigIntegerField(default=-1)
    """Of the latest code that was right: only a later one is good, so that none works twice."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user"], name="one_authenticator_a_person")]

    @property
    def letters(self) -> str:
        """The key as authenticator apps take it: 32 letters and digits, base32."""
        return b32encode(self.key or b"").decode()

    def get_throttle_factor(self) -> float:
        return 1.0

    def verify_token(self, token: str) -> bool:
        """Whether the code is right, in time and not used before; call it under a lock on this row."""
        if not self.verify_is_allowed()[0]:
            return False
        totp = TOTP(self.key, STEP_SECONDS, digits=DIGITS, drift=self.drift)
        totp.time = time.time()
        right = len(token) == DIGITS and token.isascii() and token.isdecimal()
        if right and totp.verify(int(token), STEPS_EITHER_WAY, self.last_step + 1):
            self.last_step, self.drift = totp.t(), totp.drift
            self.throttle_reset(commit=False)
            self.set_last_used_timestamp(commit=False)
            self.save()
            return True
        self.throttle_increment()
        return False
