"""The recognition engine of this process, made from the settings once and never before a fork."""

from __future__ import annotations

import os

import cv2
import numpy as np
from django.conf import settings
from numpy.typing import NDArray

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


_shared_out = False


def _share_out_cores() -> None:
    """Worker processes times threads = cores; more threads than that only wait for each other."""
    global _shared_out
    if _shared_out:
        return
    import torch

    threads = settings.ROLLCALL_TORCH_THREADS or max(
        1, (os.cpu_count() or 1) // max(1, settings.ROLLCALL_WORKER_PROCESSES)
    )
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    _shared_out = True
