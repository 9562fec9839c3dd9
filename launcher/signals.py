"""Asked to stop: turned into an exception, held back while something must not be cut in two."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from launcher.errors import Stopped

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruption:
    """Raises ``Stopped`` in the main thread at the first stopping signal; later ones only count."""

    def __init__(self) -> None:
        self.count = 0
        self._held_back = False
        for number in STOPPING:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup and shells' "&" ignore some on purpose
                signal.signal(number, self._received)

    def _received(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        if self.count == 1 and not self._held_back:
            raise Stopped

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """A signal that comes in here is acted on at the end of the block."""
        before = self.count
        self._held_back = True
        try:
            yield
        finally:
            self._held_back = False
        if before == 0 and self.count > 0:
            raise Stopped
