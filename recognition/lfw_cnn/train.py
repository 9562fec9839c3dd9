"""Train one configuration: ``python -m recognition.lfw_cnn.train --config second --data lfw.zip``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from recognition import threads
from recognition.errors import RecognitionError
from recognition.evaluate.lfw import best_threshold
from recognition.evaluate.lfw_data import DataSetError, Lfw
from recognition.lfw_cnn import configs, plots, splits
from recognition.lfw_cnn.closed import ClosedTrainer
from recognition.lfw_cnn.configs import Config
from recognition.lfw_cnn.encode import SecondEncoder
from recognition.lfw_cnn.frames import frames_of
from recognition.lfw_cnn.training import HISTORY, Options, Trainer


def pair_accuracy(pairs: splits.MadePairs, frames: NDArray[np.uint8]) -> Callable[[SecondEncoder], float]:
    """Share of pairs told rightly at the best threshold, as a function of the encoder."""
    rows, places = np.unique(np.concatenate([pairs.first, pairs.second]), return_inverse=True)
    first, second = places[: len(pairs.same)], places[len(pairs.same) :]

    def measure(encoder: SecondEncoder) -> float:
        encodings = encoder.encode_frames(frames[rows]).astype(np.float64)
        cosines = (encodings[first] * encodings[second]).sum(axis=1)
        return float(((cosines > best_threshold(cosines, pairs.same)) == pairs.same).mean())

    return measure


def parser() -> argparse.ArgumentParser:
    """The command line."""
    listed = "\n".join(f"  {name:10} {configs.get(name).about}" for name in configs.names())
    made = argparse.ArgumentParser(
        prog="python -m recognition.lfw_cnn.train",
        description=__doc__,
        epilog=f"configurations:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--config", required=True, choices=configs.names(), metavar="NAME")
    made.add_argument("--data", type=Path, default=Path("lfw.zip"), help="lfw.zip, or the folder it lies in")
    made.add_argument("--out", type=Path, help="folder of the run (default: runs/lfw_cnn/NAME)")
    made.add_argument("--cache", type=Path, default=Path("runs/lfw_cnn/chips"), help="kept chips")
    made.add_argument("--epochs", type=int, help="instead of the configuration's own")
    made.add_argument("--minutes", type=float, help="end the schedule after this time")
    made.add_argument("--seed", type=int, help="instead of the configuration's own")
    made.add_argument("--trial", action="store_true", help="hold a fourth fold out and validate on it")
    made.add_argument("--every", type=int, default=1, help="epochs between two validations")
    made.add_argument("--threads", type=int, default=torch.get_num_threads())
    made.add_argument("--fp32", action="store_true", help="full precision instead of bf16")
    made.add_argument("--resume", action="store_true", help="go on from the last checkpoint in the folder")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status, 2 for data or a run that will not do."""
    given = parser().parse_args(arguments)
    threads.limit(given.threads)
    config = configs.get(given.config)
    if given.epochs is not None:
        config = replace(config, epochs=given.epochs)
    if given.seed is not None:
        config = replace(config, seed=given.seed)
    try:
        return train_closed(config, given) if config.task == "closed" else train_people(config, given)
    except (DataSetError, RecognitionError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2


def train_people(config: Config, given: argparse.Namespace) -> int:
    """A run of the margin loss over everybody who is not held out."""
    data = Lfw(given.data)
    frames, found = frames_of(data, given.cache)
    trial = splits.people_of_folds(data, [splits.TRIAL_FOLD])
    without = splits.held_out(data) | (trial if given.trial else frozenset())
    rows, labels = splits.training_rows(data, without, found)
    watched = trial if given.trial else splits.calibration_people(data)
    pairs = splits.made_pairs(data, watched, found, seed=config.seed)
    print(
        f"{config.name}: {len(rows)} photos of {labels.max() + 1} people, {len(pairs.same)} pairs", flush=True
    )
    options = Options(
        folder=given.out or Path("runs/lfw_cnn") / config.name,
        bf16=not given.fp32,
        minutes=given.minutes,
        resume=given.resume,
        every=given.every,
    )
    history = Trainer(config, frames[rows], labels, pair_accuracy(pairs, frames), options).run()
    plots.people_history(options.folder / HISTORY, options.folder / "history.png")
    print(f"epochs: {len(history)}")
    print(f"validation_accuracy: {history[-1].validation_accuracy:.4f}")
    return 0


def train_closed(config: Config, given: argparse.Namespace) -> int:
    """A run of the earlier system on the people with many photos."""
    folder = given.out or Path("runs/lfw_cnn") / config.name
    trainer = ClosedTrainer(config, Lfw(given.data), folder, bf16=not given.fp32, resume=given.resume)
    print(
        f"{config.name}: {len(trainer.training[1])} photos to learn from, {len(trainer.validation[1])} to choose the "
        f"epoch by, {len(trainer.test[1])} to test, {len(trainer.split.people)} people",
        flush=True,
    )
    accuracy = trainer.run()
    best = max(trainer.history, key=lambda epoch: epoch.validation_accuracy)
    plots.closed_history(folder / HISTORY, folder / "history.png", f"{config.name}: {config.about}")
    print(f"epochs: {len(trainer.history)}")
    print(f"best_epoch: {best.epoch}")
    print(f"validation_accuracy: {best.validation_accuracy:.4f}")
    print(f"published: {config.published or 'nothing'}")
    print(f"test_accuracy: {accuracy:.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
