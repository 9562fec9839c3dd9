"""A data set run through an engine once and kept, so that every protocol reads the same encodings.

Kept files are named after the engine version and lie in the output folder, which is never committed. A run that
is broken off goes on where it stopped. Recipes of one detector share one pass: a chip two of them want is encoded
once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition import quality, recipes
from recognition.engine import Engine
from recognition.evaluate.lfw_data import Lfw
from recognition.types import Chips, Detection, Encoder, Encodings, Image

CHUNK = 250
COLUMNS = 130
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """One face a picture. ``encodings``: (n, 128), NaN where no face was found. ``quality``: (n,) overall 0..1.
    ``face_pixels``: (n,) width in the picture given."""

    encodings: NDArray[np.float64]
    quality: NDArray[np.float64]
    face_pixels: NDArray[np.float64]

    @property
    def found(self) -> NDArray[np.bool_]:
        """(n,) whether there was a face."""
        return np.asarray(np.isfinite(self.encodings[:, 0]))

    def rows(self, wanted: NDArray[np.int64]) -> Encoded:
        """Some of the pictures, in that order."""
        return Encoded(self.encodings[wanted], self.quality[wanted], self.face_pixels[wanted])

    def spread_over(self, rows: NDArray[np.int64], count: int) -> Encoded:
        """These faces as ``rows`` of ``count`` pictures; the others count as without a face."""
        whole = Encoded(np.full((count, self.encodings.shape[1]), np.nan), np.zeros(count), np.zeros(count))
        for to, own in zip(
            (whole.encodings, whole.quality, whole.face_pixels),
            (self.encodings, self.quality, self.face_pixels),
            strict=True,
        ):
            to[rows] = own
        return whole


class _EncodedOnce:
    """An encoder that remembers the chips of the picture at hand."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._kept: dict[bytes, Encodings] = {}

    @property
    def version(self) -> str:
        return self._encoder.version

    def forget(self) -> None:
        self._kept.clear()

    def encode(self, chips: Chips) -> Encodings:
        keys = [chip.tobytes() for chip in chips]
        new = {key: row for row, key in enumerate(keys) if key not in self._kept}
        if new:
            rows = self._encoder.encode(np.ascontiguousarray(chips[list(new.values())]))
            self._kept.update(zip(new, rows, strict=True))
        return np.array([self._kept[key] for key in keys], np.float32)


def encode_lfw(
    data: Lfw,
    engines: Sequence[Engine],
    cache: Path,
    *,
    rows: Iterable[int] | None = None,
    width: int | None = None,
    full: Encoded | None = None,
) -> list[Encoded]:
    """The face in the middle of each picture of ``rows`` (all when None), for each of ``engines``, which must have
    the same detector and encoder.

    ``width``: the pictures are first reduced so that the face is so many pixels wide (JPEG quality 90), and the
    face is found again in the small picture; ``full`` says how wide it is (all pictures are encoded when None).
    Results are kept in ``cache``.
    """
    wanted = np.arange(len(data.names)) if rows is None else np.unique(np.array(list(rows), dtype=np.int64))
    if width is not None and full is None:
        full = encode_lfw(data, engines, cache)[0]
    once = _EncodedOnce(engines[0].encoder)
    engines = [replace(engine, encoder=once) for engine in engines]
    suffix = "" if width is None else f"-{width}px"
    folders = [cache / f"{engine.version}{suffix}" for engine in engines]
    parts: list[list[NDArray[np.float64]]] = [[] for _ in engines]
    for start in range(0, len(data.names), CHUNK):
        chunk = wanted[(wanted >= start) & (wanted < start + CHUNK)]
        paths = [folder / f"{start:05d}.npy" for folder in folders]
        if not all(_is_kept(path, len(chunk)) for path in paths):
            factors = (
                np.ones(len(chunk))
                if full is None or width is None
                else _factors(full.face_pixels[chunk], width)
            )
            tables = np.empty((len(engines), len(chunk), COLUMNS))
            for place, (row, factor) in enumerate(zip(chunk, factors, strict=True)):
                once.forget()
                tables[:, place] = _analysed(engines, reduced(data.picture(row), factor))
            _keep(paths, tables)
        for kept, path in zip(parts, paths, strict=True):
            kept.append(np.load(path))
    whole = [np.concatenate(kept) for kept in parts]
    return [Encoded(table[:, :128], table[:, 128], table[:, 129]) for table in whole]


def _factors(face_pixels: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    return np.asarray(np.where(face_pixels > width, width / np.maximum(face_pixels, 1.0), 1.0))


def _is_kept(path: Path, rows: int) -> bool:
    return path.is_file() and len(np.load(path, mmap_mode="r")) == rows


def _keep(paths: Sequence[Path], tables: NDArray[np.float64]) -> None:
    for path, table in zip(paths, tables, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part.npy")
        np.save(partial, table)
        partial.rename(path)
    log.info("%s: %d pictures", paths[0], tables.shape[1])


def _analysed(engines: Sequence[Engine], picture: Image) -> NDArray[np.float64]:
    """(engines, 130): encoding, overall quality, face width; NaN and zeros without a face."""
    detector = engines[0].detector
    found = central_face(detector.detect(picture), picture)
    if found is None:
        return np.tile(np.r_[np.full(128, np.nan), 0.0, 0.0], (len(engines), 1))
    box = recipes.framed(found, detector.name)
    rows = []
    for engine in engines:
        chips, encodings = engine.encode(picture, [found])
        measured = quality.measure(picture, box, found.landmarks, chips[0])
        rows.append(np.r_[encodings[0].astype(np.float64), measured.overall, measured.face_pixels])
    return np.array(rows)


def central_face(faces: Sequence[Detection], picture: Image) -> Detection | None:
    """The face whose middle is nearest to the picture's; LFW's named person is there."""
    across, down = picture.shape[1] / 2, picture.shape[0] / 2
    return min(
        faces,
        key=lambda face: float(np.hypot(face.box.centre[0] - across, face.box.centre[1] - down)),
        default=None,
    )


def reduced(picture: Image, factor: float) -> Image:
    """The picture made smaller by area averaging and saved once as JPEG of quality 90; never enlarged."""
    if factor >= 1:
        return picture
    small = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    _, raw = cv2.imencode(".jpg", small[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
    back = np.asarray(cv2.imdecode(raw, cv2.IMREAD_UNCHANGED), np.uint8)
    return np.ascontiguousarray(back[:, :, ::-1])
