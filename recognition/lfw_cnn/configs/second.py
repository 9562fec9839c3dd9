"""How Rollcall's second network is trained."""

from __future__ import annotations

from recognition.lfw_cnn.augment import Augmentation
from recognition.lfw_cnn.configs._base import Config, register

STRONG = Augmentation(
    rotation=10,
    zoom=0.1,
    stretch=0.06,
    shift=0.04,
    flip=True,
    gamma=0.4,
    colour=0.15,
    contrast=0.2,
    grey=0.2,
    blur=0.15,
    noise=0.03,
    cutout=0.5,
)
SECOND = register(
    Config(
        name="second",
        network="compact",
        about="Rollcall's second opinion: all of LFW but the held-out people, CosFace, strong augmentation, EMA",
        augmentation=STRONG,
    )
)
