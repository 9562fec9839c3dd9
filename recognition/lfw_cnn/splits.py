"""Who is learned from and who is not: every split of LFW that this package uses, fixed and independent of ``--seed``.

Three folds of ``pairs.txt`` are held out with all photos of their people (official folds share nobody). The held-out
people fall in two: those of the calibration half fit thresholds and probabilities, those of the test half are only
reported; the main engine's own constants were fitted on the same calibration half. The photos by which the closed set
is tested are learned from by nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.errors import TrainingError
from recognition.evaluate.lfw_data import Lfw

HELD_OUT_FOLDS = 3
TRIAL_FOLD = 3
"""The fold whose people variations were tried on; the shipped network learned from them."""
CLOSED_SET_PHOTOS = 40
CLOSED_SET_SEED = 42
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class ClosedSet:
    """People with many photos, cut 80/20 person by person. ``train`` and ``test``: rows; ``*_labels``: 0..people-1."""

    people: tuple[str, ...]
    train: Rows
    train_labels: Rows
    test: Rows
    test_labels: Rows


def closed_set(data: Lfw, least: int = CLOSED_SET_PHOTOS) -> ClosedSet:
    """The people with at least ``least`` photos (19 with 40), a fifth of each one's photos for the test.

    Raises TrainingError when fewer than two people have so many photos, or ``least`` leaves nothing to test.
    """
    if least < 5:
        raise TrainingError(f"a closed set needs at least 5 photos a person to cut a fifth off, not {least}")
    people = tuple(person for person in sorted(data.rows_of) if len(data.rows_of[person]) >= least)
    if len(people) < 2:
        raise TrainingError(f"{data.path}: {len(people)} people have {least} photos or more; two are needed")
    rng = np.random.default_rng(CLOSED_SET_SEED)
    mixed = [rng.permutation(data.rows_of[person]) for person in people]
    counts = [round(len(rows) / 5) for rows in mixed]
    tests = [rows[:count] for rows, count in zip(mixed, counts, strict=True)]
    trains = [rows[count:] for rows, count in zip(mixed, counts, strict=True)]
    return ClosedSet(people, *_labelled(trains), *_labelled(tests))


def _labelled(groups: list[Rows]) -> tuple[Rows, Rows]:
    return np.concatenate(groups), np.repeat(np.arange(len(groups)), [len(rows) for rows in groups])


def people_of_folds(data: Lfw, folds: Iterable[int]) -> frozenset[str]:
    """Everybody who is shown in a pair of these folds (0..9)."""
    pairs = data.pairs
    rows = np.isin(pairs.fold, list(folds))
    return frozenset(data.person[np.concatenate([pairs.first[rows], pairs.second[rows]])].tolist())


def held_out(data: Lfw) -> frozenset[str]:
    """Whom the shipped network never saw: the people of the first three folds."""
    return people_of_folds(data, range(HELD_OUT_FOLDS))


def calibration_people(data: Lfw) -> frozenset[str]:
    """Held-out people who fit the second opinion's constants."""
    return held_out(data) & data.halves[0]


def test_people(data: Lfw) -> frozenset[str]:
    """Held-out people of whom nothing was fitted, neither here nor in the main engine."""
    return held_out(data) & data.halves[1]


def training_rows(data: Lfw, without: frozenset[str], usable: NDArray[np.bool_]) -> tuple[Rows, Rows]:
    """Rows to learn from and their labels 0..people-1: everybody but ``without``, without the closed set's test
    photos and without pictures that are not ``usable``. Raises TrainingError when fewer than two people are left."""
    kept = usable & ~np.isin(data.person, list(without))
    kept[closed_set(data).test] = False
    rows = np.flatnonzero(kept).astype(np.int64)
    people, labels = np.unique(data.person[rows], return_inverse=True)
    if len(people) < 2:
        raise TrainingError(f"{data.path}: {len(people)} people are left to learn from; two are needed")
    return rows, labels.astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class MadePairs:
    """Rows of pictures ``first`` and ``second`` and whether they show the same person."""

    first: Rows
    second: Rows
    same: NDArray[np.bool_]


def made_pairs(data: Lfw, people: frozenset[str], usable: NDArray[np.bool_], *, seed: int) -> MadePairs:
    """Up to ten pairs of each person's own photos, and as many pairs of two people's.

    Raises TrainingError when nobody of ``people`` has two usable photos.
    """
    rng = np.random.default_rng(seed)
    owned = {person: data.rows_of[person][usable[data.rows_of[person]]] for person in sorted(people)}
    same = []
    for rows in owned.values():
        pairs = np.stack(np.triu_indices(len(rows), 1), axis=1)
        same += [rows[pair] for pair in rng.permutation(pairs)[:10]]
    present = [rows for rows in owned.values() if len(rows)]
    if not same or len(present) < 2:
        raise TrainingError("nobody to compare: pairs need two photos of one person and a second person")
    different = []
    for _ in same:
        one, two = rng.choice(len(present), 2, replace=False)
        different.append(np.array([rng.choice(present[one]), rng.choice(present[two])]))
    table = np.array([*same, *different], dtype=np.int64)
    return MadePairs(table[:, 0], table[:, 1], np.arange(len(table)) < len(same))
