"""File storage whose answer means "on disk": fsync, then rename, then fsync of the folder. What it writes is sealed."""

from __future__ import annotations

import io
import os
import secrets
from pathlib import Path

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

from attendance import sealed_files
from attendance.sealing import keyring


class DurableStorage(FileSystemStorage):
    """Writes beside, syncs, renames: a reader sees the whole file or none, also after a power cut."""

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        """Opened for reading, unsealed. Raises FileNotFoundError, SealBroken."""
        if mode != "rb":
            raise ValueError(
                f"stored files are written once and only read afterwards, not opened with {mode!r}"
            )
        file = Path(self.path(name)).open("rb")  # noqa: SIM115 (closed by the File that is returned)
        header = file.read(sealed_files.HEADER_BYTES)
        file.seek(0)
        if sealed_files.key_of(header) is None:
            return File(file, name=name)
        return File(io.BufferedReader(sealed_files.SealedReader(file, keyring(), name)), name=name)

    def _save(self, name: str, content: File[bytes]) -> str:
        target = Path(self.path(name))
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
        try:
            with beside.open("xb") as out:
                for piece in sealed_files.seal_pieces(content.chunks(), keyring(), name):
                    out.write(piece)
                out.flush()
                os.fsync(out.fileno())
            beside.rename(target)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return name

    def size(self, name: str) -> int:
        """Bytes of the plain content."""
        stored = Path(self.path(name))
        with stored.open("rb") as file:
            sealed = sealed_files.key_of(file.read(sealed_files.HEADER_BYTES)) is not None
        return sealed_files.plain_size(stored.stat().st_size) if sealed else stored.stat().st_size

    def key_of(self, name: str) -> bytes | None:
        """The id of the key a file is sealed with; None where it is not. Raises FileNotFoundError."""
        with Path(self.path(name)).open("rb") as file:
            return sealed_files.key_of(file.read(sealed_files.HEADER_BYTES))

    def seal_again(self, name: str) -> Path:
        """A copy of a file sealed with the newest key, beside it and synced; the caller puts it in its place."""
        target = Path(self.path(name))
        beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
        try:
            with self._open(name) as source, beside.open("xb") as out:
                for piece in sealed_files.seal_pieces(source.chunks(), keyring(), name):
                    out.write(piece)
                out.flush()
                os.fsync(out.fileno())
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        return beside


def unguessable_name(kind: str, extension: str = "jpg") -> str:
    """``kind/ab/<32 hex digits>.jpg``: 128 random bits, spread over 256 folders."""
    token = secrets.token_hex(16)
    return f"{kind}/{token[:2]}/{token}.{extension}"
