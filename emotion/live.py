"""Expressions in a webcam's or a file's pictures: ``python -m emotion.live --source 0`` or ``--source video.mp4``.

Finds the faces of every frame, reads all of them in one batch, draws boxes and words, shows the frames (``--show``),
writes a video (``--out``), and prints frames per second. Nothing is stored but the video asked for.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from emotion import detectors
from emotion.classifier import WEIGHTS, Classifier, check_sum
from emotion.errors import EmotionError, SourceProblem
from emotion.framing import Framing
from emotion.labels import CHALLENGE

COLOURS = (  # RGB, one for each emotion
    (214, 69, 65), (111, 143, 47), (137, 87, 186), (245, 183, 49), (62, 121, 196), (236, 128, 47), (120, 128, 136),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Speed:
    """How a run went."""

    frames: int
    faces: int
    seconds: float

    @property
    def frames_per_second(self) -> float:
        return self.frames / self.seconds if self.seconds else 0.0


def frames(source: str, limit: int | None = None) -> Iterator[tuple[NDArray[np.uint8], float]]:
    """(RGB frame uint8 (H, W, 3), frames per second the source states) of a webcam number or video file.

    Raises:
        SourceProblem: it cannot be opened or holds no frame.
    """
    capture = cv2.VideoCapture(int(source)) if source.isdigit() else cv2.VideoCapture(source)
    if not capture.isOpened():
        raise SourceProblem(f"cannot open {'webcam ' if source.isdigit() else ''}{source}")
    rate = capture.get(cv2.CAP_PROP_FPS) or 25.0
    count = 0
    try:
        while limit is None or count < limit:
            good, frame = capture.read()
            if not good:
                break
            count += 1
            yield np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), dtype=np.uint8), rate
    finally:
        capture.release()
    if not count:
        raise SourceProblem(f"{source} holds no frame that can be read")


def draw(
    frame: NDArray[np.uint8], boxes: Sequence[Sequence[float]], probabilities: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """A copy of the frame with a box and the likeliest emotion for every face."""
    drawn = frame.copy()
    for box, shares in zip(boxes, probabilities, strict=True):
        left, top, width, height = (round(value) for value in box)
        best = int(shares.argmax())
        text = f"{CHALLENGE[best]} {100 * shares[best]:.0f} %"
        cv2.rectangle(drawn, (left, top), (left + width, top + height), COLOURS[best], 2)
        cv2.putText(
            drawn,
            text,
            (left, max(top - 6, 12)),
            cv2.FONT_HERSHEY_SIMPLEX,
            0.5,
            COLOURS[best],
            1,
            cv2.LINE_AA,
        )
    return drawn


class Writer:
    """A video file that opens with the first frame."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: cv2.VideoWriter | None = None

    def add(self, frame: NDArray[np.uint8], rate: float) -> None:
        """Append an RGB frame.

        Raises:
            SourceProblem: the file cannot be written.
        """
        if self._file is None:
            code = cv2.VideoWriter.fourcc(*("MJPG" if self.path.suffix.lower() == ".avi" else "mp4v"))
            self._file = cv2.VideoWriter(str(self.path), code, rate, (frame.shape[1], frame.shape[0]))
            if not self._file.isOpened():
                raise SourceProblem(f"cannot write a video to {self.path}")
        self._file.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        """Finish the file."""
        if self._file is not None:
            self._file.release()


def run(
    source: str,
    classifier: Classifier,
    find: detectors.Find,
    framing: Framing,
    *,
    out: Path | None = None,
    show: bool = False,
    limit: int | None = None,
    progress: bool = False,
) -> Speed:
    """Read a source to its end, to ``limit`` frames, or until q is pressed in the window.

    Raises:
        SourceProblem: the source cannot be read or the output not be written.
    """
    writer = Writer(out) if out is not None else None
    count = faces = 0
    started = time.perf_counter()
    try:
        for frame, rate in tqdm(frames(source, limit), unit="frame", disable=not progress):
            boxes = find(frame)
            probabilities = classifier.read(frame, boxes, framing_of=framing)
            count, faces = count + 1, faces + len(boxes)
            if writer is not None or show:
                drawn = draw(frame, boxes, probabilities)
                if writer is not None:
                    writer.add(drawn, rate)
                if show:
                    cv2.imshow("Rollcall", cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR))
                    if cv2.waitKey(1) & 0xFF == ord("q"):
                        break
    except cv2.error as problem:
        raise SourceProblem(f"OpenCV could not go on: {problem.err}") from problem
    finally:
        if writer is not None:
            writer.close()
    return Speed(count, faces, time.perf_counter() - started)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    made = argparse.ArgumentParser(prog="python -m emotion.live", description=__doc__)
    made.add_argument("--source", required=True, help="number of a webcam, or a video file")
    made.add_argument("--weights", type=Path, default=WEIGHTS)
    made.add_argument("--detector", choices=("centerface", "hog"), default="centerface")
    made.add_argument("--yunet", type=Path, help="find faces with this YuNet file instead, the quickest way")
    made.add_argument("--upsample", type=int, default=0, help="HOG: enlarge the picture so often first")
    made.add_argument("--out", type=Path, help="write a video (.mp4 or .avi)")
    made.add_argument("--show", action="store_true", help="show a window (needs an OpenCV built with one)")
    made.add_argument("--limit", type=int, help="stop after N frames")
    made.add_argument("--threads", type=int, default=torch.get_num_threads())
    given = made.parse_args(arguments)
    torch.set_num_threads(given.threads)
    try:
        if given.weights == WEIGHTS:
            check_sum(given.weights)
        classifier = Classifier.from_file(given.weights)
        if given.yunet is not None:
            find, framing = detectors.yunet(given.yunet)
        else:
            find, framing = (
                detectors.centerface() if given.detector == "centerface" else detectors.hog(given.upsample)
            )
        speed = run(
            given.source,
            classifier,
            find,
            framing,
            out=given.out,
            show=given.show,
            limit=given.limit,
            progress=True,
        )
    except EmotionError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    print(f"frames: {speed.frames}")
    print(f"faces: {speed.faces}")
    print(f"frames_per_second: {speed.frames_per_second:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
