"""What the library takes and gives. Images are RGB ``uint8`` arrays (H, W, 3), upright; boxes are in their pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from recognition.errors import ImageError

Image: TypeAlias = npt.NDArray[np.uint8]
"""RGB, (H, W, 3)."""
Chips: TypeAlias = npt.NDArray[np.uint8]
"""RGB, (n, 150, 150, 3)."""
Points: TypeAlias = npt.NDArray[np.float32]
"""(5, 2) x, y: left eye, right eye, nose tip, left mouth corner, right mouth corner, as seen in the picture."""
Encodings: TypeAlias = npt.NDArray[np.float32]
"""(n, 128); compared by Euclidean distance, not normalised to unit length."""

CHIP_SIZE = 150
ENCODING_LENGTH = 128


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the image given; it may reach beyond the image."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    @property
    def centre(self) -> tuple[float, float]:
        return self.left + self.width / 2, self.top + self.height / 2

    @property
    def area(self) -> float:
        return self.width * self.height

    def iou(self, other: Box) -> float:
        """Area of the intersection over area of the union, 0..1."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.bottom, other.bottom) - max(self.top, other.top)
        if wide <= 0 or high <= 0:
            return 0.0
        shared = wide * high
        return shared / (self.area + other.area - shared)

    def scaled(self, factor: float) -> Box:
        return Box(self.left * factor, self.top * factor, self.width * factor, self.height * factor)

    def moved(self, right: float, down: float) -> Box:
        return Box(self.left + right, self.top + down, self.width, self.height)


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """One face found: where, its five points where the detector gives them, and the detector's own score."""

    box: Box
    landmarks: Points | None
    score: float


@dataclass(frozen=True, slots=True)
class Quality:
    """Each measure 0 (useless) .. 1 (as good as it needs to be); ``face_pixels`` is the face's width in the photo."""

    sharpness: float
    size: float
    pose: float
    light: float
    completeness: float
    overall: float
    face_pixels: float


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A face of a photo, ready to be identified: ``chip`` (150, 150, 3) uint8, ``encoding`` (128,) float32."""

    detection: Detection
    chip: Image
    encoding: Encodings
    quality: Quality


class Detector(Protocol):
    """Finds the faces of one image."""

    @property
    def name(self) -> str: ...

    def detect(self, image: Image) -> list[Detection]: ...


class Encoder(Protocol):
    """Turns aligned chips into encodings; encodings of another ``version`` are not comparable."""

    @property
    def version(self) -> str: ...

    def encode(self, chips: Chips) -> Encodings: ...


def checked_image(image: Image) -> Image:
    """The image, C-contiguous and writable as torch wants it.

    Raises ImageError unless it is RGB uint8 (H, W, 3) with at least one pixel.
    """
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
        raise ImageError(
            f"an image must be a uint8 array, not {getattr(image, 'dtype', type(image).__name__)}"
        )
    if image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ImageError(f"an image must have the shape (height, width, 3), not {image.shape}")
    return np.require(image, requirements=["C", "W"])


def checked_chips(chips: Chips) -> Chips:
    """The chips, C-contiguous and writable. Raises ImageError unless they are uint8 (n, 150, 150, 3); n may be 0."""
    if not isinstance(chips, np.ndarray) or chips.dtype != np.uint8:
        raise ImageError(f"chips must be a uint8 array, not {getattr(chips, 'dtype', type(chips).__name__)}")
    if chips.shape[1:] != (CHIP_SIZE, CHIP_SIZE, 3) or chips.ndim != 4:
        raise ImageError(f"chips must have the shape (n, {CHIP_SIZE}, {CHIP_SIZE}, 3), not {chips.shape}")
    return np.require(chips, requirements=["C", "W"])
