"""What a training step is made of: the loss, the optimiser, and what to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from emotion.configs import Config
from emotion.errors import DataProblem
from emotion.files import DAMAGED, read_torch, reason


def cross_entropy(
    answers: dict[str, Tensor], targets: dict[str, Tensor], weights: dict[str, Tensor], smoothing: float = 0.0
) -> Tensor:
    """Cross-entropy against label distributions, averaged over the batch and added up over the heads."""
    total = torch.zeros((), device=next(iter(answers.values())).device)
    for head, logits in answers.items():
        target = targets[head] * (1 - smoothing) + smoothing / logits.shape[1]
        each = -(target * functional.log_softmax(logits.float(), dim=1)).sum(dim=1)
        total = total + (each * weights[head]).mean()
    return total


def _groups(network: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Parameters with weight decay (matrices, kernels) and without (norms, biases)."""
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    return [
        {"params": [p for p in trained if p.dim() > 1], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.dim() <= 1], "weight_decay": 0.0},
    ]


def freeze(network: nn.Module) -> None:
    """Let only the heads learn."""
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name.startswith("heads."))


def load_initial(network: nn.Module, path: Path) -> int:
    """Copy from a safetensors or torch file what fits in name and shape; returns how many tensors did.

    Raises:
        DataProblem: nothing in the file fits, or it is no readable safetensors file.
        WeightsMissing, WeightsDamaged: it is no readable torch file.
    """
    try:
        given = load_file(path) if path.suffix == ".safetensors" else read_torch(path)
    except DAMAGED as problem:
        raise DataProblem(f"{path}: not a file of weights ({reason(problem)})") from problem
    own = network.state_dict()
    fitting = {
        name: value
        for name, value in given.items()
        if name in own and isinstance(value, Tensor) and own[name].shape == value.shape
    }
    if not fitting:
        raise DataProblem(f"{path}: none of its {len(given)} tensors fits this network")
    network.load_state_dict(fitting, strict=False)
    return len(fitting)


def make_optimizer(network: nn.Module, config: Config) -> torch.optim.Optimizer:
    """The optimiser a configuration names; fused: one pass over the weights instead of several."""
    groups = _groups(network, config.weight_decay)
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=config.rate, momentum=0.9, nesterov=True, fused=True)
    if config.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=config.rate, fused=True)
    return torch.optim.Adam(groups, lr=config.rate, fused=True)
