"""Values on a command line that make no sense are refused before anything is loaded."""

from __future__ import annotations

import math
from argparse import ArgumentTypeError

import torch


def count(text: str) -> int:
    """A whole number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def duration(text: str) -> float:
    """A number greater than 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise ArgumentTypeError(f"{text!r} is not a number greater than 0")
    return value


def device(text: str) -> torch.device:
    """A device that torch can use on this machine."""
    try:
        return torch.empty(0, device=text).device
    except (RuntimeError, AssertionError) as problem:
        raise ArgumentTypeError(f"there is no device {text!r} here for this build of torch") from problem
