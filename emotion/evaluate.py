"""Measure a network: ``python -m emotion.evaluate --weights FILE --data fer2013_PublicTest.npz``.

``--weights`` is a shipped ``.safetensors`` file or a training run's checkpoint ``.pt``; ``--data`` any npz with
``images``, ``labels`` and ``votes`` as :mod:`emotion.data` describes them, or, for a run that learned from a folder (or
zip) of pictures, that folder: what is measured is the part it kept out of training. The last lines are ``name: value``.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from emotion import configs, metrics, plots
from emotion.arguments import count, device
from emotion.classifier import WEIGHTS, open_classifier
from emotion.data import Fer2013, load_fer2013
from emotion.errors import DataProblem, EmotionError
from emotion.evaluate_crops import crops_figures
from emotion.files import DAMAGED, reason
from emotion.labels import CHALLENGE, FERPLUS, majority
from emotion.predict import MIRRORED, STRAIGHT, ZOOMED, Reader, View, cooled, from_checkpoint

OTHERS = (
    ("people on FER2013 (arXiv 1307.0414)", "65 ± 5 %"),
    ("best single networks, PrivateTest (arXiv 2105.03588; ICPR 2020)", "73.3 and 74.1 %"),
)
VIEWS = {"straight": STRAIGHT, "mirrored": MIRRORED, "zoomed": ZOOMED}


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Probabilities of every picture, float32 (N, classes), for the heads a network has."""

    challenge: NDArray[np.float32] | None
    ferplus: NDArray[np.float32] | None


def load_reader(weights: Path, views: tuple[View, ...] | None = None) -> tuple[Reader, float]:
    """The network of a weight file or of a run's checkpoint, and the temperature of its answers to the challenge.

    ``views`` are instead of the file's own, or of the face and its mirror image for a checkpoint, whose temperature
    is 1.

    Raises:
        WeightsMissing, WeightsDamaged: see :mod:`emotion.classifier`.
    """
    if weights.suffix == ".pt":
        return from_checkpoint(weights, views=views or MIRRORED), 1.0
    classifier = open_classifier(weights)
    reader = replace(classifier.reader, views=views) if views else classifier.reader
    return reader, classifier.temperature


def overlap_rows(path: Path, size: int) -> NDArray[np.bool_]:
    """Mask (size,) of the rows named in a CSV with a column ``row``, counted from 0.

    Raises:
        DataProblem: the file cannot be read, has no such column, or names a row that is not there.
    """
    try:
        with path.open(newline="") as file:
            rows = [int(line["row"]) for line in csv.DictReader(file)]
    except DAMAGED as problem:
        raise DataProblem(f"{path}: not a list of rows ({reason(problem)})") from problem
    if rows and not 0 <= min(rows) <= max(rows) < size:
        raise DataProblem(f"{path}: names rows {min(rows)} to {max(rows)}, and there are {size}")
    mask = np.zeros(size, np.bool_)
    mask[rows] = True
    return mask


def ask(reader: Reader, part: Fer2013) -> Answers:
    """Answers to a whole part."""
    shares = reader.probabilities(torch.from_numpy(part.images).unsqueeze(1))
    given = {head: np.asarray(share.numpy(), dtype=np.float32) for head, share in shares.items()}
    return Answers(given.get("challenge"), given.get("ferplus"))


def milliseconds(reader: Reader, batch: int, repeats: int) -> float:
    """Median processor time a face in milliseconds, all views and normalisation included; on one thread, that is what
    a core of its own takes. Time on the clock where the network is on another device."""
    clock = time.process_time if reader.device.type == "cpu" else time.perf_counter
    pictures = torch.randint(0, 256, (batch, 1, 48, 48), dtype=torch.uint8)
    reader.probabilities(pictures)
    times: list[float] = []
    for _ in range(repeats):
        started = clock()
        reader.probabilities(pictures)
        times.append(clock() - started)
    return 1000 * float(np.median(times)) / batch


def challenge_figures(
    shares: NDArray[np.float32], part: Fer2013, twins: NDArray[np.bool_] | None, pictures: Path | None
) -> dict[str, float]:
    """Print the table of classes, draw the figures, return the ``name: value`` pairs of the challenge's labels."""
    read = shares.argmax(axis=1).astype(np.int64)
    right = read == part.labels
    confusion = metrics.confusion_matrix(part.labels, read, len(CHALLENGE))
    figures = metrics.class_figures(confusion, CHALLENGE)
    bins, ece = metrics.reliability(shares, part.labels)
    print(metrics.table(confusion, CHALLENGE))
    if pictures is not None:
        plots.plot_confusion(
            confusion, CHALLENGE, pictures / "confusion.png", f"{100 * right.mean():.2f} % right"
        )
        plots.plot_reliability(bins, ece, pictures / "reliability.png")
    values = {"accuracy": float(right.mean())}
    if twins is not None:
        values["accuracy_without_twins"] = float(right[~twins].mean())
    values["macro_f1"] = float(np.mean([line.f1 for line in figures]))
    values["ece"] = ece
    return values


def ferplus_figures(
    shares: NDArray[np.float32], part: Fer2013, twins: NDArray[np.bool_] | None, pictures: Path | None
) -> dict[str, float]:
    """The same for FER+'s majority labels; pictures without an emotion as their majority are left out."""
    wanted = majority(part.votes)
    known = wanted >= 0
    read = shares.argmax(axis=1).astype(np.int64)
    right = read == wanted
    if pictures is not None:
        confusion = metrics.confusion_matrix(wanted[known], read[known], len(FERPLUS))
        title = f"FER+, {100 * right[known].mean():.2f} % right"
        plots.plot_confusion(confusion, FERPLUS, pictures / "confusion-ferplus.png", title)
    values = {"ferplus_pictures": float(known.sum()), "ferplus_accuracy": float(right[known].mean())}
    if twins is not None:
        values["ferplus_accuracy_without_twins"] = float(right[known & ~twins].mean())
    return values


def fer_figures(reader: Reader, temperature: float, given: argparse.Namespace) -> dict[str, float]:
    """All figures on a part of FER2013, for the heads the network has.

    ``ece`` is that of the probabilities as a shipped file states them, at its temperature.
    """
    part = load_fer2013(given.data)
    twins = overlap_rows(given.overlap, len(part)) if given.overlap else None
    answers = ask(reader, part)
    values: dict[str, float] = {"pictures": float(len(part))}
    if answers.challenge is None and answers.ferplus is None:
        raise DataProblem(f"{given.weights} reads no emotions of FER2013; measure it on what it learned from")
    if answers.challenge is not None:
        stated = cooled(torch.from_numpy(answers.challenge), temperature).numpy()
        values |= challenge_figures(stated, part, twins, given.figures)
        values["ece_before_temperature"] = metrics.reliability(answers.challenge, part.labels)[1]
    if answers.ferplus is not None:
        values |= ferplus_figures(answers.ferplus, part, twins, given.figures)
    return values


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m emotion.evaluate", description=__doc__)
    made.add_argument("--weights", type=Path, default=WEIGHTS)
    made.add_argument("--data", type=Path, required=True, help="npz, or folder of pictures, to measure on")
    made.add_argument(
        "--whole",
        action="store_true",
        help="all of a folder, which must be another than the run learned from",
    )
    made.add_argument(
        "--overlap", type=Path, help="CSV whose column row names pictures with a twin in training"
    )
    made.add_argument("--views", choices=VIEWS, help="instead of the file's own; a checkpoint's are mirrored")
    made.add_argument(
        "--history", type=Path, help="history.csv of the training run, to draw its curves into --figures"
    )
    made.add_argument("--figures", type=Path, help="folder for PNG files")
    made.add_argument("--threads", type=count, default=1)
    made.add_argument("--device", type=device, default="cpu")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    given = parser().parse_args(arguments)
    if given.history is not None and given.figures is None:
        parser().error("--history draws a figure: it needs --figures FOLDER")
    torch.set_num_threads(given.threads)
    try:
        reader, temperature = load_reader(given.weights, VIEWS.get(given.views))
        reader = reader.on(given.device)
        if given.history is not None:
            plots.plot_history(given.history, given.figures / "history.png")
        if given.data.suffix == ".npz":
            values = fer_figures(reader, temperature, given)
        else:
            values = crops_figures(
                given.weights, reader, given.data, whole=given.whole, plots_in=given.figures
            )
    except (EmotionError, OSError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    values["ms_per_face_batch1"] = milliseconds(reader, 1, 40)
    values["ms_per_face_batch32"] = milliseconds(reader, 32, 8)
    print("\npublished figures of others")
    earlier = [(name, configs.get(name).published) for name in configs.names()]
    for name, figure in (*earlier, *OTHERS):
        if figure:
            print(f"  {name}: {figure}")
    print()
    for name, value in values.items():
        print(f"{name}: {value:.0f}" if name.endswith("pictures") else f"{name}: {value:.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
