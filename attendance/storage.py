"""File storage whose answer means "stored": on disk, fsync and rename. What it writes is sealed, wherever it lies.

``SealedStorage`` is what the rest of the application knows: whole files under names nobody guesses, sealed on their
way in and opened on their way out. Where the bytes lie is for its kinds: here a folder; ``object_storage`` an
S3-compatible store.
"""

from __future__ import annotations

import datetime as dt
import errno
import io
import os
import secrets
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, Storage, storages
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from attendance import errors, sealed_files
from attendance.sealing import keyring


class SealedStorage(Storage, ABC):
    """Files are written once, whole or not at all, and sealed; reading one whose seal is broken raises SealBroken."""

    # --- what each kind knows: the bytes as they lie ---
    @abstractmethod
    def stored(self, name: str) -> IO[bytes]:
        """The bytes as they lie, seekable. Raises FileNotFoundError, StorageAway."""

    @abstractmethod
    def put(self, name: str, pieces: Iterable[bytes]) -> None:
        """Store these bytes as they are: once this returns they are kept, before it nobody sees a part of them.

        Raises StorageFull, StorageAway.
        """

    @abstractmethod
    def head(self, name: str) -> tuple[bytes, int]:
        """The first bytes as they lie, enough to tell the key, and how many there are. Raises FileNotFoundError."""

    @abstractmethod
    def names(self, before: dt.datetime, folder: str = "") -> Iterator[str]:
        """The names of all files of a folder, or of the whole store, that were stored before that instant."""

    def remove(self, name: str) -> None:
        """Delete a file now; ``delete`` may do it later. Raises StorageAway, OSError."""
        self.delete(name)

    @abstractmethod
    def check_room(self) -> None:
        """Raises StorageFull where a photo should not be accepted any more."""

    @abstractmethod
    def works(self) -> tuple[bool, str | Promise]:
        """Whether files can be stored and read now, in a sentence; answers within seconds, whatever is wrong."""

    # --- what follows from it ---
    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        """Opened for reading, unsealed. Raises FileNotFoundError, SealBroken, StorageAway."""
        if mode != "rb":
            raise ValueError(
                f"stored files are written once and only read afterwards, not opened with {mode!r}"
            )
        file = self.stored(name)
        header = file.read(sealed_files.HEADER_BYTES)
        file.seek(0)
        if sealed_files.key_of(header) is None:
            return File(file, name=name)
        return File(io.BufferedReader(sealed_files.SealedReader(file, keyring(), name)), name=name)

    def _save(self, name: str, content: File[bytes]) -> str:
        self.put(name, sealed_files.seal_pieces(content.chunks(), keyring(), name))
        return name

    def size(self, name: str) -> int:
        """Bytes of the plain content."""
        header, stored = self.head(name)
        return stored if sealed_files.key_of(header) is None else sealed_files.plain_size(stored)

    def key_of(self, name: str) -> bytes | None:
        """The id of the key a file is sealed with; None where it is not. Raises FileNotFoundError."""
        return sealed_files.key_of(self.head(name)[0])

    def reseal(self, name: str) -> None:
        """The same file, sealed with the newest key, in its own place. Raises SealBroken, FileNotFoundError."""
        with self._open(name) as source:
            self.put(name, sealed_files.seal_pieces(source.chunks(), keyring(), name))


class DurableStorage(SealedStorage, FileSystemStorage):
    """A folder. Writes beside, syncs, renames: a reader sees the whole file or none, also after a power cut."""

    def stored(self, name: str) -> IO[bytes]:
        return Path(self.path(name)).open("rb")

    def put(self, name: str, pieces: Iterable[bytes]) -> None:
        target = Path(self.path(name))
        _make_folder(target.parent)
        beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
        try:
            with beside.open("xb") as out:
                for piece in pieces:
                    out.write(piece)
                out.flush()
                os.fsync(out.fileno())
            beside.rename(target)
        except BaseException as error:
            beside.unlink(missing_ok=True)
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise errors.StorageFull from error
            if isinstance(error, OSError) and error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
                raise errors.StorageReadOnly from error
            raise
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def head(self, name: str) -> tuple[bytes, int]:
        with self.stored(name) as file:
            return file.read(sealed_files.HEADER_BYTES), os.fstat(file.fileno()).st_size

    def names(self, before: dt.datetime, folder: str = "") -> Iterator[str]:
        root = Path(self.path(""))
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and path.stat().st_mtime < before.timestamp():
                yield path.relative_to(root).as_posix()

    def check_room(self) -> None:
        if _free() < settings.ROLLCALL_MIN_FREE_BYTES:
            raise errors.StorageFull

    def works(self) -> tuple[bool, str | Promise]:
        free = _free()
        if free < settings.ROLLCALL_MIN_FREE_BYTES:
            return False, _("The disk is full: new photos are refused until there is room.")
        if not _can_write(Path(self.path(""))):
            return False, _("Its folder cannot be written: new photos are refused until it can.")
        return True, _("%(free).1f GB free") % {"free": free / 1e9}


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise errors.StorageReadOnly from error
        raise


def _can_write(folder: Path) -> bool:
    """Tried, not asked: a read-only mount and a full quota are seen by nobody who only reads permissions."""
    probe = folder / f".probe-{secrets.token_hex(8)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError:
        return False
    return True


def _free() -> int:
    return shutil.disk_usage(settings.DATA_DIR).free


def media() -> SealedStorage:
    """Where this site's files lie, by its settings."""
    storage = storages["default"]
    assert isinstance(storage, SealedStorage)
    return storage


def unguessable_name(kind: str, extension: str = "jpg") -> str:
    """``kind/ab/<32 hex digits>.jpg``: 128 random bits, spread over 256 folders."""
    token = secrets.token_hex(16)
    return f"{kind}/{token[:2]}/{token}.{extension}"
