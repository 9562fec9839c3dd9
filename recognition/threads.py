"""How many threads a process computes with: set on purpose, workers times threads being the machine's cores."""

from __future__ import annotations


def limit(threads: int) -> None:
    """Torch and OpenCV use at most this many threads in this process from now on. Raises ValueError under 1."""
    if threads < 1:
        raise ValueError(f"a process needs at least one thread, not {threads}")
    import cv2
    import torch

    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
