"""Reading files that may not be what their names say."""

from __future__ import annotations

import csv
import lzma
import pickle
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError

from emotion.errors import WeightsDamaged, WeightsMissing

DAMAGED: Final = (
    OSError, EOFError, LookupError, ValueError, TypeError, AttributeError, RuntimeError, ArithmeticError, MemoryError,
    SyntaxError, struct.error, zlib.error, lzma.LZMAError, zipfile.BadZipFile, csv.Error, pickle.UnpicklingError,
    SafetensorError,
)  # fmt: skip
"""What numpy, Pillow, torch and the standard library raise on files that are cut short, overwritten or another kind."""


def reason(problem: BaseException) -> str:
    """What a library said about a file, in one line."""
    return next(iter(str(problem).splitlines()), "") or type(problem).__name__


def read_torch(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """The dictionary in a file of ``torch.save``; no code in it is run.

    Raises:
        WeightsMissing: there is no such file.
        WeightsDamaged: it cannot be read, or holds something else.
    """
    if not path.is_file():
        raise WeightsMissing(f"there is no file {path}")
    try:
        state = torch.load(path, map_location=device, weights_only=True)
    except DAMAGED as problem:
        raise WeightsDamaged(
            f"{path} cannot be read: forbidden, damaged, or not a file that torch.save wrote"
        ) from problem
    if not isinstance(state, dict):
        raise WeightsDamaged(f"{path} holds a {type(state).__name__}, not weights by name")
    return state
