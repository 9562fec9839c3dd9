"""What an administrator should see at a glance: cameras with trouble first, two models in four numbers."""

from __future__ import annotations

from dataclasses import dataclass

from attendance.camera_health import Level
from attendance.models import Camera, Course
from attendance.reports import comparison_facts
from attendance.reports.comparison import Line
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
    """All courses' line of the comparison."""

    line: Line
    alike: Measured


def two_models() -> TwoModels:
    total = comparison_facts.read(Course.objects.all()).comparison.total
    return TwoModels(total, measured(total.alike))
