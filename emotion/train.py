"""Train one configuration: ``python -m emotion.train --config rollcall --data fer2013_Training.npz``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from emotion import configs
from emotion.configs import Config
from emotion.data import Samples, copy_groups, fer_samples, load_fer2013, split_by_group, usable
from emotion.errors import EmotionError
from emotion.training import Options, Trainer


def fer_parts(config: Config, path: Path, limit: int | None = None) -> tuple[Samples, Samples]:
    """Training and validation samples of FER2013, all copies of one picture on the same side."""
    part = load_fer2013(path)
    part = part.take(usable(part))
    if limit is not None:
        part = part.take(torch.arange(min(limit, len(part))).numpy())
    training_rows, validation_rows = split_by_group(
        copy_groups(part.images), config.validation_share, config.seed
    )
    training = fer_samples(
        part.take(training_rows), vote_share=config.vote_share, merge_copies=config.merge_copies
    )
    return training, fer_samples(part.take(validation_rows), merge_copies=False)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m emotion.train", description=__doc__)
    made.add_argument("--config", required=True, choices=configs.names())
    made.add_argument("--data", type=Path, required=True, help="npz of FER2013")
    made.add_argument("--out", type=Path, help="folder of the run (default: runs/emotion/NAME)")
    made.add_argument("--epochs", type=int, help="instead of the configuration's own")
    made.add_argument(
        "--minutes", type=float, help="end the schedule after this time, however many epochs that were"
    )
    made.add_argument("--limit", type=int, help="use only the first N pictures")
    made.add_argument("--threads", type=int, default=2)
    made.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    made.add_argument("--fp32", action="store_true", help="full precision even where bf16 is quicker")
    made.add_argument("--resume", action="store_true", help="go on from the last checkpoint in the folder")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    given = parser().parse_args(arguments)
    torch.set_num_threads(given.threads)
    config = configs.get(given.config)
    if given.epochs is not None:
        config = configs.with_epochs(config, given.epochs)
    device = torch.device(given.device)
    options = Options(
        folder=given.out or Path("runs/emotion") / config.name,
        device=device,
        bf16=not given.fp32,
        minutes=given.minutes,
        resume=given.resume,
    )
    try:
        training, validation = fer_parts(config, given.data, given.limit)
        print(
            f"{config.name}: {len(training)} training and {len(validation)} validation pictures", flush=True
        )
        Trainer(config, training, validation, options).run()
    except EmotionError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
