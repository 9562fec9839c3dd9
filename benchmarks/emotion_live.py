"""Frames per second of the live mode beside the plain way: ``python -m benchmarks.emotion_live --photo FILE``.

The photo's face is set side by side until a frame of 1280 x 720 holds it 1, 5 and 20 times. The live mode finds faces
with CenterFace (or YuNet, where its file is given) in a smaller copy of the frame, as ``emotion.live`` does by default,
and reads all of them in one batch; the same is measured with whole frames. The plain way finds faces with OpenCV's Haar
cascade and reads one at a time. OpenCV 5 no longer has that cascade: there dlib's HOG detector stands in, and the
output says so. Everything runs on one thread.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from emotion import detectors, expressions, framing
from emotion.arguments import duration
from emotion.classifier import WEIGHTS
from emotion.detectors import Find
from emotion.live import SIDE

WIDTH, HEIGHT = 1280, 720
LAYOUTS = {1: (1, 1), 5: (5, 1), 20: (7, 3)}  # faces: columns and rows of tiles


def frame_with(photo: NDArray[np.uint8], faces: int) -> NDArray[np.uint8]:
    """A frame (720, 1280, 3) with the photo set into it ``faces`` times."""
    columns, rows = LAYOUTS[faces]
    side = min(WIDTH // columns, HEIGHT // rows, 360)
    tile = cv2.resize(photo, (side, side), interpolation=cv2.INTER_AREA)
    frame = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    for at in range(faces):
        top, left = (at // columns) * side, (at % columns) * side
        frame[top : top + side, left : left + side] = tile
    return frame


def haar() -> tuple[str, Find]:
    """The plain way's detector, and its name."""
    if not hasattr(cv2, "CascadeClassifier"):
        return "hog", detectors.hog()[0]
    cascade = cv2.CascadeClassifier(
        str(Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml")
    )

    def find(photo: NDArray[np.uint8]) -> list[tuple[float, float, float, float]]:
        found = cascade.detectMultiScale(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), 1.1, 5)
        return [(float(x), float(y), float(w), float(h)) for x, y, w, h in found]

    return "haar", find


def frames_per_second(work: Callable[[], object], seconds: float) -> float:
    """How often ``work`` runs in a second of processor time, after one run that is not counted; on one thread, that is
    what a core of its own does, whatever else the machine is busy with."""
    work()
    count, started = 0, time.process_time()
    while time.process_time() - started < seconds:
        work()
        count += 1
    return count / (time.process_time() - started)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one line for each number of faces and way."""
    made = argparse.ArgumentParser(prog="python -m benchmarks.emotion_live", description=__doc__)
    made.add_argument("--photo", type=Path, required=True, help="a square photo filled by one face")
    made.add_argument("--weights", type=Path, default=WEIGHTS)
    made.add_argument("--yunet", type=Path)
    made.add_argument("--seconds", type=duration, default=2.0, help="processor time for each line")
    given = made.parse_args(arguments)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    with Image.open(given.photo) as opened:
        photo = np.asarray(opened.convert("RGB"))
    reads = expressions.load(given.weights)
    whole = {"centerface": detectors.centerface()}
    if given.yunet is not None:
        whole["yunet"] = detectors.yunet(given.yunet)
    ways = {f"{name}_{SIDE}": (detectors.shrunk(find, SIDE), how) for name, (find, how) in whole.items()}
    ways |= {f"{name}_whole": way for name, way in whole.items()}
    plain_name, plain_find = haar()
    for faces in LAYOUTS:
        frame = frame_with(photo, faces)

        def batched(find: Find, how: framing.Framing, frame: NDArray[np.uint8] = frame) -> None:
            reads.read(frame, find(frame), framing_of=how)

        def plain(frame: NDArray[np.uint8] = frame) -> None:
            for box in plain_find(frame):
                reads.read(frame, [box], framing_of=framing.SQUARE)

        for name, (find, how) in ways.items():
            speed = frames_per_second(partial(batched, find, how), given.seconds)
            print(f"faces_{faces}_{name}_batched: {speed:.1f} ({len(find(frame))} found)", flush=True)
        speed = frames_per_second(plain, given.seconds)
        found = len(plain_find(frame))
        print(f"faces_{faces}_{plain_name}_one_by_one: {speed:.1f} ({found} found)", flush=True)


if __name__ == "__main__":
    main()
