"""The detectors by name."""

from __future__ import annotations

from collections.abc import Callable

from recognition.errors import UnknownName
from recognition.types import Detector

DEFAULT = "centerface"


def _centerface(min_face_pixels: int) -> Detector:
    from recognition.detection.centerface import CenterFaceDetector

    return CenterFaceDetector(min_face_pixels)


def _hog(min_face_pixels: int) -> Detector:
    from recognition.detection.hog import HogDetector

    return HogDetector(min_face_pixels)


def _mmod(min_face_pixels: int) -> Detector:
    from recognition.detection.mmod import MmodDetector

    return MmodDetector(min_face_pixels)


def _mmod_exact(min_face_pixels: int) -> Detector:
    from recognition.detection.mmod import MmodDetector

    return MmodDetector(min_face_pixels, exact=True)


def _yunet(min_face_pixels: int) -> Detector:
    from recognition.detection.yunet import YunetDetector

    return YunetDetector(min_face_pixels)


DETECTORS: dict[str, Callable[[int], Detector]] = {
    "centerface": _centerface,
    "yunet": _yunet,
    "mmod": _mmod,
    "mmod_exact": _mmod_exact,
    "hog": _hog,
}


def load_detector(name: str = DEFAULT, min_face_pixels: int = 32) -> Detector:
    """The detector of that name, made to find faces ``min_face_pixels`` wide (8 or more).

    Raises UnknownName, ValueError, and for YuNet ModelFileMissing.
    """
    if name not in DETECTORS:
        raise UnknownName(f"there is no detector {name!r}; there are {', '.join(DETECTORS)}")
    if min_face_pixels < 8:
        raise ValueError(f"faces under 8 pixels cannot be found, {min_face_pixels} was asked for")
    return DETECTORS[name](min_face_pixels)
