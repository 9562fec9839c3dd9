"""Fixtures of the service tests: no queue is needed, and the engine can be one that finds what it is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from attendance import engines, enrolment, intake, pipeline
from attendance.management.commands import reencode
from recognition.identification import MatchPolicy
from recognition.types import Box, Detection, Face, Quality
from tests import factories as make


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[Any, ...]]]:
    """Tasks that were published: (name, arguments)."""
    log: list[tuple[str, tuple[Any, ...]]] = []

    def publish(task: Any, *arguments: Any, priority: int | None = None) -> bool:
        log.append((task.name.rsplit(".", 1)[-1], arguments))
        return True

    monkeypatch.setattr(intake, "publish", publish)
    return log


def face(encoding: np.ndarray, left: float = 0.0, overall: float = 0.9) -> Face:
    points = np.array([[50, 50], [100, 50], [75, 80], [55, 105], [95, 105]], np.float32)
    return Face(
        detection=Detection(Box(left, 10, 80, 80), points, 0.9),
        chip=np.full((150, 150, 3), 127, np.uint8),
        encoding=encoding.astype(np.float32),
        quality=Quality(1, 1, 1, 1, 1, overall, 80.0),
    )


@dataclass
class FakeEngine:
    """Finds the faces it was given; ``broken`` makes it fail instead."""

    version: str = make.ENGINE
    detector: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(name="fake"))
    faces: list[Face] = field(default_factory=list)
    broken: Exception | None = None
    calls: int = 0

    def analyse(self, image: np.ndarray) -> list[Face]:
        assert image.dtype == np.uint8
        assert image.shape[2] == 3
        self.calls += 1
        if self.broken is not None:
            raise self.broken
        return self.faces


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    fake = FakeEngine()
    for module in (engines, pipeline, enrolment, reencode):
        monkeypatch.setattr(module, "current_engine", lambda: fake)
    monkeypatch.setattr(
        MatchPolicy,
        "default_for",
        classmethod(
            lambda cls, version: cls(
                version, -0.47, -0.60, 0.06, min_quality=0.2, gallery_size=30, step_per_decade=0
            )
        ),
    )
    return fake


def near(encoding: np.ndarray, distance: float, seed: int = 1) -> np.ndarray:
    """A vector at exactly this distance."""
    step = np.random.default_rng(seed).normal(size=128)
    return encoding + step / np.linalg.norm(step) * distance
