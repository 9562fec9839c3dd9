"""A network camera's stream: read all the time while it is open, so that a picture is always of now."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import cv2

from camera.best import Frame
from camera.faults import CameraProblem
from camera.sources.rtsp_probe import why_silent

OPEN_MS, READ_MS = 20_000, 10_000
FIRST_PICTURE, NEXT_PICTURE = 15.0, 10.0
"""Seconds until the first picture of a stream, and from one to the next."""
BETWEEN = 0.15


OPTIONS = "OPENCV_FFMPEG_CAPTURE_OPTIONS"


@contextmanager
def _without_delay() -> Iterator[None]:
    """FFmpeg reads this variable when a stream is opened. Over TCP, since a lost packet of UDP smears the picture; and
    without a buffer, since what waits in one is old. Files and webcams are opened without it.
    """
    before = os.environ.get(OPTIONS)
    os.environ[OPTIONS] = (
        before or "rtsp_transport;tcp|fflags;nobuffer|max_delay;500000|analyzeduration;2000000"
    )
    try:
        yield
    finally:
        if before is None:
            del os.environ[OPTIONS]


class RtspStream:
    kind = "rtsp"

    def __init__(self, address: str) -> None:
        self._address = address
        self._reader: _Reader | None = None

    def open(self) -> None:
        if self._reader is not None and self._reader.alive:
            return
        self.close()
        options = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_MS]
        with _without_delay():
            stream = cv2.VideoCapture(self._address, cv2.CAP_FFMPEG, options)
        if not stream.isOpened():
            stream.release()
            raise CameraProblem(why_silent(self._address))
        self._reader = _Reader(stream)
        try:
            self._reader.newer_than(0, FIRST_PICTURE)
        except _NoPicture as error:
            self.close()
            raise CameraProblem(why_silent(self._address)) from error

    def frames(self, count: int) -> list[Frame]:
        assert self._reader is not None
        taken: list[Frame] = []
        number = self._reader.number
        for turn in range(max(1, count)):
            try:
                number, frame = self._reader.newer_than(number, NEXT_PICTURE)
            except _NoPicture as error:
                self.close()
                raise CameraProblem(
                    "The stream broke off: the camera or the network between went away."
                ) from error
            taken.append(frame)
            if turn + 1 < count:
                time.sleep(BETWEEN)
        return taken

    def close(self) -> None:
        if self._reader is not None:
            self._reader.stop()
            self._reader = None


class _NoPicture(Exception):
    pass


class _Reader(threading.Thread):
    """Empties the stream as fast as it comes and keeps the newest picture only."""

    def __init__(self, stream: Any) -> None:
        super().__init__(name="rtsp", daemon=True)
        self._stream, self._news = stream, threading.Condition()
        self._stopped, self.number = False, 0
        self._newest: Frame | None = None
        self._wanted = 0
        self.start()

    @property
    def alive(self) -> bool:
        return self.is_alive() and not self._stopped

    def run(self) -> None:
        while not self._stopped and self._stream.grab():
            # Decoding is done by grab(); turning it into colours only when somebody waits saves half the work.
            with self._news:
                wanted = self._wanted > 0
            if wanted:
                self._take()
        with self._news:
            self._stopped = True
            self._news.notify_all()
        self._stream.release()

    def _take(self) -> None:
        done, frame = self._stream.retrieve()
        if done and frame is not None:
            with self._news:
                self.number += 1
                self._newest = frame
                self._news.notify_all()

    def newer_than(self, number: int, seconds: float) -> tuple[int, Frame]:
        """The newest picture and its number, once there is a newer one. Raises _NoPicture."""
        with self._news:
            self._wanted += 1
            try:
                self._news.wait_for(lambda: self.number > number or self._stopped, seconds)
            finally:
                self._wanted -= 1
            if self.number <= number or self._newest is None:
                raise _NoPicture
            return self.number, self._newest

    def stop(self) -> None:
        self._stopped = True
        self.join(timeout=READ_MS / 1000 + 2)
