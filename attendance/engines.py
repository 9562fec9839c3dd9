"""The recognition engine and the second network of this process, made once and never before a fork."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from recognition import threads
from recognition.engine import Engine, load_engine
from recognition.errors import SecondOpinionUnavailable

if TYPE_CHECKING:
    from recognition.lfw_cnn import SecondEncoder
    from recognition.lfw_cnn.opinion import OpinionPolicy

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SecondNetwork:
    """The second opinion: a network and the constants measured for it."""

    encoder: SecondEncoder
    policy: OpinionPolicy


def current_engine() -> Engine:
    """The engine chosen by the settings; models load on first use."""
    _share_out_cores()
    return load_engine(
        settings.ROLLCALL_ENGINE,
        detector=settings.ROLLCALL_DETECTOR,
        recipe=settings.ROLLCALL_RECIPE,
        min_face_pixels=settings.ROLLCALL_MIN_FACE_PIXELS,
        runtime=settings.ROLLCALL_RUNTIME,
    )


def second_network() -> SecondNetwork | None:
    """The second opinion's network; None where it is switched off, and where its files are missing or damaged."""
    if not settings.ROLLCALL_SECOND_OPINION:
        return None
    _share_out_cores()
    return _load_second_network()


@cache
def _load_second_network() -> SecondNetwork | None:
    """Once a process, so that a damaged file is read, and complained of, once. New weights come with a restart."""
    from recognition.lfw_cnn import load_second_encoder
    from recognition.lfw_cnn.opinion import load_policy

    try:
        encoder, policy = load_second_encoder(), load_policy()
        if policy.version != encoder.version:
            raise SecondOpinionUnavailable(f"weights {encoder.version}, but constants {policy.version}")
        return SecondNetwork(encoder, policy)
    except SecondOpinionUnavailable as error:
        log.warning("no second opinion in this process: %s", error)
        return None


def to_bytes(encoding: NDArray[np.float32]) -> bytes:
    """(d,) float32 -> 4 d little-endian bytes; d is 128 for the engine's encodings."""
    return np.ascontiguousarray(encoding, dtype="<f4").tobytes()


def from_bytes(data: bytes | memoryview) -> NDArray[np.float32]:
    """4 d little-endian bytes -> (d,) float32."""
    return np.frombuffer(bytes(data), dtype="<f4").astype(np.float32)


@cache
def _share_out_cores() -> None:
    """Once a process: worker processes times threads = cores; more threads only wait for each other."""
    share = (os.cpu_count() or 1) // max(1, settings.ROLLCALL_WORKER_PROCESSES)
    threads.limit(settings.ROLLCALL_TORCH_THREADS or max(1, share))
