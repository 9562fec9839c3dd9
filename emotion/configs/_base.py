"""What a configuration is, and the list of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from emotion.augment import NONE, Augmentation, Normalisation
from emotion.errors import UnknownName

Task = Literal["fer2013", "ferplus", "folder", "gender_age"]


@dataclass(frozen=True, slots=True)
class Config:
    """One way of training a network; the defaults are the plain ones of the earlier systems."""

    name: str
    network: str
    about: str
    published: str = ""  # what its authors say they reached; emotion.evaluate prints it
    task: Task = "fer2013"
    heads: tuple[str, ...] = ("challenge",)
    channels: int = 1
    image_size: int = 48
    grow: tuple[tuple[float, int], ...] = ()  # (from this share of the run, train at this size)
    epochs: int = 50
    batch_size: int = 128
    optimizer: Literal["sgd", "adam", "adamw"] = "adam"
    rate: float = 1e-3
    lowest_rate: float = 0.0
    weight_decay: float = 0.0
    schedule: Literal["cosine", "plateau", "constant"] = "constant"
    warmup: float = 0.0  # share of the run in which the rate rises from 0
    patience: int = 5  # epochs without a better validation loss before the plateau schedule lowers the rate
    label_smoothing: float = 0.0
    vote_share: float = 0.0  # part of the challenge label replaced by what the FER+ votes make likely
    merge_copies: bool = False
    normalisation: Normalisation = "none"
    augmentation: Augmentation = NONE
    mixup: float = 0.0  # alpha of the Beta distribution
    mixup_share: float = 0.0  # instead: always this share of the other picture
    mixup_probability: float = 0.0  # of a batch
    calm_from: float = 1.0  # no mixup and no cutout from this share of the run on
    frozen: bool = False  # only the heads learn; the rest keeps the weights it was given
    ema: float = 0.0  # decay of the averaged weights a step; 0 keeps none
    validation_share: float = 0.06
    seed: int = 20130713


_CONFIGS: dict[str, Config] = {}


def register(config: Config) -> Config:
    """Make a configuration known by its name."""
    _CONFIGS[config.name] = config
    return config


def names() -> list[str]:
    """All configurations, sorted."""
    return sorted(_CONFIGS)


def get(name: str) -> Config:
    """The configuration of that name.

    Raises:
        UnknownName: there is none.
    """
    if name not in _CONFIGS:
        raise UnknownName(f"no configuration {name!r}; there are {', '.join(names())}")
    return _CONFIGS[name]


def with_epochs(config: Config, epochs: int) -> Config:
    """The same configuration for another number of epochs."""
    return replace(config, epochs=epochs)
