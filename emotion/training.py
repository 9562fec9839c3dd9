"""The training loop: one run of one configuration, resumable after every epoch."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from emotion import augment, networks
from emotion.configs import Config
from emotion.data import Chosen, Samples
from emotion.errors import CheckpointMismatch, DataProblem, TrainingDiverged, WeightsDamaged
from emotion.files import DAMAGED, read_torch, reason
from emotion.optimisation import cross_entropy, freeze, load_initial, make_optimizer
from emotion.predict import Reader

CHECKPOINT = "last.pt"
BEST = "best.pt"
HISTORY = "history.csv"


@dataclass(frozen=True, slots=True)
class Epoch:
    """One line of ``history.csv``; accuracies are shares in 0..1 of the head that comes first."""

    epoch: int
    seconds: float
    image_size: int
    rate: float
    train_loss: float
    validation_loss: float
    validation_accuracy: float


@dataclass(slots=True)
class Options:
    """How to run, as opposed to what to run: folder, device, time limit."""

    folder: Path
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    bf16: bool = False
    minutes: float | None = None  # the schedule ends after this much time, however many epochs that were
    resume: bool = False
    initial: Path | None = None  # weights to start from, where name and shape fit
    progress: bool = True
    chosen: Chosen = field(default_factory=Chosen)


def heads_of(samples: Samples) -> dict[str, int]:
    """Classes of every head of these samples."""
    return {head: int(target.shape[1]) for head, target in samples.targets.items()}


class Trainer:
    """One run. Make it, then :meth:`run`; it writes checkpoints and ``history.csv`` into ``options.folder``."""

    def __init__(self, config: Config, training: Samples, validation: Samples, options: Options) -> None:
        if heads_of(training) != heads_of(validation) or set(heads_of(training)) != set(config.heads):
            raise DataProblem(
                f"training has heads {heads_of(training)}, validation {heads_of(validation)}, "
                f"and {config.name} wants {', '.join(config.heads)}"
            )
        self.config, self.options = config, options
        self.training, self.validation = training, validation
        torch.manual_seed(config.seed)
        self.generator = torch.Generator().manual_seed(config.seed)
        self.network = networks.create(config.network, channels=config.channels, heads=heads_of(training))
        self.network.to(options.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        if options.initial is not None:
            load_initial(self.network, options.initial)
        if config.frozen:
            freeze(self.network)
        self.optimizer = make_optimizer(self.network, config)
        self.average = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.history: list[Epoch] = []
        self.steps = 0
        self.elapsed = 0.0
        self.plateau_rate = config.rate
        options.folder.mkdir(parents=True, exist_ok=True)
        if options.resume and (options.folder / CHECKPOINT).exists():
            self._restore()

    # ---- the run

    def run(self) -> list[Epoch]:
        """Train until the schedule's end; returns one line per epoch.

        Raises:
            TrainingDiverged: a loss or a weight was not finite. The last good checkpoint stays.
        """
        while self._progress() < 1.0 and len(self.history) < self.config.epochs:
            started = time.monotonic()
            before = self.elapsed
            size, rate = self._size(), self._rate()
            train_loss = self._one_epoch(started, before)
            loss, accuracy = self.validate()
            self._check(loss, "validation loss")  # no loss has shown yet what the epoch's last step did
            self._check(self._largest_weight(), "a weight of")
            self.elapsed = before + time.monotonic() - started
            line = Epoch(len(self.history) + 1, self.elapsed - before, size, rate, train_loss, loss, accuracy)
            best = not self.history or accuracy >= max(epoch.validation_accuracy for epoch in self.history)
            self.history.append(line)
            self._lower_rate()
            self._save(CHECKPOINT)
            if best:
                self._save(BEST)
            self._write_history()
            if self.options.progress:
                print(
                    f"epoch {line.epoch} size {size} rate {rate:.4f} train {train_loss:.3f} validation {loss:.3f} "
                    f"accuracy {accuracy:.4f} {line.seconds:.0f} s",
                    flush=True,
                )
        return self.history

    def _one_epoch(self, started: float, before: float) -> float:
        self.network.train()
        if self.config.frozen:
            self.network.eval()  # batch norm keeps its statistics, as the frozen layers keep their weights
        total, seen = 0.0, 0
        batches = math.ceil(len(self.training) / self.config.batch_size)
        bar = tqdm(
            self._batches(), total=batches, disable=not self.options.progress, mininterval=20, leave=False
        )
        for images, targets, weights in bar:
            for group in self.optimizer.param_groups:
                group["lr"] = self._rate()
            with self._autocast():
                answers = self.network(images)
            loss = cross_entropy(answers, targets, weights, self.config.label_smoothing)
            value = loss.item()
            self._check(value, "loss")
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            self.steps += 1
            self._update_average()
            total, seen = total + value * len(images), seen + len(images)
            self.elapsed = before + time.monotonic() - started
        return total / seen

    def _check(self, value: float, what: str) -> None:
        if not math.isfinite(value):
            epochs = len(self.history)
            kept = f"the last good checkpoint is {self.options.folder / CHECKPOINT} (epoch {epochs})"
            raise TrainingDiverged(
                f"{what} {value} in epoch {epochs + 1}, step {self.steps}; "
                f"{kept if epochs else 'this run has no checkpoint yet'}"
            )

    def _largest_weight(self) -> float:
        """Size of the largest averaged weight; no finite number as soon as one of them is none."""
        sizes = [value.abs().max().float() for value in self.average.values()]
        return torch.stack(sizes).max().item()

    def _batches(self) -> Iterator[tuple[Tensor, dict[str, Tensor], dict[str, Tensor]]]:
        """Shuffled, augmented batches on the device; a last batch of one is left out (batch norm needs two)."""
        config, device = self.config, self.options.device
        order = torch.randperm(len(self.training), generator=self.generator)
        for rows in torch.split(order, config.batch_size):
            if len(rows) == 1 and len(order) > 1:
                continue
            images = self.training.images[rows].float().div_(255)
            if images.shape[1] != config.channels:
                images = images.expand(-1, config.channels, -1, -1)
            targets = {head: target[rows] for head, target in self.training.targets.items()}
            weights = {head: weight[rows] for head, weight in self.training.weights.items()}
            calm = self._progress() >= config.calm_from
            images = augment.move(images, self._size(), config.augmentation, self.generator)
            images = augment.relight(images, config.augmentation, self.generator)
            images = augment.normalise(images, config.normalisation)
            if not calm:
                images = augment.cut_out(images, config.augmentation, self.generator)
            drawn = float(torch.rand(1, generator=self.generator))
            if not calm and drawn < config.mixup_probability:
                other = config.mixup_share or augment.mixing_share(config.mixup, self.generator)
                images, targets, weights = augment.mix(images, targets, weights, other, self.generator)
            yield (
                images.to(device).contiguous(memory_format=torch.channels_last),
                {head: target.to(device) for head, target in targets.items()},
                {head: weight.to(device) for head, weight in weights.items()},
            )

    # ---- schedule

    def _progress(self) -> float:
        """Share of the run that is done: of the steps, or of the time where that is further."""
        per_epoch = math.ceil(len(self.training) / self.config.batch_size)
        done = self.steps / (per_epoch * self.config.epochs)
        if self.options.minutes is not None:
            done = max(done, self.elapsed / (60 * self.options.minutes))
        return done

    def _rate(self) -> float:
        config, progress = self.config, min(self._progress(), 1.0)
        rate = config.rate
        if config.schedule == "cosine":
            rate = (
                config.lowest_rate
                + (config.rate - config.lowest_rate) * (1 + math.cos(math.pi * progress)) / 2
            )
        elif config.schedule == "plateau":
            rate = self.plateau_rate
        return rate * min(1.0, progress / config.warmup) if config.warmup else rate

    def _lower_rate(self) -> None:
        """The plateau schedule: half the rate after ``patience`` epochs without a better validation loss."""
        losses = [epoch.validation_loss for epoch in self.history]
        since_best = len(losses) - 1 - losses.index(min(losses))
        if since_best and since_best % self.config.patience == 0:
            self.plateau_rate = max(self.plateau_rate / 2, self.config.lowest_rate)

    def _size(self) -> int:
        size = self.config.image_size
        for share, at in self.config.grow:
            if self._progress() >= share:
                size = at
        return size

    def _autocast(self) -> Any:
        if self.options.bf16:
            return torch.autocast(self.options.device.type, torch.bfloat16)
        return nullcontext()

    # ---- averaged weights and validation

    def _update_average(self) -> None:
        """Exponential moving average of weights and batch-norm statistics, quick at first."""
        decay = min(self.config.ema, (1 + self.steps) / (10 + self.steps)) if self.config.ema else 0.0
        for name, value in self.network.state_dict().items():
            if value.dtype.is_floating_point:
                self.average[name].lerp_(value, 1 - decay)
            else:
                self.average[name].copy_(value)

    def reader(self) -> Reader:
        """The averaged weights, ready to be asked."""
        network = networks.create(
            self.config.network, channels=self.config.channels, heads=heads_of(self.training)
        )
        network.load_state_dict(self.average)
        network.to(self.options.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        config, options = self.config, self.options
        return Reader(
            network, config.image_size, config.channels, config.normalisation, options.device, options.bf16
        )

    def validate(self) -> tuple[float, float]:
        """Loss and accuracy (of the first head) of the averaged weights on the validation part, no mirroring."""
        shares = self.reader().probabilities(self.validation.images)
        targets, weights = self.validation.targets, self.validation.weights
        loss = cross_entropy(
            {head: share.clamp_min(1e-12).log() for head, share in shares.items()}, targets, weights
        )
        first = self.config.heads[0]
        known = weights[first] > 0
        right = (shares[first].argmax(1) == targets[first].argmax(1)) & known
        return loss.item(), int(right.sum()) / max(int(known.sum()), 1)

    # ---- on disk

    def _save(self, name: str) -> None:
        """Write a checkpoint beside and rename it, so that a killed run leaves the one before."""
        state = {
            "config": self.config.name,
            "network": self.config.network,
            "channels": self.config.channels,
            "heads": heads_of(self.training),
            "chosen": asdict(self.options.chosen),
            "weights": self.network.state_dict(),
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "torch_generator": torch.get_rng_state(),
            "history": [asdict(epoch) for epoch in self.history],
            "steps": self.steps,
            "elapsed": self.elapsed,
            "plateau_rate": self.plateau_rate,
        }
        beside = self.options.folder / f"{name}.part"
        torch.save(state, beside)
        beside.replace(self.options.folder / name)

    def _restore(self) -> None:
        path = self.options.folder / CHECKPOINT
        state = read_torch(path, self.options.device)
        try:
            self._take(state, path)
        except DAMAGED as problem:
            raise WeightsDamaged(f"{path}: not a checkpoint of this version ({reason(problem)})") from problem
        self._write_history()

    def _take(self, state: dict[str, Any], path: Path) -> None:
        if state["config"] != self.config.name or state["heads"] != heads_of(self.training):
            raise CheckpointMismatch(f"{path} is a run of {state['config']!r} with heads {state['heads']}")
        if "chosen" in state and state["chosen"] != asdict(self.options.chosen):
            raise CheckpointMismatch(f"{path} is a run on other pictures: {state['chosen']}")
        self.network.load_state_dict(state["weights"])
        self.average = state["average"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"].cpu())
        torch.set_rng_state(state["torch_generator"].cpu())
        self.history = [Epoch(**line) for line in state["history"]]
        self.steps, self.elapsed, self.plateau_rate = state["steps"], state["elapsed"], state["plateau_rate"]

    def _write_history(self) -> None:
        with (self.options.folder / HISTORY).open("w", newline="") as file:
            writer = csv.DictWriter(file, [column.name for column in fields(Epoch)])
            writer.writeheader()
            writer.writerows(asdict(epoch) for epoch in self.history)
