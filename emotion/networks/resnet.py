"""ResNet-18 and ResNet-50 (He et al., arXiv 1512.03385), parameters named as in torchvision's, so that its files fit.

Two stems: ImageNet's (7 x 7, stride 2, then pooling: a 48-pixel face arrives as 12 x 12 and ends as 2 x 2) and a small
one (3 x 3, stride 1, no pooling: it ends as 6 x 6).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from emotion.networks._registry import Heads, register


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions beside a short cut."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int, downsample: nn.Module | None) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = downsample

    def forward(self, maps: Tensor) -> Tensor:
        straight = maps if self.downsample is None else self.downsample(maps)
        inner = torch.relu(self.bn1(self.conv1(maps)))
        return torch.relu(straight + self.bn2(self.conv2(inner)))


class Bottleneck(nn.Module):
    """1 x 1, 3 x 3 and 1 x 1 convolutions beside a short cut."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int, downsample: nn.Module | None) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample = downsample

    def forward(self, maps: Tensor) -> Tensor:
        straight = maps if self.downsample is None else self.downsample(maps)
        inner = torch.relu(self.bn1(self.conv1(maps)))
        inner = torch.relu(self.bn2(self.conv2(inner)))
        return torch.relu(straight + self.bn3(self.conv3(inner)))


class ResNet(nn.Module):
    """(B, channels, H, W) -> ``{head: logits (B, classes)}``."""

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        depths: Sequence[int],
        channels: int,
        heads: Mapping[str, int],
        small: bool,
    ) -> None:
        super().__init__()
        self.conv1 = (
            nn.Conv2d(channels, 64, 3, 1, 1, bias=False)
            if small
            else nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
        )
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool: nn.Module = nn.Identity() if small else nn.MaxPool2d(3, 2, 1)
        inputs = 64
        for number, (width, depth) in enumerate(zip((64, 128, 256, 512), depths, strict=True), start=1):
            layers: list[nn.Module] = []
            for at in range(depth):
                stride = 2 if at == 0 and number > 1 else 1
                outputs = width * block.expansion
                downsample = None
                if stride != 1 or inputs != outputs:
                    downsample = nn.Sequential(
                        nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
                    )
                layers.append(block(inputs, width, stride, downsample))
                inputs = outputs
            self.add_module(f"layer{number}", nn.Sequential(*layers))
        self.heads = Heads(inputs, heads)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        maps = self.maxpool(torch.relu(self.bn1(self.conv1(images))))
        for number in range(1, 5):
            maps = self.get_submodule(f"layer{number}")(maps)
        answers: dict[str, Tensor] = self.heads(maps.mean(dim=(2, 3)))
        return answers


@register("resnet18", image_size=48, about="ResNet-18 with a small stem")
def resnet18(channels: int, heads: Mapping[str, int]) -> nn.Module:
    return ResNet(BasicBlock, (2, 2, 2, 2), channels, heads, small=True)


@register("resnet18_imagenet", image_size=64, about="ResNet-18 with ImageNet's stem")
def resnet18_imagenet(channels: int, heads: Mapping[str, int]) -> nn.Module:
    return ResNet(BasicBlock, (2, 2, 2, 2), channels, heads, small=False)


@register("resnet50", image_size=48, about="ResNet-50 with a small stem")
def resnet50(channels: int, heads: Mapping[str, int]) -> nn.Module:
    return ResNet(Bottleneck, (3, 4, 6, 3), channels, heads, small=True)


@register("resnet50_imagenet", image_size=48, about="ResNet-50 with ImageNet's stem")
def resnet50_imagenet(channels: int, heads: Mapping[str, int]) -> nn.Module:
    return ResNet(Bottleneck, (3, 4, 6, 3), channels, heads, small=False)
