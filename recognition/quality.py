"""How good a face in a photo is for recognition, and what is wrong with a portrait.

Every measure is 0..1 and cheap; ``overall`` is the product of the five, so one bad property is enough. The limits were
set on pictures degraded on purpose, see docs/accuracy-detection.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import cv2
import numpy as np
import numpy.typing as npt

from recognition.errors import ImageError
from recognition.types import Box, Face, Image, Quality, checked_chips, checked_image

# In the chip of dlib's framing the face is about this square (left, top, right, bottom).
_CORE = (30, 25, 120, 125)
_FACE_IN_CHIP = 127.0
"""Width of a face's box in the chip."""
_DIRECTIONS = [
    (np.array(kernel, np.float32), squared_step)
    for kernel, squared_step in (
        ([[0, 0, 0], [1, -2, 1], [0, 0, 0]], 1),
        ([[0, 1, 0], [0, -2, 0], [0, 1, 0]], 1),
        ([[1, 0, 0], [0, -2, 0], [0, 0, 1]], 2),
        ([[0, 0, 1], [0, -2, 0], [1, 0, 0]], 2),
    )
]
SMALLEST_PORTRAIT = 48
"""Narrower faces are recognised measurably worse (LFW, docs/accuracy.md), so they make poor templates."""
LEAST_DETAIL = 0.035
"""Portraits with less ``fine_detail`` are blurred: docs/accuracy-detection.md says who is refused and who is not."""


class PortraitProblem(StrEnum):
    """Why a portrait cannot be enrolled; the value is a stable code."""

    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    TOO_SMALL = "too_small"
    BLURRED = "blurred"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    CUT_OFF = "cut_off"
    TURNED_AWAY = "turned_away"


def _ramp(value: float, low: float, high: float) -> float:
    """0 at ``low`` and below, 1 at ``high`` and above, straight between."""
    return float(min(1.0, max(0.0, (value - low) / (high - low))))


def _grey_core(chip: Image) -> npt.NDArray[np.uint8]:
    left, top, right, bottom = _CORE
    return np.asarray(cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY)[top:bottom, left:right], np.uint8)


def _luma(chip: Image) -> tuple[float, float, float]:
    """Mean brightness 0..255 and the shares of the face that are nearly black and nearly white."""
    grey = _grey_core(chip)
    return float(grey.mean()), float((grey < 16).mean()), float((grey > 245).mean())


def sharpness(chip: Image) -> float:
    """Fine detail (a high-pass at chip resolution) against contrast, so that neither light nor noise-free skin counts.

    A face smaller than the chip was enlarged and has no fine detail: it scores low, as a blurred one does.
    """
    grey = _grey_core(chip).astype(np.float32)
    detail = float(cv2.Laplacian(cv2.GaussianBlur(grey, (0, 0), 1.0), cv2.CV_32F).std())
    return _ramp(detail / (float(grey.std()) + 8.0), 0.04, 0.16)


def fine_detail(chip: Image, face_pixels: float) -> float:
    """Detail against contrast in the direction that has least of it, at the resolution the face had in the photo
    (``face_pixels`` wide, the chip's at most): about 0.06 for a sharp face, 0.02 for a blurred or moved one.

    ``sharpness`` asks how much of a face there is to recognise; this asks whether the picture is blurred, so it does
    not fall only because the face is small. Each direction, because a moved picture stays sharp across its movement.
    """
    grey = cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY).astype(np.float32)
    factor = min(1.0, max(face_pixels, 32.0) / _FACE_IN_CHIP)
    grey = cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    left, top, right, bottom = (round(edge * factor) for edge in _CORE)
    core = grey[top:bottom, left:right]
    smooth = cv2.GaussianBlur(core, (0, 0), 1.0)
    least = min(float(cv2.filter2D(smooth, -1, kernel).std()) / step for kernel, step in _DIRECTIONS)
    return least / (float(core.std()) + 8.0)


def pose(landmarks: npt.NDArray[np.floating] | None) -> float:
    """1 for a face seen from the front, falling to 0 in profile; from the nose's place between eyes and mouth.

    Turning in the picture's plane does not count: alignment undoes it. Without landmarks 1 is returned.
    """
    if landmarks is None:
        return 1.0
    points = landmarks.astype(np.float64)
    eyes, mouth, nose = points[:2].mean(0), points[3:].mean(0), points[2]
    across, down = points[1] - points[0], mouth - eyes
    span = float(np.hypot(*across))
    drop = float(np.hypot(*down))
    if span < 1 or drop < 1:
        return 0.0
    aside = abs(float(np.dot(nose - (eyes + mouth) / 2, across))) / span**2
    narrow = span / drop
    return _ramp(-aside, -0.55, -0.2) * _ramp(narrow, 0.35, 0.75)


def light(chip: Image) -> float:
    """1 for a well-lit face, 0 for one that is black or washed out."""
    mean, black, white = _luma(chip)
    return (
        _ramp(mean, 15, 60) * _ramp(-mean, -245, -205) * _ramp(-black, -0.9, -0.4) * _ramp(-white, -0.6, -0.2)
    )


def completeness(image: Image, box: Box) -> float:
    """Share of the face's box that lies inside the photo."""
    height, width = image.shape[:2]
    wide = min(box.right, width) - max(box.left, 0.0)
    high = min(box.bottom, height) - max(box.top, 0.0)
    return float(min(1.0, max(0.0, wide) * max(0.0, high) / box.area)) if box.area > 0 else 0.0


def measure(image: Image, box: Box, landmarks: npt.NDArray[np.floating] | None, chip: Image) -> Quality:
    """The quality of one face: ``box`` in dlib's framing, ``chip`` (150, 150, 3) aligned from it.

    ``landmarks``: (5, 2), or None where there are none. Raises ImageError for other shapes.
    """
    checked_image(image)
    checked_chips(np.asarray(chip)[None])
    if landmarks is not None and landmarks.shape != (5, 2):
        raise ImageError(f"landmarks have the shape (5, 2), not {landmarks.shape}")
    parts = {
        "sharpness": sharpness(chip),
        "size": _ramp(box.width, 12, 48),
        "pose": pose(landmarks),
        "light": light(chip),
        "completeness": completeness(image, box),
    }
    return Quality(**parts, overall=float(np.prod(list(parts.values()))), face_pixels=float(box.width))


def portrait_problems(image: Image, faces: Sequence[Face]) -> list[PortraitProblem]:
    """What keeps a portrait from being enrolled; empty when it is good. ``faces`` are all faces of ``image``.

    A second face counts when it is at least a third as wide as the widest: passers-by far behind do no harm.
    """
    if not faces:
        return [PortraitProblem.NO_FACE]
    widest = max(faces, key=lambda face: face.quality.face_pixels)
    problems = []
    if sum(face.quality.face_pixels * 3 >= widest.quality.face_pixels for face in faces) > 1:
        problems.append(PortraitProblem.SEVERAL_FACES)
    quality = widest.quality
    mean, _, _ = _luma(widest.chip)
    checks = (
        (quality.face_pixels < SMALLEST_PORTRAIT, PortraitProblem.TOO_SMALL),
        (fine_detail(widest.chip, quality.face_pixels) < LEAST_DETAIL, PortraitProblem.BLURRED),
        (quality.light < 0.5 and mean < 110, PortraitProblem.TOO_DARK),
        (quality.light < 0.5 and mean >= 110, PortraitProblem.TOO_BRIGHT),
        (quality.completeness < 0.85, PortraitProblem.CUT_OFF),
        (quality.pose < 0.4, PortraitProblem.TURNED_AWAY),
    )
    return problems + [problem for found, problem in checks if found]
