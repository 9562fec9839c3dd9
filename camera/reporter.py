"""Asks for the timetable and says how the camera does, twice a minute; keeps both for a restart and for ``status``."""

from __future__ import annotations

import json
import logging
import threading
import time
from pathlib import Path
from typing import Any, Callable

from camera import files, timetable
from camera.client import Server, Unreachable
from camera.faults import CameraProblem, Faults
from camera.timetable import Timetable
from camera.uploader import KEY, pause_after, refused_key, trouble

log = logging.getLogger("rollcall-camera")
SERVER = "server"
FIRST_RETRIES = 5
"""After so many failures the pause is no longer shortened below the usual one."""


class Reporter:
    """A thread's work: ``run`` until ``stop``; ``ask`` does one round."""

    def __init__(
        self, server: Server, faults: Faults, kept: Path, report: Callable[[], dict[str, Any]]
    ) -> None:
        """``kept``: the file with the last timetable; ``report``: what a heartbeat says."""
        self._server, self._faults, self._kept, self._report = server, faults, kept, report
        self._wake, self._stopped = threading.Event(), False
        self._etag = ""
        self._failures = 0
        self.timetable = Timetable()
        self.key_refused = False
        self.reached = False
        """Whether the server answered the last time."""
        self._restore()

    def run(self) -> None:
        while not self._stopped:
            self.ask()
            self._wake.wait(self.pause())
            self._wake.clear()

    def stop(self) -> None:
        self._stopped = True
        self._wake.set()

    def doubt_key(self) -> None:
        """An upload was refused: nothing is shot until the server has said that the key is good."""
        self.key_refused = True
        self._wake.set()

    def pause(self) -> float:
        """Seconds until the next round: sooner than usual after a short failure, never later by much."""
        usual = self.timetable.poll_seconds
        return min(usual, pause_after(self._failures)) if 0 < self._failures < FIRST_RETRIES else usual

    def ask(self) -> None:
        """One round; what goes wrong is said and leaves the timetable as it was."""
        try:
            self._ask_timetable()
            if not self.key_refused:
                self._server.post_json("/api/camera/heartbeat/", self._report())
        except Unreachable as problem:
            self.reached = False
            self._failures += 1
            self._faults.say(SERVER, str(problem))
        except CameraProblem as problem:
            self._failures += 1
            self._faults.say(SERVER, str(problem))

    def _ask_timetable(self) -> None:
        said = {"If-None-Match": self._etag} if self._etag else {}
        answer = self._server.get("/api/camera/schedule/", said)
        self.reached = True
        if answer.status in (401, 403):
            self.key_refused = True
            self._failures = 0
            self._faults.say(KEY, refused_key(answer))
            return
        if answer.status == 200:
            self.timetable = timetable.parsed(answer.json)
            self._etag = answer.headers.get("etag", "")
            self._keep(answer.json)
        elif answer.status != 304:
            self._failures += 1
            self._faults.say(SERVER, trouble(answer))
            return
        self._failures = 0
        self.key_refused = False
        self._faults.clear(KEY)
        self._faults.clear(SERVER)

    def _keep(self, content: dict[str, Any]) -> None:
        try:
            timetable.store(self._kept, self._etag, content)
        except OSError as error:
            log.warning("the timetable cannot be kept: %s", error.strerror)

    def _restore(self) -> None:
        found = timetable.load(self._kept)
        try:
            self.timetable = timetable.parsed(found["content"])
            self._etag = str(found["etag"])
        except (KeyError, CameraProblem):
            self._etag = ""


class StateFile:
    """What ``status`` shows, and what a restart has to know; written when it changed, at most each few seconds."""

    EVERY = 5.0

    def __init__(self, path: Path) -> None:
        self._path, self._written, self._last = path, 0.0, ""

    def write(self, content: dict[str, Any], *, at_once: bool = False) -> None:
        """Raises OSError."""
        if not at_once and time.monotonic() - self._written < self.EVERY:
            return
        self._written = time.monotonic()
        text = json.dumps(content)
        if text != self._last:
            files.write(self._path, text)
            self._last = text
