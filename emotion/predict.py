"""A network with all it needs to be asked: size, channels, normalisation. Used while training and after."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from emotion import augment, configs, networks
from emotion.data import Chosen
from emotion.errors import BadImage, UnknownName, WeightsDamaged
from emotion.files import DAMAGED, read_torch, reason


def quick_bf16() -> bool:
    """Whether this CPU multiplies bf16 numbers by itself; without it, bf16 is slower than float32."""
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(supported is not None and supported())


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at a face: enlarged round its middle, and mirrored.

    Below a zoom of 1 the face is made smaller and its edge pixels are drawn on around it.
    """

    zoom: float = 1.0
    mirrored: bool = False


STRAIGHT: Final = (View(),)
MIRRORED: Final = (View(), View(mirrored=True))
ZOOMED: Final = tuple(View(zoom, mirrored) for zoom in (0.88, 1.12) for mirrored in (False, True))
"""How the shipped network looks at a face, chosen on the validation part; an exported file says so itself."""


def views_of(described: Sequence[Sequence[Any]]) -> tuple[View, ...]:
    """Views from (zoom, mirrored) pairs, as a weight file holds them.

    Raises:
        ValueError: there is none, or a zoom is not between 1/4 and 4.
    """
    views = tuple(View(float(zoom), bool(mirrored)) for zoom, mirrored in described)
    if not views or not all(0.25 <= view.zoom <= 4 for view in views):
        raise ValueError(f"no views: {described}")
    return views


@dataclass(frozen=True, slots=True, eq=False)
class Reader:
    """Pictures in, probabilities out: the mean over :attr:`views`."""

    network: nn.Module
    image_size: int
    channels: int
    normalisation: augment.Normalisation
    device: torch.device
    bf16: bool = False
    views: tuple[View, ...] = STRAIGHT

    @torch.no_grad()
    def probabilities(self, images: Tensor, *, batch: int = 64) -> dict[str, Tensor]:
        """Answer of every head, float32 (N, classes), rows adding up to 1.

        Args:
            images: uint8 (N, C, H, W), N > 0; grey ones are repeated where the network takes colour.
            batch: views looked at together; larger batches leave the processor's caches and are no quicker.

        Raises:
            BadImage: another type or number of dimensions, no picture, or colour for a grey network.
        """
        if images.dtype != torch.uint8 or images.dim() != 4 or not len(images):
            raise BadImage(
                f"pictures must be uint8 (N, C, H, W), N > 0, got {images.dtype} {tuple(images.shape)}"
            )
        if images.shape[1] not in (1, self.channels):
            raise BadImage(f"{images.shape[1]} channels for a network of {self.channels}")
        self.network.eval()
        parts: dict[str, list[Tensor]] = {}
        for part in torch.split(images, max(1, batch // len(self.views))):
            zoomed = {view.zoom: self.prepare(part, view.zoom) for view in self.views}
            looks = [zoomed[view.zoom].flip(3) if view.mirrored else zoomed[view.zoom] for view in self.views]
            pixels = torch.cat(looks)
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
                answers = self.network(pixels.to(self.device).contiguous(memory_format=torch.channels_last))
            for head, logits in answers.items():
                shares = torch.softmax(logits.float(), dim=1).cpu()
                parts.setdefault(head, []).append(shares.view(len(self.views), len(part), -1).mean(dim=0))
        return {head: torch.cat(part) for head, part in parts.items()}

    def on(self, device: torch.device) -> Reader:
        """The same network, moved to another device."""
        return replace(
            self, network=self.network.to(device), device=device, bf16=self.bf16 or device.type == "cuda"
        )

    def prepare(self, images: Tensor, zoom: float = 1.0) -> Tensor:
        """uint8 (N, C, H, W) to float32 of the network's size, channels and range, enlarged by ``zoom``."""
        pixels = images.float().div_(255)
        if pixels.shape[1] != self.channels:
            pixels = pixels.expand(-1, self.channels, -1, -1)
        if zoom != 1.0:
            pixels = augment.zoom(pixels, self.image_size, zoom)
        elif pixels.shape[2:] != (self.image_size, self.image_size):
            pixels = functional.interpolate(
                pixels, size=self.image_size, mode="bilinear", antialias=True, align_corners=False
            )
        return augment.normalise(pixels, self.normalisation)


def cooled(shares: Tensor, temperature: float) -> Tensor:
    """Probabilities (N, classes) restated at a temperature, less sure above 1 (Guo et al., arXiv 1706.04599)."""
    return torch.softmax(shares.clamp_min(1e-8).log() / temperature, dim=1)


def folded(network: nn.Module) -> nn.Module:
    """The same function for reading only: each batch norm in a sequence is written into the convolution before it.

    Changes ``network`` itself, and returns it in channels_last. A tenth quicker on one core.
    """
    network.eval()
    for part in network.modules():
        if isinstance(part, nn.Sequential):
            for before, after in itertools.pairwise(list(part._modules)):
                convolution, norm = part._modules[before], part._modules[after]
                if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                    part._modules[before] = fuse_conv_bn_eval(convolution, norm)
                    part._modules[after] = nn.Identity()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A training run as its checkpoint holds it: the network, its configuration and which pictures it was given."""

    reader: Reader
    config: configs.Config
    chosen: Chosen
    network: str  # name of the network
    heads: dict[str, int]  # classes of every head
    epochs: int  # that were run


def from_checkpoint(path: Path, *, averaged: bool = True, views: tuple[View, ...] = MIRRORED) -> Reader:
    """The network of :func:`load_run`."""
    return load_run(path, averaged=averaged, views=views).reader


def load_run(path: Path, *, averaged: bool = True, views: tuple[View, ...] = MIRRORED) -> Run:
    """The averaged weights of a training run's checkpoint, or the last ones, looking at faces in these views.

    Raises:
        WeightsMissing: there is no such file.
        WeightsDamaged: it is no checkpoint, or of a configuration this version does not know.
    """
    state = read_torch(path)
    try:
        config = configs.get(state["config"])
        network = networks.create(state["network"], channels=state["channels"], heads=state["heads"])
        network.load_state_dict(state["average" if averaged else "weights"])
        chosen = Chosen(**state.get("chosen", {}))  # older checkpoints: all pictures, as they are
        epochs = len(state["history"])
    except (*DAMAGED, UnknownName) as problem:
        raise WeightsDamaged(f"{path}: not a checkpoint of this version ({reason(problem)})") from problem
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    reader = Reader(
        network,
        config.image_size,
        config.channels,
        config.normalisation,
        torch.device("cpu"),
        quick_bf16(),
        views,
    )
    return Run(reader, config, chosen, state["network"], state["heads"], epochs)
