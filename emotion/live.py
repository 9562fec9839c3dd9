"""Expressions in a webcam's or a file's pictures: ``python -m emotion.live --source 0`` or ``--source video.mp4``.

Finds the faces of every frame, reads all of them in one batch, draws boxes and words, shows the frames (``--show``) or
writes a video (``--out``), and prints frames per second; with neither, it draws nothing and only measures. It ends with
the file, with ``--limit`` or ``--seconds``, with q in the window, or with Ctrl-C. Nothing is stored but the video asked
for. ``--weights`` takes the shipped file, an exported one, or the checkpoint of any run that reads expressions.
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

from emotion import detectors, expressions
from emotion.arguments import count, duration
from emotion.classifier import WEIGHTS
from emotion.errors import EmotionError, SourceProblem
from emotion.expressions import Expressions
from emotion.framing import Framing

SIDE = 512  # longer side of the frame that faces are looked for in
MEASURED_SECONDS = 10.0  # of a webcam that is neither shown nor written
WINDOW = "Rollcall"
COLOURS = {  # RGB; what an emotion is called by its first letters, in whichever list of labels
    "ang": (214, 69, 65), "dis": (111, 143, 47), "fea": (137, 87, 186), "hap": (245, 183, 49), "sad": (62, 121, 196),
    "sur": (236, 128, 47), "neu": (120, 128, 136), "con": (24, 150, 140),
}  # fmt: skip
OTHERS = tuple(COLOURS.values())  # in turn, for classes by other names


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


def colour_of(label: str, number: int) -> tuple[int, int, int]:
    """RGB of a label, the ``number``-th of its list."""
    return COLOURS.get(label[:3].lower(), OTHERS[number % len(OTHERS)])


def draw(
    frame: NDArray[np.uint8],
    boxes: Sequence[Sequence[float]],
    probabilities: NDArray[np.float32],
    labels: Sequence[str],
) -> NDArray[np.uint8]:
    """A copy of the frame with a box and the likeliest label for every face."""
    drawn = frame.copy()
    for box, shares in zip(boxes, probabilities, strict=True):
        left, top, width, height = (round(value) for value in box)
        best = int(shares.argmax())
        colour = colour_of(labels[best], best)
        text = f"{labels[best]} {100 * shares[best]:.0f} %"
        cv2.rectangle(drawn, (left, top), (left + width, top + height), colour, 2)
        cv2.putText(
            drawn, text, (left, max(top - 6, 12)), cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, 1, cv2.LINE_AA
        )
    return drawn


class Writer:
    """A video file that opens with the first frame."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.written = 0
        self._file: cv2.VideoWriter | None = None

    def add(self, frame: NDArray[np.uint8], rate: float, times: int = 1) -> None:
        """Append an RGB frame, so many times over.

        Raises:
            SourceProblem: the file cannot be written.
        """
        if self._file is None:
            code = cv2.VideoWriter.fourcc(*("MJPG" if self.path.suffix.lower() == ".avi" else "mp4v"))
            self._file = cv2.VideoWriter(str(self.path), code, rate, (frame.shape[1], frame.shape[0]))
            if not self._file.isOpened():
                raise SourceProblem(f"cannot write a video to {self.path}")
        for _ in range(times):
            self._file.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        self.written += times

    def close(self) -> None:
        """Finish the file."""
        if self._file is not None:
            self._file.release()


def open_window() -> None:
    """Open the window that ``--show`` needs.

    Raises:
        SourceProblem: this OpenCV was built without windows.
    """
    try:
        cv2.namedWindow(WINDOW)
    except cv2.error as problem:
        raise SourceProblem(
            "--show needs an OpenCV with windows: install opencv-python instead of opencv-python-headless, "
            "or write a video with --out FILE.mp4"
        ) from problem


def run(
    source: str,
    reads: Expressions,
    find: detectors.Find,
    framing: Framing,
    *,
    out: Path | None = None,
    show: bool = False,
    limit: int | None = None,
    seconds: float | None = None,
    progress: bool = False,
) -> Speed:
    """Read a source to its end, to ``limit`` frames, for so many ``seconds``, or until q in the window or Ctrl-C.

    Raises:
        SourceProblem: the source cannot be read, or the output not be shown or written.
    """
    if show:
        open_window()
    writer = Writer(out) if out is not None else None
    seen = faces = 0
    started = time.perf_counter()
    try:
        for frame, rate in tqdm(frames(source, limit), unit="frame", disable=not progress):
            boxes = find(frame)
            probabilities = reads.read(frame, boxes, framing_of=framing)
            seen, faces = seen + 1, faces + len(boxes)
            passed = time.perf_counter() - started
            if writer is not None or show:
                drawn = draw(frame, boxes, probabilities, reads.labels)
                if writer is not None:  # a webcam's video keeps to the clock, however slow the reading
                    due = round(passed * rate) - writer.written if source.isdigit() else 1
                    writer.add(drawn, rate, max(due, 0))
                if show:
                    cv2.imshow(WINDOW, cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR))
                    if cv2.waitKey(1) & 0xFF == ord("q"):
                        break
            if seconds is not None and passed >= seconds:
                break
    except KeyboardInterrupt:
        print("stopped by Ctrl-C", file=sys.stderr)
    except cv2.error as problem:
        raise SourceProblem(f"OpenCV could not go on: {problem.err}") from problem
    finally:
        if writer is not None:
            writer.close()
    return Speed(seen, faces, time.perf_counter() - started)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m emotion.live", description=__doc__)
    made.add_argument("--source", required=True, help="number of a webcam, or a video file")
    made.add_argument(
        "--weights", type=Path, default=WEIGHTS, help="a .safetensors file, or best.pt of a run"
    )
    made.add_argument("--detector", choices=("centerface", "hog"), default="centerface")
    made.add_argument("--yunet", type=Path, help="find faces with this YuNet file instead, the quickest way")
    made.add_argument(
        "--side",
        type=count,
        default=SIDE,
        help=f"longer side of the frame faces are looked for in (default {SIDE}; HOG: whole frames); more finds "
        "smaller faces, and is slower",
    )
    made.add_argument(
        "--upsample", type=int, choices=range(4), default=0, help="HOG: enlarge the frame so often"
    )
    made.add_argument("--out", type=Path, help="write a video (.mp4 or .avi)")
    made.add_argument(
        "--show", action="store_true", help="show a window (needs opencv-python, not -headless)"
    )
    made.add_argument("--limit", type=count, help="stop after N frames")
    made.add_argument("--seconds", type=duration, help="stop after so many seconds")
    made.add_argument(
        "--threads", type=count, default=torch.get_num_threads(), help="1 is quickest on a busy machine"
    )
    return made


def finder(given: argparse.Namespace) -> tuple[detectors.Find, Framing]:
    """The way to find faces that the command line asks for.

    Raises:
        SourceProblem: its file is missing.
    """
    if given.yunet is None and given.detector == "hog":
        return detectors.hog(given.upsample)
    find, framing = detectors.centerface() if given.yunet is None else detectors.yunet(given.yunet)
    return detectors.shrunk(find, given.side), framing


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    given = parser().parse_args(arguments)
    torch.set_num_threads(given.threads)
    cv2.setNumThreads(given.threads)
    endless = given.source.isdigit() and given.limit is None and given.seconds is None
    if given.out is None and not given.show:
        if endless:
            given.seconds, endless = MEASURED_SECONDS, False
        ends = f" for {given.seconds:g} seconds" if given.seconds is not None else ""
        print(f"neither --show nor --out: frames are read{ends}, and nothing is drawn", file=sys.stderr)
    if endless:
        print("Ctrl-C ends it" + (", or q in the window" if given.show else ""), file=sys.stderr)
    try:
        reads = expressions.load(given.weights)
        find, framing = finder(given)
        speed = run(
            given.source,
            reads,
            find,
            framing,
            out=given.out,
            show=given.show,
            limit=given.limit,
            seconds=given.seconds,
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
