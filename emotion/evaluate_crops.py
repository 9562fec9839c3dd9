"""Measure a run of ``gender_age`` on its test part: ``python -m emotion.evaluate --weights last.pt --data FILE.zip``.

The test part is cut out with the configuration's own seed, so it is the one the run did not learn from. Only
research asks this: the web application never infers gender or age.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from emotion import configs, metrics
from emotion.errors import DataProblem
from emotion.folders import AGE_GROUPS, GENDERS
from emotion.predict import Reader
from emotion.train import crop_parts

HEADS: Final = {"gender": GENDERS, "age": AGE_GROUPS}


def crops_figures(reader: Reader, data: Path, limit: int | None = None) -> dict[str, float]:
    """Print the confusion of both heads; returns ``name: value`` pairs, accuracies as shares in 0..1.

    Args:
        reader: of a checkpoint of ``gender_age``.
        data: the folder or zip it was trained on.
        limit: the ``--limit`` it was trained with.

    Raises:
        DataProblem: as :func:`emotion.folders.load_gender_age`, or the network has other heads.
    """
    heads = dict(reader.network.get_submodule("heads.layers").named_children())
    if not HEADS.keys() <= heads.keys():
        raise DataProblem(
            f"{data} is no npz, and crops are no data for a network that reads {', '.join(heads)}"
        )
    _, test = crop_parts(configs.get("gender_age"), data, limit)
    answers = reader.probabilities(test.images)
    values = {"pictures": float(len(test))}
    for head, names in HEADS.items():
        labels = test.targets[head].argmax(1).numpy().astype(np.int64)
        read = answers[head].argmax(1).numpy().astype(np.int64)
        confusion = metrics.confusion_matrix(labels, read, len(names))
        print(f"\n{head} (rows labelled, columns read)")
        print(" " * 12 + "".join(f"{name:>12}" for name in names) + f"{'recall':>9}")
        figures = metrics.class_figures(confusion, names)
        for name, row, line in zip(names, confusion, figures, strict=True):
            print(f"{name:12}" + "".join(f"{count:12d}" for count in row) + f"{line.sensitivity:9.3f}")
        values[f"{head}_accuracy"] = float((read == labels).mean())
        values[f"{head}_macro_f1"] = float(np.mean([line.f1 for line in figures]))
    return values
