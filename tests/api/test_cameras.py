"""Cameras and their keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rest_framework.test import APIClient

from tests import factories as make
from tests.api.conftest import World


def test_a_key_is_shown_once_works_and_is_kept_only_as_a_hash(
    world: World, upload: Callable[..., Any]
) -> None:
    client = world.client("administrator")
    made = client.post("/api/cameras/", {"name": "back", "room": world.room.pk}, format="json")
    key = made.json()["key"]
    camera = APIClient()
    camera.credentials(HTTP_AUTHORIZATION=f"Camera {key}")
    assert upload(camera, world.session.pk, make.jpeg(1)).status_code == 202
    again = client.get(made.json()["url"])
    assert "key" not in again.json()
    assert key not in client.get("/api/cameras/").content.decode()
    assert type(world.camera).objects.get(pk=made.json()["id"]).key_hash not in (key, "")


def test_a_new_key_ends_the_old_one_and_a_revoked_one_ends_at_once(
    world: World, upload: Callable[..., Any]
) -> None:
    client, old = world.client("administrator"), world.client("camera")
    new = APIClient()
    key = client.post(f"/api/cameras/{world.camera.pk}/rotate/").json()["key"]
    new.credentials(HTTP_AUTHORIZATION=f"Camera {key}")
    assert upload(old, world.session.pk, make.jpeg(1)).status_code == 401
    assert upload(new, world.session.pk, make.jpeg(1)).status_code == 202
    assert client.post(f"/api/cameras/{world.camera.pk}/revoke/").json()["revoked_at"] is not None
    assert upload(new, world.session.pk, make.jpeg(2)).status_code == 401


def test_a_camera_needs_a_name_and_a_room_that_exist(world: World) -> None:
    client = world.client("administrator")
    for body in (
        {},
        {"name": "", "room": world.room.pk},
        {"name": "a", "room": 10**9},
        {"name": "a", "room": "x"},
    ):
        assert client.post("/api/cameras/", body, format="json").status_code == 400
