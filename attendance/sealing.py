"""Faces at rest are sealed: photos, crops and encodings lie encrypted, the keys lie elsewhere.

AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce. A sealed value is ``RCS1``, the first 8 bytes of the key's
SHA-256, the nonce, and the cipher text with its 128-bit tag. The place a value belongs to (a file's name, a column) is
authenticated with it, so that nobody can put one person's encoding in another's place unnoticed.

The first key of ``ROLLCALL_KEYS`` seals; the others only open what they sealed, until ``manage.py keys rotate`` ran.
Without any key values are kept as they are (local trials); what is not sealed is read as it is.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

MAGIC = b"RCS1"
KEY_BYTES = 32
ID_BYTES = 8
NONCE_BYTES = 12
HEADER_BYTES = len(MAGIC) + ID_BYTES + NONCE_BYTES


class SealBroken(OSError):
    """A sealed value cannot be opened: its key is not among ours, or it was changed or moved."""


class KeyMissing(SealBroken):
    """The key a value is sealed with is not among ours; with it the value could be read."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of 32 bytes, known by the first 8 bytes of its SHA-256."""

    id: bytes
    cipher: AESGCM


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys of this site, newest first."""

    keys: tuple[Key, ...]

    @property
    def newest(self) -> Key | None:
        return self.keys[0] if self.keys else None

    def seal(self, plain: bytes, place: str) -> bytes:
        """``plain`` sealed for ``place`` by the newest key; as it is where there is no key."""
        key = self.newest
        if key is None:
            return plain
        nonce = secrets.token_bytes(NONCE_BYTES)
        return MAGIC + key.id + nonce + key.cipher.encrypt(nonce, plain, place.encode())

    def open(self, stored: bytes, place: str) -> bytes:
        """What was sealed for ``place``; as it is if it is not sealed.

        Raises:
            KeyMissing: the key is not among ours.
            SealBroken: the value was changed or belongs to another place.
        """
        if not is_sealed(stored):
            return stored
        name = stored[len(MAGIC) : len(MAGIC) + ID_BYTES]
        key = next((key for key in self.keys if key.id == name), None)
        if key is None:
            raise KeyMissing(f"{place} is sealed with the key {name.hex()}, which is not in ROLLCALL_KEYS")
        try:
            return key.cipher.decrypt(
                stored[HEADER_BYTES - NONCE_BYTES : HEADER_BYTES], stored[HEADER_BYTES:], place.encode()
            )
        except InvalidTag as error:
            raise SealBroken(f"{place} was changed, or belongs elsewhere: its seal does not fit") from error

    def is_current(self, stored: bytes) -> bool:
        """Whether ``stored`` is as :meth:`seal` would leave it now."""
        if self.newest is None:
            return not is_sealed(stored)
        return is_sealed(stored) and stored[len(MAGIC) : len(MAGIC) + ID_BYTES] == self.newest.id


def is_sealed(stored: bytes) -> bool:
    return len(stored) > HEADER_BYTES and stored.startswith(MAGIC)


def new_key() -> str:
    """A fresh key as ``ROLLCALL_KEYS`` takes it: 32 random bytes in URL-safe base64."""
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def make_keyring(texts: Sequence[str]) -> Keyring:
    """The keyring of these keys, newest first.

    Raises:
        ImproperlyConfigured: one is not 32 bytes in URL-safe base64.
    """
    return Keyring(tuple(_key(text, place) for place, text in enumerate(texts, start=1)))


def keyring() -> Keyring:
    """The keys of the settings. Raises ImproperlyConfigured, as :func:`make_keyring`."""
    return _cached(tuple(settings.ROLLCALL_KEYS))


@lru_cache(maxsize=4)
def _cached(texts: tuple[str, ...]) -> Keyring:
    return make_keyring(texts)


def _key(text: str, place: int) -> Key:
    try:
        raw = base64.b64decode(text, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise ImproperlyConfigured(f"Key {place} of ROLLCALL_KEYS is not URL-safe base64.") from error
    if len(raw) != KEY_BYTES:
        raise ImproperlyConfigured(f"Key {place} of ROLLCALL_KEYS has {len(raw)} bytes and not {KEY_BYTES}.")
    return Key(hashlib.sha256(raw).digest()[:ID_BYTES], AESGCM(raw))
