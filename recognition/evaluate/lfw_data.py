"""Labeled Faces in the Wild as it lies in ``lfw.zip``: pictures, pairs, and people split in two halves for good.

What is fitted (normaliser, thresholds, calibration) sees the calibration half alone; what is reported of open-set
identification comes from the other half. The split is by people, fixed, and independent of any ``--seed``.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.types import Image

SPLIT_SEED = 1
MANY = 4
"""People with at least so many photos can be students; the others can only be strangers."""


class DataSetError(ValueError):
    """The data set is not where or what it should be; the message names the file."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """The 6,000 official pairs: rows of pictures ``first`` and ``second``, ``same``, and their ``fold`` (0..9)."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    same: NDArray[np.bool_]
    fold: NDArray[np.int64]

    def first_folds(self, count: int) -> Pairs:
        """Those of the first ``count`` folds; raises DataSetError under two, which cannot judge each other."""
        if count < 2:
            raise DataSetError(f"two folds at least, not {count}")
        kept = self.fold < count
        return Pairs(self.first[kept], self.second[kept], self.same[kept], self.fold[kept])


class Lfw:
    """The pictures of ``lfw.zip`` in alphabetical order, and who each shows.

    ``place``: the folder it lies in, or the file itself. Raises DataSetError when the file is missing, is no zip
    archive, or holds no pairs or pictures.
    """

    def __init__(self, place: Path) -> None:
        self.path = place if place.suffix == ".zip" else place / "lfw.zip"
        if not self.path.is_file():
            raise DataSetError(f"there is no {self.path}")
        try:
            self._archive = zipfile.ZipFile(self.path)
        except zipfile.BadZipFile as problem:
            raise DataSetError(f"{self.path} is damaged or no zip archive ({problem})") from problem
        self.names = sorted(name for name in self._archive.namelist() if name.endswith(".jpg"))
        if not self.names:
            raise DataSetError(f"{self.path} holds no pictures")
        self.person = np.array([name.split("/")[-2] for name in self.names])

    def picture(self, row: int) -> Image:
        """Picture ``row``, RGB uint8 (H, W, 3)."""
        try:
            raw = np.frombuffer(self._archive.read(self.names[row]), np.uint8)
        except (zipfile.BadZipFile, zlib.error) as problem:
            raise DataSetError(f"{self.path}: {self.names[row]} cannot be read ({problem})") from problem
        picture = cv2.imdecode(raw, cv2.IMREAD_COLOR) if len(raw) else None
        if picture is None:
            raise DataSetError(f"{self.path}: {self.names[row]} is not a picture")
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)

    @cached_property
    def rows_of(self) -> dict[str, NDArray[np.int64]]:
        """Person -> rows of their pictures."""
        people, starts = np.unique(self.person, return_index=True)
        groups = np.split(np.arange(len(self.person), dtype=np.int64), starts[1:])
        return dict(zip(people.tolist(), groups, strict=True))

    @cached_property
    def pairs(self) -> Pairs:
        """The official pairs, in ten folds of 300 same and 300 different."""
        listed = [name for name in self._archive.namelist() if name.endswith("pairs.txt")]
        if not listed:
            raise DataSetError(f"{self.path} holds no pairs.txt")
        number = {name.split("/")[-1]: row for row, name in enumerate(self.names)}
        lines = self._archive.read(listed[0]).decode().splitlines()
        rows: list[tuple[int, int, bool]] = []
        for line in lines[1:]:
            fields = line.split("\t")
            one, two = (fields[0], fields[1]), (fields[-2] if len(fields) == 4 else fields[0], fields[-1])
            first, second = (number[f"{person}_{int(n):04d}.jpg"] for person, n in (one, two))
            rows.append((first, second, len(fields) == 3))
        table = np.array(rows, dtype=np.int64)
        fold = np.repeat(np.arange(10, dtype=np.int64), len(rows) // 10)
        return Pairs(table[:, 0], table[:, 1], table[:, 2].astype(bool), fold)

    @cached_property
    def halves(self) -> tuple[frozenset[str], frozenset[str]]:
        """(calibration people, test people): disjoint, both with half of those who have many photos."""
        people = np.random.default_rng(SPLIT_SEED).permutation(sorted(self.rows_of))
        many = [person for person in people.tolist() if len(self.rows_of[person]) >= MANY]
        few = [person for person in people.tolist() if len(self.rows_of[person]) < MANY]
        calibration = many[: len(many) // 2] + few[: len(few) // 2]
        test = many[len(many) // 2 :] + few[len(few) // 2 :]
        return frozenset(calibration), frozenset(test)

    def with_halves_swapped(self) -> Lfw:
        """The same data with test people for calibration people: the second half of a cross-validation."""
        other = Lfw(self.path)
        other.__dict__["halves"] = self.halves[::-1]
        return other
