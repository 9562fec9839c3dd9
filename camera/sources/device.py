"""A USB camera; and a video file in its place, for trying out."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import cv2

from camera.best import Frame
from camera.faults import CameraProblem

WARM_UP = 1.0
"""Seconds in which a camera finds its exposure; these pictures are thrown away."""
BETWEEN = 0.15
LARGEST = (3840, 2160)


class UsbCamera:
    """``usb:0``, or ``usb:/dev/v4l/by-id/...``, which stays the same camera whatever else is plugged in."""

    kind = "usb"

    def __init__(self, which: str) -> None:
        self._which = which or "0"
        self._device: Any = None

    def open(self) -> None:
        if self._device is not None:
            return
        where: Any = int(self._which) if self._which.isdigit() else self._which
        api = cv2.CAP_V4L2 if sys.platform.startswith("linux") else cv2.CAP_ANY
        device = cv2.VideoCapture(where, api)
        if not device.isOpened():
            device.release()
            raise CameraProblem(self._why_not())
        # Without compression USB carries no large picture; the driver takes the nearest size it has.
        device.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        device.set(cv2.CAP_PROP_FRAME_WIDTH, LARGEST[0])
        device.set(cv2.CAP_PROP_FRAME_HEIGHT, LARGEST[1])
        self._device = device
        warm = time.monotonic() + WARM_UP
        while time.monotonic() < warm:
            self._read()

    def frames(self, count: int) -> list[Frame]:
        taken = []
        for _ in range(max(1, count)):
            until = time.monotonic() + BETWEEN
            frame = self._read()
            while time.monotonic() < until:  # the driver's queue must not grow old
                frame = self._read()
            taken.append(frame)
        return taken

    def close(self) -> None:
        if self._device is not None:
            self._device.release()
            self._device = None

    def _read(self) -> Frame:
        done, frame = self._device.read()
        if not done or frame is None:
            self.close()
            raise CameraProblem(f"The USB camera {self._which} gives no picture: was it unplugged?")
        return frame  # type: ignore[no-any-return]

    def _why_not(self) -> str:
        path = Path(f"/dev/video{self._which}" if self._which.isdigit() else self._which)
        if sys.platform.startswith("linux") and not path.exists():
            return f"There is no USB camera {self._which} ({path}): is it plugged in?"
        return f"The USB camera {self._which} cannot be opened: another program may be using it."


class VideoFile:
    """``video:/path``: one frame after the other, from the beginning again after the last."""

    kind = "video"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._video: Any = None

    def open(self) -> None:
        if self._video is not None:
            return
        if not self._path.is_file():
            raise CameraProblem(f"There is no video at {self._path}.")
        video = cv2.VideoCapture(str(self._path))
        if not video.isOpened():
            video.release()
            raise CameraProblem(f"{self._path} is no video that can be played.")
        self._video = video

    def frames(self, count: int) -> list[Frame]:
        return [self._read() for _ in range(max(1, count))]

    def close(self) -> None:
        """Keeps its place: the next shot is another picture."""

    def _read(self) -> Frame:
        done, frame = self._video.read()
        if not done:
            self._video.set(cv2.CAP_PROP_POS_FRAMES, 0)
            done, frame = self._video.read()
        if not done or frame is None:
            raise CameraProblem(f"The video {self._path} has no picture.")
        return frame  # type: ignore[no-any-return]
