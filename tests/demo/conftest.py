"""Fixtures of the demo's tests: its photos, tasks that run at once, a person drawn without any photo."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from celery import current_app

from attendance.demo import photos
from attendance.demo.errors import PhotosUnavailable
from attendance.demo.people import FacePhoto


@pytest.fixture(scope="session")
def demo_photos() -> dict[str, Path]:
    """The demo's photos by name, fetched if need be, or a skip."""
    try:
        return photos.fetch()
    except PhotosUnavailable as error:
        pytest.skip(f"not here: demo photos ({error})")


@pytest.fixture
def tasks_at_once() -> Iterator[None]:
    """What is queued runs where it is queued: a worker of its own is not what these tests are about."""
    before = current_app.conf.task_always_eager
    current_app.conf.task_always_eager = True
    yield
    current_app.conf.task_always_eager = before


@pytest.fixture(scope="session")
def drawn_person(tmp_path_factory: pytest.TempPathFactory) -> FacePhoto:
    """A head and shoulders of flat colours before a plain wall, with its face at a known place."""
    image = np.full((400, 400, 3), (200, 205, 210), np.uint8)
    cv2.ellipse(image, (200, 420), (150, 130), 0, 0, 360, (120, 30, 30), -1)
    cv2.ellipse(image, (200, 180), (70, 95), 0, 0, 360, (40, 40, 190), -1)
    path = tmp_path_factory.mktemp("drawn") / "person.png"
    assert cv2.imwrite(str(path), image)
    return FacePhoto(path, (145, 130, 255, 240))
