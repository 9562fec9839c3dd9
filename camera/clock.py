"""The server's time, from its ``Date`` headers: photos are dated by the school's clock, not by a cheap one."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import deque
from email.utils import parsedate_to_datetime

_REMEMBERED = 16


class Clock:
    """Wall clock plus the measured offset.

    An answer sent at s and received at r with ``Date: d`` (whole seconds) says that the offset lies between
    d - r and d + 1 - s; several answers together say it to a fraction of a second (Cristian 1989). Where they
    contradict each other a clock was set, and only the last one counts.
    """

    def __init__(self, offset: float = 0.0) -> None:
        self._lock = threading.Lock()
        self._intervals: deque[tuple[float, float]] = deque(maxlen=_REMEMBERED)
        self._offset = offset
        self._width: float | None = None

    @property
    def offset(self) -> float:
        """Seconds to add to this machine's clock."""
        with self._lock:
            return self._offset

    @property
    def measured(self) -> bool:
        with self._lock:
            return self._width is not None

    def heard(self, date: str | None, sent: float, received: float) -> None:
        """Take in one answer: its ``Date`` header and this machine's times around it (seconds since 1970)."""
        try:
            stated = parsedate_to_datetime(date or "").timestamp()
        except (TypeError, ValueError, IndexError):
            return
        newest = (stated - received, stated + 1.0 - sent)
        with self._lock:
            self._intervals.append(newest)
            low = max(interval[0] for interval in self._intervals)
            high = min(interval[1] for interval in self._intervals)
            if low > high:
                self._intervals.clear()
                self._intervals.append(newest)
                low, high = newest
            self._offset, self._width = (low + high) / 2, high - low

    def now(self) -> dt.datetime:
        """The time at the server, UTC."""
        return dt.datetime.fromtimestamp(self.timestamp(), dt.timezone.utc)

    def timestamp(self) -> float:
        return time.time() + self.offset
