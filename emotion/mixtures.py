"""How far off the shares of a class are, with and without adjusting: ``python -m emotion.mixtures --data FILE.npz``.

Draws groups of faces whose true labels are known, as a class would be, and compares the shares as read, and as
adjusted by :mod:`emotion.mood`, with the true ones. Two kinds of class: ``any`` (shares drawn evenly from all
possible ones) and ``lesson`` (mostly neutral, some happy, few of the others).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from emotion.arguments import count
from emotion.classifier import WEIGHTS, Classifier, open_classifier
from emotion.data import Fer2013, load_fer2013
from emotion.errors import EmotionError
from emotion.labels import CHALLENGE
from emotion.mood import VALENCE, Calibration, adjusted_shares, mood_of_counts

KINDS: Final[dict[str, tuple[float, ...]]] = {
    "any": (1.0,) * 7,
    "lesson": (
        0.5,
        0.1,
        0.3,
        2.0,
        1.0,
        0.6,
        6.0,
    ),  # Dirichlet parameters in the order of the challenge's labels
}


@dataclass(frozen=True, slots=True)
class Errors:
    """Mean absolute errors over groups, and how often the true value lies in its 90 % interval.

    Three ways to a share: counting the likeliest emotion, averaging probabilities, and adjusting them.
    """

    counted: float
    averaged: float
    adjusted: float
    valence_counted: float
    valence_adjusted: float
    shares_inside: float
    valence_inside: float


def draw_groups(
    labels: NDArray[np.int64], kind: str, faces: int, groups: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Rows of pictures (groups, faces), and the true shares (groups, 7) of each group."""
    random = np.random.default_rng(seed)
    pools = [np.flatnonzero(labels == at) for at in range(len(CHALLENGE))]
    rows = np.empty((groups, faces), np.int64)
    shares = np.empty((groups, len(CHALLENGE)))
    for group in range(groups):
        counts = random.multinomial(faces, random.dirichlet(KINDS[kind]))
        rows[group] = np.concatenate(
            [random.choice(pool, count) for pool, count in zip(pools, counts, strict=True) if count]
        )
        shares[group] = counts / faces
    return rows, shares


def measure(
    probabilities: NDArray[np.float32],
    labels: NDArray[np.int64],
    calibration: Calibration,
    kind: str,
    faces: int,
    groups: int,
) -> Errors:
    """Errors over ``groups`` groups of ``faces`` faces; intervals are looked at in the first 200 of them."""
    rows, true = draw_groups(labels, kind, faces, groups, seed=faces)
    likeliest = np.eye(len(CHALLENGE))[probabilities.argmax(axis=1)]
    counted = likeliest[rows].mean(axis=1)
    read = probabilities.astype(np.float64)[rows].sum(axis=1)
    adjusted = adjusted_shares(read, calibration)
    weights = np.array([VALENCE[name] for name in CHALLENGE])
    inside: list[float] = []
    inside_shares: list[float] = []
    for at in range(min(groups, 200)):
        mood = mood_of_counts(faces, tuple(read[at]), calibration)
        inside.append(mood.valence.low <= float(true[at] @ weights) <= mood.valence.high)
        inside_shares += [
            mood.shares[name].low - 1e-9 <= share <= mood.shares[name].high + 1e-9
            for name, share in zip(CHALLENGE, true[at], strict=True)
        ]
    return Errors(
        counted=float(np.abs(counted - true).mean()),
        averaged=float(np.abs(read / faces - true).mean()),
        adjusted=float(np.abs(adjusted - true).mean()),
        valence_counted=float(np.abs((counted - true) @ weights).mean()),
        valence_adjusted=float(np.abs((adjusted - true) @ weights).mean()),
        shares_inside=float(np.mean(inside_shares)),
        valence_inside=float(np.mean(inside)),
    )


def table(classifier: Classifier, part: Fer2013, groups: int = 1000) -> list[tuple[str, int, Errors]]:
    """Errors for both kinds of class and groups of 5 to 300 faces."""
    probabilities = classifier.probabilities(part.images)
    return [
        (kind, faces, measure(probabilities, part.labels, classifier.calibration, kind, faces, groups))
        for kind in KINDS
        for faces in (5, 10, 20, 30, 100, 300)
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    made = argparse.ArgumentParser(prog="python -m emotion.mixtures", description=__doc__)
    made.add_argument("--data", type=Path, required=True)
    made.add_argument("--weights", type=Path, default=WEIGHTS)
    made.add_argument("--groups", type=count, default=1000)
    made.add_argument("--threads", type=count, default=1)
    given = made.parse_args(arguments)
    torch.set_num_threads(given.threads)
    try:
        rows = table(open_classifier(given.weights), load_fer2013(given.data), given.groups)
    except EmotionError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    print(
        "mean absolute error of a share (counted, averaged, adjusted) and of valence; true value in its interval"
    )
    print(
        f"{'class':7}{'faces':>6}{'counted':>9}{'averaged':>9}{'adjusted':>9}{'valence counted':>17}{'adjusted':>9}"
        f"{'shares inside':>15}{'valence':>8}"
    )
    for kind, faces, errors in rows:
        print(
            f"{kind:7}{faces:6d}{errors.counted:9.3f}{errors.averaged:9.3f}{errors.adjusted:9.3f}"
            f"{errors.valence_counted:17.3f}{errors.valence_adjusted:9.3f}{errors.shares_inside:15.2f}"
            f"{errors.valence_inside:8.2f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
