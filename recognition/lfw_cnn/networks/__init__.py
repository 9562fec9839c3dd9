"""All networks, found by name: ``create("compact", 128)``."""

from __future__ import annotations

from recognition.lfw_cnn.networks import compact, seeds
from recognition.lfw_cnn.networks._registry import create, entry, names

__all__ = ["compact", "create", "entry", "names", "seeds"]
