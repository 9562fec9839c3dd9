"""Shows that the camera is on: a line in the log, and a command of the school's own (a lamp, a banner)."""

from __future__ import annotations

import logging
import shlex
import subprocess

from camera.faults import Faults

log = logging.getLogger("rollcall-camera")
PATIENCE = 5.0
PART = "indicator"


class Indicator:
    """``command`` is called with ``on`` or ``off`` as its last word."""

    def __init__(self, command: str, faults: Faults) -> None:
        self._command, self._faults = command, faults
        self.is_on = False

    def show(self, on: bool, why: str = "") -> None:
        if on == self.is_on:
            return
        self.is_on = on
        log.info("camera ON: %s" if on else "camera OFF%s", why)
        if self._command:
            self._call("on" if on else "off")

    def _call(self, word: str) -> None:
        try:
            done = subprocess.run(
                [*shlex.split(self._command), word],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=PATIENCE,
                check=False,
            )
            if done.returncode:
                raise OSError(None, f"it ended with {done.returncode}")
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            why = getattr(error, "strerror", None) or str(error)
            self._faults.say(PART, f"The command “{self._command} {word}” did not work: {why}.")
        else:
            self._faults.clear(PART)
