"""dlib's face encoder in torch: 150x150 chips to 128 numbers, on CPU or CUDA by the same code.

The network is the 29-convolution ResNet of dlib's ``dnn_face_recognition_ex``, with affine layers folded into the
convolutions. Components differ from dlib's own by less than 1e-6 on the same chip.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from recognition.dlib_weights import (
    ENCODER_BLOCKS,
    Convolution,
    EncoderWeights,
    read_encoder,
    with_normalisation,
)
from recognition.torch_layers import FusedConvolution
from recognition.types import ENCODING_LENGTH, Chips, Encodings, checked_chips

BATCH = 32
"""Chips in one pass: larger batches are slower a chip and take more memory."""


class _Block(nn.Module):
    """RES or DOWN: two convolutions and a short cut; the smaller of the two summands is extended with zeros."""

    def __init__(self, first: Convolution, second: Convolution, down: bool) -> None:
        super().__init__()
        self.first = FusedConvolution(first, batch=BATCH)
        self.second = FusedConvolution(second, batch=BATCH)
        self.down = down

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.first(x)
        if not self.down:
            summed: Tensor = self.second(y, add=x)
            return summed
        y = self.second(y, relu=False)
        z = functional.avg_pool2d(x, 2, 2)
        missing_rows, missing_columns = z.shape[2] - y.shape[2], z.shape[3] - y.shape[3]
        if missing_rows or missing_columns:
            # dlib's add layer takes what lies beyond the smaller tensor as zero, not as bias: so after the convolution.
            y = functional.pad(y, (0, missing_columns, 0, missing_rows))
        y[:, : z.shape[1]] += z
        return functional.relu_(y)


class EncoderNetwork(nn.Module):
    """(n, 3, 150, 150) float32 RGB 0..255 to (n, 128)."""

    projection: Tensor

    def __init__(self, weights: EncoderWeights) -> None:
        super().__init__()
        stem, *rest = weights.convolutions
        pairs = zip(rest[::2], rest[1::2], ENCODER_BLOCKS, strict=True)
        self.stem = FusedConvolution(with_normalisation(stem, weights.averages), batch=BATCH)
        self.blocks = nn.Sequential(*(_Block(first, second, down) for first, second, (_, _, down) in pairs))
        self.register_buffer("projection", torch.from_numpy(weights.projection.T.copy()))

    def forward(self, x: Tensor) -> Tensor:
        x = functional.max_pool2d(self.stem(x), 3, 2)
        x = self.blocks(x)
        return x.mean((2, 3)) @ self.projection


class TorchEncoder:
    """The encoder the engine uses; encodings equal those of ``dlib.face_recognition_model_v1``."""

    version = "dlibresnet1"

    def __init__(self, weights: EncoderWeights | None = None, *, device: str = "cpu") -> None:
        self._device = torch.device(device)
        self._network = EncoderNetwork(weights or read_encoder()).eval().to(self._device)

    def encode(self, chips: Chips) -> Encodings:
        """(n, 128) float32, in batches. Raises ImageError for chips of another shape or dtype."""
        chips = checked_chips(chips)
        rows = np.empty((len(chips), ENCODING_LENGTH), np.float32)
        with torch.inference_mode():
            for start in range(0, len(chips), BATCH):
                # NHWC bytes seen as NCHW are channels_last already: no copy before the change to float.
                batch = torch.from_numpy(chips[start : start + BATCH]).to(self._device).permute(0, 3, 1, 2)
                rows[start : start + BATCH] = self._network(batch.float()).cpu().numpy()
        return rows


@cache
def shared_encoder(device: str = "cpu") -> TorchEncoder:
    """The process's one encoder on that device."""
    return TorchEncoder(device=device)
