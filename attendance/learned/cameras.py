"""How good the faces of a camera are for recognition, and what would make them better. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from attendance.learned.rates import Share
from recognition.quality import SMALLEST_PORTRAIT

SMALL = SMALLEST_PORTRAIT
"""Pixels; narrower faces are recognised measurably worse (docs/accuracy.md)."""
BLURRED = 0.3
DARK = 0.5
"""Below these a portrait is refused for sharpness and for light; a face of a lesson is judged alike."""
ENOUGH = 50
TOO_MANY = 0.2
"""Share of faces from which something should be done."""


@dataclass(frozen=True, slots=True)
class CameraFaces:
    """Faces of one camera. ``advice``: ``move_closer``, ``hold_still``, ``more_light``; empty while all is well or
    too few faces are known."""

    faces: int
    small: Share
    blurred: Share
    dark: Share
    missing: int
    """Faces until advice is given."""

    @property
    def advice(self) -> tuple[str, ...]:
        if self.missing:
            return ()
        named = (("move_closer", self.small), ("hold_still", self.blurred), ("more_light", self.dark))
        return tuple(code for code, share in named if (share.value or 0.0) >= TOO_MANY)


def judge(faces: int, small: int, blurred: int, dark: int) -> CameraFaces:
    """From how many faces were measured, and how many of these were narrower than ``SMALL``, under ``BLURRED``, under
    ``DARK``. A small face counts as small alone: enlarged it is never sharp, so it is not among ``blurred``.
    """
    return CameraFaces(
        faces, Share(small, faces), Share(blurred, faces), Share(dark, faces), max(0, ENOUGH - faces)
    )
