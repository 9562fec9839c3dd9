"""What all processes count together, and what happens while Redis is gone."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache, caches
from rest_framework.test import APIClient, APIRequestFactory

from attendance import cameras, intake, shared_cache
from attendance.api.throttles import CameraThrottle
from attendance.shared_cache import SharedCache, count
from tests import factories as make
from tests.conftest import ROOT

NOWHERE = "unix:///nonexistent/redis.sock"
OTHER_PROCESS = """
import django; django.setup()
from attendance.shared_cache import count
print(*[count("knocks", 60) for _ in range(3)])
"""


def use(settings: Any, address: str) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "attendance.shared_cache.SharedCache", "LOCATION": address, "KEY_PREFIX": "rollcall",
        }
    }  # fmt: skip


@pytest.fixture(autouse=True)
def _nothing_is_known_to_be_gone() -> Iterator[None]:
    shared_cache._gone_until.clear()
    yield
    shared_cache._gone_until.clear()


@pytest.fixture
def shared(real_redis: str, settings: Any) -> str:
    use(settings, real_redis)
    return real_redis


@pytest.fixture
def without_redis(settings: Any) -> Iterator[None]:
    use(settings, NOWHERE)
    cache.clear()
    yield
    cache.clear()


def test_two_processes_count_together(shared: str) -> None:
    assert [count("knocks", 60) for _ in range(2)] == [1, 2]
    env = {**os.environ, "REDIS_URL": shared, "DJANGO_SETTINGS_MODULE": "config.settings"}
    done = subprocess.run(
        [sys.executable, "-c", OTHER_PROCESS], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["3", "4", "5"]
    assert count("knocks", 60) == 6


def test_a_rate_holds_over_all_processes(shared: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each process has a cache object of its own; what they count lies in one place."""
    monkeypatch.setattr(CameraThrottle, "THROTTLE_RATES", {"camera": "5/min"})
    monkeypatch.setattr(CameraThrottle, "get_cache_key", lambda *_: "throttle-camera-1")
    request = APIRequestFactory().get("/")
    allowed = []
    for _process in range(4):
        caches.close_all()
        use(settings, shared)
        allowed += [CameraThrottle().allow_request(request, None) for _ in range(2)]  # type: ignore[arg-type]
    assert allowed == [True] * 5 + [False] * 3


def test_nothing_that_is_kept_could_run_code(shared: str) -> None:
    import redis

    cache.set("school", "Europe/Madrid", 60)
    cache.set("when", 12.5, 60)
    count("knocks", 60)
    with redis.Redis.from_url(shared) as client:
        values = {bytes(client.get(key)) for key in client.scan_iter()}  # type: ignore[arg-type]
        assert values == {b'"Europe/Madrid"', b"12.5", b"1"}
        assert all(client.ttl(key) > 0 for key in client.scan_iter())  # type: ignore[operator]
    with pytest.raises(TypeError):
        cache.set("thing", object(), 60)


def test_emptying_the_cache_leaves_the_queue(shared: str) -> None:
    import redis

    with redis.Redis.from_url(shared) as client:
        client.lpush("celery", "a photo")
        cache.set("a", 1, 60)
        cache.clear()
        assert client.keys() == [b"celery"]
    assert cache.get("a") is None


def test_without_redis_each_process_counts_by_itself(without_redis: None) -> None:
    assert [count("knocks", 60) for _ in range(3)] == [1, 2, 3]
    assert cache.get("knocks") == 3
    assert cache.delete("knocks")
    assert cache.get("knocks", "none") == "none"


def test_redis_going_and_coming_back_between_two_questions_is_no_error(shared: str) -> None:
    assert count("knocks", 60) == 1
    shared_cache._gone_until[shared] = time.monotonic() + 60
    assert count("knocks", 60) == 1
    shared_cache._gone_until.clear()
    assert count("knocks", 60) == 2
    cache.delete("knocks")
    assert count("knocks", 60) == 1


def test_a_redis_that_is_gone_is_asked_once_in_five_seconds(
    without_redis: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    here = caches["default"]
    assert isinstance(here, SharedCache)
    monkeypatch.setattr(type(here._all), "get", lambda *_, **__: asked.append(1) or _refuse())
    shared_cache._gone_until.clear()
    for _ in range(20):
        cache.get("a")
    assert len(asked) == 1


def _refuse() -> None:
    raise ConnectionError


def test_a_redis_that_hangs_costs_half_a_second_once(settings: Any, tmp_path: Any) -> None:
    """A server that takes the connection and never answers."""
    import socket

    path = tmp_path / "hung.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        use(settings, f"unix://{path}")
        began = time.monotonic()
        assert [count("knocks", 60) for _ in range(5)] == [1, 2, 3, 4, 5]
        assert time.monotonic() - began < 4


@pytest.mark.django_db
def test_an_upload_is_accepted_and_limited_without_redis(
    without_redis: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "publish", lambda *_, **__: False)
    monkeypatch.setattr(CameraThrottle, "THROTTLE_RATES", {"camera": "2/min"})
    room = make.room()
    session = make.session(make.course(make.teacher()), room=room)
    _camera, key = cameras.create("front", room, make.administrator())
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Camera {key}")
    answers = [
        client.generic("POST", f"/api/sessions/{session.pk}/snapshots/", make.jpeg(n), "image/jpeg")
        for n in range(3)
    ]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert 0 < int(answers[-1]["Retry-After"]) <= 60
