"""A network is a decorated function found by its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from torch import nn

from recognition.errors import UnknownName

Maker: TypeAlias = Callable[[int], nn.Module]
"""Takes the number of outputs (dimensions of an encoding, or classes)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A registered network: its maker, the side of the pictures it takes, and one line on what it is."""

    make: Maker
    image_size: int
    about: str


_ENTRIES: dict[str, Entry] = {}


def register(name: str, *, image_size: int, about: str) -> Callable[[Maker], Maker]:
    """Decorator: make a network known by ``name``."""

    def add(make: Maker) -> Maker:
        _ENTRIES[name] = Entry(make, image_size, about)
        return make

    return add


def names() -> list[str]:
    """All registered networks, sorted."""
    return sorted(_ENTRIES)


def entry(name: str) -> Entry:
    """The entry of one network. Raises UnknownName."""
    if name not in _ENTRIES:
        raise UnknownName(f"there is no network {name!r}; there are {', '.join(names())}")
    return _ENTRIES[name]


def create(name: str, outputs: int) -> nn.Module:
    """A network with fresh weights and so many outputs. Raises UnknownName."""
    return entry(name).make(outputs)
