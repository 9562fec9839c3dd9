"""Between lens and spool: photos the disk does not take yet wait here, a few of them, in memory."""

from __future__ import annotations

import hashlib
import logging
import time
import uuid
from collections.abc import Callable, Set

from camera.faults import Faults
from camera.spool import Shot, Spool, SpoolProblem
from camera.timetable import Session
from camera.uploader import SPOOL

log = logging.getLogger("rollcall-camera")
IN_MEMORY = 4
"""Sealed photos on disk may be many; these are not."""
DISK_AGAIN = 2.0
"""Seconds from one try to write to the next."""


class Keeper:
    def __init__(
        self, spool: Spool, faults: Faults, open_sessions: Callable[[], Set[int]], kept: Callable[[], None]
    ) -> None:
        """``kept`` is called after each photo that came to lie on disk."""
        self._spool, self._faults = spool, faults
        self._open_sessions, self._kept = open_sessions, kept
        self._pending: list[tuple[Shot, bytes, str]] = []
        self._disk_at = 0.0

    @property
    def is_empty(self) -> bool:
        return not self._pending

    def keep(self, session: Session, photo: bytes, taken: float, shot_id: str = "") -> None:
        """``taken`` in seconds since 1970, by the server's clock."""
        if len(self._pending) >= IN_MEMORY:
            log.warning("the disk has taken no photo for a while: this one is lost")
            return
        shot = Shot(shot_id or uuid.uuid4().hex, session.id, round(taken * 1000))
        # With "kept" below this tells afterwards which photos must have arrived, and which may have.
        log.info("shot %s sha256 %s session %d", shot.id, hashlib.sha256(photo).hexdigest(), shot.session)
        self._pending.append((shot, photo, session.upload))
        self.flush()

    def flush(self) -> None:
        """Write what is in memory; while the disk takes none, not at every turn."""
        while self._pending and time.monotonic() >= self._disk_at:
            shot, photo, upload = self._pending[0]
            try:
                self._spool.put(shot, photo, upload, self._open_sessions())
            except SpoolProblem as problem:
                self._faults.say(SPOOL, str(problem))
                self._disk_at = time.monotonic() + DISK_AGAIN
                return
            log.info("kept shot %s", shot.id)
            self._pending.pop(0)
            self._faults.clear(SPOOL)
            self._kept()

    def knows(self, shot_id: str) -> bool:
        """Whether a shot waits, in memory or on disk."""
        if any(shot.id == shot_id for shot, _photo, _upload in self._pending):
            return True
        try:
            return any(shot.id == shot_id for shot in self._spool.waiting())
        except SpoolProblem:
            return False
