"""Lenses. Each opens, gives a burst of frames, and closes; what goes wrong is a CameraProblem of one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

from camera.best import Frame
from camera.faults import CameraProblem
from camera.sources.device import UsbCamera, VideoFile
from camera.sources.folder import WatchedFolder
from camera.sources.rtsp import RtspStream
from camera.sources.snapshot import SnapshotAddress

EXAMPLES = (
    "usb:0, rtsp://user:password@10.0.0.7/stream1, http://user:password@10.0.0.7/snap.jpg, folder:/srv/photos"
)


class Source(Protocol):
    """A lens that is asked for pictures; a watched folder is none: photos come there by themselves."""

    kind: str

    def open(self) -> None:
        """Does nothing where it is open. Raises CameraProblem."""

    def frames(self, count: int) -> list[Frame]:
        """So many pictures of now, at least one. Raises CameraProblem."""

    def close(self) -> None:
        """Never raises; the device is free and its light is out."""


def made(address: str) -> Source | WatchedFolder:
    """The source of an address like those of ``EXAMPLES``. Raises CameraProblem for anything else."""
    kind, colon, rest = address.strip().partition(":")
    kind = kind.lower()
    if kind == "usb" and colon:
        return UsbCamera(rest)
    if kind in ("rtsp", "rtsps"):
        return RtspStream(address.strip())
    if kind in ("http", "https"):
        return SnapshotAddress(address.strip())
    if kind == "folder" and rest:
        return WatchedFolder(Path(rest).expanduser())
    if kind == "video" and rest:
        return VideoFile(Path(rest).expanduser())
    raise CameraProblem(f"“{address}” is no lens this agent knows; it looks like one of: {EXAMPLES}.")


def without_password(address: str) -> str:
    """An address to show and to log."""
    url = urlsplit(address)
    if "@" not in url.netloc:
        return address
    return urlunsplit(url._replace(netloc="…@" + url.netloc.rpartition("@")[2]))
