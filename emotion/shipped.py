"""What ships in ``emotion/weights``, known without torch: the network's file, and how each version of it reads.

``calibrations.json`` keeps the confusion matrix of every version that ever shipped: sums that an older network read
are adjusted with its own matrix, whichever network is here now.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from emotion.errors import WeightsDamaged, WeightsMissing
from emotion.mood import Calibration

WEIGHTS: Final = Path(__file__).parent / "weights" / "rollcall.safetensors"
CALIBRATIONS: Final = "calibrations.json"
CHECKSUMS: Final = "SHA256SUMS"


@lru_cache(maxsize=4)
def calibrations(folder: Path = WEIGHTS.parent) -> Mapping[str, Calibration]:
    """How each version reads, by its name (``rollcall-emotion-4``); read once a process.

    Raises:
        WeightsMissing: the file is not there.
        WeightsDamaged: it does not hold such matrices.
    """
    path = folder / CALIBRATIONS
    try:
        return {name: Calibration(np.asarray(rows, np.float64)) for name, rows in _entries(path).items()}
    except FileNotFoundError as problem:
        raise WeightsMissing(f"no {path}: the mood of a class cannot be shown without it") from problem
    except (OSError, ValueError, TypeError, AttributeError) as problem:
        raise WeightsDamaged(f"{path} does not say how the networks read ({problem})") from problem


def describe(weights: Path, version: str, confusion: list[list[float]]) -> None:
    """Enter how a new weight file reads into ``calibrations.json`` beside it, and write ``SHA256SUMS`` of both."""
    path = weights.with_name(CALIBRATIONS)
    known = (_entries(path) if path.exists() else {}) | {version: confusion}
    lines = (f"{json.dumps(name)}: {json.dumps(known[name])}" for name in sorted(known))
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    sums = (f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in (path, weights))
    weights.with_name(CHECKSUMS).write_text("".join(sums))


def _entries(path: Path) -> dict[str, Any]:
    entries: dict[str, Any] = json.loads(path.read_text())
    return entries
