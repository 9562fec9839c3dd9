"""What goes wrong: one clear sentence each, said once when it begins and once when it is over."""

from __future__ import annotations

import logging
import threading

log = logging.getLogger("rollcall-camera")


class CameraProblem(Exception):
    """Something failed; the message is a sentence for whoever looks after the camera."""


class Faults:
    """What is wrong now, by part; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now: dict[str, str] = {}

    def say(self, part: str, sentence: str) -> None:
        """Something is wrong with a part; logged unless it was said already."""
        with self._lock:
            known = self._now.get(part)
            self._now[part] = sentence
        if known != sentence:
            log.warning("%s: %s", part, sentence)

    def clear(self, part: str) -> None:
        """A part works; logged where it did not before."""
        with self._lock:
            was_wrong = self._now.pop(part, None) is not None
        if was_wrong:
            log.info("%s: works again.", part)

    def sentences(self) -> list[str]:
        with self._lock:
            return [f"{part}: {sentence}" for part, sentence in self._now.items()]
