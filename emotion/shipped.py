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
    if not path.exists():
        raise WeightsMissing(f"no {path}: the mood of a class cannot be shown without it")
    try:
        return {name: Calibration(np.asarray(rows, np.float64)) for name, rows in _entries(path).items()}
    except (OSError, ValueError, TypeError, AttributeError) as problem:
        raise WeightsDamaged(f"{path} does not say how the networks read ({problem})") from problem


def check_sums(folder: Path) -> dict[str, str]:
    """SHA-256 of the files in a folder by their names, as its ``SHA256SUMS`` has it; none where it has no such file.

    Raises:
        WeightsDamaged: the file cannot be read.
    """
    path = folder / CHECKSUMS
    try:
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    except (OSError, UnicodeDecodeError) as problem:
        raise WeightsDamaged(f"{path} cannot be read ({problem})") from problem
    return {line.split()[1].lstrip("*"): line.split()[0] for line in lines if len(line.split()) == 2}


def describe(weights: Path, version: str, confusion: list[list[float]]) -> None:
    """Enter how a new weight file reads into ``calibrations.json`` beside it, and both into ``SHA256SUMS``.

    Raises:
        WeightsDamaged: one of these two is there and cannot be read.
    """
    path = weights.with_name(CALIBRATIONS)
    before = calibrations(weights.parent) if path.exists() else {}
    sums = check_sums(weights.parent)
    known = {name: calibration.confusion.tolist() for name, calibration in before.items()} | {
        version: confusion
    }
    lines = (f"{json.dumps(name)}: {json.dumps(known[name])}" for name in sorted(known))
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    calibrations.cache_clear()
    sums |= {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in (path, weights)}
    weights.with_name(CHECKSUMS).write_text("".join(f"{sums[name]}  {name}\n" for name in sorted(sums)))


def _entries(path: Path) -> dict[str, Any]:
    entries: dict[str, Any] = json.loads(path.read_text())
    return entries
