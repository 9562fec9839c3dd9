"""LFW's chips at the size the networks read them, kept beside the chips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognition.evaluate.lfw_data import Lfw
from recognition.lfw_cnn.chips import lfw_chips
from recognition.lfw_cnn.encode import framed

KEPT = "frames.npy"


def frames_of(data: Lfw, cache: Path) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """All chips reduced (n, 80, 80, 3) and whether there was a face (n,); made once and kept in ``cache``."""
    path = cache / KEPT
    if path.is_file():
        frames: NDArray[np.uint8] = np.load(path)
        if len(frames) == len(data.names):
            return frames, np.asarray(frames.reshape(len(frames), -1).any(axis=1))
    chips, found = lfw_chips(data, cache)
    frames = framed(chips)
    partial = path.with_suffix(".part.npy")
    np.save(partial, frames)
    partial.rename(path)
    return frames, found
