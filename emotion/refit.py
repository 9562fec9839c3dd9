"""Fit the heads of a trained network once more, on pictures as they are.

While it trains, a network sees turned, cut and mixed pictures, and its heads follow the weights below them with a
delay. Once those are fixed, the best heads on plain pictures are a convex problem that takes a minute.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from emotion.data import Samples
from emotion.errors import DataProblem
from emotion.networks.rollcall import RollcallNet
from emotion.predict import Reader


@dataclass(frozen=True, slots=True)
class Fit:
    """Loss of one head on the training part before and after."""

    head: str
    before: float
    after: float


def _own(reader: Reader) -> RollcallNet:
    if not isinstance(reader.network, RollcallNet):
        raise DataProblem("only Rollcall's own network can be refitted")
    return reader.network


@torch.no_grad()
def features(reader: Reader, images: Tensor, batch: int = 256) -> Tensor:
    """What the heads of Rollcall's own network see: float32 (N, width) of uint8 pictures (N, C, H, W)."""
    network = _own(reader).eval()
    found: list[Tensor] = []
    for part in torch.split(images, batch):
        pixels = reader.prepare(part).to(reader.device).contiguous(memory_format=torch.channels_last)
        with torch.autocast(reader.device.type, torch.bfloat16, enabled=reader.bf16):
            found.append(network.features(pixels).float().cpu())
    return torch.cat(found)


def fit_head(
    layer: nn.Linear, seen: Tensor, targets: Tensor, weights: Tensor, *, pull: float = 1e-4, steps: int = 80
) -> tuple[float, float]:
    """Move a linear layer to its least cross-entropy on these features; returns the loss before and after.

    Args:
        layer: changed in place.
        seen: features (N, width).
        targets: label distributions (N, classes).
        weights: of each picture, (N,).
        pull: strength with which it is held where it was (sum of squares).
        steps: of L-BFGS at most.
    """
    start = layer.weight.detach().clone()
    optimiser = torch.optim.LBFGS(layer.parameters(), max_iter=steps, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        each = -(targets * torch.log_softmax(layer(seen), dim=1)).sum(dim=1)
        return (each * weights).sum() / weights.sum() + pull * (layer.weight - start).square().sum()

    def closure() -> float:
        optimiser.zero_grad()
        value = loss()
        value.backward()  # type: ignore[no-untyped-call]
        return value.item()

    before = loss().item()
    optimiser.step(closure)  # type: ignore[no-untyped-call, unused-ignore]
    return before, loss().item()


def refit(reader: Reader, training: Samples) -> list[Fit]:
    """Fit every head of the reader's network, in place, on the training part and its mirror images.

    Raises:
        DataProblem: it is another network than Rollcall's own.
    """
    network = _own(reader)
    seen = torch.cat([features(reader, training.images), features(reader, training.images.flip(3))])
    fits: list[Fit] = []
    for head, layer in network.heads.layers.items():
        if not isinstance(layer, nn.Linear):
            raise TypeError(f"head {head} is not linear")
        targets, weights = training.targets[head].repeat(2, 1), training.weights[head].repeat(2)
        fits.append(Fit(head, *fit_head(layer, seen, targets, weights)))
    return fits
