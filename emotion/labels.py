"""The label sets, their order, and how FER+ votes become label distributions.

The challenge's order is that of ``fer2013.csv`` (Goodfellow et al., ICML 2013 workshop, arXiv 1307.0414); the order
of the vote columns is that of ``fer2013new.csv`` (Barsoum et al., ICMI 2016, arXiv 1608.01041). They differ.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

CHALLENGE: Final = ("Angry", "Disgust", "Fear", "Happy", "Sad", "Surprise", "Neutral")
VOTES: Final = (
    "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF",
)  # fmt: skip
FERPLUS: Final = VOTES[:8]
NOT_A_FACE: Final = VOTES.index("NF")
TAGGERS: Final = 10


def vote_distributions(votes: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Turn FER+ votes (N, 10) into a distribution over the 8 emotions and a weight for each image.

    Returns:
        ``(distribution (N, 8) float32 with rows adding up to 1, weight (N,) float32 in 0..1)``. The weight is the
        share of taggers who named an emotion at all; where nobody did, the weight is 0 and the row is uniform.
    """
    emotions = votes[:, : len(FERPLUS)].astype(np.float32)
    named = emotions.sum(axis=1, keepdims=True)
    uniform = np.full_like(emotions, 1.0 / len(FERPLUS))
    distribution = np.where(named > 0, emotions / np.maximum(named, 1.0), uniform)
    total = np.maximum(votes.sum(axis=1), 1).astype(np.float32)
    return distribution, (named[:, 0] / total).astype(np.float32)


def majority(votes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """FER+ majority label of each image (N,): 0..7, or -1 where it is left out of the FER+ score.

    The majority vote of the FER+ paper (section 3): the column with most votes wins; images won by "unknown" or "not
    a face" are left out, and so are ties, which have no majority.
    """
    top = votes.max(axis=1, keepdims=True)
    winner = votes.argmax(axis=1).astype(np.int64)
    alone = (votes == top).sum(axis=1) == 1
    return np.where(alone & (winner < len(FERPLUS)), winner, -1)
