"""A made-up set in the form of lfw.zip with pictures that can be learned, and weights of a network never trained."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from recognition.lfw_cnn import networks, weight_files


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Tests share two cores with everything else."""
    torch.set_num_threads(1)


def picture(person: int, number: int) -> bytes:
    """A person is a pattern of coarse squares; their photos differ by noise. PNG bytes."""
    pattern = np.random.default_rng(person).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    image = cv2.resize(pattern, (192, 192), interpolation=cv2.INTER_NEAREST).astype(np.int16)
    image += np.random.default_rng(1000 * person + number).integers(-20, 20, image.shape, dtype=np.int16)
    return bytes(cv2.imencode(".png", np.clip(image, 0, 255).astype(np.uint8))[1])


def write_set(path: Path, photos: list[int]) -> Path:
    """``photos[i]`` photos of person i; ten folds of one same and one different pair, of two people each."""
    with zipfile.ZipFile(path, "w") as archive:
        for person, count in enumerate(photos):
            for number in range(1, count + 1):
                archive.writestr(f"lfw/P{person:02d}/P{person:02d}_{number:04d}.jpg", picture(person, number))
        lines = ["10\t1"]
        for fold in range(10):
            one, two = f"P{2 * fold:02d}", f"P{2 * fold + 1:02d}"
            lines += [f"{one}\t1\t2", f"{one}\t1\t{two}\t1"]
        archive.writestr("lfw/pairs.txt", "\n".join(lines))
    return path


@pytest.fixture(scope="session")
def lfw_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty people in pairs, two of them with 40 photos; five more in no pair."""
    counts = [6] * 25
    counts[20] = counts[21] = 40
    return write_set(tmp_path_factory.mktemp("lfw") / "lfw.zip", counts)


@pytest.fixture(scope="session")
def weights_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights as they come from the random start, with their sum beside them."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "second.safetensors"
    details = {"version": "lfwcnn-test", "network": "compact", "dimensions": 128, "mirror": True}
    tensors = {
        name: value.contiguous() for name, value in networks.create("compact", 128).state_dict().items()
    }
    tensors |= {"projection.weight": torch.eye(128), "projection.bias": torch.zeros(128)}
    save_file(
        tensors,
        path,
        metadata={"second_opinion": json.dumps(details)},
    )
    weight_files.write_sums(path.parent)
    return path


@pytest.fixture
def chips() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (5, 150, 150, 3), dtype=np.uint8)
