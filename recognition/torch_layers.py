"""Convolutions for inference: on a CPU with oneDNN, weights packed once and what follows fused; plain torch elsewhere.

Torch's own convolution packs its weights anew in every call, which for one chip costs as much as the arithmetic.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from recognition.dlib_weights import Convolution

_ONEDNN: bool = torch._C._has_mkldnn


class FusedConvolution(nn.Module):
    """A frozen convolution with bias, then an addition and a relu if asked for."""

    weight: Tensor
    bias: Tensor

    def __init__(self, source: Convolution, *, batch: int = 1) -> None:
        """``batch``: the usual number of images in a call, for which the packing is chosen."""
        super().__init__()
        self.batch = batch
        self.stride, self.padding = source.spec.stride, source.spec.padding
        weight = torch.from_numpy(source.weight.copy())
        self.register_buffer("weight", weight.contiguous(memory_format=torch.channels_last))
        self.register_buffer("bias", torch.from_numpy(source.bias.copy()))
        self._packed: Any = None

    def _pack(self, x: Tensor) -> Any:
        if self._packed is None:
            self._packed = torch.ops.mkldnn._reorder_convolution_weight(
                self.weight, [self.padding] * 2, [self.stride] * 2, [1, 1], 1, [self.batch, *x.shape[1:]]
            )
        return self._packed

    def forward(self, x: Tensor, *, relu: bool = True, add: Tensor | None = None) -> Tensor:
        """relu(convolution(x) + add); ``add`` is overwritten on a CPU."""
        if x.device.type == "cpu" and _ONEDNN:
            return self._fused(x, relu, add)
        y = functional.conv2d(x, self.weight, self.bias, self.stride, self.padding)
        if add is not None:
            y = y.add_(add)
        return functional.relu_(y) if relu else y

    def _fused(self, x: Tensor, relu: bool, add: Tensor | None) -> Tensor:
        geometry = ([self.padding] * 2, [self.stride] * 2, [1, 1], 1)
        after: tuple[str, list[float], str] = ("relu" if relu else "none", [], "")
        ops: Any = torch.ops.mkldnn
        y: Tensor
        if add is None:
            y = ops._convolution_pointwise(x, self._pack(x), self.bias, *geometry, *after)
        else:
            y = ops._convolution_pointwise_.binary(
                add, x, self._pack(x), self.bias, *geometry, "add", 1.0, "relu" if relu else None, [], ""
            )
        return y
