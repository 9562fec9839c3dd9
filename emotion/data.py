"""FER2013 with FER+ votes: loading, copies of one picture, and an honest validation part.

The file format is an ``.npz`` with ``images`` uint8 (N, 48, 48), ``labels`` uint8 (N,) in the challenge's order and
``votes`` uint8 (N, 10) in the order of :data:`emotion.labels.VOTES`; ``names`` (10,) is checked where present.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from emotion.errors import DataProblem
from emotion.files import DAMAGED, reason
from emotion.labels import CHALLENGE, NOT_A_FACE, TAGGERS, VOTES, vote_distributions

NEAR_COPY = 0.95  # correlation of the halved pictures from which two count as the same photograph


@dataclass(frozen=True, slots=True, eq=False)
class Fer2013:
    """One part of FER2013: images uint8 (N, 48, 48), labels int64 (N,) in 0..6, votes uint8 (N, 10)."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    votes: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.images)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Fer2013:
        """The part with these rows (indices or a mask) only."""
        return Fer2013(self.images[rows], self.labels[rows], self.votes[rows])


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which pictures of its data a run was given; its checkpoint keeps this, so that the same ones are found again."""

    limit: int | None = None
    max_images: int | None = None
    detect: bool = False
    classes: tuple[str, ...] = ()  # of a folder, in the order of the network's answers


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """What a training run reads, in memory.

    images: uint8 tensor (N, C, H, W). targets: for each head a float32 tensor (N, classes), rows adding up to 1.
    weights: for each head a float32 tensor (N,), 0 where the image says nothing about that head.
    """

    images: torch.Tensor
    targets: dict[str, torch.Tensor]
    weights: dict[str, torch.Tensor]

    def __post_init__(self) -> None:
        if self.images.dim() != 4 or self.images.dtype != torch.uint8 or len(self.images) == 0:
            raise DataProblem(f"images must be uint8 (N, C, H, W), N > 0, got {tuple(self.images.shape)}")
        for head, target in self.targets.items():
            if len(target) != len(self.images) or len(self.weights[head]) != len(self.images):
                raise DataProblem(f"{head}: {len(target)} targets for {len(self.images)} images")

    def __len__(self) -> int:
        return len(self.images)

    def only(self, heads: Sequence[str]) -> Samples:
        """The same pictures with these heads only, in this order."""
        return Samples(
            self.images,
            {head: self.targets[head] for head in heads},
            {head: self.weights[head] for head in heads},
        )

    def take(self, rows: NDArray[np.int64]) -> Samples:
        """These rows only."""
        index = torch.from_numpy(np.asarray(rows, dtype=np.int64))
        return Samples(
            self.images[index],
            {head: target[index] for head, target in self.targets.items()},
            {head: weight[index] for head, weight in self.weights.items()},
        )


def load_fer2013(path: Path) -> Fer2013:
    """Read one part of FER2013.

    Raises:
        DataProblem: the file is missing, is no npz, lacks a key, or an array has the wrong shape, type or range.
    """
    try:
        loaded = np.load(path, allow_pickle=False)
        if not isinstance(loaded, NpzFile):
            raise TypeError("it holds one array, not several by their names")
        with loaded as archive:
            arrays = {key: np.asarray(archive[key]) for key in archive.files}
    except DAMAGED as problem:
        raise DataProblem(f"{path}: cannot be read as npz ({reason(problem)})") from problem
    missing = {"images", "labels", "votes"} - arrays.keys()
    if missing:
        raise DataProblem(f"{path}: lacks {', '.join(sorted(missing))}")
    images, labels, votes = arrays["images"], arrays["labels"], arrays["votes"]
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (48, 48) or not len(images):
        raise DataProblem(f"{path}: images must be uint8 (N, 48, 48), got {images.dtype} {images.shape}")
    if labels.shape != (len(images),) or not np.issubdtype(labels.dtype, np.integer):
        raise DataProblem(f"{path}: {labels.shape} labels for {len(images)} images")
    if labels.min() < 0 or labels.max() >= len(CHALLENGE):
        raise DataProblem(
            f"{path}: labels run from {labels.min()} to {labels.max()}, not 0 to {len(CHALLENGE) - 1}"
        )
    if votes.dtype != np.uint8 or votes.shape != (len(images), len(VOTES)) or votes.max() > TAGGERS:
        raise DataProblem(f"{path}: votes must be uint8 (N, {len(VOTES)}) up to {TAGGERS}, got {votes.shape}")
    if "names" in arrays and tuple(str(name) for name in arrays["names"]) != VOTES:
        raise DataProblem(f"{path}: the vote columns are in another order than {', '.join(VOTES)}")
    return Fer2013(images, labels.astype(np.int64), votes)


def usable(part: Fer2013) -> NDArray[np.bool_]:
    """Mask (N,) of pictures worth training on: not a single grey value, not "not a face" for all taggers."""
    flat = part.images.reshape(len(part), -1)
    good = (flat.min(axis=1) < flat.max(axis=1)) & (part.votes[:, NOT_A_FACE] < TAGGERS)
    return np.asarray(good, dtype=np.bool_)


def exact_groups(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Group number (N,) of each picture; the same number exactly where all pixels are the same."""
    flat = np.ascontiguousarray(images.reshape(len(images), -1))
    keys = flat.view(np.dtype((np.void, flat.shape[1]))).ravel()
    return np.unique(keys, return_inverse=True)[1].astype(np.int64)


def _halved(images: NDArray[np.uint8]) -> torch.Tensor:
    """Pictures halved in size, flattened, mean 0 and length 1: float32 (N, H/2 * W/2)."""
    pixels = torch.from_numpy(images).float().unsqueeze(1)
    small = torch.nn.functional.avg_pool2d(pixels, 2)
    centred = small.flatten(1) - small.flatten(1).mean(dim=1, keepdim=True)
    return torch.nn.functional.normalize(centred, dim=1)


def copy_groups(
    images: NDArray[np.uint8], threshold: float = NEAR_COPY, block: int = 2048
) -> NDArray[np.int64]:
    """Group number (N,) of each picture: one group holds exact, near and mirrored copies of one photograph.

    Two pictures are near copies when the correlation of the halved pictures, straight or mirrored, is at least
    ``threshold``; groups are the connected components of that relation. Every pair is compared.
    """
    straight = _halved(images)
    mirrored = _halved(np.ascontiguousarray(images[:, :, ::-1]))
    rows, columns = [], []
    for start in range(0, len(images), block):
        part = straight[start : start + block]
        alike = (part @ straight[start:].T >= threshold) | (part @ mirrored[start:].T >= threshold)
        row, column = torch.nonzero(alike, as_tuple=True)
        rows.append(row.numpy() + start)
        columns.append(column.numpy() + start)
    row_index, column_index = np.concatenate(rows), np.concatenate(columns)
    links = coo_array((np.ones(len(row_index), np.int8), (row_index, column_index)), shape=(len(images),) * 2)
    near = connected_components(links, directed=False)[1]
    return np.asarray(near, dtype=np.int64)


def split_by_group(
    groups: NDArray[np.int64], share: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cut whole groups into (training rows, validation rows); the validation part holds about ``share`` of all rows,
    and at least one group.

    Raises:
        DataProblem: one of the two sides would be empty.
    """
    names, sizes = np.unique(groups, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(names))
    most = max(share * len(groups), float(sizes[order[0]]))
    chosen = names[order[np.cumsum(sizes[order]) <= most]]
    held_out = np.isin(groups, chosen)
    if held_out.all() or not held_out.any():
        raise DataProblem(f"{len(names)} groups of copies cannot be split into training and validation")
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def labels_from_votes(part: Fer2013, steps: int = 60) -> NDArray[np.float32]:
    """How the challenge would label a picture with these votes: float32 (N, 7), rows adding up to 1.

    A multinomial logistic regression of the challenge label on the ten vote shares, fitted on the part itself. It
    carries what ten taggers saw over to the challenge's own (different) use of the seven words.
    """
    shares = torch.from_numpy(part.votes.astype(np.float32)) / TAGGERS
    labels = torch.from_numpy(part.labels)
    weight = torch.zeros(len(VOTES), len(CHALLENGE), requires_grad=True)
    bias = torch.zeros(len(CHALLENGE), requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=steps, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        value = (
            torch.nn.functional.cross_entropy(shares @ weight + bias, labels) + 1e-4 * weight.square().mean()
        )
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call, unused-ignore]
    with torch.no_grad():
        fitted = torch.softmax(shares @ weight + bias, dim=1)
    return np.asarray(fitted.numpy(), dtype=np.float32)


def fer_samples(part: Fer2013, *, vote_share: float = 0.0, merge_copies: bool = True) -> Samples:
    """Make training samples with the heads ``challenge`` (7) and ``ferplus`` (8).

    The challenge target is the label, with ``vote_share`` (0..1) of its weight moved to :func:`labels_from_votes`.
    With ``merge_copies`` exact copies become one sample with their mean target, so that a picture labelled twice
    differently counts for both labels and no picture counts double.
    """
    challenge = np.eye(len(CHALLENGE), dtype=np.float32)[part.labels]
    if vote_share > 0:
        challenge = (1 - vote_share) * challenge + vote_share * labels_from_votes(part)
    ferplus, weight = vote_distributions(part.votes)
    images = part.images
    if merge_copies:
        groups = exact_groups(images)
        first = np.unique(groups, return_index=True)[1]
        size = np.bincount(groups).astype(np.float32)[:, None]
        sums = np.zeros((len(first), len(CHALLENGE)), np.float32)
        np.add.at(sums, groups, challenge)
        images, challenge, ferplus, weight = images[first], sums / size, ferplus[first], weight[first]
    return Samples(
        torch.from_numpy(np.ascontiguousarray(images)).unsqueeze(1),
        {"challenge": torch.from_numpy(challenge), "ferplus": torch.from_numpy(ferplus)},
        {"challenge": torch.ones(len(images)), "ferplus": torch.from_numpy(weight)},
    )
