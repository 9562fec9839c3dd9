"""The training loop of the margin loss: one run of one configuration, resumable after every epoch."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from recognition.errors import TrainingError
from recognition.lfw_cnn import augment, networks
from recognition.lfw_cnn.configs import Config
from recognition.lfw_cnn.encode import SecondEncoder, standardised
from recognition.lfw_cnn.losses import CosineMargin

CHECKPOINT = "last.pt"
HISTORY = "history.csv"


@dataclass(frozen=True, slots=True)
class Epoch:
    """One line of ``history.csv``. ``validation_accuracy``: share in 0..1 of pairs of people not learned from that
    the averaged weights tell rightly at the best threshold."""

    epoch: int
    seconds: float
    rate: float
    train_loss: float
    validation_accuracy: float


@dataclass(frozen=True, slots=True)
class Options:
    """How to run, as opposed to what to run. ``minutes``: the schedule ends after this much time, however many
    epochs that were. ``every``: epochs between two validations."""

    folder: Path
    bf16: bool = True
    minutes: float | None = None
    resume: bool = False
    every: int = 1


class Trainer:
    """One run. Make it, then :meth:`run`; it writes ``last.pt`` and ``history.csv`` into ``options.folder``.

    ``frames``: uint8 (n, 80, 80, 3); ``labels``: (n,) 0..people-1; ``validate``: accuracy of an encoder on people
    not learned from.
    """

    def __init__(
        self,
        config: Config,
        frames: NDArray[np.uint8],
        labels: NDArray[np.int64],
        validate: Callable[[SecondEncoder], float],
        options: Options,
    ) -> None:
        self.config, self.options, self._validate = config, options, validate
        self.frames = torch.from_numpy(frames).permute(0, 3, 1, 2)
        self.labels = torch.from_numpy(labels)
        torch.manual_seed(config.seed)
        self.generator = torch.Generator().manual_seed(config.seed)
        self.network = networks.create(config.network, config.dimensions)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.side = networks.entry(config.network).image_size
        self.loss = CosineMargin(
            config.dimensions, int(labels.max()) + 1, scale=config.scale, margin=config.margin
        )
        self.optimizer = torch.optim.SGD(self._groups(), lr=config.rate, momentum=0.9, nesterov=True)
        self.average = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.history: list[Epoch] = []
        self.steps, self.elapsed = 0, 0.0
        self.steps_an_epoch = len(self._order()) // config.batch_size
        if not self.steps_an_epoch:
            raise TrainingError(f"{len(frames)} photos do not fill one batch of {config.batch_size}")
        options.folder.mkdir(parents=True, exist_ok=True)
        if options.resume and (options.folder / CHECKPOINT).is_file():
            self._restore()

    def _groups(self) -> list[dict[str, object]]:
        """Parameters with weight decay (matrices, kernels) and without (norms, slopes)."""
        parameters = [*self.network.parameters(), *self.loss.parameters()]
        return [
            {"params": [p for p in parameters if p.dim() > 1], "weight_decay": self.config.weight_decay},
            {"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0},
        ]

    def run(self) -> list[Epoch]:
        """Train until the schedule's end; returns one line per epoch.

        Raises TrainingError when a loss is not finite; the last good checkpoint stays.
        """
        while self.progress() < 1.0 and len(self.history) < self.config.epochs:
            started, before, rate = time.monotonic(), self.elapsed, self._rate()
            train_loss = self._one_epoch(started, before)
            number = len(self.history) + 1
            due = number % self.options.every == 0 or self.progress() >= 1.0 or number == self.config.epochs
            accuracy = self._validate(self.encoder()) if due else math.nan
            self.elapsed = before + time.monotonic() - started
            line = Epoch(number, self.elapsed - before, rate, train_loss, accuracy)
            self.history.append(line)
            self._save()
            print(
                f"epoch {number} rate {rate:.4f} loss {train_loss:.3f} pairs {accuracy:.4f} {line.seconds:.0f} s",
                flush=True,
            )
        return self.history

    def _one_epoch(self, started: float, before: float) -> float:
        self.network.train()
        total = 0.0
        for images, labels in self._batches():
            for group in self.optimizer.param_groups:
                group["lr"] = self._rate()
            with torch.autocast("cpu", torch.bfloat16, enabled=self.options.bf16):
                encodings = self.network(images)
            loss = self.loss(encodings, labels)
            value = loss.item()
            if not math.isfinite(value):
                raise TrainingError(
                    f"loss {value} in epoch {len(self.history) + 1}; the last good checkpoint is "
                    f"{self.options.folder / CHECKPOINT} (epoch {len(self.history)})"
                )
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
            self.steps += 1
            self._update_average()
            total += value
            self.elapsed = before + time.monotonic() - started
        return total / self.steps_an_epoch

    def _order(self) -> Tensor:
        """A shuffled epoch: every photo once, but of each person ``cap`` at most."""
        mixed = torch.randperm(len(self.labels), generator=self.generator)
        by_person = mixed[torch.sort(self.labels[mixed], stable=True).indices]
        owners = self.labels[by_person]
        starts = torch.searchsorted(owners, owners)
        kept = by_person[torch.arange(len(owners)) - starts < self.config.cap]
        return kept[torch.randperm(len(kept), generator=self.generator)]

    def _batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        how = self.config.augmentation
        for rows in torch.split(self._order(), self.config.batch_size)[: self.steps_an_epoch]:
            images = self.frames[rows].float().div_(255)
            images = augment.move(images, self.side, how, self.generator)
            images = standardised(augment.relight(images, how, self.generator))
            images = augment.cut_out(images, how, self.generator)
            yield images.contiguous(memory_format=torch.channels_last), self.labels[rows]

    def progress(self) -> float:
        """Share of the run that is done: of the steps, or of the time where that is further."""
        done = self.steps / (self.steps_an_epoch * self.config.epochs)
        if self.options.minutes is not None:
            done = max(done, self.elapsed / (60 * self.options.minutes))
        return done

    def _rate(self) -> float:
        progress = min(self.progress(), 1.0)
        rate = self.config.rate * (1 + math.cos(math.pi * progress)) / 2
        return rate * min(1.0, progress / self.config.warmup + 1e-3) if self.config.warmup else rate

    def _update_average(self) -> None:
        """Exponential moving average of weights and batch-norm statistics, quick at first."""
        decay = min(self.config.ema, (1 + self.steps) / (10 + self.steps))
        for name, value in self.network.state_dict().items():
            if value.dtype.is_floating_point:
                self.average[name].lerp_(value, 1 - decay)
            else:
                self.average[name].copy_(value)

    def encoder(self) -> SecondEncoder:
        """The averaged weights, ready to encode."""
        return encoder_of(self.config, self.average, bf16=self.options.bf16)

    def _save(self) -> None:
        """Write a checkpoint beside and rename it, so that a killed run leaves the one before."""
        state = {
            "config": self.config.name,
            "people": len(self.loss.directions),
            "weights": self.network.state_dict(),
            "loss": self.loss.state_dict(),
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "torch_generator": torch.get_rng_state(),
            "history": [asdict(epoch) for epoch in self.history],
            "steps": self.steps,
            "elapsed": self.elapsed,
        }
        beside = self.options.folder / f"{CHECKPOINT}.part"
        torch.save(state, beside)
        beside.replace(self.options.folder / CHECKPOINT)
        with (self.options.folder / HISTORY).open("w", newline="") as file:
            writer = csv.DictWriter(file, [column.name for column in fields(Epoch)])
            writer.writeheader()
            writer.writerows(asdict(epoch) for epoch in self.history)

    def _restore(self) -> None:
        path = self.options.folder / CHECKPOINT
        state = torch.load(path, weights_only=True)
        if state["config"] != self.config.name or state["people"] != len(self.loss.directions):
            raise TrainingError(f"{path} is a run of {state['config']!r} with {state['people']} people")
        self.network.load_state_dict(state["weights"])
        self.loss.load_state_dict(state["loss"])
        self.average = state["average"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])
        torch.set_rng_state(state["torch_generator"])
        self.history = [Epoch(**line) for line in state["history"]]
        self.steps, self.elapsed = state["steps"], state["elapsed"]


def encoder_of(config: Config, weights: dict[str, Tensor], *, bf16: bool) -> SecondEncoder:
    """An encoder of a run's weights, mirrored, version "trained"."""
    network: nn.Module = networks.create(config.network, config.dimensions)
    network.load_state_dict(weights)
    return SecondEncoder(
        network,
        version="trained",
        dimensions=config.dimensions,
        side=networks.entry(config.network).image_size,
        mirror=True,
        bf16=bf16,
    )
