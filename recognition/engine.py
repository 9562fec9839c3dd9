"""The engine: a whole photo in, faces ready to be identified out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from recognition import dlib_reference, quality
from recognition.detection.hog import HogDetector
from recognition.errors import UnknownName
from recognition.recipes import Recipe, recipe_named
from recognition.types import Detector, Encoder, Face, Image, checked_image

ENGINES = ("default", "dlib")


@dataclass(frozen=True, slots=True)
class Engine:
    """A detector, an encoder and a recipe. Templates of another ``version`` are not comparable."""

    detector: Detector
    encoder: Encoder
    recipe: Recipe

    @property
    def version(self) -> str:
        return f"{self.encoder.version}.{self.detector.name}.{self.recipe.name}"

    def analyse(self, image: Image) -> list[Face]:
        """All faces of a photo, from left to right. Raises ImageError when it is not RGB uint8 (H, W, 3)."""
        image = checked_image(image)
        detections = sorted(self.detector.detect(image), key=lambda found: found.box.left)
        boxes = [found.box for found in detections]
        chips = dlib_reference.dlib_chips(image, boxes)
        encodings = self.encoder.encode(chips)
        return [
            Face(found, chip, encoding, quality.measure(image, found.box, found.landmarks, chip))
            for found, chip, encoding in zip(detections, chips, encodings, strict=True)
        ]


@cache
def _load(name: str, detector: str | None, recipe: str | None, min_face_pixels: int) -> Engine:
    if name not in ENGINES:
        raise UnknownName(f"there is no engine {name!r}; there are {', '.join(ENGINES)}")
    return Engine(HogDetector(min_face_pixels), dlib_reference.DlibEncoder(), recipe_named(recipe or "plain"))


def load_engine(
    name: str = "default", *, detector: str | None = None, recipe: str | None = None, min_face_pixels: int = 32
) -> Engine:
    """The engine of that name, made once a process for each set of arguments; models load on first use.

    ``min_face_pixels`` is the width of the smallest face to be found. Raises UnknownName.
    """
    return _load(name, detector, recipe, min_face_pixels)
