"""What a configuration is, and the list of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from recognition.errors import UnknownName
from recognition.lfw_cnn.augment import NONE, Augmentation


@dataclass(frozen=True, slots=True)
class Config:
    """One way of training a network. ``task``: "people" learns encodings of all of LFW by a margin loss, "closed"
    tells apart the people with many photos as the earlier system did."""

    name: str
    network: str
    about: str
    task: Literal["people", "closed"] = "people"
    published: str = ""  # what its authors say they reached
    dimensions: int = 128
    epochs: int = 100
    batch_size: int = 64
    rate: float = 0.05
    weight_decay: float = 5e-4
    warmup: float = 0.03  # share of the run in which the rate rises from 0
    scale: float = 20.0
    margin: float = 0.2
    cap: int = 40  # photos of one person in an epoch at most
    augmentation: Augmentation = NONE
    ema: float = 0.998  # decay of the averaged weights a step
    seed: int = 42


_CONFIGS: dict[str, Config] = {}


def register(config: Config) -> Config:
    """Make a configuration known by its name."""
    _CONFIGS[config.name] = config
    return config


def names() -> list[str]:
    """All configurations, sorted."""
    return sorted(_CONFIGS)


def get(name: str) -> Config:
    """The configuration of that name. Raises UnknownName."""
    if name not in _CONFIGS:
        raise UnknownName(f"there is no configuration {name!r}; there are {', '.join(names())}")
    return _CONFIGS[name]


def with_epochs(config: Config, epochs: int) -> Config:
    """The same configuration for another number of epochs."""
    return replace(config, epochs=epochs)
