"""Augmentation of a whole batch at once, in plain torch operations.

Every function takes float32 images (B, C, H, W) in 0..1, or standardised where it says so, and a generator, so that
a run with the same seed sees the same pictures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

Normalisation: TypeAlias = Literal["none", "picture", "imagenet"]
IMAGENET_MEAN: Final = (0.485, 0.456, 0.406)  # RGB, as torchvision's and timm's weights expect
IMAGENET_DEVIATION: Final = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far pictures are moved. Every figure is the half-width of a uniform draw unless it says otherwise."""

    rotation: float = 0.0  # degrees
    shear: float = 0.0  # tangent of the angle
    zoom: float = 0.0  # scale is drawn from exp(-zoom) .. exp(+zoom)
    shift: float = 0.0  # share of the picture's side
    flip: bool = False  # mirrored with probability one half
    brightness: float = 0.0  # added, of the range 0..1
    contrast: float = 0.0  # factor 1 - contrast .. 1 + contrast around the picture's mean
    gamma: float = 0.0  # exponent exp(-gamma) .. exp(+gamma)
    blur: float = 0.0  # probability of being halved and enlarged again (a small, far face)
    cutout: float = 0.0  # probability of one rectangle set to the mean
    cutout_area: tuple[float, float] = (0.06, 0.2)  # of the picture
    cutout_square: int = (
        0  # a fixed square of this many pixels instead (DeVries and Taylor, arXiv 1708.04552)
    )


NONE = Augmentation()


def _uniform(count: int, half_width: float, generator: torch.Generator) -> Tensor:
    return (torch.rand(count, generator=generator) * 2 - 1) * half_width


def move(images: Tensor, size: int, how: Augmentation, generator: torch.Generator) -> Tensor:
    """Rotate, shear, zoom, shift, mirror and resample to ``size`` x ``size`` in one bilinear step.

    What comes from outside the picture is filled with its nearest edge pixels.
    """
    count, _, height, width = images.shape
    still = how.rotation == how.shear == how.zoom == how.shift == 0.0
    if still and height == width == size:
        if not how.flip:
            return images
        mirrored = torch.rand(count, generator=generator) < 0.5
        return torch.where(mirrored[:, None, None, None], images.flip(3), images)
    angle = _uniform(count, math.radians(how.rotation), generator)
    scale = torch.exp(_uniform(count, how.zoom, generator))
    shear = _uniform(count, how.shear, generator)
    sign = torch.ones(count)
    if how.flip:
        sign = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
    shift_x, shift_y = (_uniform(count, 2 * how.shift, generator) for _ in range(2))
    theta = torch.stack(
        [sign * cos, sign * (shear * cos - sin), shift_x, sin, shear * sin + cos, shift_y], dim=1
    ).view(count, 2, 3)
    grid = functional.affine_grid(theta, [count, images.shape[1], size, size], align_corners=False)
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def zoom(images: Tensor, size: int, factor: float) -> Tensor:
    """Enlarge all pictures by ``factor`` round their middle, resampled to ``size`` x ``size`` as :func:`move` does."""
    theta = torch.tensor([[1 / factor, 0.0, 0.0], [0.0, 1 / factor, 0.0]], device=images.device)
    shape = [len(images), images.shape[1], size, size]
    grid = functional.affine_grid(theta.expand(len(images), 2, 3), shape, align_corners=False)
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def relight(images: Tensor, how: Augmentation, generator: torch.Generator) -> Tensor:
    """Change brightness, contrast and gamma, and blur some pictures; stays in 0..1."""
    count = len(images)
    per_image = (count, 1, 1, 1)
    if how.gamma:
        exponent = torch.exp(_uniform(count, how.gamma, generator)).view(per_image)
        images = images.clamp_min(1e-4).pow(exponent)
    if how.contrast:
        mean = images.mean(dim=(1, 2, 3), keepdim=True)
        images = mean + (images - mean) * (1 + _uniform(count, how.contrast, generator)).view(per_image)
    if how.brightness:
        images = images + _uniform(count, how.brightness, generator).view(per_image)
    if how.blur:
        chosen = torch.rand(count, generator=generator) < how.blur
        if bool(chosen.any()):
            images = images.clone()
            small = functional.avg_pool2d(images[chosen], 2)
            images[chosen] = functional.interpolate(
                small, size=images.shape[2:], mode="bilinear", align_corners=False
            )
    return images.clamp(0.0, 1.0)


def normalise(images: Tensor, how: Normalisation) -> Tensor:
    """Pictures (B, C, H, W) in 0..1 to the range a network learns and reads in.

    ``none`` leaves them, ``picture`` standardises each by itself, ``imagenet`` takes ImageNet's mean from its three
    channels and divides by its deviation, which networks that learned on ImageNet expect.
    """
    if how == "picture":
        return standardise(images)
    if how == "imagenet":
        mean, deviation = (
            images.new_tensor(each).view(3, 1, 1) for each in (IMAGENET_MEAN, IMAGENET_DEVIATION)
        )
        return (images - mean) / deviation
    return images


def standardise(images: Tensor) -> Tensor:
    """Mean 0 and standard deviation 1 for every picture by itself; a flat picture becomes all zeros."""
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    deviation = images.std(dim=(1, 2, 3), keepdim=True, unbiased=False)
    return (images - mean) / deviation.clamp_min(1e-3)


def cut_out(images: Tensor, how: Augmentation, generator: torch.Generator) -> Tensor:
    """Set one rectangle of some pictures to 0, which is the mean once they are standardised."""
    if not how.cutout:
        return images
    count, _, height, width = images.shape
    low, high = how.cutout_area
    area = low + (high - low) * torch.rand(count, generator=generator)
    ratio = torch.exp(_uniform(count, math.log(2.0), generator))
    half_height, half_width = torch.sqrt(area * ratio) * height / 2, torch.sqrt(area / ratio) * width / 2
    if how.cutout_square:
        half_height = half_width = torch.full((count,), how.cutout_square / 2)
    centre_y = torch.rand(count, generator=generator) * height
    centre_x = torch.rand(count, generator=generator) * width
    rows = (torch.arange(height)[None] + 0.5 - centre_y[:, None]).abs() < half_height[:, None]
    columns = (torch.arange(width)[None] + 0.5 - centre_x[:, None]).abs() < half_width[:, None]
    chosen = torch.rand(count, generator=generator) < how.cutout
    hole = rows[:, None, :, None] & columns[:, None, None, :] & chosen[:, None, None, None]
    return images.masked_fill(hole, 0.0)


def mix(
    images: Tensor,
    targets: dict[str, Tensor],
    weights: dict[str, Tensor],
    other: float,
    generator: torch.Generator,
) -> tuple[Tensor, dict[str, Tensor], dict[str, Tensor]]:
    """Mixup (Zhang et al., arXiv 1710.09412): ``other`` (0..1) of another picture of the batch.

    Each target counts by its picture's weight for that head, so that one of weight 0 is not mixed into its partner's.
    """
    order = torch.randperm(len(images), generator=generator)
    mixed: dict[str, Tensor] = {}
    mixed_weights: dict[str, Tensor] = {}
    for head, target in targets.items():
        own, theirs = (1 - other) * weights[head], other * weights[head][order]
        mixed_weights[head] = own + theirs
        sums = own[:, None] * target + theirs[:, None] * target[order]
        mixed[head] = sums / mixed_weights[head].clamp_min(1e-12)[:, None]
    return (1 - other) * images + other * images[order], mixed, mixed_weights


def mixing_share(alpha: float, generator: torch.Generator) -> float:
    """A share in 0..0.5 drawn from Beta(alpha, alpha), folded so that each picture stays the larger part."""
    seed = int(torch.randint(2**31, (1,), generator=generator))
    drawn = float(np.random.default_rng(seed).beta(alpha, alpha))
    return min(drawn, 1 - drawn)
