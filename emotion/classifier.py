"""The shipped network: loaded once a process, its file checked, faces in, probabilities out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open

from emotion import framing, networks
from emotion.augment import Normalisation
from emotion.errors import BadImage, UnknownName, WeightsDamaged, WeightsMissing
from emotion.files import DAMAGED, reason
from emotion.framing import OUTLINE, Box, Framing
from emotion.labels import CHALLENGE
from emotion.mood import Calibration
from emotion.predict import Reader, cooled, folded, quick_bf16, views_of
from emotion.shipped import CHECKSUMS, WEIGHTS, check_sums

__all__ = ["CHECKSUMS", "WEIGHTS", "Classifier", "check_sum", "load_classifier", "open_classifier"]


class Classifier:
    """Grey faces (n, 48, 48) to probabilities over the challenge's seven emotions, :attr:`labels`.

    Make it with :func:`load_classifier`, or with :meth:`from_file` for weights of your own.
    """

    labels = CHALLENGE
    size = 48  # side of the faces it takes, in pixels

    def __init__(self, reader: Reader, version: str, temperature: float, calibration: Calibration) -> None:
        self.reader = reader
        self.version = version
        self.calibration = calibration
        self.temperature = temperature

    @classmethod
    def from_file(cls, path: Path) -> Classifier:
        """Read a safetensors file that :mod:`emotion.export` wrote.

        Raises:
            WeightsMissing: there is no such file.
            WeightsDamaged: the file is not such a file, or does not fit its network.
        """
        if not path.is_file():
            raise WeightsMissing(
                f"no emotion weights at {path}; attendance works without them, mood does not"
            )
        try:
            with safe_open(path, framework="pt") as file:
                details = json.loads(file.metadata()["rollcall"])
                tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
            normalisation = details.get("normalisation", "picture")  # the first files do not say
            if normalisation not in get_args(Normalisation):
                raise ValueError(f"no normalisation {normalisation!r}")
            if details["heads"].get("challenge") != len(CHALLENGE):
                raise ValueError(f"it does not read {', '.join(CHALLENGE)}")
            network = networks.create(
                details["network"], channels=details["channels"], heads=details["heads"]
            )
            network.load_state_dict(tensors)
            return cls(
                Reader(
                    folded(network),
                    details["image_size"],
                    details["channels"],
                    normalisation,
                    torch.device("cpu"),
                    quick_bf16(),
                    views_of(details["views"]),
                ),
                version=f"{details['name']}-{details['number']}",
                temperature=float(details["temperature"]),
                calibration=Calibration(np.asarray(details["confusion"], dtype=np.float64)),
            )
        except (*DAMAGED, UnknownName) as problem:
            raise WeightsDamaged(
                f"{path}: not weights of this version of Rollcall ({reason(problem)})"
            ) from problem

    def probabilities(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities (n, 7) float32, rows adding up to 1, of grey faces uint8 (n, size, size); n may be 0.

        The mean over the views of each face that the weight file names, at the temperature fitted on the validation
        part.

        Raises:
            BadImage: another type or shape, for instance colour.
        """
        shape = getattr(faces, "shape", ())
        if (
            not isinstance(faces, np.ndarray)
            or faces.dtype != np.uint8
            or shape[1:] != (self.size, self.size)
        ):
            raise BadImage(f"faces must be grey uint8 (n, {self.size}, {self.size}), got {shape}")
        if not len(faces):
            return np.zeros((0, len(CHALLENGE)), np.float32)
        pictures = torch.from_numpy(faces.copy()).unsqueeze(1)
        shares = self.reader.probabilities(pictures)["challenge"]
        return np.asarray(cooled(shares, self.temperature).numpy(), dtype=np.float32)

    def read(
        self, photo: NDArray[np.uint8], boxes: Sequence[Box], *, framing_of: Framing = OUTLINE
    ) -> NDArray[np.float32]:
        """Probabilities (n, 7) of the faces in an RGB photo uint8 (H, W, 3).

        Args:
            photo: the whole photo, upright.
            boxes: (left, top, width, height) of every face in pixels of the photo.
            framing_of: which kind of box the detector draws.

        Raises:
            BadImage: the photo is not RGB uint8, or a box has no area or misses the photo.
        """
        return self.probabilities(framing.faces(photo, boxes, self.size, framing_of))


def check_sum(path: Path) -> None:
    """Compare a weight file with the line for it in ``SHA256SUMS`` beside it.

    Raises:
        WeightsMissing: the file is not there.
        WeightsDamaged: there is no line for it, the sums differ, or one of the two files cannot be read.
    """
    if not path.is_file():
        raise WeightsMissing(f"no emotion weights at {path}; attendance works without them, mood does not")
    wanted = check_sums(path.parent).get(path.name)
    if wanted is None:
        raise WeightsDamaged(f"{path.parent / CHECKSUMS} does not name {path.name}")
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as problem:
        raise WeightsDamaged(f"{path} cannot be read ({problem})") from problem
    if wanted != found:
        raise WeightsDamaged(f"{path} is not the file that was shipped: its SHA-256 is {found}")


@lru_cache(maxsize=4)
def load_classifier(path: Path = WEIGHTS) -> Classifier:
    """The shipped classifier, loaded and checked once a process.

    Raises:
        WeightsMissing: the weight file is not there.
        WeightsDamaged: it is not the file that was shipped.
    """
    check_sum(path)
    return Classifier.from_file(path)


def open_classifier(path: Path = WEIGHTS) -> Classifier:
    """The classifier of any weight file: the shipped one is checked as :func:`load_classifier` does, one's own is not.

    Raises:
        WeightsMissing, WeightsDamaged: as :func:`load_classifier`.
    """
    return load_classifier(path) if path.resolve() == WEIGHTS.resolve() else Classifier.from_file(path)
