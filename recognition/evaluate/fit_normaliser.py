"""Fits the normaliser: a small network that stands in for a cohort of real people's encodings."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from torch import nn

from recognition.evaluate.lfw_data import Lfw
from recognition.normalisation import Normaliser

NEAREST_SHARE = 0.004
"""Strangers counted as near: this share of the cohort. Shares from 0.002 to 0.01 did alike, 0.03 worse."""
HIDDEN = (128, 128)
NOISE = 0.3
"""Standard deviation of the noise on (scaled) inputs while fitting; what keeps single faces from being learnt."""
EPOCHS, BATCH, RATE, DECAY = 25, 256, 6e-3, 1e-2
MEANS_OF, MEANS_EACH = 3, 10

FloatArray = NDArray[np.float64]


def fit_normaliser(
    data: Lfw, encodings: FloatArray, people: Iterable[str], usable: NDArray[np.bool_], *, seed: int = 0
) -> Normaliser:
    """The normaliser of some people's faces.

    Inputs are their single encodings and means of three of one person; the target is the logarithm of the mean
    distance to the nearest ``NEAREST_SHARE`` of the other people, one picture each. Every person weighs as the
    square root of the number of their pictures. Deterministic for a seed on one machine.
    """
    rng = np.random.default_rng(seed)
    rows = {person: data.rows_of[person][usable[data.rows_of[person]]] for person in sorted(people)}
    own = [pictures for pictures in rows.values() if len(pictures)]
    cohort = np.array([encodings[pictures[0]] for pictures in own])
    inputs, owners = _inputs(encodings, own, rng)
    target = np.log(stranger_distance(inputs, owners, cohort))
    return _fitted(inputs, owners, target, seed)


def stranger_distance(inputs: FloatArray, owners: NDArray[np.int64], cohort: FloatArray) -> FloatArray:
    """(n,) mean distance to the nearest strangers of the cohort, of which row ``owners`` is the person itself
    (-1 for none)."""
    distances = cdist(inputs, cohort)
    known = np.flatnonzero(owners >= 0)
    distances[known, owners[known]] = np.inf
    near = max(1, round(NEAREST_SHARE * len(cohort)))
    return np.asarray(np.partition(distances, near, axis=1)[:, :near].mean(axis=1))


def _inputs(
    encodings: FloatArray, own: list[NDArray[np.int64]], rng: np.random.Generator
) -> tuple[FloatArray, NDArray[np.int64]]:
    inputs: list[FloatArray] = []
    owners: list[int] = []
    for owner, pictures in enumerate(own):
        inputs.extend(encodings[pictures])
        owners.extend([owner] * len(pictures))
        if len(pictures) >= MEANS_OF:
            for _ in range(min(len(pictures), MEANS_EACH)):
                inputs.append(encodings[rng.choice(pictures, MEANS_OF, replace=False)].mean(axis=0))
                owners.append(owner)
    return np.array(inputs), np.array(owners, dtype=np.int64)


def _fitted(inputs: FloatArray, owners: NDArray[np.int64], target: FloatArray, seed: int) -> Normaliser:
    torch.manual_seed(seed)
    centre, scale = inputs.mean(axis=0), inputs.std(axis=0)
    level, spread = float(target.mean()), float(target.std())
    sizes = (inputs.shape[1], *HIDDEN)
    linear = [nn.Linear(a, b) for a, b in pairwise(sizes)] + [nn.Linear(sizes[-1], 1)]
    network = nn.Sequential(*[part for layer in linear for part in (layer, nn.SiLU())][:-1])
    weights = 1 / np.sqrt(np.bincount(owners)[owners])
    x, y, w = (
        torch.tensor(array, dtype=torch.float32)
        for array in ((inputs - centre) / scale, (target - level) / spread, weights / weights.mean())
    )
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=DECAY)
    steps = EPOCHS * -(-len(x) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    for _ in range(EPOCHS):
        for batch in torch.split(torch.randperm(len(x)), BATCH):
            guess = network(x[batch] + NOISE * torch.randn(len(batch), x.shape[1]))[:, 0]
            loss = (w[batch] * (guess - y[batch]) ** 2).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return Normaliser(
        centre,
        scale,
        tuple(layer.weight.detach().double().numpy() for layer in linear),
        tuple(layer.bias.detach().double().numpy() for layer in linear),
        level,
        spread,
        float(target.min()),
        float(target.max()),
    )
