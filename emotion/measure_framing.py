"""Does the pipeline's framing fit the network? ``python -m emotion.measure_framing --data fer2013_PublicTest.npz``.

Every picture becomes a photo: enlarged, with its edge pixels drawn on around it. A detector finds the face, the face
is cut out as in the pipeline, and the network reads it. Printed: where FER2013's square lies in units of the
detector's boxes (what :mod:`emotion.framing` holds), and the accuracy on the same pictures as they are and as cut.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from emotion import detectors, framing
from emotion.classifier import WEIGHTS, Classifier, open_classifier
from emotion.data import Fer2013, load_fer2013
from emotion.detectors import Find
from emotion.errors import EmotionError
from emotion.framing import Framing

SIDE = 192
MARGIN = 96
AS_DRAWN = Framing(side=1.0, below=0.0)


@dataclass(frozen=True, slots=True)
class Fit:
    """How a detector's framing fits: medians of the wanted framing, and accuracies on the pictures it found.

    ``cost`` is how much less accurate the detector's cuts are than exact ones, and ``cost_error`` its standard error,
    both of pairs.
    """

    found: int
    of: int
    side: float
    below: float
    accuracy_as_is: float
    accuracy_as_drawn: float
    accuracy_as_cut: float
    cost: float
    cost_error: float


def as_photo(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A grey picture (48, 48) as an RGB photo in which FER2013's square is SIDE pixels with MARGIN around it."""
    large = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    framed = cv2.copyMakeBorder(large, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_REPLICATE)
    return np.asarray(cv2.cvtColor(framed, cv2.COLOR_GRAY2RGB), dtype=np.uint8)


def measure(part: Fer2013, classifier: Classifier, find: Find, how: Framing) -> Fit:
    """Look at every picture; those in which not exactly one large face is found are left out."""
    middle = MARGIN + SIDE / 2
    rows: list[int] = []
    exact: list[NDArray[np.uint8]] = []
    cuts: list[NDArray[np.uint8]] = []
    wanted: list[tuple[float, float]] = []
    for row, picture in enumerate(part.images):
        photo = as_photo(picture)
        boxes = [box for box in find(photo) if box[2] > SIDE * 0.3]
        if len(boxes) != 1:
            continue
        _, top, width, height = boxes[0]
        unit = (width * height) ** 0.5
        wanted.append((SIDE / unit, (middle - (top + height / 2)) / unit))
        exact.append(framing.face(photo, (MARGIN, MARGIN, SIDE, SIDE), classifier.size, AS_DRAWN))
        cuts.append(framing.face(photo, boxes[0], classifier.size, how))
        rows.append(row)
    if not rows:
        return Fit(0, len(part), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    labels = part.labels[rows]
    side, below = np.median(np.array(wanted), axis=0)
    as_is, as_drawn, as_cut = (
        classifier.probabilities(faces).argmax(axis=1) == labels
        for faces in (part.images[rows], np.stack(exact), np.stack(cuts))
    )
    lost = as_drawn.astype(np.float64) - as_cut
    return Fit(
        found=len(rows),
        of=len(part),
        side=float(side),
        below=float(below),
        accuracy_as_is=float(as_is.mean()),
        accuracy_as_drawn=float(as_drawn.mean()),
        accuracy_as_cut=float(as_cut.mean()),
        cost=float(lost.mean()),
        cost_error=float(lost.std() / len(rows) ** 0.5),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    made = argparse.ArgumentParser(prog="python -m emotion.measure_framing", description=__doc__)
    made.add_argument("--data", type=Path, required=True)
    made.add_argument("--weights", type=Path, default=WEIGHTS)
    made.add_argument("--yunet", type=Path, help="measure this YuNet file too")
    made.add_argument("--limit", type=int, default=500, help="pictures to look at, drawn at random")
    made.add_argument("--threads", type=int, default=1)
    given = made.parse_args(arguments)
    torch.set_num_threads(given.threads)
    cv2.setNumThreads(given.threads)
    try:
        part = load_fer2013(given.data)
        drawn = np.random.default_rng(0).permutation(len(part))[: given.limit]
        classifier = open_classifier(given.weights)
        finders = {"centerface": detectors.centerface(), "hog": detectors.hog()}
        if given.yunet is not None:
            finders["yunet"] = detectors.yunet(given.yunet)
        for name, (find, how) in finders.items():
            fit = measure(part.take(drawn), classifier, find, how)
            print(f"{name}_found: {fit.found} of {fit.of}")
            print(
                f"{name}_square: side {fit.side:.3f}, below {fit.below:+.3f}; used {how.side} and {how.below:+}"
            )
            print(f"{name}_accuracy_as_is: {fit.accuracy_as_is:.4f}")
            print(f"{name}_accuracy_as_drawn: {fit.accuracy_as_drawn:.4f}")
            print(f"{name}_accuracy_as_cut: {fit.accuracy_as_cut:.4f}")
            print(f"{name}_cost: {fit.cost:+.4f}, standard error {fit.cost_error:.4f}")
    except EmotionError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
