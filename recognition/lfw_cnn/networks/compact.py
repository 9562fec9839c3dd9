"""Rollcall's second network: a small residual CNN for faces, made to learn on a plain CPU from ten thousand photos.

Dense 3 x 3 convolutions in widths that are multiples of 32 run fastest on CPUs with bf16 instructions. Maps are small
from the stem on, since large ones cost memory traffic, not accuracy; the short cut is averaged down (He et al., arXiv
1812.01187). The last map is not averaged but flattened into a linear layer with batch norm, as in ArcFace's networks
(arXiv 1801.07698): in an aligned face every place has a meaning of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from recognition.lfw_cnn.networks._registry import register


def _convolution(inputs: int, outputs: int, stride: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)]


class Block(nn.Module):
    """Two 3 x 3 convolutions beside a short cut. Plain ReLU: learning with PReLU took a third longer."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_convolution(inputs, outputs, stride), nn.ReLU(inplace=True), *_convolution(outputs, outputs)
        )
        self.short_cut: nn.Module = nn.Identity()
        if inputs != outputs or stride != 1:
            down: list[nn.Module] = [nn.AvgPool2d(2, ceil_mode=True)] if stride == 2 else []
            self.short_cut = nn.Sequential(
                *down, nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
            )
        self.activation = nn.ReLU(inplace=True)

    def forward(self, maps: Tensor) -> Tensor:
        out: Tensor = self.activation(self.short_cut(maps) + self.body(maps))
        return out


class CompactNet(nn.Module):
    """(B, 3, side, side) standardised, ``side`` fixed -> (B, dimensions), not yet of unit length."""

    def __init__(
        self, dimensions: int, widths: Sequence[int], blocks: Sequence[int], side: int, dropout: float
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(*_convolution(3, widths[0], 2), nn.ReLU(inplace=True))
        layers: list[nn.Module] = []
        inputs, maps = widths[0], -(-side // 2)
        for width, count in zip(widths[1:], blocks, strict=True):
            for place in range(count):
                layers.append(Block(inputs, width, 2 if place == 0 else 1))
                inputs = width
            maps = -(-maps // 2)
        self.stages = nn.Sequential(*layers)
        self.dropout = nn.Dropout(dropout)
        self.embed = nn.Linear(inputs * maps * maps, dimensions, bias=False)
        self.norm = nn.BatchNorm1d(dimensions, affine=False)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.dropout(self.stages(self.stem(images)).flatten(1))
        out: Tensor = self.norm(self.embed(maps))
        return out


@register("compact", image_size=64, about="Rollcall's second opinion: residual, 32 to 256 maps")
def compact(dimensions: int) -> nn.Module:
    return CompactNet(dimensions, (32, 64, 128, 256), (1, 1, 2), 64, 0.3)
