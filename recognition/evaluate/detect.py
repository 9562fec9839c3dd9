"""``detect``: every detector against boxes in ``boxes.csv``, by size of face.

The folder holds photos and ``boxes.csv`` with the columns file, left, top, width, height, source (pixels). A box with
the source ``ignore`` counts neither as a face to find nor as a false alarm where something is found in it.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from scipy.optimize import linear_sum_assignment

from recognition.detection.registry import DEFAULT, DETECTORS, load_detector
from recognition.errors import ModelFileMissing, RecognitionError
from recognition.types import Box, Detection, Detector, Image

SMALL = 32
"""Faces narrower than this are counted apart."""
SIZES = (16, 24, 32, 48, 64, 96)
_OVERLAP = 0.3


@dataclass(frozen=True, slots=True)
class Labelled:
    """One photo of the folder: the faces in it, and boxes that do not count."""

    path: Path
    faces: tuple[Box, ...]
    ignored: tuple[Box, ...]


@dataclass(slots=True)
class Tally:
    """What one detector did: found and total by upper limit of face width; false alarms; seconds."""

    found: dict[float, int] = field(default_factory=lambda: defaultdict(int))
    total: dict[float, int] = field(default_factory=lambda: defaultdict(int))
    false_alarms: int = 0
    seconds: float = 0.0

    def recall(self, narrower_than: float = float("inf")) -> float:
        """Share of the faces found; NaN when there are none of that size."""
        total = sum(count for limit, count in self.total.items() if limit <= narrower_than)
        found = sum(count for limit, count in self.found.items() if limit <= narrower_than)
        return found / total if total else float("nan")


def read_labels(folder: Path) -> list[Labelled]:
    """The photos named in ``boxes.csv``. Raises RecognitionError when the file or a column is missing."""
    path = folder / "boxes.csv"
    if not path.is_file():
        raise RecognitionError(f"{path} does not exist")
    boxes: dict[str, tuple[list[Box], list[Box]]] = defaultdict(lambda: ([], []))
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            try:
                box = Box(*(float(row[name]) for name in ("left", "top", "width", "height")))
                boxes[row["file"]][row.get("source") == "ignore"].append(box)
            except (KeyError, TypeError, ValueError) as error:
                raise RecognitionError(
                    f"{path}: {row} is not file, left, top, width, height, source"
                ) from error
    return [
        Labelled(folder / name, tuple(faces), tuple(ignored))
        for name, (faces, ignored) in sorted(boxes.items())
    ]


def belongs(found: Detection, box: Box) -> bool:
    """By centre (either one's inside the other) or by an overlap of 0.3: detectors frame a face differently."""
    return _inside(found.box.centre, box) or _inside(box.centre, found.box) or found.box.iou(box) >= _OVERLAP


def _inside(point: tuple[float, float], box: Box) -> bool:
    return box.left <= point[0] <= box.right and box.top <= point[1] <= box.bottom


def match(detections: list[Detection], labelled: Labelled) -> tuple[list[bool], int]:
    """Whether each face was found, one detection a face at most, and the number of false alarms."""
    likeness = np.array(
        [[belongs(found, box) * (1.0 + found.box.iou(box)) for box in labelled.faces] for found in detections]
    ).reshape(len(detections), len(labelled.faces))
    rows, columns = linear_sum_assignment(likeness, maximize=True)
    pairs = {row: column for row, column in zip(rows, columns, strict=True) if likeness[row, column] > 0}
    hits = set(pairs.values())
    false = [
        found
        for row, found in enumerate(detections)
        if row not in pairs and not any(belongs(found, box) for box in labelled.ignored)
    ]
    return [index in hits for index in range(len(labelled.faces))], len(false)


def read_image(path: Path) -> Image:
    """The photo, upright, RGB."""
    from PIL import Image as Pillow
    from PIL import ImageOps

    with Pillow.open(path) as photo:
        upright = ImageOps.exif_transpose(photo)
        return np.array(upright.convert("RGB"), np.uint8)


def reduced(labelled: Labelled, factor: float) -> tuple[Image, Labelled]:
    """The photo and its boxes made smaller by ``factor`` 0..1, to have crowds of small faces."""
    image = read_image(labelled.path)
    if factor < 1:
        image = np.asarray(
            cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8
        )
    faces, ignored = (
        tuple(box.scaled(factor) for box in boxes) for boxes in (labelled.faces, labelled.ignored)
    )
    return image, Labelled(labelled.path, faces, ignored)


def measure(detector: Detector, photos: list[Labelled], factor: float = 1.0) -> Tally:
    """One detector over all photos; a first photo is looked at before the clock starts."""
    tally = Tally()
    detector.detect(reduced(photos[0], factor)[0])
    for original in photos:
        image, labelled = reduced(original, factor)
        start = time.perf_counter()
        detections = detector.detect(image)
        tally.seconds += time.perf_counter() - start
        hits, false = match(detections, labelled)
        tally.false_alarms += false
        for hit, box in zip(hits, labelled.faces, strict=True):
            limit = next((size for size in SIZES if box.width < size), float("inf"))
            tally.total[limit] += 1
            tally.found[limit] += hit
    return tally


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder with photos and boxes.csv")
    parser.add_argument(
        "--detectors", nargs="+", choices=list(DETECTORS), help="default: all that can be loaded"
    )
    parser.add_argument(
        "--min-face-pixels",
        type=int,
        default=8,
        help="width of the smallest face to be found (default 8: everything; the engine's own default is 32)",
    )
    parser.add_argument(
        "--reduce", type=float, default=1.0, help="photos are made smaller by this factor first"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="accepted like the other commands do; nothing is drawn"
    )
    parser.add_argument("--out", type=Path, help="folder for the table and the plot")


def run(arguments: argparse.Namespace) -> int:
    """Measures and prints ``name: value`` lines last."""
    photos = read_labels(arguments.data)
    if not photos:
        raise RecognitionError(f"{arguments.data / 'boxes.csv'} names no photo")
    tallies: dict[str, Tally] = {}
    for name in arguments.detectors or [name for name in DETECTORS if name != "mmod_exact"]:
        try:
            tallies[name] = measure(load_detector(name, arguments.min_face_pixels), photos, arguments.reduce)
        except ModelFileMissing as missing:
            print(f"{name} left out: {missing}")
    _print_table(tallies)
    if arguments.out is not None:
        _plot(tallies, arguments.out)
    for name, tally in tallies.items():
        print(f"recall_{name}: {tally.recall():.4f}")
        print(f"recall_small_{name}: {tally.recall(SMALL):.4f}")
        print(f"false_alarms_{name}: {tally.false_alarms}")
        print(f"seconds_{name}: {tally.seconds:.2f}")
    print(f"default_detector: {DEFAULT}")
    return 0


def _print_table(tallies: dict[str, Tally]) -> None:
    limits = [*SIZES, float("inf")]
    print("faces narrower than".ljust(20) + "".join(f"{limit:>10g}" for limit in limits))
    for name, tally in tallies.items():
        cells = [f"{tally.found[limit]}/{tally.total[limit]}" for limit in limits]
        print(name.ljust(20) + "".join(f"{cell:>10}" for cell in cells))


def _plot(tallies: dict[str, Tally], out: Path) -> None:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    out.mkdir(parents=True, exist_ok=True)
    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    limits = [
        limit for limit in [*SIZES, float("inf")] if any(tally.total[limit] for tally in tallies.values())
    ]
    for name, tally in tallies.items():
        axes.plot(
            range(len(limits)), [100 * tally.found[k] / tally.total[k] for k in limits], "o-", label=name
        )
    axes.set_xticks(
        range(len(limits)), [f"< {limit:g}" if limit < float("inf") else "larger" for limit in limits]
    )
    axes.set(xlabel="width of the face, pixels", ylabel="found, %", ylim=(-3, 103))
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(out / "detect.svg")
    pyplot.close(figure)
