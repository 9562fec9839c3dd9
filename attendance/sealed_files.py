"""Files sealed piece by piece, so that a large export needs no more memory than a small one.

``RCF1``, the first 8 bytes of the key's SHA-256, 7 random bytes; then pieces of 1 MiB, each AES-256-GCM with the
nonce random bytes | number (4 bytes) | 1 for the last piece, else 0: the STREAM construction (Hoang, Reyhanitabar,
Rogaway and Vizár, CRYPTO 2015), which notices pieces that were cut off, repeated or put in another order.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterable, Iterator
from typing import IO

from cryptography.exceptions import InvalidTag

from attendance.sealing import ID_BYTES, KeyMissing, Keyring, SealBroken

MAGIC = b"RCF1"
PREFIX_BYTES = 7
TAG_BYTES = 16
HEADER_BYTES = len(MAGIC) + ID_BYTES + PREFIX_BYTES
PIECE = 1024 * 1024


def seal_pieces(chunks: Iterable[bytes], keyring: Keyring, place: str) -> Iterator[bytes]:
    """What to write for a file of these chunks, called ``place``; the chunks themselves where there is no key."""
    key = keyring.newest
    if key is None:
        yield from chunks
        return
    prefix = secrets.token_bytes(PREFIX_BYTES)
    yield MAGIC + key.id + prefix
    number, held = 0, bytearray()
    for chunk in chunks:
        held += chunk
        while len(held) > PIECE:  # the last piece must be known as the last: one is always held back
            yield key.cipher.encrypt(_nonce(prefix, number, False), bytes(held[:PIECE]), place.encode())
            del held[:PIECE]
            number += 1
    yield key.cipher.encrypt(_nonce(prefix, number, True), bytes(held), place.encode())


def key_of(header: bytes) -> bytes | None:
    """The id of the key a file is sealed with, told from its first bytes; None for a file that is not sealed."""
    if len(header) < HEADER_BYTES or not header.startswith(MAGIC):
        return None
    return header[len(MAGIC) : len(MAGIC) + ID_BYTES]


def plain_size(stored_size: int) -> int:
    """Bytes within a sealed file of ``stored_size`` bytes."""
    body = stored_size - HEADER_BYTES
    return body - TAG_BYTES * max(-(-body // (PIECE + TAG_BYTES)), 1)


class SealedReader(io.RawIOBase):
    """A sealed file, read as if it were plain; one piece is in memory at a time.

    Raises SealBroken when opened without its key, and on reading a piece that was changed, cut off or moved.
    """

    def __init__(self, file: IO[bytes], keyring: Keyring, place: str) -> None:
        super().__init__()
        self._file, self._place = file, place
        header = file.read(HEADER_BYTES)
        name = key_of(header)
        key = next((key for key in keyring.keys if key.id == name), None)
        if key is None:
            file.close()
            raise KeyMissing(
                f"{place} is sealed with the key {(name or b'').hex()}, which is not in ROLLCALL_KEYS"
            )
        self._cipher, self._prefix = key.cipher, header[-PREFIX_BYTES:]
        self._size = plain_size(file.seek(0, io.SEEK_END))
        if self._size < 0:
            file.close()
            raise SealBroken(f"{place} was cut off")
        self._position, self._number, self._piece = 0, -1, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(start + offset, 0)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        if self._size and self._position >= self._size:
            return 0
        number, start = divmod(self._position, PIECE)
        if number != self._number:
            self._piece, self._number = self._open_piece(number), number
        part = self._piece[start : start + len(buffer)]
        buffer[: len(part)] = part
        self._position += len(part)
        return len(part)

    def close(self) -> None:
        self._file.close()
        super().close()

    def _open_piece(self, number: int) -> bytes:
        last = (number + 1) * PIECE >= self._size
        self._file.seek(HEADER_BYTES + number * (PIECE + TAG_BYTES))
        stored = self._file.read(PIECE + TAG_BYTES)
        try:
            return self._cipher.decrypt(_nonce(self._prefix, number, last), stored, self._place.encode())
        except InvalidTag as error:
            raise SealBroken(
                f"{self._place} was changed, or belongs elsewhere: its seal does not fit"
            ) from error


def _nonce(prefix: bytes, number: int, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([last])
