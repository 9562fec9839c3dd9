"""The earlier system rerun: a classifier of a few people's grey crops, as it was trained then.

Adam, no augmentation, a fixed number of epochs, and the weights of the epoch with the best validation accuracy. A
tenth of every person's training photos is the validation part here, so that the test photos choose nothing.
"""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from recognition.errors import TrainingError
from recognition.evaluate.lfw_data import Lfw
from recognition.lfw_cnn import networks, splits
from recognition.lfw_cnn.configs import Config
from recognition.lfw_cnn.networks.seeds import HEIGHT, WIDTH
from recognition.types import Image

BEST = "best.pt"
HISTORY = "history.csv"
TOP, LEFT = 38, 46
"""Of the earlier system's crop in the 192 x 192 pictures of ``lfw.zip``: rows 70.. and columns 78.. of 250."""


@dataclass(frozen=True, slots=True)
class ClosedEpoch:
    """One line of ``history.csv``; accuracies are shares in 0..1."""

    epoch: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float


def crop(picture: Image) -> Image:
    """Grey (125, 94) of a picture (H, W, 3), at least 163 x 140 pixels. Raises TrainingError for smaller ones."""
    if picture.shape[0] < TOP + HEIGHT or picture.shape[1] < LEFT + WIDTH:
        raise TrainingError(
            f"the earlier system's crop needs 192 x 192 pixels, not {picture.shape[1]} x {picture.shape[0]}"
        )
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return np.asarray(grey[TOP : TOP + HEIGHT, LEFT : LEFT + WIDTH], np.uint8)


def crops(data: Lfw, rows: splits.Rows) -> Tensor:
    """float32 (n, 1, 125, 94) in 0..1."""
    return torch.from_numpy(np.stack([crop(data.picture(int(row))) for row in rows]))[:, None].float() / 255


class ClosedTrainer:
    """One run; writes the best weights and ``history.csv`` into ``folder``, and can go on where it was broken off."""

    def __init__(self, config: Config, data: Lfw, folder: Path, *, bf16: bool, resume: bool = False) -> None:
        self.config, self.folder, self.bf16 = config, folder, bf16
        self.split = splits.closed_set(data)
        torch.manual_seed(config.seed)
        self.generator = torch.Generator().manual_seed(config.seed)
        self.network = networks.create(config.network, len(self.split.people))
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=config.rate)
        labels = self.split.train_labels
        # The rows of each person are in random order already: every tenth of them is as good as drawn.
        place = np.arange(len(labels)) - np.searchsorted(labels, labels)
        held = torch.from_numpy(place % 10 == 0)
        images, targets = crops(data, self.split.train), torch.from_numpy(labels)
        self.training = images[~held].contiguous(memory_format=torch.channels_last), targets[~held]
        self.validation = images[held], targets[held]
        self.test = crops(data, self.split.test), torch.from_numpy(self.split.test_labels)
        self.history: list[ClosedEpoch] = []
        folder.mkdir(parents=True, exist_ok=True)
        if resume and (folder / "last.pt").is_file():
            self._restore()

    def run(self) -> float:
        """Train to the end; returns the test accuracy (0..1) of the best validation checkpoint."""
        while len(self.history) < self.config.epochs:
            loss, accuracy = self._one_epoch()
            answers = self.answers(self.validation[0])
            held_loss = float(functional.cross_entropy(answers, self.validation[1]))
            line = ClosedEpoch(
                len(self.history) + 1, loss, accuracy, held_loss, share_right(answers, self.validation[1])
            )
            best = line.validation_accuracy > max((e.validation_accuracy for e in self.history), default=-1.0)
            self.history.append(line)
            self._save(best)
            print(
                f"epoch {line.epoch} loss {loss:.3f} accuracy {accuracy:.4f} validation loss {held_loss:.3f} "
                f"accuracy {line.validation_accuracy:.4f}",
                flush=True,
            )
        self.network.load_state_dict(torch.load(self.folder / BEST, weights_only=True))
        return share_right(self.answers(self.test[0]), self.test[1])

    def _one_epoch(self) -> tuple[float, float]:
        self.network.train()
        images, labels = self.training
        total, right = 0.0, 0
        order = torch.randperm(len(images), generator=self.generator)
        for rows in torch.split(order, self.config.batch_size):
            with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
                answers = self.network(images[rows])
            loss = functional.cross_entropy(answers.float(), labels[rows])
            if not bool(torch.isfinite(loss)):
                raise TrainingError(f"loss {loss.item()} in epoch {len(self.history) + 1}")
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            total += loss.item() * len(rows)
            right += int((answers.argmax(1) == labels[rows]).sum())
        return total / len(images), right / len(images)

    def answers(self, images: Tensor) -> Tensor:
        """Logits (n, people)."""
        self.network.eval()
        with torch.inference_mode():
            return torch.cat([self.network(batch) for batch in torch.split(images, 64)])

    def _save(self, best: bool) -> None:
        if best:
            torch.save(self.network.state_dict(), self.folder / BEST)
        state = {
            "config": self.config.name,
            "weights": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "history": [asdict(epoch) for epoch in self.history],
        }
        beside = self.folder / "last.pt.part"
        torch.save(state, beside)
        beside.replace(self.folder / "last.pt")
        with (self.folder / HISTORY).open("w", newline="") as file:
            writer = csv.DictWriter(file, [column.name for column in fields(ClosedEpoch)])
            writer.writeheader()
            writer.writerows(asdict(epoch) for epoch in self.history)

    def _restore(self) -> None:
        state = torch.load(self.folder / "last.pt", weights_only=True)
        if state["config"] != self.config.name:
            raise TrainingError(f"{self.folder / 'last.pt'} is a run of {state['config']!r}")
        self.network.load_state_dict(state["weights"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])
        self.history = [ClosedEpoch(**epoch) for epoch in state["history"]]


def share_right(answers: Tensor, labels: Tensor) -> float:
    """Share in 0..1 of rows whose largest logit (n, people) is the label's (n,)."""
    return float((answers.argmax(1) == labels).float().mean())
