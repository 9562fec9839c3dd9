"""The engine: a whole photo in, faces ready to be identified out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from recognition import quality, recipes
from recognition.detection.registry import DEFAULT, load_detector
from recognition.errors import UnknownName
from recognition.recipes import Recipe, recipe_named
from recognition.types import (
    Chips,
    Detection,
    Detector,
    Encoder,
    Encodings,
    Face,
    Image,
    Quality,
    checked_image,
)

ENGINES = ("default", "dlib")
RUNTIMES = ("torch", "onnx")
DEFAULT_RECIPE = "accurate"


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
        chips, encodings = self.encode(image, detections)
        return [
            Face(found, chip, encoding, self._quality(image, found, chip))
            for found, chip, encoding in zip(detections, chips, encodings, strict=True)
        ]

    def encode(self, image: Image, detections: list[Detection]) -> tuple[Chips, Encodings]:
        """One chip to show (n, 150, 150, 3) and the encoding (n, 128) of each detection."""
        return recipes.encode_views(image, detections, self.recipe, self.encoder, self.detector.name)

    def _quality(self, image: Image, found: Detection, chip: Image) -> Quality:
        box = recipes.framed(found, self.detector.name)
        return quality.measure(image, box, found.landmarks, chip)


class ReferenceEngine(Engine):
    """dlib's own chips and encoder, as ``face_recognition`` calls them; one view a face."""

    def encode(self, image: Image, detections: list[Detection]) -> tuple[Chips, Encodings]:
        from recognition.dlib_reference import dlib_chips

        chips = dlib_chips(image, [recipes.framed(found, self.detector.name) for found in detections])
        return chips, self.encoder.encode(chips)


def _encoder(runtime: str) -> Encoder:
    if runtime == "onnx":
        from recognition import onnx_runtime

        return onnx_runtime.shared_encoder()
    if runtime == "torch":
        from recognition import encoding

        return encoding.shared_encoder()
    raise UnknownName(f"there is no runtime {runtime!r}; there are {', '.join(RUNTIMES)}")


@cache
def _load(
    name: str, detector: str | None, recipe: str | None, min_face_pixels: int, runtime: str | None
) -> Engine:
    if name == "default":
        chosen = recipe_named(recipe or DEFAULT_RECIPE)
        encoder = _encoder(runtime or RUNTIMES[0])
        return Engine(load_detector(detector or DEFAULT, min_face_pixels), encoder, chosen)
    if name == "dlib":
        from recognition.dlib_reference import DlibEncoder

        if runtime is not None:
            raise UnknownName(f"the dlib engine computes with dlib, not with {runtime!r}")
        if recipe not in (None, "plain"):
            raise UnknownName(f"the dlib engine has the recipe 'plain' only, not {recipe!r}")
        found = load_detector(detector or "hog", min_face_pixels)
        return ReferenceEngine(found, DlibEncoder(), recipe_named("plain"))
    raise UnknownName(f"there is no engine {name!r}; there are {', '.join(ENGINES)}")


def load_engine(
    name: str = "default",
    *,
    detector: str | None = None,
    recipe: str | None = None,
    min_face_pixels: int = 32,
    runtime: str | None = None,
) -> Engine:
    """The engine of that name, made once a process for each set of arguments; dlib's models load on first use.

    ``default``: torch encoder, the default detector and the recipe "accurate". ``dlib``: HOG and dlib's encoder, the
    reference. ``min_face_pixels`` is the width of the smallest face to be found, 8 or more. ``runtime``: what the
    default engine's encoder computes with, "torch" (default) or "onnx" (optional packages, same encodings). Raises
    UnknownName, ValueError, RuntimeMissing, ModelFileMissing, ModelFileDamaged, DlibWeightsError.
    """
    return _load(name, detector, recipe, min_face_pixels, runtime)
