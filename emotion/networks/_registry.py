"""A network is a decorated function or class found by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor, nn

from emotion.errors import UnknownName


class Network(Protocol):
    """What a registered maker takes: channels of the picture (1 or 3) and the classes of every head."""

    def __call__(self, channels: int, heads: Mapping[str, int]) -> nn.Module: ...


@dataclass(frozen=True, slots=True)
class Entry:
    """A registered network: its maker, the size it is meant for, and one line on where it comes from."""

    make: Network
    image_size: int
    about: str


_ENTRIES: dict[str, Entry] = {}


def register(name: str, *, image_size: int, about: str) -> Callable[[Network], Network]:
    """Decorator: make a network known by ``name``."""

    def add(make: Network) -> Network:
        _ENTRIES[name] = Entry(make, image_size, about)
        return make

    return add


def names() -> list[str]:
    """All registered networks, sorted."""
    return sorted(_ENTRIES)


def entry(name: str) -> Entry:
    """The entry of one network.

    Raises:
        UnknownName: no network is registered by that name.
    """
    if name not in _ENTRIES:
        raise UnknownName(f"no network {name!r}; there are {', '.join(names())}")
    return _ENTRIES[name]


def create(name: str, *, channels: int, heads: Mapping[str, int]) -> nn.Module:
    """Make a network with fresh weights. It maps (B, channels, H, W) to ``{head: logits (B, classes)}``.

    Raises:
        UnknownName: no network is registered by that name.
    """
    return entry(name).make(channels, heads)


class Heads(nn.Module):
    """One linear layer for each head on the same features (B, width) -> ``{head: (B, classes)}``."""

    def __init__(self, width: int, heads: Mapping[str, int]) -> None:
        super().__init__()
        self.layers = nn.ModuleDict({head: nn.Linear(width, classes) for head, classes in heads.items()})

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        return {head: layer(features) for head, layer in self.layers.items()}
