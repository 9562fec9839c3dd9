"""LFW's faces as the engine's own chips, made once and kept: what the second network learns from and is measured on.

The chip of a picture is the one ``Engine.analyse`` would hand on (``Face.chip``): the face in the middle, aligned by
the detector's five points. No encoding of the main engine is made or read here.
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognition import alignment, recipes
from recognition.engine import DEFAULT_RECIPE
from recognition.evaluate.encoded import central_face
from recognition.evaluate.lfw_data import Lfw
from recognition.types import CHIP_SIZE, Chips, Detector, Image

CHUNK = 500
log = logging.getLogger(__name__)


def chip_of(detector: Detector, picture: Image) -> Image | None:
    """The chip (150, 150, 3) of the face in the middle, None where no face is found."""
    found = central_face(detector.detect(picture), picture)
    if found is None:
        return None
    recipe = recipes.recipe_named(DEFAULT_RECIPE)
    (sources,) = recipes.placements(picture, [found], recipe, detector.name)
    return alignment.fast_chip(picture, sources[0][0])


def lfw_chips(data: Lfw, cache: Path) -> tuple[Chips, NDArray[np.bool_]]:
    """Chips uint8 (n, 150, 150, 3) of all pictures in the order of ``data.names``, and whether there was a face (n,).

    Kept as ``cache/chips-NNNNN.npy``, 0.9 GB for LFW; a run that is broken off goes on where it stopped. A picture
    without a face has a black chip.
    """
    cache.mkdir(parents=True, exist_ok=True)
    chips = np.empty((len(data.names), CHIP_SIZE, CHIP_SIZE, 3), np.uint8)
    for start in range(0, len(data.names), CHUNK):
        end = min(start + CHUNK, len(data.names))
        path = cache / f"chips-{start:05d}.npy"
        if not path.is_file() or len(np.load(path, mmap_mode="r")) != end - start:
            _make(data, range(start, end), path)
        chips[start:end] = np.load(path)
    return chips, np.asarray(chips.reshape(len(chips), -1).any(axis=1))


def _make(data: Lfw, rows: range, path: Path) -> None:
    from recognition.engine import load_engine

    detector = load_engine().detector
    made = np.zeros((len(rows), CHIP_SIZE, CHIP_SIZE, 3), np.uint8)
    for place, row in enumerate(rows):
        chip = chip_of(detector, data.picture(row))
        if chip is not None:
            made[place] = chip
    partial = path.with_suffix(".part.npy")
    np.save(partial, made)
    partial.rename(path)
    log.info("%s: %d pictures", path, len(rows))
