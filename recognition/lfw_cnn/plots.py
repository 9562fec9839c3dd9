"""Pictures of runs; matplotlib is loaded only when one is drawn."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray


def _columns(history: Path) -> dict[str, list[float]]:
    with history.open(newline="") as file:
        lines = list(csv.DictReader(file))
    return {name: [float(line[name]) for line in lines] for name in lines[0]}


def _two(title: str = "") -> tuple[Figure, Axes, Axes]:
    figure = Figure(figsize=(9, 3.6), dpi=110, layout="constrained")
    left, right = figure.subplots(1, 2)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    figure.suptitle(title, fontsize=10)
    return figure, left, right


def closed_history(history: Path, path: Path, title: str) -> None:
    """Loss and accuracy on training and validation part over the epochs, to a PNG."""
    table = _columns(history)
    figure, left, right = _two(title)
    for part in ("train", "validation"):
        left.plot(table["epoch"], table[f"{part}_loss"], label=part)
        right.plot(table["epoch"], [100 * share for share in table[f"{part}_accuracy"]], label=part)
    left.set(xlabel="epoch", ylabel="loss")
    right.set(xlabel="epoch", ylabel="accuracy, %")
    left.legend(frameon=False)
    figure.savefig(path)


def people_history(history: Path, path: Path) -> None:
    """Training loss, and accuracy on pairs of people not learned from, over the epochs, to a PNG."""
    table = _columns(history)
    figure, left, right = _two()
    left.plot(table["epoch"], table["train_loss"])
    left.set(xlabel="epoch", ylabel="training loss (margin, augmented)")
    measured = [
        (epoch, 100 * share)
        for epoch, share in zip(table["epoch"], table["validation_accuracy"], strict=True)
        if not math.isnan(share)
    ]
    right.plot([epoch for epoch, _ in measured], [share for _, share in measured], color="C1")
    right.set(xlabel="epoch", ylabel="pairs of unseen people told rightly, %")
    figure.savefig(path)


def confusion(counts: NDArray[np.int64], names: Sequence[str], path: Path, title: str) -> None:
    """Confusion matrix (n, n) to a PNG: rows who it is, columns who was said, coloured by row share, with counts."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(8, 7.4), dpi=100, layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    shown = [name.replace("_", " ") for name in names]
    axes.set_xticks(range(len(names)), shown, rotation=60, ha="right", fontsize=8)
    axes.set_yticks(range(len(names)), shown, fontsize=8)
    axes.set(xlabel="said", ylabel="is", title=title)
    for row, column in np.ndindex(*counts.shape):
        if counts[row, column]:
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(
                column, row, str(counts[row, column]), ha="center", va="center", fontsize=7, color=colour
            )
    figure.savefig(path)


def reliability(
    stated: NDArray[np.float64], right: NDArray[np.bool_], weights: NDArray[np.float64], path: Path
) -> float:
    """Stated probability (n,) against the weighted share right, in ten bins, to a PNG; returns the mean difference."""
    bins = np.minimum((stated * 10).astype(int), 9)
    points = []
    for number in range(10):
        inside = bins == number
        if inside.any():
            mass = weights[inside]
            said, share = (np.average(values[inside], weights=mass) for values in (stated, right))
            points.append((float(said), float(share), float(mass.sum() / weights.sum())))
    figure = Figure(figsize=(4.6, 4.2), dpi=110, layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="grey", linestyle="--", linewidth=1)
    axes.scatter(
        [said for said, _, _ in points],
        [share for _, share, _ in points],
        s=[20 + 400 * mass for _, _, mass in points],
    )
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="stated probability", ylabel="share right")
    axes.grid(alpha=0.25)
    figure.savefig(path)
    return sum(abs(said - share) * mass for said, share, mass in points)
