"""The small networks of the systems that came before, rebuilt from their descriptions in PyTorch.

All take (B, channels, H, W) in 0..1 and answer ``{head: logits (B, classes)}``. Where the description has ReLU and then
max pooling, they stand the other way round here: the function is the same, and ReLU has a quarter of the work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from emotion.networks._registry import Heads, register


class Flat(nn.Module):
    """Convolutions, then everything flattened, dense layers, heads."""

    def __init__(self, maps: nn.Module, dense: nn.Module, width: int, heads: Mapping[str, int]) -> None:
        super().__init__()
        self.maps, self.dense, self.heads = maps, dense, Heads(width, heads)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        answers: dict[str, Tensor] = self.heads(self.dense(self.maps(images).flatten(1)))
        return answers


def _blocks(channels: int, widths: Sequence[int], convolutions: int, dropout: float) -> nn.Sequential:
    """Blocks of 3 x 3 convolutions with ReLU, each ended by 2 x 2 max pooling and, if asked, dropout."""
    layers: list[nn.Module] = []
    for width in widths:
        for _ in range(convolutions):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
            channels = width
        layers.insert(-1, nn.MaxPool2d(2))
        if dropout:
            layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers)


@register("three_blocks", image_size=48, about="three blocks of two convolutions, 512 dense")
def three_blocks(channels: int, heads: Mapping[str, int]) -> nn.Module:
    dense = nn.Sequential(nn.Linear(128 * 36, 512), nn.ReLU(inplace=True))
    return Flat(_blocks(channels, (32, 64, 128), 2, 0.0), dense, 512, heads)


@register(
    "three_blocks_dropout",
    image_size=48,
    about="the same with dropout 0.25 after each block, 0.5 after dense",
)
def three_blocks_dropout(channels: int, heads: Mapping[str, int]) -> nn.Module:
    dense = nn.Sequential(nn.Linear(128 * 36, 512), nn.ReLU(inplace=True), nn.Dropout(0.5))
    return Flat(_blocks(channels, (32, 64, 128), 2, 0.25), dense, 512, heads)


@register("three_convolutions", image_size=48, about="three convolutions 32, 64, 128, 128 dense, dropout 0.5")
def three_convolutions(channels: int, heads: Mapping[str, int]) -> nn.Module:
    dense = nn.Sequential(nn.Linear(128 * 36, 128), nn.ReLU(inplace=True), nn.Dropout(0.5))
    return Flat(_blocks(channels, (32, 64, 128), 1, 0.0), dense, 128, heads)


def _cifar(channels: int, heads: Mapping[str, int], strided: bool) -> nn.Module:
    """Two convolutions with batch norm at each of 32, 64, 128 maps; dropout 0.2, 0.3, 0.4; one linear layer."""
    layers: list[nn.Module] = []
    for width, dropout in ((32, 0.2), (64, 0.3), (128, 0.4)):
        for _ in range(2):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ELU(inplace=True), nn.BatchNorm2d(width)]
            channels = width
        if strided:
            layers += [
                nn.Conv2d(width, width, 3, stride=2, padding=1),
                nn.ELU(inplace=True),
                nn.BatchNorm2d(width),
            ]
        else:
            layers.append(nn.MaxPool2d(2))
        layers.append(nn.Dropout(dropout))
    return Flat(nn.Sequential(*layers), nn.Identity(), 128 * 36, heads)


@register(
    "cifar", image_size=48, about="the network many CIFAR-10 tutorials use: 32, 64, 128 maps, max pooling"
)
def cifar(channels: int, heads: Mapping[str, int]) -> nn.Module:
    return _cifar(channels, heads, strided=False)


@register("cifar_strided", image_size=48, about="the same with strided convolutions for pooling")
def cifar_strided(channels: int, heads: Mapping[str, int]) -> nn.Module:
    return _cifar(channels, heads, strided=True)


@register("wide_kernels", image_size=48, about="five convolutions of 32 maps with kernels 11, 7, 5, 5, 3")
def wide_kernels(channels: int, heads: Mapping[str, int]) -> nn.Module:
    layers: list[nn.Module] = []
    for kernel, padding in ((11, 5), (7, 3), (5, 2), (5, 2), (3, 1)):
        layers += [
            nn.Conv2d(channels, 32, kernel, padding=padding),
            nn.BatchNorm2d(32),
            nn.MaxPool2d(2),
            nn.ReLU(inplace=True),
        ]
        channels = 32
    return Flat(nn.Sequential(*layers), nn.Dropout(0.3), 32, heads)


@register("five_convolutions", image_size=64, about="five 3 x 3 convolutions for gender and age group")
def five_convolutions(channels: int, heads: Mapping[str, int]) -> nn.Module:
    layers: list[nn.Module] = []
    for width in (32, 64, 128, 192, 256):
        layers += [
            nn.Conv2d(channels, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.MaxPool2d(2),
            nn.ReLU(inplace=True),
        ]
        channels = width
    dense = nn.Sequential(nn.Dropout(0.3), nn.Linear(256 * 4, 256), nn.ReLU(inplace=True), nn.Dropout(0.3))
    return Flat(nn.Sequential(*layers), dense, 256, heads)
