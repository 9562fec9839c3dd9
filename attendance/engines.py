"""The recognition engine of this process, made from the settings once and never before a fork."""

from __future__ import annotations

import os
from functools import cache

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from recognition import threads
from recognition.engine import Engine, load_engine


def current_engine() -> Engine:
    """The engine chosen by the settings; models load on first use."""
    _share_out_cores()
    return load_engine(
        settings.ROLLCALL_ENGINE,
        detector=settings.ROLLCALL_DETECTOR,
        recipe=settings.ROLLCALL_RECIPE,
        min_face_pixels=settings.ROLLCALL_MIN_FACE_PIXELS,
    )


def to_bytes(encoding: NDArray[np.float32]) -> bytes:
    """(128,) float32 -> 512 little-endian bytes."""
    return np.ascontiguousarray(encoding, dtype="<f4").tobytes()


def from_bytes(data: bytes | memoryview) -> NDArray[np.float32]:
    """512 little-endian bytes -> (128,) float32."""
    return np.frombuffer(bytes(data), dtype="<f4").astype(np.float32)


@cache
def _share_out_cores() -> None:
    """Once a process: worker processes times threads = cores; more threads only wait for each other."""
    share = (os.cpu_count() or 1) // max(1, settings.ROLLCALL_WORKER_PROCESSES)
    threads.limit(settings.ROLLCALL_TORCH_THREADS or max(1, share))
