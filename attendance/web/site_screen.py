"""What an administrator should see at a glance: cameras with trouble first, two models in four numbers."""

from __future__ import annotations

from dataclasses import dataclass

from attendance import camera_health, figures
from attendance.camera_health import Level
from attendance.figures import Reading
from attendance.models import Camera
from attendance.reports.comparison import Line
from attendance.reports.comparison_facts import TWO_MODELS, Facts
from attendance.web.models_screen import Measured, measured

CAMERAS_SHOWN = 5
COURSES_SHOWN = 8
_ORDER = (Level.SILENT, Level.WARNING, Level.GOOD)


@dataclass(frozen=True, slots=True)
class CameraLine:
    camera: Camera
    health: camera_health.Health


@dataclass(frozen=True, slots=True)
class Cameras:
    """``rows``: the first by trouble; ``good`` of ``all`` that have a key work; ``more`` are not shown."""

    rows: list[CameraLine]
    good: int
    all: int

    @property
    def more(self) -> int:
        return self.all - len(self.rows)


def cameras() -> Cameras:
    """Cameras with a key that stands; one query."""
    every = camera_health.with_facts(Camera.objects.filter(revoked_at__isnull=True))
    lines = [CameraLine(camera, camera_health.health(camera)) for camera in every]
    rows = [line for line in lines if line.health.level is not Level.OFF]
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
