"""Augmentation of a whole batch of faces at once, in plain torch; the generator makes a run repeatable."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far faces are changed. Figures are half-widths of uniform draws, or probabilities where it says so."""

    rotation: float = 0.0  # degrees
    zoom: float = 0.0  # scale is drawn from exp(-zoom) .. exp(+zoom)
    stretch: float = 0.0  # the same across alone, for turned heads
    shift: float = 0.0  # share of the picture's side
    flip: bool = False  # mirrored with probability one half
    gamma: float = 0.0  # exponent exp(-gamma) .. exp(+gamma)
    colour: float = 0.0  # each channel times exp(-colour) .. exp(+colour)
    contrast: float = 0.0  # factor 1 - contrast .. 1 + contrast around the picture's mean
    grey: float = 0.0  # probability of losing the colours
    blur: float = 0.0  # probability of being halved and enlarged again (a small, far face)
    noise: float = 0.0  # largest standard deviation of added noise, of the range 0..1
    cutout: float = 0.0  # probability of one rectangle without content
    cutout_area: tuple[float, float] = (0.04, 0.2)  # of the picture


NONE = Augmentation()


def _uniform(count: int, half_width: float, generator: torch.Generator) -> Tensor:
    return (torch.rand(count, generator=generator) * 2 - 1) * half_width


def move(frames: Tensor, side: int, how: Augmentation, generator: torch.Generator) -> Tensor:
    """Turn, scale, shift and mirror frames (B, C, H, H) and cut out their middle (B, C, side, side) in one step."""
    count, channels, _, width = frames.shape
    angle = _uniform(count, math.radians(how.rotation), generator)
    scale = side / width * torch.exp(_uniform(count, how.zoom, generator))
    across = scale * torch.exp(_uniform(count, how.stretch, generator))
    if how.flip:
        across = torch.where(torch.rand(count, generator=generator) < 0.5, -across, across)
    cos, sin = torch.cos(angle), torch.sin(angle)
    shift_x, shift_y = (_uniform(count, 2 * how.shift, generator) for _ in range(2))
    theta = torch.stack([across * cos, -scale * sin, shift_x, across * sin, scale * cos, shift_y], dim=1)
    grid = functional.affine_grid(theta.view(count, 2, 3), [count, channels, side, side], align_corners=False)
    return functional.grid_sample(frames, grid, mode="bilinear", padding_mode="border", align_corners=False)


def relight(images: Tensor, how: Augmentation, generator: torch.Generator) -> Tensor:
    """Change light and colour of images (B, C, H, W) in 0..1, blur some, add noise; stays in 0..1."""
    count, channels = images.shape[:2]
    each = (count, 1, 1, 1)
    if how.gamma:
        exponent = torch.exp(_uniform(count, how.gamma, generator)).view(each)
        images = images.clamp_min(1e-4).pow(exponent)
    if how.colour:
        gains = torch.exp(_uniform(count * channels, how.colour, generator))
        images = images * gains.view(count, channels, 1, 1)
    if how.contrast:
        mean = images.mean(dim=(1, 2, 3), keepdim=True)
        images = mean + (images - mean) * (1 + _uniform(count, how.contrast, generator)).view(each)
    if how.grey:
        lost = torch.rand(count, generator=generator) < how.grey
        images = torch.where(lost.view(each), images.mean(dim=1, keepdim=True), images)
    if how.blur:
        images = _blurred(images, torch.rand(count, generator=generator) < how.blur)
    if how.noise:
        strength = torch.rand(count, generator=generator).view(each) * how.noise
        images = images + torch.randn(images.shape, generator=generator) * strength
    return images.clamp(0.0, 1.0)


def _blurred(images: Tensor, chosen: Tensor) -> Tensor:
    if not bool(chosen.any()):
        return images
    images = images.clone()
    small = functional.avg_pool2d(images[chosen], 2)
    images[chosen] = functional.interpolate(
        small, size=images.shape[2:], mode="bilinear", align_corners=False
    )
    return images


def cut_out(images: Tensor, how: Augmentation, generator: torch.Generator) -> Tensor:
    """Set one rectangle of some standardised images (B, C, H, W) to 0, their mean."""
    if not how.cutout:
        return images
    count, _, height, width = images.shape
    low, high = how.cutout_area
    area = low + (high - low) * torch.rand(count, generator=generator)
    ratio = torch.exp(_uniform(count, math.log(2.5), generator))
    half_height, half_width = torch.sqrt(area * ratio) * height / 2, torch.sqrt(area / ratio) * width / 2
    centre_y = torch.rand(count, generator=generator) * height
    centre_x = torch.rand(count, generator=generator) * width
    rows = (torch.arange(height)[None] + 0.5 - centre_y[:, None]).abs() < half_height[:, None]
    columns = (torch.arange(width)[None] + 0.5 - centre_x[:, None]).abs() < half_width[:, None]
    chosen = torch.rand(count, generator=generator) < how.cutout
    hole = rows[:, None, :, None] & columns[:, None, None, :] & chosen[:, None, None, None]
    return images.masked_fill(hole, 0.0)
