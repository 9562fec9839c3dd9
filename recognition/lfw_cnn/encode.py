"""The second encoder: the engine's chips in, encodings of unit length out, in batches on the CPU."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from recognition.errors import RecognitionError, SecondOpinionUnavailable
from recognition.lfw_cnn import networks, weight_files
from recognition.types import Chips, checked_chips

BATCH = 32
FRAME = 80
"""Side a whole chip is reduced to; the network sees the middle of it."""


def framed(chips: Chips) -> NDArray[np.uint8]:
    """Whole chips (n, 150, 150, 3) reduced to (n, 80, 80, 3) by area averaging."""
    small = np.empty((len(chips), FRAME, FRAME, 3), np.uint8)
    for row, chip in enumerate(chips):
        cv2.resize(chip, (FRAME, FRAME), dst=small[row], interpolation=cv2.INTER_AREA)
    return small


def standardised(images: Tensor) -> Tensor:
    """Mean 0 and standard deviation 1 for every picture (B, C, H, W) by itself; a flat one becomes all zeros."""
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    deviation = images.std(dim=(1, 2, 3), keepdim=True, unbiased=False)
    return (images - mean) / deviation.clamp_min(1e-3)


def middle(frames: NDArray[np.uint8], side: int) -> Tensor:
    """The middle ``side`` x ``side`` of frames (n, 80, 80, 3) -> float32 (n, 3, side, side), standardised."""
    edge = (FRAME - side) // 2
    cut = torch.from_numpy(frames[:, edge : edge + side, edge : edge + side])
    return standardised(cut.permute(0, 3, 1, 2).float().div_(255))


def quick_bf16() -> bool:
    """Whether this CPU multiplies bf16 numbers by itself; without it, bf16 is slower than float32."""
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(supported is not None and supported())


class SecondEncoder:
    """Chips to encodings; those of another ``version`` are not comparable. Made by ``load_second_encoder``.

    ``dimensions``: length of an encoding. ``mirror``: each chip is read together with its mirror image.
    ``projection``: a linear map of what the network gives (:mod:`recognition.lfw_cnn.projection`).
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        version: str,
        dimensions: int,
        side: int,
        mirror: bool,
        bf16: bool,
        projection: tuple[Tensor, Tensor] | None = None,
    ) -> None:
        self._projection = projection
        self._network = network.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._side, self._mirror, self._bf16 = side, mirror, bf16
        self.version, self.dimensions = version, dimensions

    def encode(self, chips: Chips) -> NDArray[np.float32]:
        """Encodings float32 (n, dimensions) of unit length, for RGB chips uint8 (n, 150, 150, 3); n may be 0.

        Raises ImageError for chips of another shape or dtype.
        """
        return self.encode_frames(framed(checked_chips(chips)))

    def encode_frames(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The same for chips that :func:`framed` reduced already."""
        rows = np.empty((len(frames), self.dimensions), np.float32)
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=self._bf16):
            for start in range(0, len(frames), BATCH):
                batch = middle(frames[start : start + BATCH], self._side)
                rows[start : start + BATCH] = self._unit(batch).numpy()
        return rows

    def _unit(self, batch: Tensor) -> Tensor:
        views = torch.cat([batch, batch.flip(3)]) if self._mirror else batch
        out: Tensor = self._network(views.contiguous(memory_format=torch.channels_last)).float()
        if self._mirror:
            out = out[: len(batch)] + out[len(batch) :]
        out = nn.functional.normalize(out, dim=1)
        if self._projection is not None:
            weight, bias = self._projection
            # Not a linear layer: autocast would round its numbers to bf16.
            out = nn.functional.normalize((weight[None] * out[:, None]).sum(dim=2) + bias, dim=1)
        return out


def read(path: Path) -> SecondEncoder:
    """The encoder of a safetensors file written by :mod:`recognition.lfw_cnn.export`, its sum not looked at.

    Raises SecondOpinionUnavailable when the file is not such a file or does not fit its network.
    """
    try:
        with safe_open(path, framework="pt") as file:
            details = json.loads(file.metadata()["second_opinion"])
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
        network = networks.create(details["network"], details["dimensions"])
        projection = tensors.pop("projection.weight"), tensors.pop("projection.bias")
        if projection[0].shape != (details["dimensions"],) * 2 or len(projection[1]) != len(projection[0]):
            raise ValueError(f"a projection of shape {tuple(projection[0].shape)}")
        network.load_state_dict(tensors)
        return SecondEncoder(
            network,
            version=details["version"],
            dimensions=details["dimensions"],
            side=networks.entry(details["network"]).image_size,
            mirror=details["mirror"],
            bf16=quick_bf16(),
            projection=projection,
        )
    except (
        SafetensorError,
        RecognitionError,
        KeyError,
        TypeError,
        ValueError,
        RuntimeError,
        OSError,
    ) as problem:
        raise SecondOpinionUnavailable(
            f"{path} holds no weights of this version's second opinion ({problem})"
        ) from problem


@lru_cache(maxsize=4)
def load(path: Path) -> SecondEncoder:
    """The encoder of a file with its sum beside it, once a process. Raises SecondOpinionUnavailable."""
    return read(weight_files.checked(path))
