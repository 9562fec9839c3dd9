"""All networks, found by name: ``create("rollcall", channels=1, heads={"challenge": 7})``."""

from __future__ import annotations

from emotion.networks import earlier, resnet, rollcall
from emotion.networks._registry import Entry, Heads, create, entry, names

__all__ = ["Entry", "Heads", "create", "earlier", "entry", "names", "resnet", "rollcall"]
