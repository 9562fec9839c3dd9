"""A folder that something else puts photos into: those that are finished are taken, in the order they came."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

from camera.faults import CameraProblem

ENDINGS = {".jpg", ".jpeg", ".png"}
FINISHED = 2.0
"""Seconds without a change after which a file without its last bytes counts as finished all the same."""
LARGEST = 25 * 1024 * 1024
_LAST_BYTES = {b"\xff\xd8": b"\xff\xd9", b"\x89P": b"IEND\xaeB`\x82"}


@dataclass(frozen=True)
class Photo:
    path: Path
    modified: float
    content: bytes

    @property
    def id(self) -> str:
        """Of the content: a photo taken in twice is the same shot, also over a kill in between."""
        return hashlib.sha256(self.content).hexdigest()[:32]


class WatchedFolder:
    kind = "folder"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def ready(self, taken: set[str], since: float) -> list[Photo]:
        """Finished photos changed after ``since`` (seconds since 1970) that are not ``taken``, earliest first.

        ``taken`` holds marks as ``mark`` makes them. Raises CameraProblem where the folder cannot be read.
        """
        try:
            paths = [path for path in self.folder.iterdir() if path.suffix.lower() in ENDINGS]
            found = [(path, path.stat()) for path in paths]
        except FileNotFoundError as error:
            if self.folder.is_dir():
                return []  # a file went away while we looked
            raise CameraProblem(f"The folder {self.folder} is not there.") from error
        except OSError as error:
            raise CameraProblem(f"The folder {self.folder} cannot be read: {error.strerror}.") from error
        ready = []
        for path, seen in sorted(found, key=lambda pair: (pair[1].st_mtime, pair[0].name)):
            if seen.st_mtime < since or mark(path, seen.st_size, seen.st_mtime) in taken:
                continue
            photo = self._finished(path, seen.st_size, seen.st_mtime)
            if photo is not None:
                ready.append(photo)
        return ready

    def _finished(self, path: Path, size: int, modified: float) -> Photo | None:
        if not 0 < size <= LARGEST:
            return None
        try:
            content = path.read_bytes()
        except OSError:
            return None
        if len(content) != size:
            return None
        ending = _LAST_BYTES.get(content[:2])
        whole = ending is not None and content.rstrip(b"\0").endswith(ending)
        if not whole and time.time() - modified < FINISHED:
            return None
        return Photo(path, modified, content)


def mark(path: Path, size: int, modified: float) -> str:
    """What a file is remembered by; the same name with new content is another photo."""
    return f"{path.name}|{size}|{modified:.6f}"
