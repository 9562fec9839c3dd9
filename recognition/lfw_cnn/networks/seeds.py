"""The three small networks of the earlier system, rebuilt from their description in PyTorch.

All take grey pictures (B, 1, 125, 94) in 0..1 and answer logits (B, people). Convolutions are 3 x 3 without padding,
with ReLU, and pooling is 2 x 2, where the description leaves it open.
"""

from __future__ import annotations

from torch import nn

from recognition.lfw_cnn.networks._registry import register

HEIGHT, WIDTH = 125, 94
"""What ``fetch_lfw_people(resize=1.0)`` cuts out of a picture."""
_FLAT = 64 * 13 * 10


def _maps() -> list[nn.Module]:
    return [
        # The largest of four and ReLU can change places; so ReLU has a quarter of the work.
        *(nn.Conv2d(1, 32, 3), nn.MaxPool2d(2), nn.ReLU(inplace=True), nn.BatchNorm2d(32)),
        *(nn.Conv2d(32, 32, 3), nn.ReLU(inplace=True), nn.BatchNorm2d(32), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3), nn.MaxPool2d(2), nn.ReLU(inplace=True), nn.Flatten()),
    ]


def _dense(dropout: float, people: int) -> nn.Module:
    return nn.Sequential(
        *_maps(),
        nn.Dropout(dropout),
        nn.Linear(_FLAT, 128),
        nn.ReLU(inplace=True),
        nn.Linear(128, people),
    )


@register("seed-a", image_size=HEIGHT, about="earlier system: dropout 0.55, 128 dense")
def seed_a(people: int) -> nn.Module:
    return _dense(0.55, people)


@register("seed-b", image_size=HEIGHT, about="earlier system: dropout 0.3, 128 dense")
def seed_b(people: int) -> nn.Module:
    return _dense(0.3, people)


@register("seed-c", image_size=HEIGHT, about="earlier system: dropout 0.2, no dense layer")
def seed_c(people: int) -> nn.Module:
    return nn.Sequential(*_maps(), nn.Dropout(0.2), nn.Linear(_FLAT, people))
