"""Measure a run that learned from a folder: ``python -m emotion.evaluate --weights last.pt --data FOLDER``.

The part that was kept out of training is cut out again as the run did it: with its configuration's seed, from the
pictures its checkpoint says it was given. ``best.pt`` is the epoch that did best on this very part, so ``last.pt``
gives the honest figures. Gender and age are for research only: the web application never infers them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from emotion import metrics, plots
from emotion.data import Samples
from emotion.errors import DataProblem
from emotion.folders import AGE_GROUPS, GENDERS
from emotion.predict import Reader, load_run
from emotion.train import cut_in_two, load_pictures
from emotion.training import BEST


def crops_figures(
    weights: Path, reader: Reader, data: Path, *, whole: bool = False, plots_in: Path | None = None
) -> dict[str, float]:
    """Print figures of every class and the confusion of every head; returns ``name: value`` pairs, shares in 0..1.

    ``macro_f1`` is the mean over the classes that are among the pictures.

    Args:
        weights: checkpoint of a run that learned from a folder of classes, or of ``gender_age``.
        reader: its network, asked in the views that are wanted.
        data: the folder or zip it learned from.
        whole: all of another folder instead, whose classes are among those of the run.
        plots_in: folder for PNGs of the confusions.

    Raises:
        DataProblem: as :mod:`emotion.folders`, or the network learned from something else than a folder.
    """
    run = load_run(weights) if weights.suffix == ".pt" else None
    if run is None or run.config.task not in ("folder", "gender_age"):
        heads = ", ".join(name for name, _ in reader.network.get_submodule("heads.layers").named_children())
        raise DataProblem(f"{data} is no npz, and a folder is no data for a network that reads {heads}")
    chosen = replace(run.chosen, limit=None, max_images=None) if whole else run.chosen
    pictures = load_pictures(run.config, data, chosen)
    samples = pictures.samples if whole else cut_in_two(run.config, pictures)[1]
    if not whole and weights.name == BEST:
        print(f"{BEST} is the epoch that did best on this very part: last.pt gives the honest figures")
    print(f"{pictures.count - len(pictures.samples)} of {pictures.count} pictures were left out")
    names = {"gender": GENDERS, "age": AGE_GROUPS, "folder": pictures.classes}
    answers = reader.probabilities(samples.images)
    values = {"pictures": float(len(samples))}
    for head in run.config.heads:
        before = "" if len(run.config.heads) == 1 else f"{head}_"
        drawing = plots_in / f"confusion-{head}.png" if plots_in is not None else None
        found = _head_figures(answers[head], samples, head, names[head], drawing)
        values |= {f"{before}{name}": value for name, value in found.items()}
    return values


def _head_figures(
    answers: torch.Tensor, samples: Samples, head: str, names: Sequence[str], drawing: Path | None
) -> dict[str, float]:
    labels = samples.targets[head].argmax(1).numpy().astype(np.int64)
    shares = answers.numpy()
    if shares.shape[1] != len(names):
        raise DataProblem(
            f"the network answers with {shares.shape[1]} classes, and {', '.join(names)} are there"
        )
    read = shares.argmax(axis=1).astype(np.int64)
    right = float((read == labels).mean())
    confusion = metrics.confusion_matrix(labels, read, len(names))
    print(f"\n{head}\n{metrics.table(confusion, names)}")
    if drawing is not None:
        plots.plot_confusion(confusion, names, drawing, f"{head}, {100 * right:.2f} % right")
    f1 = [line.f1 for line in metrics.class_figures(confusion, names) if line.support]
    return {"accuracy": right, "macro_f1": float(np.mean(f1)), "ece": metrics.reliability(shares, labels)[1]}
