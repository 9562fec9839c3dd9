"""A last linear map that makes light of what differs between photos of one person.

Within-class covariance normalisation (Hatch, Kajarekar and Stolcke, Interspeech 2006): encodings are centred and
multiplied by the inverse root of the covariance of people's photos about their own mean, drawn towards a multiple of
the identity. Fitted on the people the network learned from.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recognition.errors import TrainingError

SHRINKAGE = 0.1
MOST = 8
"""Photos of one person that count, so that the most photographed do not speak for all."""
FloatArray = NDArray[np.float64]


def within_class(
    encodings: NDArray[np.floating], labels: NDArray[np.int64], *, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """``weight`` (d, d) and ``bias`` (d,) of the map, from encodings (n, d) and the people they show (n,).

    Raises TrainingError when nobody is shown twice.
    """
    rng = np.random.default_rng(seed)
    rows = np.asarray(encodings, np.float64)
    centre = rows.mean(axis=0)
    scatter: FloatArray = np.zeros((rows.shape[1],) * 2)
    freedom = 0
    for person in np.flatnonzero(np.bincount(labels) >= 2):
        own = rows[rng.permutation(np.flatnonzero(labels == person))[:MOST]]
        apart = own - own.mean(axis=0)
        scatter += apart.T @ apart
        freedom += len(own) - 1
    if not freedom:
        raise TrainingError("nobody is shown in two photos: what differs between photos cannot be learned")
    scatter /= freedom
    even = np.trace(scatter) / len(scatter) * np.eye(len(scatter))
    values, vectors = np.linalg.eigh((1 - SHRINKAGE) * scatter + SHRINKAGE * even)
    weight = (vectors / np.sqrt(values)) @ vectors.T
    return weight.astype(np.float32), (-weight @ centre).astype(np.float32)
