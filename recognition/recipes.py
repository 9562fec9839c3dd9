"""How a face's chips are made and averaged into one encoding. A recipe is data; its name is part of the version.

Averaging helps most over different sources of points, because their errors differ; a mirrored copy of each chip is the
cheapest second view. See docs/accuracy-detection.md for what each step was measured to be worth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recognition import alignment
from recognition.alignment import FloatArray
from recognition.errors import UnknownName
from recognition.types import CHIP_SIZE, Box, Chips, Detection, Encoder, Encodings, Image


@dataclass(frozen=True, slots=True)
class Jitter:
    """A small change of a chip: larger by ``scale``, turned by ``turn`` degrees clockwise, moved by pixels."""

    scale: float = 1.0
    turn: float = 0.0
    right: float = 0.0
    down: float = 0.0

    def applied(self, placement: FloatArray) -> FloatArray:
        """The placement (2, 3) that gives the chip so changed."""
        angle = math.radians(self.turn)
        matrix = self.scale * np.array(
            [(math.cos(angle), -math.sin(angle)), (math.sin(angle), math.cos(angle))]
        )
        middle = np.full(2, (CHIP_SIZE - 1) / 2)
        back = np.linalg.inv(matrix)
        origin = middle - back @ (middle + np.array((self.right, self.down)))
        return np.column_stack([placement[:, :2] @ back, placement[:, :2] @ origin + placement[:, 2]])


@dataclass(frozen=True, slots=True)
class Recipe:
    """Which views of a face are encoded. Views of one source are averaged first, then the sources.

    ``sources``: where a chip's alignment comes from: "points", the detector's five points (left out when the detector
    gives none), or "dlib5", dlib's five landmarks found in the face's box. ``mirror``: each chip is encoded together
    with its mirror image. ``jitters``: further views of the "points" source.
    """

    name: str
    sources: tuple[str, ...]
    mirror: bool
    jitters: tuple[Jitter, ...] = ()


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("plain", ("dlib5",), mirror=False),
        Recipe("fast", ("points",), mirror=True),
        Recipe("accurate", ("points", "dlib5"), mirror=True),
    )
}


def recipe_named(name: str) -> Recipe:
    """The recipe; raises UnknownName."""
    if name not in RECIPES:
        raise UnknownName(f"there is no recipe {name!r}; there are {', '.join(RECIPES)}")
    return RECIPES[name]


def framed(detection: Detection, detector: str) -> Box:
    """The detection's box as dlib's HOG detector would have drawn it: what its landmark model expects."""
    if detection.landmarks is not None:
        return alignment.face_box(detection.landmarks, detector)
    box = detection.box
    return box.moved(0, MMOD_DROP * box.height) if detector.startswith("mmod") else box


MMOD_DROP = 0.08
"""MMOD draws a face's box this much of its height higher than HOG does."""


def placements(
    image: Image, detections: list[Detection], recipe: Recipe, detector: str
) -> list[list[list[FloatArray]]]:
    """For each detection, for each source it can be aligned from, the placements of its chips."""
    needed = [_sources(found, recipe) for found in detections]
    boxes = [framed(found, detector) for found in detections]
    landmarked = [index for index, sources in enumerate(needed) if "dlib5" in sources]
    rectangles = _dlib_rectangles(image, boxes, landmarked)
    return [
        [
            [rectangles[index].placement()] if source == "dlib5" else _from_points(found, recipe, detector)
            for source in needed[index]
        ]
        for index, found in enumerate(detections)
    ]


def _sources(detection: Detection, recipe: Recipe) -> tuple[str, ...]:
    if detection.landmarks is None:
        return ("dlib5",)
    return recipe.sources


def _dlib_rectangles(image: Image, boxes: list[Box], rows: list[int]) -> dict[int, alignment.ChipRectangle]:
    if not rows:
        return {}
    from recognition.dlib_reference import landmarks5

    points = landmarks5(image, [boxes[row] for row in rows])
    return {row: alignment.chip_rectangle(five) for row, five in zip(rows, points, strict=True)}


def _from_points(detection: Detection, recipe: Recipe, detector: str) -> list[FloatArray]:
    assert detection.landmarks is not None
    placement = alignment.points_placement(detection.landmarks, detector)
    return [placement, *(jitter.applied(placement) for jitter in recipe.jitters)]


def encode_views(
    image: Image, detections: list[Detection], recipe: Recipe, encoder: Encoder, detector: str
) -> tuple[Chips, Encodings]:
    """One chip to show (n, 150, 150, 3) and the averaged encoding (n, 128) of each detection, encoded in one batch."""
    views = placements(image, detections, recipe, detector)
    flat = [placement for sources in views for chips in sources for placement in chips]
    # The weight of each chip in its face's mean: sources count alike, however many views each has.
    weights = [1 / (len(sources) * len(chips)) for sources in views for chips in sources for _ in chips]
    owners = [face for face, sources in enumerate(views) for chips in sources for _ in chips]
    chips = alignment.fast_chips(image, flat)
    rows = encoder.encode(np.concatenate([chips, chips[:, :, ::-1]]) if recipe.mirror else chips)
    if recipe.mirror:
        rows = (rows[: len(flat)] + rows[len(flat) :]) * np.float32(0.5)
    return chips[_firsts(owners)], _means(rows, weights, owners, len(detections))


def _firsts(owners: list[int]) -> list[int]:
    return [index for index, owner in enumerate(owners) if index == 0 or owners[index - 1] != owner]


def _means(rows: Encodings, weights: list[float], owners: list[int], count: int) -> Encodings:
    means: npt.NDArray[np.float32] = np.zeros((count, rows.shape[1]), np.float32)
    np.add.at(means, np.array(owners, np.intp), rows * np.array(weights, np.float32)[:, None])
    return means
