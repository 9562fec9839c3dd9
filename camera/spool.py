"""Photos wait on disk until the server has them: sealed, synced, bounded by size and age."""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
import struct
import threading
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path

from camera import files
from camera.faults import CameraProblem
from camera.sealing import Sealer, Unreadable

log = logging.getLogger("rollcall-camera")
_NAME = re.compile(r"(?P<taken>\d{13})-(?P<session>\d{1,19})-(?P<id>[0-9a-f]{32})\.shot")
_LENGTH = struct.Struct(">I")


class SpoolProblem(CameraProblem):
    """The folder takes no photo now."""


@dataclass(frozen=True)
class Shot:
    """A photo that waits. ``id`` is its Idempotency-Key; ``taken`` is in the server's time, milliseconds since 1970."""

    id: str
    session: int
    taken: int
    size: int = 0

    @property
    def name(self) -> str:
        return f"{self.taken:013d}-{self.session}-{self.id}.shot"

    @property
    def taken_at(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.taken / 1000, dt.timezone.utc)


class Spool:
    """A folder of sealed photos. One agent at a time; its threads may share it."""

    def __init__(self, folder: Path, sealer: Sealer, max_bytes: int, max_age: float) -> None:
        """``max_age`` in seconds. Raises SpoolProblem where the folder cannot be used."""
        self.folder, self._sealer = folder, sealer
        self._max_bytes, self._max_age = max_bytes, max_age
        self._lock = threading.Lock()
        self.prepare()

    def prepare(self) -> None:
        """Make the folder and clear away what a kill left half written. Raises SpoolProblem."""
        try:
            files.private_folder(self.folder)
            for left in self.folder.glob(f"*{files.TEMPORARY}"):
                left.unlink(missing_ok=True)
        except OSError as error:
            raise _refused(self.folder, error) from error

    def put(self, shot: Shot, photo: bytes, upload: str, open_sessions: Set[int] = frozenset()) -> None:
        """Keep a photo; ``upload`` is the path it goes to. When this returns it survives a power cut.

        Raises SpoolProblem where the disk is full or the folder cannot be written.
        """
        about = json.dumps({"upload": upload}).encode()
        sealed = self._sealer.seal(_LENGTH.pack(len(about)) + about + photo, shot.name)
        with self._lock:
            self._make_room(len(sealed), open_sessions)
            try:
                files.private_folder(self.folder)
                files.write(self.folder / shot.name, sealed)
            except OSError as error:
                raise _refused(self.folder, error) from error

    def waiting(self, open_sessions: Set[int] = frozenset()) -> list[Shot]:
        """Shots of open sessions first, then the others; each the oldest first."""
        with self._lock:
            shots = self._list()
        return sorted(shots, key=lambda shot: (shot.session not in open_sessions, shot.taken, shot.id))

    def read(self, shot: Shot) -> tuple[str, bytes] | None:
        """Path to send to and photo; None where it is gone by now. Raises Unreadable, and sets that file aside."""
        path = self.folder / shot.name
        try:
            content = self._sealer.open(path.read_bytes(), shot.name)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _refused(self.folder, error) from error
        except Unreadable:
            path.replace(path.with_suffix(".unreadable"))
            raise
        (length,) = _LENGTH.unpack_from(content)
        about = json.loads(content[_LENGTH.size : _LENGTH.size + length])
        return str(about["upload"]), content[_LENGTH.size + length :]

    def remove(self, shot: Shot) -> None:
        """The server has it, or will never take it. Raises SpoolProblem."""
        with self._lock:
            self._unlink(self.folder / shot.name)

    def purge(self, now: float) -> int:
        """Delete what is older than photos may lie here; how many."""
        oldest = (now - self._max_age) * 1000
        with self._lock:
            old = [shot for shot in self._list() if shot.taken < oldest]
            for shot in old:
                self._unlink(self.folder / shot.name)
            for path in self.folder.glob("*.unreadable"):
                if path.stat().st_mtime < now - self._max_age:
                    path.unlink(missing_ok=True)
        if old:
            log.warning("%d photos were too old to be kept any longer and were deleted.", len(old))
        return len(old)

    def size(self) -> tuple[int, int]:
        """Photos and bytes that wait."""
        with self._lock:
            shots = self._list()
        return len(shots), sum(shot.size for shot in shots)

    def _make_room(self, wanted: int, open_sessions: Set[int]) -> None:
        shots = self._list()
        free = self._max_bytes - sum(shot.size for shot in shots)
        dropped = 0
        for shot in sorted(shots, key=lambda shot: (shot.session in open_sessions, shot.taken)):
            if free >= wanted:
                break
            self._unlink(self.folder / shot.name)
            free += shot.size
            dropped += 1
        if dropped:
            log.warning("The spool is full: the %d oldest photos were deleted to make room.", dropped)

    def _list(self) -> list[Shot]:
        found = []
        try:
            for path in self.folder.iterdir():
                match = _NAME.fullmatch(path.name)
                if match is None:
                    continue
                try:
                    size = path.stat().st_size
                except FileNotFoundError:
                    continue
                found.append(Shot(match["id"], int(match["session"]), int(match["taken"]), size))
        except FileNotFoundError:
            return []  # somebody removed the folder; the next photo makes it again
        except OSError as error:
            raise _refused(self.folder, error) from error
        return found

    def _unlink(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
            files.sync_folder(self.folder)
        except OSError as error:
            raise _refused(self.folder, error) from error


def _refused(folder: Path, error: OSError) -> SpoolProblem:
    return SpoolProblem(f"Photos cannot be kept in {folder}: {error.strerror or error}.")
