"""Sends what the spool holds until the server has it: again and again, with growing pauses, never twice in effect."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Set

from camera.client import Answer, Server, Unreachable
from camera.faults import Faults
from camera.sealing import Unreadable
from camera.spool import Shot, Spool, SpoolProblem

log = logging.getLogger("rollcall-camera")
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
KEY_PAUSE = 60.0
"""Seconds between questions whether a refused key is good again."""
HELD = 600.0
"""Seconds a photo waits that its session does not take now; it may be opened again."""
UPLOAD, KEY, PHOTO, SPOOL = "upload", "key", "photo", "spool"
_SENT = (200, 201, 202)
_NEVER = (413, 415, 422)
_KEY_REFUSED = (401, 403)


class Uploader:
    """A thread's work: ``run`` until ``stop``; ``step`` sends one photo, for those who have no thread."""

    def __init__(
        self,
        spool: Spool,
        server: Server,
        faults: Faults,
        open_sessions: Callable[[], Set[int]],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._spool, self._server, self._faults = spool, server, faults
        self._open_sessions, self._monotonic = open_sessions, monotonic
        self._wake, self._stopped = threading.Event(), False
        self._failures = 0
        self._held: dict[str, float] = {}
        self._tries: dict[str, int] = {}
        self.sent = 0
        self.sent_bytes = 0
        self.key_refused = False

    def run(self) -> None:
        while not self._stopped:
            pause = self.step()
            self._wake.wait(pause)
            self._wake.clear()

    def wake(self) -> None:
        """There is a new photo; a pause after a failure goes on all the same."""
        if self._failures == 0:
            self._wake.set()

    def stop(self) -> None:
        self._stopped = True
        self._wake.set()

    def step(self) -> float:
        """Send the next photo, if there is one; seconds to wait before the next step."""
        try:
            shot = self._next()
            found = self._spool.read(shot) if shot is not None else None
        except Unreadable as problem:
            self._faults.say(SPOOL, str(problem))
            return 0.0
        except SpoolProblem as problem:
            self._faults.say(SPOOL, str(problem))
            return self._failed(None)
        if shot is None or found is None:
            return 0.0 if shot is not None else 30.0
        return self._send(shot, *found)

    def _next(self) -> Shot | None:
        now = self._monotonic()
        ready = [
            shot for shot in self._spool.waiting(self._open_sessions()) if self._held.get(shot.id, 0.0) <= now
        ]
        # One photo the server stumbles over must not keep the others.
        return min(ready, key=lambda shot: self._tries.get(shot.id, 0), default=None)

    def _send(self, shot: Shot, upload: str, photo: bytes) -> float:
        self._tries[shot.id] = self._tries.get(shot.id, 0) + 1
        kind = "image/png" if photo.startswith(b"\x89PNG") else "image/jpeg"
        headers = {
            "Content-Type": kind,
            "Idempotency-Key": shot.id,
            "X-Taken-At": shot.taken_at.isoformat(),
            "X-Clock-Offset-Ms": str(round(self._server.clock.offset * 1000)),
        }
        try:
            answer = self._server.post(upload, photo, headers)
        except Unreachable as problem:
            self._faults.say(UPLOAD, str(problem))
            return self._failed(None)
        return self._judge(shot, answer, len(photo))

    def _judge(self, shot: Shot, answer: Answer, size: int) -> float:
        if answer.status in _SENT and "id" in answer.json:
            self.sent += 1
            self.sent_bytes += size
            log.info("sent shot %s: photo %s of session %d", shot.id, answer.json["id"], shot.session)
            return self._settled(shot)
        if answer.status in _KEY_REFUSED:
            self.key_refused = True
            self._faults.say(KEY, refused_key(answer))
            self._failures += 1
            return KEY_PAUSE
        if answer.status in _NEVER and answer.code:
            self._faults.say(PHOTO, f"The server cannot use a photo and it was dropped: {answer.detail}")
            return self._settled(shot, photo_is_fine=False)
        if answer.code not in ("", "changes-met") and answer.status in (400, 404, 409, 411):
            self._all_is_well()
            self._held[shot.id] = self._monotonic() + HELD
            self._faults.say(PHOTO, f"The server does not take a photo now: {answer.detail}")
            return 0.0
        self._faults.say(UPLOAD, trouble(answer))
        return self._failed(answer.retry_after)

    def _settled(self, shot: Shot, photo_is_fine: bool = True) -> float:
        """Done with a photo, and on to the next at once."""
        self._all_is_well()
        if photo_is_fine:
            self._faults.clear(PHOTO)
        try:
            self._spool.remove(shot)
        except SpoolProblem as problem:  # it is sent again, and known there
            self._faults.say(SPOOL, str(problem))
            return self._failed(None)
        self._held.pop(shot.id, None)
        self._tries.pop(shot.id, None)
        return 0.0

    def _all_is_well(self) -> None:
        self._failures = 0
        self.key_refused = False
        self._faults.clear(UPLOAD)
        self._faults.clear(KEY)

    def _failed(self, retry_after: float | None) -> float:
        """Twice as long after each failure, with jitter, so that a school's cameras do not all come back at once."""
        pause = pause_after(self._failures)
        self._failures += 1
        return max(pause, retry_after or 0.0)


def pause_after(failures: int, draw: Callable[[float, float], float] = random.uniform) -> float:
    """Seconds to wait after so many failures before this one: half to all of 1, 2, 4, ... 300."""
    longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(failures, 20))
    return draw(longest / 2, longest)


def refused_key(answer: Answer) -> str:
    if answer.code == "bad-camera-key":
        return "The server does not know this camera's key any more: pair it again with a new code."
    return f"The server refuses this camera: {answer.detail or answer.status}"


def trouble(answer: Answer) -> str:
    """Why an answer that settles nothing is one, in a sentence."""
    if answer.code == "queue-full":
        return "As many photos wait at the server as it takes; the others wait here."
    if answer.status == 429:
        return "The server asks to wait a little."
    if answer.status >= 500:
        return f"The server has trouble of its own ({answer.status}); photos wait here."
    return f"What answers at the server's address is not Rollcall (it says {answer.status})."
