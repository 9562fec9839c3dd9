"""How Rollcall's own network is trained."""

from __future__ import annotations

from emotion.augment import Augmentation
from emotion.configs._base import Config, register

ROLLCALL = register(
    Config(
        name="rollcall",
        network="rollcall",
        about="Rollcall's own network: two heads, votes as label distributions, growing pictures, EMA",
        heads=("challenge", "ferplus"),
        grow=((0.0, 32), (0.5, 40), (0.85, 48)),
        epochs=90,
        optimizer="sgd",
        rate=0.1,
        weight_decay=5e-4,
        schedule="cosine",
        warmup=0.03,
        label_smoothing=0.03,
        vote_share=0.3,
        merge_copies=True,
        normalisation="picture",
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
        calm_from=0.85,
        ema=0.998,
    )
)
