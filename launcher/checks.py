"""What is looked at before anything is started."""

from __future__ import annotations

import errno
import shutil
import socket
from pathlib import Path

from launcher.errors import DiskFull, LaunchError

MIB = 1024 * 1024
NEEDED_FOR_PACKAGES = 2500 * MIB
"""A finished ``.venv`` was measured at 1.9 GiB; pip unpacks beside it."""
NEEDED_FOR_DATA = 300 * MIB
"""Below this the server itself would refuse photos (it keeps 200 MiB free)."""


def need_free_disk(folder: Path, needed: int, what: str) -> None:
    """Raise unless the disk that holds ``folder`` has ``needed`` bytes free."""
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise DiskFull(
            f"The disk is full: {what} needs {needed // MIB} MiB on the disk that holds {folder}, "
            f"and {free // MIB} MiB are free."
        )


def need_free_port(host: str, port: int) -> None:
    """Raise unless a server could listen on ``host`` and ``port`` now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise LaunchError(port_sentence(host, port, error)) from error


def port_sentence(host: str, port: int, error: OSError) -> str:
    """Why a port cannot be had, and what to do."""
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} is taken by another program: stop that one, or choose another with ./run --port N."
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"Port {port} may not be used by this user: choose one above 1023 with ./run --port N."
    return (
        f"The address {host}:{port} cannot be used ({error.strerror}): choose another with --host or --port."
    )
