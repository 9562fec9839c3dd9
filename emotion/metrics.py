"""Figures of a classifier from its probabilities; pure numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """One class against all others; shares in 0..1. Recall and sensitivity are the same thing."""

    name: str
    support: int
    precision: float
    sensitivity: float
    specificity: float
    f1: float


def confusion_matrix(labels: NDArray[np.int64], read: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Counts (classes, classes): rows labelled, columns read."""
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (labels, read), 1)
    return counts


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def class_figures(confusion: NDArray[np.int64], names: Sequence[str]) -> list[ClassFigures]:
    """Precision, sensitivity (recall), specificity and F1 of every class; 0 where nothing was labelled or read so."""
    total = int(confusion.sum())
    answers: list[ClassFigures] = []
    for at, name in enumerate(names):
        hits = int(confusion[at, at])
        support, read = int(confusion[at].sum()), int(confusion[:, at].sum())
        answers.append(
            ClassFigures(
                name=name,
                support=support,
                precision=_ratio(hits, read),
                sensitivity=_ratio(hits, support),
                specificity=_ratio(total - support - read + hits, total - support),
                f1=_ratio(2 * hits, support + read),
            )
        )
    return answers


def table(confusion: NDArray[np.int64], names: Sequence[str]) -> str:
    """Figures of every class, and the confusion matrix, as lines to print."""
    wide = max(10, *(len(name) + 1 for name in names))
    lines = [f"{'':{wide}}{'pictures':>9}{'precision':>11}{'recall':>8}{'F1':>7}{'specificity':>13}"]
    lines += [
        f"{line.name:{wide}}{line.support:9d}{line.precision:11.3f}{line.sensitivity:8.3f}{line.f1:7.3f}"
        f"{line.specificity:13.3f}"
        for line in class_figures(confusion, names)
    ]
    lines += ["", "confusion (rows labelled, columns read)"]
    lines.append(" " * wide + "".join(f"{name[:8]:>9}" for name in names))
    for name, row in zip(names, confusion, strict=True):
        lines.append(f"{name:{wide}}" + "".join(f"{count:9d}" for count in row))
    return "\n".join(lines)


def reliability(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64], bins: int = 15
) -> tuple[list[tuple[float, float, int]], float]:
    """Expected calibration error with equal-width bins of the top probability (Guo et al., arXiv 1706.04599).

    Returns:
        ``([(mean confidence, accuracy, pictures) of every bin that is not empty], ECE in 0..1)``.
    """
    confidence, read = probabilities.max(axis=1), probabilities.argmax(axis=1)
    right = read == labels
    which = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    found: list[tuple[float, float, int]] = []
    error = 0.0
    for at in range(bins):
        inside = which == at
        count = int(inside.sum())
        if count:
            mean, accuracy = float(confidence[inside].mean()), float(right[inside].mean())
            found.append((mean, accuracy, count))
            error += count / len(labels) * abs(mean - accuracy)
    return found, error


def fit_temperature(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """The temperature that minimises the log loss of ``softmax(logits / temperature)``, found by golden section."""
    rows = np.arange(len(labels))

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        scaled = scaled - scaled.max(axis=1, keepdims=True)
        return float(np.mean(np.log(np.exp(scaled).sum(axis=1)) - scaled[rows, labels]))

    low, high, golden = np.log(0.2), np.log(5.0), (np.sqrt(5.0) - 1) / 2
    for _ in range(40):
        left, right = high - golden * (high - low), low + golden * (high - low)
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    return float(np.exp((low + high) / 2))
