"""Every way of training, as data. ``python -m emotion.train --config NAME`` runs any of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from emotion.augment import NONE, Augmentation
from emotion.errors import UnknownName

Task = Literal["fer2013", "ferplus", "folder", "gender_age"]


@dataclass(frozen=True, slots=True)
class Config:
    """One way of training a network; the defaults are the plain ones of the earlier systems."""

    name: str
    network: str
    about: str
    published: str = ""  # what its authors say they reached
    task: Task = "fer2013"
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
    standardise: bool = False
    augmentation: Augmentation = NONE
    mixup: float = 0.0  # alpha of the Beta distribution
    mixup_probability: float = 0.0  # of a batch
    calm_from: float = 1.0  # no mixup and no cutout from this share of the run on
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


ROLLCALL = register(
    Config(
        name="rollcall",
        network="rollcall",
        about="Rollcall's own network: two heads, votes as label distributions, growing pictures, EMA",
        grow=((0.0, 32), (0.35, 40), (0.72, 48)),
        epochs=90,
        optimizer="sgd",
        rate=0.1,
        weight_decay=5e-4,
        schedule="cosine",
        warmup=0.03,
        label_smoothing=0.03,
        vote_share=0.3,
        merge_copies=True,
        standardise=True,
        augmentation=Augmentation(
            rotation=15,
            shear=0.08,
            zoom=0.16,
            shift=0.08,
            flip=True,
            gamma=0.4,
            blur=0.1,
            cutout=0.5,
        ),
        mixup=0.2,
        mixup_probability=0.4,
        calm_from=0.86,
        ema=0.998,
    )
)


def with_epochs(config: Config, epochs: int) -> Config:
    """The same configuration for another number of epochs."""
    return replace(config, epochs=epochs)
