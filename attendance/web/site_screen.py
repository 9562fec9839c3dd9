"""What an administrator should see at a glance: cameras with trouble first, two models in four numbers."""

from __future__ import annotations

from dataclasses import dataclass

from attendance import figures
from attendance.camera_health import Level
from attendance.figures import Reading
from attendance.models import Camera
from attendance.reports.comparison import Line
from attendance.reports.comparison_facts import TWO_MODELS, Facts
from attendance.web.cameras import Row, rows_of
from attendance.web.models_screen import Measured, measured

CAMERAS_SHOWN = 5
COURSES_SHOWN = 8
_ORDER = (Level.SILENT, Level.WARNING, Level.GOOD)


@dataclass(frozen=True, slots=True)
class Cameras:
    """``rows``: the first by trouble; ``good`` of ``all`` that have a key work; ``more`` are not shown."""

    rows: list[Row]
    good: int
    all: int

    @property
    def more(self) -> int:
        return self.all - len(self.rows)


def cameras() -> Cameras:
    """Cameras with a key that stands; one query."""
    rows = [row for row in rows_of(Camera.objects.all()) if row.health.level is not Level.OFF]
    rows.sort(key=lambda row: _ORDER.index(row.health.level))
    return Cameras(rows[:CAMERAS_SHOWN], sum(row.health.level is Level.GOOD for row in rows), len(rows))


@dataclass(frozen=True, slots=True)
class TwoModels:
    """All courses' line of the comparison; None: not worked out yet."""

    figures: Reading[Facts]
    line: Line | None
    alike: Measured | None


def two_models() -> TwoModels:
    found = figures.read(TWO_MODELS)
    total = found.found.comparison.total if found.found else None
    return TwoModels(found, total, measured(total.alike) if total else None)
