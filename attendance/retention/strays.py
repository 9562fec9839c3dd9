"""Files compared with rows, both ways: files no row knows, and files that rows name and that are not there."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from attendance import stored_files
from attendance.models import DoomedFile
from attendance.storage import media

GRACE = dt.timedelta(hours=24)
"""A file is written before its row: a younger one may be on its way in."""
FEW = 200
SHARE = 0.1
"""Strays of a killed program are few. More of them than both: the store and the database do not belong together."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many files there are, and the names of those without a row and of those that only rows know."""

    files: int
    strays: list[str]
    missing: list[str]

    @property
    def believable(self) -> bool:
        """Whether the strays may be deleted by themselves."""
        return len(self.strays) <= max(FEW, SHARE * self.files)


def compare(now: dt.datetime) -> Comparison:
    """Read the whole store and every row that names a file. What comes in or goes meanwhile is not counted.

    Raises StorageAway.
    """
    before = set(stored_files.named())
    old = set(media().names(now - GRACE))
    there = set(media().names(now + GRACE))
    after = set(stored_files.named())
    doomed = set(DoomedFile.objects.values_list("name", flat=True))
    missing = [name for name in (before & after) - there if not media().exists(name)]
    return Comparison(len(there), sorted(old - before - after - doomed), sorted(missing))
