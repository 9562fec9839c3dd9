"""``python -m benchmarks.recognition``: the engine against ``face_recognition`` with the dlib-bin wheel.

Both sides work on the same photos in one run, in turn; ratios are given with their spread. face_recognition is called
as its users call it: HOG enlarged once (its default), CNN not enlarged (its default of one costs four times as much,
so the ratio said here is the modest one), landmarks "small". Photos come from ``--data`` (``solvay_1927.jpg`` with 29
faces and ``meeting_5.jpg`` with 5), fitted into 1920 x 1080.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np

from benchmarks.measuring import Ratio, Times, in_own_process, in_turn, json_of, peak_mib
from recognition import threads
from recognition.engine import load_engine
from recognition.evaluate.detect import read_image
from recognition.types import Chips, Image

CROWD, MEETING = "solvay_1927.jpg", "meeting_5.jpg"
SIZES = {"720p": (1280, 720), "1080p": (1920, 1080), "12mp": (4000, 3000)}
PARTS = ("encode", "runtime", "cnn", "detect", "photo", "processes")
ENCODER_MULTIPLY_ADDS = 0.27e9
BATCH = 32
REPEATS = 10
"""Of the quick way for each run of the slow one."""


def fitted(image: Image, width: int, height: int) -> Image:
    """The photo scaled to fit and put on grey: exactly (height, width, 3)."""
    factor = min(width / image.shape[1], height / image.shape[0])
    size = (int(image.shape[1] * factor), int(image.shape[0] * factor))
    canvas = np.full((height, width, 3), 127, np.uint8)
    canvas[: size[1], : size[0]] = cv2.resize(
        image, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    )
    return canvas


def face_recognition_way(image: Image, model: str) -> int:
    """Number of faces found and encoded by face_recognition's own calls."""
    import face_recognition

    places = face_recognition.face_locations(
        image, number_of_times_to_upsample=int(model == "hog"), model=model
    )
    return len(face_recognition.face_encodings(image, places, num_jitters=1, model="small"))


def peak_multiply_adds() -> float:
    """The machine's best multiply-adds a second, from large products and convolutions."""
    import torch

    a, b = torch.randn(2048, 2048), torch.randn(2048, 2048)
    x = torch.randn(8, 256, 32, 32).contiguous(memory_format=torch.channels_last)
    layer = torch.nn.Conv2d(256, 256, 3, padding=1).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    with torch.inference_mode():
        times = in_turn({"product": lambda: a @ b, "convolution": lambda: layer(x)}, 15, warm=3)
    return max(
        2048**3 / min(times["product"].seconds),
        8 * 256 * 256 * 9 * 32 * 32 / min(times["convolution"].seconds),
    )


def encoding(chips: Chips, runs: int) -> dict[str, str]:
    """Faces one at a time and in batches of 32, against dlib's own encoder."""
    from recognition.dlib_reference import DlibEncoder
    from recognition.encoding import shared_encoder

    ours, theirs = shared_encoder(), DlibEncoder()
    batch = np.concatenate([chips] * (BATCH // len(chips) + 1))[:BATCH]
    ways = {"dlib": lambda: theirs.encode(batch), "torch": lambda: ours.encode(batch)}
    times = in_turn(ways, runs, repeats={"torch": REPEATS})
    single = in_turn(
        {"dlib": lambda: theirs.encode(batch[:1]), "torch": lambda: ours.encode(batch[:1])}, runs * 3
    )
    ratio, ratio1 = Ratio.of(times["dlib"], times["torch"]), Ratio.of(single["dlib"], single["torch"])
    floor = ENCODER_MULTIPLY_ADDS / peak_multiply_adds()
    mine = times["torch"].median / BATCH
    return {
        "encode_ratio": f"{ratio.median:.1f}",
        "encode_ratio_spread": ratio.spread,
        "encode_ratio_single": f"{ratio1.median:.1f}",
        "encode_ms": f"{1000 * mine:.2f}",
        "encode_ms_dlib": f"{1000 * times['dlib'].median / BATCH:.1f}",
        "encode_floor_ms": f"{1000 * floor:.2f}",
        "encode_share_of_floor": f"{floor / mine:.2f}",
    }


def runtimes(chips: Chips, runs: int) -> dict[str, str]:
    """The encoder in torch against the same in ONNX Runtime (optional packages), one face and batches of 8 and 32."""
    from recognition import encoding as in_torch
    from recognition import onnx_runtime

    torch, onnx = in_torch.shared_encoder(), onnx_runtime.shared_encoder()
    batch = np.concatenate([chips] * (BATCH // len(chips) + 1))[:BATCH]
    lines: dict[str, str] = {}
    for size in (1, 8, BATCH):
        ways = {"torch": partial(torch.encode, batch[:size]), "onnx": partial(onnx.encode, batch[:size])}
        times = in_turn(ways, 3 * runs, warm=2)
        ratio = Ratio.of(times["torch"], times["onnx"])
        lines[f"onnx_ratio_{size}"] = f"{ratio.median:.2f}"
        lines[f"onnx_ratio_{size}_spread"] = ratio.spread
        lines |= {f"encode_ms_{name}_{size}": f"{1000 * t.median / size:.2f}" for name, t in times.items()}
    return lines


def another_dlib(python: Path, chips: Chips, photo: Image, runs: int) -> dict[str, str]:
    """The encoder and the CNN detector at 1080p against the dlib of another Python, in turn."""
    from recognition import model_files
    from recognition.detection.mmod import exact_rectangles
    from recognition.encoding import shared_encoder

    batch = np.concatenate([chips] * (BATCH // len(chips) + 1))[:BATCH]
    image, encoder = fitted(photo, *SIZES["1080p"]), shared_encoder()
    ours: dict[str, Callable[[], object]] = {
        "encode": partial(encoder.encode, batch),
        "cnn_detect": partial(exact_rectangles, image),
    }
    theirs: dict[str, list[float]] = {name: [] for name in ours}
    mine: dict[str, list[float]] = {name: [] for name in ours}
    with TemporaryDirectory() as folder:
        files = [Path(folder) / "chips.npy", Path(folder) / "photo.npy"]
        for file, array in zip(files, (batch, image), strict=True):
            np.save(file, array)
        models = [model_files.locate(model_files.ENCODER), model_files.locate(model_files.MMOD)]
        script = Path(__file__).with_name("other_dlib.py")
        for _ in range(runs):
            answer = json_of([python, script, *models, *files])
            for name, way in ours.items():
                theirs[name].append(answer[name])
                mine[name].append(in_turn({name: way}, 1, repeats={name: REPEATS})[name].median)
    lines: dict[str, str] = {}
    for name in ours:
        ratio = Ratio.of(Times(tuple(theirs[name])), Times(tuple(mine[name])))
        lines[f"{name}_ratio_other_dlib"] = f"{ratio.median:.1f}"
        lines[f"{name}_ratio_other_dlib_spread"] = ratio.spread
        lines[f"{name}_seconds_other_dlib"] = f"{np.median(theirs[name]):.3f}"
    return lines


def cnn_detection(photo: Image, runs: int, sizes: list[str]) -> dict[str, str]:
    """dlib's CNN detector against the same network in torch, giving the same rectangles."""
    import dlib

    from recognition import model_files

    network = dlib.cnn_face_detection_model_v1(str(model_files.locate(model_files.MMOD)))
    lines: dict[str, str] = {}
    for size in sizes:
        name = "cnn_detect" if size == "1080p" else f"cnn_detect_{size}"
        lines |= one_cnn_size(network, fitted(photo, *SIZES[size]), 1 if size == "12mp" else runs, name)
    return lines


def one_cnn_size(network: Any, image: Image, runs: int, name: str) -> dict[str, str]:
    from recognition.detection.mmod import exact_rectangles

    found: dict[str, Any] = {}
    ways = {
        "dlib": lambda: found.update(dlib=network(image, 0)),
        "torch": lambda: found.update(torch=exact_rectangles(image)),
    }
    times = in_turn(ways, runs, warm=min(1, runs - 1), repeats={"torch": REPEATS})
    theirs = [(f.rect.left(), f.rect.top(), f.rect.right(), f.rect.bottom()) for f in found["dlib"]]
    ratio = Ratio.of(times["dlib"], times["torch"])
    return {
        f"{name}_ratio": f"{ratio.median:.1f}",
        f"{name}_ratio_spread": ratio.spread,
        f"{name}_seconds": f"{times['torch'].median:.3f}",
        f"{name}_seconds_dlib": f"{times['dlib'].median:.2f}",
        f"{name}_same_rectangles": str(theirs == [corners for _, corners in found["torch"]]).lower(),
    }


def detectors(photo: Image, runs: int) -> dict[str, str]:
    """Seconds of the default detector, and of HOG enlarged as often, at their default setting."""
    lines: dict[str, str] = {}
    for size, (width, height) in SIZES.items():
        image = fitted(photo, width, height)
        ways = {
            name: partial(load_engine(detector=name).detector.detect, image) for name in ("centerface", "hog")
        }
        times = in_turn(ways, runs)
        lines |= {f"detect_{size}_seconds_{name}": f"{each.median:.3f}" for name, each in times.items()}
    return lines


def whole_photo(photo: Image, runs: int, label: str) -> dict[str, str]:
    """A 1080p photo from pixels to encodings: both recipes against face_recognition's HOG and CNN ways."""
    image = fitted(photo, *SIZES["1080p"])
    accurate, fast = load_engine(recipe="accurate"), load_engine(recipe="fast")
    found: dict[str, int] = {}
    ways = {
        "hog": lambda: found.update(hog=face_recognition_way(image, "hog")),
        "cnn": lambda: found.update(cnn=face_recognition_way(image, "cnn")),
        "accurate": lambda: found.update(accurate=len(accurate.analyse(image))),
        "fast": lambda: found.update(fast=len(fast.analyse(image))),
    }
    times = in_turn(ways, runs, repeats={"accurate": REPEATS, "fast": REPEATS})
    lines = {}
    for recipe, suffix in (("accurate", ""), ("fast", "_fast")):
        for model in ("hog", "cnn"):
            ratio = Ratio.of(times[model], times[recipe])
            lines[f"photo_ratio_{model}{suffix}{label}"] = f"{ratio.median:.1f}"
            lines[f"photo_ratio_{model}{suffix}{label}_spread"] = ratio.spread
    lines |= {f"photo_seconds_{name}{label}": f"{each.median:.3f}" for name, each in times.items()}
    return lines | {f"photo_faces_{name}{label}": str(count) for name, count in found.items()}


def one_process(arguments: argparse.Namespace) -> dict[str, float]:
    """What a process of its own measures: peak memory and seconds on one photo, or photos an hour."""
    threads.limit(arguments.threads)
    image = fitted(read_image(arguments.data / CROWD), *SIZES[arguments.size])
    if arguments.alone == "hog":
        face_recognition_way(image, "hog")
        return {"peak_mib": peak_mib()}
    engine = load_engine()
    engine.analyse(image)
    times: Times = in_turn({"photo": lambda: engine.analyse(image)}, arguments.runs)["photo"]
    return {"peak_mib": peak_mib(), "seconds": times.median, "total": sum(times.seconds)}


def processes(data: Path, runs: int) -> dict[str, str]:
    """Memory, the 12-megapixel photo, and one process of two threads against two of one."""
    module = "benchmarks.recognition"

    def alone(*more: str) -> dict[str, float]:
        return in_own_process(module, "--data", str(data), "--alone", *more)

    large = alone("default", "--size", "12mp", "--threads", "2", "--runs", "3")
    reference = alone("hog", "--size", "12mp")
    one = alone("default", "--size", "1080p", "--threads", "2", "--runs", str(4 * runs))
    single = ("default", "--size", "1080p", "--threads", "1", "--runs", str(4 * runs))
    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(alone, *single) for _ in range(2)]
        two = [call.result()["seconds"] for call in calls]
    return {
        "peak_memory_mib": f"{large['peak_mib']:.0f}",
        "peak_memory_mib_hog": f"{reference['peak_mib']:.0f}",
        "photo_12mp_seconds": f"{large['seconds']:.2f}",
        "photos_an_hour_1x2": f"{3600 / one['seconds']:.0f}",
        "photos_an_hour_2x1": f"{sum(3600 / seconds for seconds in two):.0f}",
    }


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.recognition", description=__doc__.splitlines()[0])
    data = Path("../shared/data/groups")
    parser.add_argument("--data", type=Path, default=data, help=f"folder with {CROWD} and {MEETING}")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", nargs="+", choices=list(PARTS))
    parser.add_argument(
        "--large", action="store_true", help="dlib's CNN at 12 megapixels too: minutes and 11 GB"
    )
    parser.add_argument("--other-dlib", type=Path, metavar="PYTHON", help="measure that Python's dlib too")
    parser.add_argument("--alone", choices=["default", "hog"], help=argparse.SUPPRESS)
    parser.add_argument("--size", choices=list(SIZES), default="1080p", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    chosen = arguments()
    if chosen.alone:
        print(json.dumps(one_process(chosen)))
        return
    threads.limit(chosen.threads)
    crowd, meeting = read_image(chosen.data / CROWD), read_image(chosen.data / MEETING)
    chips = np.stack([face.chip for face in load_engine().analyse(crowd)])
    parts = {
        "encode": lambda: encoding(chips, chosen.runs),
        "runtime": lambda: runtimes(chips, chosen.runs),
        "cnn": lambda: cnn_detection(
            crowd, chosen.runs, ["720p", "1080p", *(["12mp"] if chosen.large else [])]
        ),
        "detect": lambda: detectors(crowd, chosen.runs),
        "photo": lambda: whole_photo(crowd, chosen.runs, "") | whole_photo(meeting, chosen.runs, "_5_faces"),
        "processes": lambda: processes(chosen.data, chosen.runs),
    }
    lines = {"threads": str(chosen.threads)}
    for part in chosen.only or PARTS:
        lines |= parts[part]()
    if chosen.other_dlib:
        lines |= another_dlib(chosen.other_dlib, chips, crowd, chosen.runs)
    for name, value in lines.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
