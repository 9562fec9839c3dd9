"""A class with everybody who may meet it, and a way to ask as each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from attendance import accounts, api_tokens, cameras, intake
from attendance.models import Camera, ClassSession, Course, Room, Sighting, Snapshot, Student
from tests import factories as make


@dataclass
class World:
    """A course with an open session in a room, one photo with one face, and all who come near."""

    owner: User
    other: User
    registrar: User
    administrator: User
    course: Course
    session: ClassSession
    students: list[Student]
    snapshot: Snapshot
    sighting: Sighting
    room: Room
    camera: Camera
    camera_key: str
    far_camera_key: str
    revoked_key: str
    pupil: User | None = None
    tokens: dict[str, str] = field(default_factory=dict)

    def client(self, who: str) -> APIClient:
        """A client signed in as one of the people, or as a camera."""
        client = APIClient()
        keys = {
            "camera": self.camera_key,
            "far camera": self.far_camera_key,
            "revoked camera": self.revoked_key,
        }
        if who in keys:
            client.credentials(HTTP_AUTHORIZATION=f"Camera {keys[who]}")
        elif who != "nobody":
            if who not in self.tokens:
                self.tokens[who] = api_tokens.make(getattr(self, who), "a script", 30)[1]
            client.credentials(HTTP_AUTHORIZATION=f"Token {self.tokens[who]}")
        return client


@pytest.fixture
def _quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def world(db: None, _quick_passwords: None) -> World:
    owner, administrator = make.teacher(), make.administrator()
    room = make.room()
    course = make.course(owner, students=3)
    session = make.session(course, room=room)
    students = list(course.students.order_by("number"))
    camera, key = cameras.create("front", room, administrator)
    _far, far_key = cameras.create("elsewhere", make.room(), administrator)
    gone, revoked_key = cameras.create("old", room, administrator)
    cameras.revoke(gone)
    snapshot = make.snapshot(session, minute=1, camera=camera)
    sighting = make.sighting(snapshot, students[0])
    sighting.candidates.create(student=students[0], rank=0, distance=0.4, score=-0.4, probability=None)
    sighting.candidates.create(student=students[1], rank=1, distance=0.7, score=-0.7, probability=None)
    pupil = accounts.give_login(students[0], administrator).user
    return World(
        owner, make.teacher(), make.registrar(), administrator, course, session, students, snapshot, sighting,
        room, camera, key, far_key, revoked_key, pupil,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What would have been queued; no test here needs a queue."""
    log: list[tuple[Any, ...]] = []

    def publish(task: Any, *arguments: Any, priority: int | None = None) -> bool:
        log.append((task.name.rpartition(".")[2], *arguments))
        return True

    monkeypatch.setattr(intake, "publish", publish)
    return log


@pytest.fixture
def upload() -> Callable[..., Any]:
    """Send bytes as the body of an upload."""

    def send(
        client: APIClient, session_id: int, data: bytes, kind: str = "image/jpeg", **headers: str
    ) -> Any:
        address = f"/api/sessions/{session_id}/snapshots/"
        return client.generic("POST", address, data, content_type=kind, headers=headers)

    return send
