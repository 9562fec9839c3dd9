"""The best frame of a burst: the sharpest with the most usable faces. Cheap measures; nobody is identified here."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from camera.faults import CameraProblem
from camera.timetable import Policy

Frame = NDArray[np.uint8]
"""BGR, (height, width, 3)."""
Box = tuple[int, int, int, int]
"""Left, top, width, height in pixels of the frame."""
MODEL_VARIABLE = "ROLLCALL_YUNET_MODEL"
SHARP_SIDE = 1280
AS_SHARP = 0.6
"""Frames at least so sharp, as a share of the sharpest, are compared by their faces."""
AMPLE = 3
"""Times the smallest usable width: where the smallest face is wider, the photo is made smaller down to that."""
_YUNET_WIDTH, _HAAR_WIDTH = 12.0, 24.0


@dataclass(frozen=True)
class Choice:
    """The frame to send, its faces, and how sharp it is (variance of the Laplacian)."""

    frame: Frame
    faces: tuple[Box, ...] = ()
    sharpness: float = 0.0
    all_found: bool = False
    """The finder is one that misses few: there is hardly a smaller face than the smallest found."""

    @property
    def smallest_face(self) -> int | None:
        return min((box[2] for box in self.faces), default=None)


@dataclass
class FaceFinder:
    """Finds faces with what this machine's OpenCV has: YuNet, where its file is given; else Haar's cascade, which
    OpenCV 3 and 4 bring along; else nothing (``name`` is empty), and sharpness alone decides."""

    model: str = ""
    name: str = field(default="", init=False)
    _network: Any = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Raises CameraProblem for a model file that is none."""
        path = self.model or os.environ.get(MODEL_VARIABLE, "")
        if path:
            if not Path(path).is_file():
                raise CameraProblem(f"There is no model for finding faces at {path}.")
            try:
                self._network = cv2.FaceDetectorYN.create(path, "", (320, 320), 0.6, 0.3, 5000)
            except (AttributeError, cv2.error) as error:
                raise CameraProblem(f"{path} is no YuNet model that this OpenCV reads.") from error
            self.name = "yunet"
            return
        cascade = _haar()
        if cascade is not None:
            self._network, self.name = cascade, "haar"

    def find(self, frame: Frame, smallest: int) -> tuple[Box, ...]:
        """Faces from about ``smallest`` pixels wide."""
        if self._network is None:
            return ()
        height, width = frame.shape[:2]
        scale = min(1.0, (_YUNET_WIDTH if self.name == "yunet" else _HAAR_WIDTH) / smallest)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA) if scale < 1.0 else frame
        found = self._yunet(small) if self.name == "yunet" else self._haar(small)
        boxes = [
            (float(x) / scale, float(y) / scale, float(w) / scale, float(h) / scale) for x, y, w, h in found
        ]
        return tuple((round(x), round(y), round(w), round(h)) for x, y, w, h in boxes)

    def _yunet(self, frame: Any) -> list[Sequence[float]]:
        self._network.setInputSize((frame.shape[1], frame.shape[0]))
        rows = self._network.detect(frame)[1]
        return [] if rows is None else [row[:4] for row in rows]

    def _haar(self, frame: Any) -> list[Sequence[float]]:
        grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        least = (int(_HAAR_WIDTH), int(_HAAR_WIDTH))
        return list(self._network.detectMultiScale(grey, scaleFactor=1.05, minNeighbors=4, minSize=least))


def choose(frames: Sequence[Frame], finder: FaceFinder, policy: Policy) -> Choice:
    """The best of at least one frame: of those nearly as sharp as the sharpest, the one with most usable faces."""
    judged = [(sharpness(frame), frame) for frame in frames]
    limit = AS_SHARP * max(sharp for sharp, _frame in judged)
    choices = [
        Choice(frame, finder.find(frame, policy.min_face_pixels), sharp, finder.name == "yunet")
        for sharp, frame in judged
        if sharp >= limit
    ]

    def worth(choice: Choice) -> tuple[int, float]:
        usable = sum(1 for box in choice.faces if box[2] >= policy.min_face_pixels)
        return usable, choice.sharpness

    return max(choices, key=worth)


def sharpness(frame: Frame) -> float:
    """Variance of the Laplacian (Pech-Pacheco et al. 2000) of the grey picture, at most 1280 pixels wide."""
    grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    scale = SHARP_SIDE / max(grey.shape)
    if scale < 1.0:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


def encoded(choice: Choice, policy: Policy) -> bytes:
    """A JPEG no larger than it has to be: the smallest face says how small it may get and how fine it must be."""
    frame = choice.frame
    height, width = frame.shape[:2]
    scale = min(1.0, policy.long_side / max(height, width))
    smallest = choice.smallest_face
    quality = policy.jpeg_quality
    if choice.all_found and smallest is not None and smallest > AMPLE * policy.min_face_pixels:
        scale = min(scale, AMPLE * policy.min_face_pixels / smallest)
    elif smallest is not None and smallest * scale < 2 * policy.min_face_pixels:
        quality = max(quality, 95)
    if scale < 1.0:
        size = (max(64, round(width * scale)), max(64, round(height * scale)))
        frame = np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)
    done, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise CameraProblem("The picture could not be made into a JPEG.")
    return bytes(data.tobytes())


def _haar() -> Any:
    """OpenCV's own cascade, or None: OpenCV 5 left it out, Debian keeps it beside."""
    if not hasattr(cv2, "CascadeClassifier"):
        return None
    folders = [Path("/usr/share/opencv4/haarcascades")]
    data = getattr(cv2, "data", None)
    if data is not None:
        folders.insert(0, Path(data.haarcascades))
    for folder in folders:
        path = folder / "haarcascade_frontalface_default.xml"
        if path.is_file():
            cascade = cv2.CascadeClassifier(str(path))
            return None if cascade.empty() else cascade
    return None
