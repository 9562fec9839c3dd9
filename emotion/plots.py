"""Pictures of runs and results; matplotlib is loaded only when one is drawn."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from emotion.errors import DataProblem
from emotion.files import DAMAGED, reason


def _save(figure: Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def plot_history(history: Path, path: Path) -> None:
    """Loss and accuracy over the epochs, from a run's ``history.csv``, to a PNG.

    Raises:
        DataProblem: the file is missing or is none of a run.
    """
    columns = ("epoch", "train_loss", "validation_loss", "validation_accuracy")
    try:
        with history.open(newline="") as file:
            lines = [[float(line[column]) for column in columns] for line in csv.DictReader(file)]
    except DAMAGED as problem:
        raise DataProblem(f"{history}: not the history of a run ({reason(problem)})") from problem
    if not lines:
        raise DataProblem(f"{history}: the history of a run without an epoch")
    epochs, training, validation, accuracy = zip(*lines, strict=True)
    figure = Figure(figsize=(9, 3.6), dpi=110, layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(epochs, training, label="training (augmented)")
    left.plot(epochs, validation, label="validation")
    left.set(xlabel="epoch", ylabel="loss")
    left.legend(frameon=False)
    right.plot(epochs, [100 * share for share in accuracy], color="C1")
    right.set(xlabel="epoch", ylabel="validation accuracy, %")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    _save(figure, path)


def plot_confusion(confusion: NDArray[np.int64], names: Sequence[str], path: Path, title: str) -> None:
    """Confusion matrix (rows: labelled, columns: read), coloured by row share, with counts, to a PNG."""
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(6.4, 5.6), dpi=110, layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(names)), names, rotation=35, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="read as", ylabel="labelled", title=title)
    for row, column in np.ndindex(*confusion.shape):
        share = shares[row, column]
        text = f"{100 * share:.0f} %\n{confusion[row, column]}"
        axes.text(
            column, row, text, ha="center", va="center", fontsize=7, color="white" if share > 0.5 else "black"
        )
    _save(figure, path)


def plot_reliability(bins: Sequence[tuple[float, float, int]], ece: float, path: Path) -> None:
    """Confidence against accuracy; ``bins`` holds (mean confidence, accuracy, pictures) of those that are not empty."""
    figure = Figure(figsize=(4.6, 4.2), dpi=110, layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="grey", linestyle="--", linewidth=1)
    largest = max((count for _, _, count in bins), default=1)
    axes.scatter(
        [confidence for confidence, _, _ in bins],
        [accuracy for _, accuracy, _ in bins],
        s=[20 + 160 * count / largest for _, _, count in bins],
    )
    axes.set(
        xlim=(0, 1), ylim=(0, 1), xlabel="stated probability", ylabel="share right", title=f"ECE {ece:.3f}"
    )
    axes.grid(alpha=0.25)
    _save(figure, path)
