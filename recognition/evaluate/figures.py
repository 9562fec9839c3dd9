"""Curves for docs/accuracy.md. No faces, no names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from recognition.evaluate.open_set import STUDENTS, Scores
from recognition.policy import MatchPolicy

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

FloatArray = NDArray[np.float64]
BINS = 10


def error_curves(scores: Mapping[str, FloatArray], same: NDArray[np.bool_], path: Path) -> None:
    """FNMR over FMR, both logarithmic, one line a set of pair scores."""
    figure, axes = plt.subplots(figsize=(6.4, 4.4))
    for name, values in scores.items():
        falling = np.sort(values[~same])[::-1]
        fmr = np.arange(1, len(falling) + 1) / len(falling)
        fnmr = np.searchsorted(np.sort(values[same]), falling, side="right") / same.sum()
        axes.plot(fmr, fnmr, label=name)
    _finish(axes, "FMR: different people taken for one", "FNMR: one person taken for two")
    figure.savefig(_made(path), dpi=120, bbox_inches="tight")
    plt.close(figure)


def identification_curves(scores: Mapping[str, Scores], path: Path) -> None:
    """FNIR over FPIR, both logarithmic, one line a method."""
    figure, axes = plt.subplots(figsize=(6.4, 4.4))
    rates = np.geomspace(3e-4, 0.3, 60)
    for name, found in scores.items():
        fnir = [found.fnir(found.threshold(float(rate))) for rate in rates]
        axes.plot(rates, fnir, label=name, linestyle="--" if ", 1 " in name else "-")
    _finish(axes, "FPIR: strangers given a name", "FNIR: students not named as themselves")
    figure.savefig(_made(path), dpi=120, bbox_inches="tight")
    plt.close(figure)


def reliability(scores: FloatArray, policy: MatchPolicy, path: Path) -> float:
    """Stated probability against how often it was right, for the best candidate of each face of (classes, 90, 30)
    scores; strangers are weighed to a tenth of the faces. Returns the expected calibration error."""
    size = STUDENTS
    best = scores.argmax(axis=2)
    right = best == np.arange(scores.shape[1])[None, :]
    weights = np.where(np.arange(scores.shape[1]) < size, 0.9 / size, 0.1 / (scores.shape[1] - size))
    weights = np.broadcast_to(weights, right.shape)
    top = scores.max(axis=2)
    stated = np.array([policy.probability(float(score), size) or 0.0 for score in top.ravel()])
    said, true, weight = stated, right.ravel().astype(float), weights.ravel()
    place = np.minimum((said * BINS).astype(int), BINS - 1)
    mass = np.bincount(place, weight, BINS)
    held = np.maximum(mass, 1e-12)
    means, shares = (
        np.bincount(place, weight * said, BINS) / held,
        np.bincount(place, weight * true, BINS) / held,
    )
    figure, axes = plt.subplots(figsize=(4.6, 4.4))
    axes.plot([0, 1], [0, 1], color="0.7")
    axes.plot(means[mass > 0], shares[mass > 0], "o-")
    axes.set_xlabel("stated probability")
    axes.set_ylabel("share that was right")
    axes.grid(alpha=0.3)
    figure.savefig(_made(path), dpi=120, bbox_inches="tight")
    plt.close(figure)
    return float((mass * np.abs(means - shares)).sum() / mass.sum())


def _finish(axes: Axes, across: str, up: str) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(bottom=3e-4)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.grid(alpha=0.3, which="both")
    axes.legend(fontsize=7)


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
