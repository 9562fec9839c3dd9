"""The earlier system's three networks on the 19 people with at least 40 photos."""

from __future__ import annotations

from recognition.lfw_cnn.configs._base import Config, register

for _name, _about, _published in (
    ("seed-a", "dropout 0.55 and 128 dense", "80.7 %"),
    ("seed-b", "dropout 0.3 and 128 dense", "80.5 %"),
    ("seed-c", "dropout 0.2 and no dense layer", "79.4 %"),
):
    register(
        Config(
            name=_name,
            network=_name,
            about=f"earlier system, three convolutions, {_about}",
            task="closed",
            published=_published,
            batch_size=64,
            rate=2e-4,
        )
    )
