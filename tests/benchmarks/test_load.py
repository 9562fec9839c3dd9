"""The load benchmark at its smallest: a made-up school the database accepts, pages of it, photos, a roster match."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from django.db import connection

from attendance import audit
from attendance.models import ClassSession, Mark, Sighting, Snapshot
from benchmarks.load import cameras, gallery, pages, photos, seed

SMALL = seed.Size(scale=0.004, lessons=3)


@pytest.fixture
def school(db: None) -> None:
    seed.fill(SMALL)


def test_a_made_up_school_is_one_the_database_accepts(school: None) -> None:
    connection.check_constraints()
    lessons = SMALL.courses * SMALL.lessons
    assert ClassSession.objects.count() == lessons + SMALL.courses
    assert Mark.objects.count() == lessons * seed.ROSTER
    assert Sighting.objects.count() == lessons * seed.PHOTOS * seed.FACES
    assert all(len(face.encoding or b"") == 4 * 128 for face in Sighting.objects.exclude(chip="")[:3])
    assert audit.verify().whole
    # Numbers go on after the last one.
    assert Mark.objects.latest("pk").pk < ClassSession.objects.count() * seed.ROSTER
    Snapshot.objects.create(
        session_id=1,
        sha256="x",
        width=1,
        height=1,
        taken_at="2026-03-02T09:00Z",
        received_at="2026-03-02T09:00Z",
    )


def test_pages_of_it_are_asked_for_and_counted(school: None) -> None:
    everything = pages.asked()
    names = [one.name for one in everything]
    assert len(names) == len(set(names)) > 80
    shown = {"today", "courses_admin", "api_students", "api_my_lessons"}
    saved = {"overview_file_admin", "audit_export"}
    found = dict(pages.report([one for one in everything if one.name in shown | saved], runs=1))
    assert found["pages_measured"] == 6
    assert {key for key in found if key.startswith("page_p95")} == {f"page_p95_ms_{name}" for name in shown}
    for name in shown | saved:
        assert found[f"page_p95_ms_{name}" if name in shown else f"file_s_{name}"] > 0
        assert 0 < found[f"queries_{name}"] < 40
    for name in saved:
        assert 0 < found[f"file_first_byte_ms_{name}"] <= 1000 * found[f"file_s_{name}"]


def test_photos_are_of_the_size_asked_for_and_no_two_alike(shared_data: Path) -> None:
    source = photos.Source(shared_data / "groups", photos.FEW_FACES[:1], 2)
    first, second = source.jpeg(), source.jpeg()
    assert first != second
    assert cv2.imdecode(np.frombuffer(first, np.uint8), cv2.IMREAD_COLOR).shape == (1200, 1600, 3)


def test_a_roster_match_is_timed() -> None:
    found = dict(gallery.roster(students=4, runs=1))
    assert set(found) == {
        "identify_30_faces_ms_12_templates",
        "identify_30_faces_most_ms_12_templates",
        "gallery_made_ms_12_templates",
    }
    assert all(value > 0 for value in found.values())


@pytest.mark.parametrize(("share", "value"), [(0.5, 10.0), (0.95, 19.0), (1.0, 20.0)])
def test_percentiles(share: float, value: float) -> None:
    assert cameras.percentile([float(n) for n in range(20, 0, -1)], share) == value
    assert cameras.percentile([], share) == 0.0
