"""Lists: bounded, steady, and no slower by the row."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from attendance import cameras, marks
from attendance.models import Review
from tests import factories as make
from tests.api.conftest import World


def grow(world: World, by: int) -> None:
    """More of everything that a list shows."""
    for n in range(by):
        course = make.course(world.administrator)
        course.teachers.add(world.owner, make.teacher())
        make.session(course, room=make.room())
        student = make.student(world.course)
        make.template(student)
        make.template(world.students[0])
        snapshot = make.snapshot(world.session, minute=5 + n, camera=world.camera)
        make.sighting(snapshot, student)
        face = make.sighting(world.snapshot, student, index=world.snapshot.sightings.count())
        face.candidates.create(student=student, rank=0, distance=0.4, score=-0.4)
        face.candidates.create(student=world.students[1], rank=1, distance=0.6, score=-0.6)
        for on in (face, world.sighting):
            Review.objects.create(
                sighting=on, verdict="is_not", student=student, by=make.teacher(), at=world.session.starts_at
            )
        cameras.create(f"camera {n}", make.room(), world.administrator)
    marks.recompute(world.session.pk)
    for mark in world.session.marks.all():
        marks.set_by_hand(world.session, mark.student, "present", make.teacher())


def queries(world: World, path: str) -> tuple[int, int]:
    """How many queries a list takes, and how many rows it shows."""
    client = world.client("administrator")
    with CaptureQueriesContext(
        connection,
    ) as captured:
        answer: Any = client.get(path)
    assert answer.status_code == 200
    return len(captured), answer.json()["count"]


def test_the_number_of_queries_does_not_grow_with_the_rows(world: World) -> None:
    paths = [
        "/api/courses/",
        "/api/rooms/",
        "/api/students/",
        "/api/sessions/",
        "/api/cameras/",
        f"/api/courses/{world.course.pk}/roster/",
        f"/api/sessions/{world.session.pk}/roll/",
        f"/api/sessions/{world.session.pk}/snapshots/",
        f"/api/snapshots/{world.snapshot.pk}/sightings/",
        f"/api/sightings/{world.sighting.pk}/reviews/",
        f"/api/students/{world.students[0].pk}/portraits/",
    ]
    grow(world, 2)
    for (
        path
    ) in paths:  # the first look at a list is written into the audit log, the next within ten minutes is not
        queries(world, path)
    few = {path: queries(world, path) for path in paths}
    grow(world, 7)
    for path in paths:
        count, rows = queries(world, path)
        assert rows > few[path][1]
        assert (path, count) == (path, few[path][0])
        assert count <= 16


@pytest.mark.parametrize("size", ["1", "7", "200", "201", "1000000000", "9" * 5000])
def test_a_page_is_never_longer_than_the_bound(world: World, size: str) -> None:
    for _ in range(220):
        make.student(world.course)
    page = world.client("owner").get(f"/api/students/?page_size={size}").json()
    assert page["count"] == 223
    assert len(page["results"]) == (int(size) if len(size) < 4 and int(size) < 200 else 200)


@pytest.mark.parametrize("size", ["0", "-1", "x", "0.5", "", "\u0661", "00"])
def test_what_is_no_size_of_a_page_is_said_to_be_none(world: World, size: str) -> None:
    answer = world.client("owner").get("/api/students/", {"page_size": size})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "#/page_size")


def test_turning_the_pages_shows_everybody_once(world: World) -> None:
    for _ in range(20):
        make.student(world.course, given_name="Same", family_name="Name")
    client = world.client("owner")
    seen: list[int] = []
    address = "/api/students/?page_size=4"
    while address:
        page = client.get(address).json()
        seen += [student["id"] for student in page["results"]]
        address = page["next"]
    assert len(seen) == len(set(seen)) == 23


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 2),
        ("state=open", 1),
        ("state=planned", 1),
        ("starts_after=2026-06-01T00:00:00Z", 1),
        ("starts_before=2026-06-01T00:00:00Z", 1),
        ("starts_before=2026-06-01T00:00:00%2B05:30", 1),
    ],
)
def test_sessions_are_narrowed_by_state_and_time(world: World, query: str, found: int) -> None:
    import datetime as dt

    make.session(world.course, "planned", dt.datetime(2026, 3, 1, tzinfo=dt.UTC))
    assert world.client("owner").get(f"/api/sessions/?{query}").json()["count"] == found


def test_photos_are_narrowed_by_state_and_camera(world: World) -> None:
    make.snapshot(world.session, minute=2, state="failed")
    client = world.client("owner")
    address = f"/api/sessions/{world.session.pk}/snapshots/"
    assert client.get(f"{address}?state=failed").json()["count"] == 1
    assert client.get(f"{address}?camera={world.camera.pk}").json()["count"] == 1
    assert client.get(address).json()["count"] == 2
