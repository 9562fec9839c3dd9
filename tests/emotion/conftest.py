"""Small made-up pictures with the same form as FER2013, and a small set of weights made from them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from emotion import configs, export
from emotion.data import Fer2013, fer_samples
from emotion.labels import VOTES
from emotion.training import CHECKPOINT, Options, Trainer

VOTE_OF_LABEL = (4, 5, 6, 1, 3, 2, 0)  # the vote column that means the same as each challenge label


def made_part(count: int, seed: int = 0) -> Fer2013:
    """Pictures of noise whose label can be learned: a bright bar whose place says the label."""
    random = np.random.default_rng(seed)
    images = random.integers(60, 120, (count, 48, 48), dtype=np.uint8)
    labels = np.arange(count) % 7
    votes = np.zeros((count, len(VOTES)), np.uint8)
    for row, label in enumerate(labels):
        images[row, 6 * label : 6 * label + 6, 8:40] = random.integers(200, 255)
        votes[row, VOTE_OF_LABEL[label]] = 8
        votes[row, 0] += 2
    return Fer2013(images, labels.astype(np.int64), votes)


def write_part(path: Path, part: Fer2013) -> Path:
    np.savez(
        path, images=part.images, labels=part.labels.astype(np.uint8), votes=part.votes, names=np.array(VOTES)
    )
    return path


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Tests share two cores with everything else."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def fer_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_part(tmp_path_factory.mktemp("fer") / "part.npz", made_part(70))


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a short run of Rollcall's own network on the made-up pictures."""
    folder = tmp_path_factory.mktemp("run")
    config = replace(configs.get("rollcall"), epochs=2, grow=((0.0, 32),))
    part = made_part(140)
    Trainer(config, fer_samples(part), fer_samples(part), Options(folder, progress=False)).run()
    return folder


@pytest.fixture(scope="session")
def weights_file(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Exported weights with their checksum file beside them."""
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    run = export.load_shippable(trained / CHECKPOINT)
    export.export(run, fer_samples(made_part(140, seed=1)), path, 7)
    return path
