"""One agent at a time on one spool; the lock goes with its process, however that ends."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from camera.faults import CameraProblem


@contextlib.contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Raises CameraProblem where another process holds it."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise CameraProblem(f"{path} cannot be written: {error.strerror}.") from error
    try:
        try:
            _hold(descriptor)
        except OSError as error:
            raise CameraProblem("The agent runs already; stop it first, or ask it with `status`.") from error
        yield
    finally:
        os.close(descriptor)


def _hold(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
