"""``python -m recognition.evaluate.agreement --data FOLDER``: the torch networks beside dlib itself on real photos.

FOLDER holds ``lfw.zip`` and, for the detector, ``groups`` and ``known_people`` with photos. The encoder is compared
chip by chip, the chips pixel by pixel, the detector rectangle by rectangle. Figures come last as ``name: value``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from recognition import alignment, model_files
from recognition.detection.mmod import exact_rectangles, level_rectangles
from recognition.detection.mmod_tile import Corners
from recognition.dlib_reference import DlibEncoder, dlib_chips, landmarks5
from recognition.encoding import shared_encoder
from recognition.engine import load_engine
from recognition.errors import RecognitionError
from recognition.evaluate.detect import read_image
from recognition.evaluate.lfw_data import DataSetError, Lfw
from recognition.recipes import framed
from recognition.types import Box, Image

LIKE = 0.8
"""Overlap (IoU) from which a box of the fast mode counts as the same."""
PHOTOS = (".jpg", ".jpeg", ".png")


def encoder(data: Lfw, count: int, seed: int) -> dict[str, float]:
    """Encodings of the same chips, and chips of the same landmarks, by dlib and by this library."""
    detector = load_engine().detector
    exact, fast, reference = [], [], []
    for row in np.random.default_rng(seed).permutation(len(data.names)):
        image = data.picture(int(row))
        boxes = [framed(found, detector.name) for found in detector.detect(image)[:1]]
        for points in landmarks5(image, boxes):
            reference.append(dlib_chips(image, boxes)[0])
            exact.append(alignment.exact_chips(image, points[None])[0])
            fast.append(alignment.fast_chip(image, alignment.chip_rectangle(points).placement()))
        if len(reference) >= count:
            break
    chips = np.stack(reference)
    ours, theirs = shared_encoder().encode(chips), DlibEncoder().encode(chips)
    moved = np.linalg.norm(shared_encoder().encode(np.stack(fast)) - theirs, axis=1)
    return {
        "chips": len(chips),
        "encoder_largest_component_difference": float(np.abs(ours - theirs).max()),
        "chips_identical": sum(np.array_equal(a, b) for a, b in zip(exact, chips, strict=True)),
        "fast_chip_encoding_distance_mean": float(moved.mean()),
        "fast_chip_encoding_distance_max": float(moved.max()),
    }


@dataclass(slots=True)
class Rectangles:
    """What the two forms of the CNN detector did beside dlib's."""

    photos: int = 0
    identical: int = 0
    faces: int = 0
    like: int = 0
    lost: int = 0
    added: int = 0
    differences: list[str] = field(default_factory=list)

    def add(self, name: str, theirs: list[Corners], exact: list[Corners], fast: list[Corners]) -> None:
        self.photos += 1
        self.identical += theirs == exact
        if theirs != exact:
            self.differences.append(f"{name}: {exact} where dlib has {theirs}")
        overlaps = [max((_box(one).iou(_box(other)) for other in fast), default=0.0) for one in theirs]
        self.faces += len(overlaps)
        self.like += sum(overlap >= LIKE for overlap in overlaps)
        self.lost += sum(overlap == 0 for overlap in overlaps)
        self.added += max(0, len(fast) - len(theirs))
        self.differences += [
            f"{name}: overlap {overlap:.2f} in fast mode" for overlap in overlaps if overlap < LIKE
        ]


def _box(corners: Corners) -> Box:
    left, top, right, bottom = corners
    return Box(left, top, right - left + 1, bottom - top + 1)


def rectangles(folders: list[Path], upsamples: int, largest: float) -> Rectangles:
    """dlib's CNN detector beside both forms in torch, on every photo of at most ``largest`` megapixels."""
    import dlib

    network = dlib.cnn_face_detection_model_v1(str(model_files.locate(model_files.MMOD)))
    result = Rectangles()
    for path in sorted(path for folder in folders for path in folder.rglob("*") if path.suffix in PHOTOS):
        image: Image = read_image(path)
        if image.shape[0] * image.shape[1] > largest * 1e6:
            continue
        found = [f.rect for f in network(image, upsamples)]
        theirs: list[Corners] = [(r.left(), r.top(), r.right(), r.bottom()) for r in found]
        exact = [corners for _, corners in exact_rectangles(image, upsamples)]
        fast = [corners for _, corners in level_rectangles(image)] if upsamples == 0 else exact
        result.add(path.name, theirs, exact, fast)
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """2 when the data is not there."""
    parser = argparse.ArgumentParser(prog="python -m recognition.evaluate.agreement", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--chips", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--upsamples", type=int, default=0, help="enlarged so often before the CNN detector")
    parser.add_argument(
        "--megapixels", type=float, default=4.0, help="larger photos are left out: dlib needs minutes"
    )
    chosen = parser.parse_args(arguments)
    try:
        lines = encoder(Lfw(chosen.data), chosen.chips, chosen.seed)
    except (DataSetError, RecognitionError) as error:
        print(error, file=sys.stderr)
        return 2
    folders = [chosen.data / "groups", chosen.data / "known_people"]
    seen = rectangles(folders, chosen.upsamples, chosen.megapixels)
    print("\n".join(seen.differences))
    lines |= {
        "photos": seen.photos,
        "photos_with_identical_rectangles": seen.identical,
        "faces": seen.faces,
        "faces_alike_in_fast_mode": seen.like,
        "faces_lost_in_fast_mode": seen.lost,
        "faces_added_in_fast_mode": seen.added,
    }
    for name, value in lines.items():
        print(f"{name}: {value:.4g}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
