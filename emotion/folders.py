"""Pictures in folders: by class, in AffectNet's own layout, or named by age and gender.

A picture that cannot be read is skipped and counted in the log; when none is left, that is an error.
"""

from __future__ import annotations

import hashlib
import io
import logging
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from emotion.data import Samples
from emotion.errors import DataProblem
from emotion.files import DAMAGED, reason

SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
AGE_GROUPS: Final = ("0-17", "18-34", "35-59", "60 and over")
AGE_BOUNDS: Final = (18, 35, 60)
GENDERS: Final = ("male", "female")
AFFECTNET: Final[tuple[str, ...]] = (
    "Neutral", "Happiness", "Sadness", "Surprise", "Fear", "Disgust", "Anger", "Contempt",
)  # fmt: skip
MAX_PIXELS: Final = 50_000_000
_CROP_NAME: Final = re.compile(r"(?P<age>\d{1,3})_(?P<gender>[01])_")
_log = logging.getLogger(__name__)

Cut: TypeAlias = Callable[[NDArray[np.uint8]], NDArray[np.uint8] | None]
"""Finds the face in an RGB picture uint8 (H, W, 3) and cuts it out, or None where it finds none."""


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """What was read from a folder, and which of the labelled pictures there it is."""

    samples: Samples
    places: NDArray[np.int64]  # of every sample among the labelled pictures, rising, in 0..count
    count: int  # of labelled pictures, those left out included
    classes: tuple[str, ...] = ()  # names of the head ``folder``

    def take(self, places: NDArray[np.int64]) -> Samples:
        """Those of these labelled pictures that were not left out."""
        return self.samples.take(np.flatnonzero(np.isin(self.places, places)))


def read_picture(data: bytes, size: int, cut: Cut | None = None) -> NDArray[np.uint8] | None:
    """Decode one picture to RGB uint8 (size, size, 3); None if it cannot be read or holds no face to cut out."""
    try:
        with Image.open(io.BytesIO(data)) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                return None
            picture = opened.convert("RGB")
    except (*DAMAGED, Image.DecompressionBombError):
        return None
    if cut is not None:
        face = cut(np.asarray(picture))
        if face is None:
            return None
        picture = Image.fromarray(face)
    return np.asarray(picture.resize((size, size), Image.Resampling.BILINEAR), dtype=np.uint8)


def _pictures(
    found: Sequence[NDArray[np.uint8] | None],
    labels: dict[str, list[int]],
    classes: dict[str, int],
    where: Path,
    names: tuple[str, ...] = (),
) -> Pictures:
    """From RGB (H, W, 3), or None where left out, and the labels of every head; complains when nothing is left."""
    read = [picture for picture in found if picture is not None]
    places = np.flatnonzero([picture is not None for picture in found]).astype(np.int64)
    if len(read) < len(found):
        _log.warning(
            "%s: %d of %d pictures could not be read or hold no face and were left out",
            where,
            len(found) - len(read),
            len(found),
        )
    if not read:
        raise DataProblem(f"{where}: no readable picture")
    images = torch.from_numpy(np.stack(read)).permute(0, 3, 1, 2).contiguous()
    targets = {
        head: torch.from_numpy(np.eye(classes[head], dtype=np.float32)[np.asarray(values)[places]])
        for head, values in labels.items()
    }
    samples = Samples(images, targets, {head: torch.ones(len(images)) for head in labels})
    return Pictures(samples, places, len(found), names)


def _picture_files(folder: Path) -> list[Path]:
    """The files of a folder that are named like pictures, sorted."""
    try:
        return sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES and file.is_file())
    except OSError as problem:
        raise DataProblem(f"{folder} cannot be read ({reason(problem)})") from problem


def _content(file: Path) -> bytes:
    """What is in a file; nothing if it may not be read, so that it counts as a picture that is left out."""
    try:
        return file.read_bytes()
    except OSError:
        return b""


def class_names(folder: Path) -> list[str]:
    """The classes of a folder of folders: names of the subfolders that hold pictures, sorted.

    Raises:
        DataProblem: not a folder, or fewer than two such subfolders.
    """
    if not folder.is_dir():
        raise DataProblem(f"{folder} is not a folder")
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and _picture_files(entry))
    if len(names) < 2:
        raise DataProblem(f"{folder}: needs at least two subfolders with pictures, one a class; has {names}")
    return names


def _affectnet(folder: Path) -> list[tuple[Path, int]]:
    """``images/ID.jpg`` with ``annotations/ID_exp.npy`` (AffectNet's release); classes 0 to 7."""
    found: list[tuple[Path, int]] = []
    for image in _picture_files(folder / "images"):
        label_file = folder / "annotations" / f"{image.stem}_exp.npy"
        try:
            label = int(np.load(label_file, allow_pickle=False))
        except DAMAGED as problem:
            raise DataProblem(f"{label_file}: not the label of {image.name} ({reason(problem)})") from problem
        if not 0 <= label <= 7:
            raise DataProblem(f"{label_file}: label {label} is not 0 to 7")
        found.append((image, label))
    return found


def _evenly(entries: list[tuple[Path, int]], limit: int | None, seed: int) -> list[tuple[Path, int]]:
    """At most ``limit`` entries, drawn in turn from every class so that small classes stay whole longest."""
    if limit is None or len(entries) <= limit:
        return entries
    order = np.random.default_rng(seed).permutation(len(entries))
    turn: dict[int, int] = {}
    ranked: list[tuple[int, int]] = []
    for at in order:
        label = entries[at][1]
        turn[label] = turn.get(label, 0) + 1
        ranked.append((turn[label], int(at)))
    return [entries[at] for _, at in sorted(ranked)[:limit]]


def load_classes(
    folder: Path,
    size: int,
    *,
    max_images: int | None = None,
    seed: int = 0,
    classes: Sequence[str] = (),
) -> Pictures:
    """Pictures by class with the one head ``folder``.

    Args:
        folder: subfolders named after the classes, or AffectNet's ``images`` and ``annotations``.
        size: pictures become RGB of this many pixels a side.
        max_images: at most so many, spread evenly over the classes.
        classes: the names a run learned, in its order, where the folder may hold some of them only.

    Raises:
        DataProblem: no such folder, no classes or others, a label file that does not fit, or no readable picture.
    """
    if (folder / "images").is_dir() and (folder / "annotations").is_dir():
        there, entries = AFFECTNET, _affectnet(folder)
    else:
        there = tuple(class_names(folder))
        entries = [
            (file, label) for label, name in enumerate(there) for file in _picture_files(folder / name)
        ]
    names = tuple(classes) or there
    if not set(there) <= set(names):
        raise DataProblem(
            f"{folder} has the classes {', '.join(there)}, not those of the run: {', '.join(names)}"
        )
    drawn = _evenly(entries, max_images, seed)
    found = [read_picture(_content(file), size) for file, _ in drawn]
    labels = [names.index(there[label]) for _, label in drawn]
    return _pictures(found, {"folder": labels}, {"folder": len(names)}, folder, names)


def _files(source: Path) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of every picture in a folder (and below) or a zip file."""
    if source.is_dir():
        for file in sorted(source.rglob("*")):
            if file.suffix.lower() in SUFFIXES and file.is_file():
                yield file.name, _content(file)
        return
    try:
        with zipfile.ZipFile(source) as archive:
            for name in sorted(archive.namelist()):
                if Path(name).suffix.lower() in SUFFIXES and not name.endswith("/"):
                    try:
                        data = archive.read(name)
                    except DAMAGED:
                        data = b""
                    yield Path(name).name, data
    except DAMAGED as problem:
        raise DataProblem(
            f"{source}: neither a folder nor a readable zip file ({reason(problem)})"
        ) from problem


def age_group(age: int) -> int:
    """Index into :data:`AGE_GROUPS`."""
    return sum(age >= bound for bound in AGE_BOUNDS)


def load_gender_age(source: Path, size: int, *, limit: int | None = None, cut: Cut | None = None) -> Pictures:
    """Labelled crops with the heads ``gender`` (2) and ``age`` (4 groups); exact copies are dropped first.

    Args:
        source: a folder or zip of files named ``[age]_[gender]_...`` as in UTKFace.
        size: pictures become RGB of this many pixels a side.
        limit: only the first so many pictures.
        cut: finds the face first, for pictures that are not crops yet.

    Raises:
        DataProblem: unreadable source, no file named that way, or no readable picture.
    """
    found: list[NDArray[np.uint8] | None] = []
    labels: dict[str, list[int]] = {"gender": [], "age": []}
    seen: set[bytes] = set()
    unnamed = 0
    for name, data in _files(source):
        if limit is not None and len(found) >= limit:
            break
        match = _CROP_NAME.match(name)
        if match is None:
            unnamed += 1
            continue
        key = hashlib.sha256(data).digest()
        if data and key in seen:
            continue
        seen.add(key)
        found.append(read_picture(data, size, cut))
        labels["gender"].append(int(match["gender"]))
        labels["age"].append(age_group(int(match["age"])))
    if unnamed and not found:
        raise DataProblem(f"{source}: none of {unnamed} pictures is named [age]_[gender]_...")
    return _pictures(found, labels, {"gender": len(GENDERS), "age": len(AGE_GROUPS)}, source)
