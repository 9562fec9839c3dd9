"""Photos on this machine's disk are sealed: AES-256-GCM under a key derived from the camera's own.

The standard library has no cipher, and one is nothing to make oneself: ``cryptography`` does it. Without that
package no photo is kept at all.
"""

from __future__ import annotations

import hashlib
import hmac
import os

from camera.faults import CameraProblem

MAGIC = b"RCS1"
_ID, _NONCE, _TAG = 8, 12, 16
_MISSING = (
    "The Python package “cryptography” is missing, and without it no photo may lie on this disk. "
    "Install it: python3 -m pip install cryptography (or: sudo apt install python3-cryptography)."
)


class Unreadable(CameraProblem):
    """A sealed file that is damaged, or sealed with a key this camera does not have."""


def derived(camera_key: str, purpose: bytes, length: int = 32) -> bytes:
    """HKDF-SHA256 (RFC 5869) without salt: the camera key is 256 random bits already."""
    pseudorandom = hmac.new(b"\0" * 32, camera_key.encode(), hashlib.sha256).digest()
    return hmac.new(pseudorandom, purpose + b"\x01", hashlib.sha256).digest()[:length]


class Sealer:
    """Seals with the first key and opens with any of them."""

    def __init__(self, camera_keys: list[str]) -> None:
        try:
            from cryptography.exceptions import InvalidTag
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        except ImportError as error:
            raise CameraProblem(_MISSING) from error
        self._invalid = InvalidTag
        self._ciphers: dict[bytes, AESGCM] = {}
        for key in camera_keys:
            self._ciphers[derived(key, b"rollcall spool id", _ID)] = AESGCM(derived(key, b"rollcall spool"))
        self._current = next(iter(self._ciphers))

    def seal(self, content: bytes, name: str) -> bytes:
        """Content that opens only under the same name: ``MAGIC``, key id, nonce, ciphertext with its tag."""
        nonce = os.urandom(_NONCE)
        head = MAGIC + self._current
        return head + nonce + self._ciphers[self._current].encrypt(nonce, content, head + name.encode())

    def open(self, sealed: bytes, name: str) -> bytes:
        """Raises Unreadable."""
        head, rest = sealed[: len(MAGIC) + _ID], sealed[len(MAGIC) + _ID :]
        if not head.startswith(MAGIC) or len(rest) < _NONCE + _TAG:
            raise Unreadable("A kept photo is damaged and cannot be sent.")
        cipher = self._ciphers.get(head[len(MAGIC) :])
        if cipher is None:
            raise Unreadable("A kept photo was sealed with another key and cannot be sent.")
        try:
            return cipher.decrypt(rest[:_NONCE], rest[_NONCE:], head + name.encode())
        except self._invalid as error:
            raise Unreadable("A kept photo is damaged and cannot be sent.") from error
