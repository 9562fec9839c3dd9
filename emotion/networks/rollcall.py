"""Rollcall's own network: small and residual, for 48 x 48 grey faces; 2.8 M parameters, 0.2 G multiply-adds.

Dense 3 x 3 convolutions in widths that are multiples of 32, because they run fastest on CPUs with bf16 instructions;
the resolution is halved once in the stem, since full-size maps of 64 channels would double the time;
squeeze-and-excitation (Hu et al., arXiv 1709.01507) where pictures are small and it costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from emotion.networks._registry import Heads, register


def _convolution(inputs: int, outputs: int, stride: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)]


class Excitation(nn.Module):
    """Scale each channel (B, C, H, W) by a learned function of all channels' means."""

    def __init__(self, width: int, reduction: int = 8) -> None:
        super().__init__()
        self.squeeze = nn.Linear(width, width // reduction)
        self.excite = nn.Linear(width // reduction, width)

    def forward(self, maps: Tensor) -> Tensor:
        scale = torch.sigmoid(self.excite(torch.relu(self.squeeze(maps.mean(dim=(2, 3))))))
        return maps * scale[:, :, None, None]


class Block(nn.Module):
    """Two convolutions beside a short cut; with ``stride`` 2 the short cut is averaged down (ResNet-D)."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, excitation: bool = False) -> None:
        super().__init__()
        layers = [
            *_convolution(inputs, outputs, stride),
            nn.ReLU(inplace=True),
            *_convolution(outputs, outputs),
        ]
        if excitation:
            layers.append(Excitation(outputs))
        self.body = nn.Sequential(*layers)
        self.short_cut: nn.Module = nn.Identity()
        if inputs != outputs or stride != 1:
            down: list[nn.Module] = [nn.AvgPool2d(2, ceil_mode=True)] if stride == 2 else []
            self.short_cut = nn.Sequential(
                *down, nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, maps: Tensor) -> Tensor:
        return torch.relu(self.short_cut(maps) + self.body(maps))


class RollcallNet(nn.Module):
    """(B, channels, H, W) standardised, H and W at least 16 -> ``{head: logits (B, classes)}``."""

    def __init__(self, channels: int, heads: Mapping[str, int], dropout: float = 0.2) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            *_convolution(channels, 32),
            nn.ReLU(inplace=True),
            *_convolution(32, 64, 2),
            nn.ReLU(inplace=True),
        )
        self.stages = nn.Sequential(
            Block(64, 64),
            Block(64, 128, 2, excitation=True),
            Block(128, 128, excitation=True),
            Block(128, 256, 2, excitation=True),
            Block(256, 256, excitation=True),
        )
        self.dropout = nn.Dropout(dropout)
        self.heads = Heads(256, heads)

    def features(self, images: Tensor) -> Tensor:
        """What the heads see: (B, 256)."""
        maps: Tensor = self.stages(self.stem(images))
        return maps.mean(dim=(2, 3))

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        answers: dict[str, Tensor] = self.heads(self.dropout(self.features(images)))
        return answers


@register("rollcall", image_size=48, about="Rollcall's own: residual, squeeze-and-excitation, two heads")
def rollcall(channels: int, heads: Mapping[str, int]) -> nn.Module:
    return RollcallNet(channels, heads)
