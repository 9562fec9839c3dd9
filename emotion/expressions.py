"""Whatever reads the faces of a photo: the shipped network, a file of :mod:`emotion.export`, or a training run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from emotion import framing
from emotion.classifier import open_classifier
from emotion.errors import DataProblem
from emotion.framing import OUTLINE, Box, Framing
from emotion.labels import CHALLENGE, FERPLUS
from emotion.predict import Reader, load_run


class Expressions(Protocol):
    """Names for what may be read in a face, and a way to read it."""

    @property
    def labels(self) -> tuple[str, ...]: ...

    def read(
        self, photo: NDArray[np.uint8], boxes: Sequence[Box], *, framing_of: Framing = OUTLINE
    ) -> NDArray[np.float32]: ...


@dataclass(frozen=True, slots=True, eq=False)
class RunExpressions:
    """One head of a training run's network, asked as :class:`emotion.classifier.Classifier` is."""

    reader: Reader
    head: str
    labels: tuple[str, ...]
    colour: bool  # it learned from pictures in colour

    def read(
        self, photo: NDArray[np.uint8], boxes: Sequence[Box], *, framing_of: Framing = OUTLINE
    ) -> NDArray[np.float32]:
        """Probabilities (n, labels) float32, rows adding up to 1, of the faces in an RGB photo uint8 (H, W, 3).

        Raises:
            BadImage: as :func:`emotion.framing.face`.
        """
        if not len(boxes):
            return np.zeros((0, len(self.labels)), np.float32)
        faces = framing.faces(photo, boxes, self.reader.image_size, framing_of, colour=self.colour)
        pictures = torch.from_numpy(faces)
        pictures = pictures.permute(0, 3, 1, 2) if self.colour else pictures.unsqueeze(1)
        return np.asarray(self.reader.probabilities(pictures)[self.head].numpy(), dtype=np.float32)


def load(weights: Path) -> Expressions:
    """The shipped file (its checksum checked), another ``.safetensors`` file, or a run's checkpoint ``.pt``.

    Of a run's heads, the first that reads expressions is asked; a folder's classes go by their folders' names.

    Raises:
        WeightsMissing, WeightsDamaged: see :mod:`emotion.classifier`.
        DataProblem: the run reads something else than expressions.
    """
    if weights.suffix != ".pt":
        return open_classifier(weights)
    run = load_run(weights)
    names: dict[str, tuple[str, ...]] = {
        "challenge": CHALLENGE,
        "ferplus": FERPLUS,
        "folder": run.chosen.classes,
    }
    head = next((head for head in run.config.heads if head in names), None)
    if head is None:
        raise DataProblem(f"{weights}: this run reads {' and '.join(run.config.heads)}, not expressions")
    labels = names[head] or tuple(f"class {number}" for number in range(1, run.heads[head] + 1))
    return RunExpressions(run.reader, head, labels, colour=run.config.task == "folder")
