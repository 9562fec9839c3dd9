"""Train one configuration: ``python -m emotion.train --config rollcall --data fer2013_Training.npz``."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from emotion import configs, detectors, folders
from emotion.arguments import count, device, duration
from emotion.configs import Config
from emotion.data import Chosen, Samples, copy_groups, fer_samples, load_fer2013, split_by_group, usable
from emotion.errors import DataProblem, EmotionError
from emotion.plots import plot_history
from emotion.training import CHECKPOINT, HISTORY, Options, Trainer


def fer_parts(config: Config, path: Path, limit: int | None = None) -> tuple[Samples, Samples]:
    """Training and validation samples of FER2013, all copies of one picture on the same side."""
    part = load_fer2013(path)
    part = part.take(usable(part))
    if not len(part):
        raise DataProblem(f"{path}: no picture shows a face")
    if limit is not None:
        part = part.take(np.arange(min(limit, len(part))))
    training, validation = split_by_group(copy_groups(part.images), config.validation_share, config.seed)
    learned = fer_samples(part.take(training), vote_share=config.vote_share, merge_copies=config.merge_copies)
    held_out = fer_samples(part.take(validation), merge_copies=False)
    return learned.only(config.heads), held_out.only(config.heads)


def load_pictures(config: Config, path: Path, chosen: Chosen) -> folders.Pictures:
    """The pictures of a configuration that learns from a folder."""
    if config.task == "gender_age":
        cut = detectors.largest_face(detectors.hog()[0]) if chosen.detect else None
        return folders.load_gender_age(path, config.image_size, limit=chosen.limit, cut=cut)
    return folders.load_classes(
        path, config.image_size, max_images=chosen.max_images, seed=config.seed, classes=chosen.classes
    )


def cut_in_two(config: Config, pictures: folders.Pictures) -> tuple[Samples, Samples]:
    """Training and validation (or test) samples, drawn with the configuration's seed from all labelled pictures, so
    that those left out move no other one to the other side."""
    training, held_out = split_by_group(np.arange(pictures.count), config.validation_share, config.seed)
    return pictures.take(training), pictures.take(held_out)


def load_parts(config: Config, path: Path, chosen: Chosen) -> tuple[Samples, Samples, Chosen]:
    """Training and validation samples of any configuration, and what was chosen, with the names of the classes."""
    if config.task in ("fer2013", "ferplus"):
        return *fer_parts(config, path, chosen.limit), chosen
    pictures = load_pictures(config, path, chosen)
    return *cut_in_two(config, pictures), replace(chosen, classes=pictures.classes)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    listed = "\n".join(f"  {name:22} {configs.get(name).about}" for name in configs.names())
    made = argparse.ArgumentParser(
        prog="python -m emotion.train",
        description=__doc__,
        epilog=f"configurations:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--config", required=True, choices=configs.names(), metavar="NAME")
    made.add_argument(
        "--data", type=Path, required=True, help="npz of FER2013, or the folder or zip of pictures"
    )
    made.add_argument("--out", type=Path, help="folder of the run (default: runs/emotion/NAME)")
    made.add_argument("--epochs", type=count, help="instead of the configuration's own")
    made.add_argument(
        "--minutes", type=duration, help="end the schedule after this time, however many epochs that were"
    )
    made.add_argument("--limit", type=count, help="use only the first N pictures")
    made.add_argument(
        "--max-images", type=count, help="folder of classes: at most N, spread evenly over them"
    )
    made.add_argument("--detect", action="store_true", help="gender and age: find and cut out the face first")
    made.add_argument("--initial", type=Path, help="weights to start from, where name and shape fit")
    made.add_argument("--threads", type=count, default=torch.get_num_threads())
    made.add_argument("--device", type=device, default="cuda" if torch.cuda.is_available() else "cpu")
    made.add_argument("--fp32", action="store_true", help="full precision instead of bf16")
    made.add_argument("--resume", action="store_true", help="go on from the last checkpoint in the folder")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    logging.basicConfig(format="%(message)s")
    given = parser().parse_args(arguments)
    torch.set_num_threads(given.threads)
    config = configs.get(given.config)
    if given.epochs is not None:
        config = configs.with_epochs(config, given.epochs)
    chosen = Chosen(given.limit, given.max_images, given.detect)
    try:
        training, validation, chosen = load_parts(config, given.data, chosen)
        options = Options(
            folder=given.out or Path("runs/emotion") / config.name,
            device=given.device,
            bf16=not given.fp32,
            minutes=given.minutes,
            resume=given.resume,
            initial=given.initial,
            chosen=chosen,
        )
        print(
            f"{config.name}: {len(training)} training and {len(validation)} validation pictures", flush=True
        )
        if given.resume and not (options.folder / CHECKPOINT).exists():
            print(f"no checkpoint in {options.folder}: the run starts anew", flush=True)
        trainer = Trainer(config, training, validation, options)
        try:
            history = trainer.run()
        finally:  # however it ended, what there is of it is drawn
            if trainer.history:
                plot_history(options.folder / HISTORY, options.folder / "history.png")
    except (EmotionError, OSError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    print(f"epochs: {len(history)}")
    print(f"validation_accuracy: {history[-1].validation_accuracy:.4f}")
    print(f"best_validation_accuracy: {max(epoch.validation_accuracy for epoch in history):.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
