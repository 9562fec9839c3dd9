"""Cameras and the soak of the load benchmark, piece by piece: against the web application, without its programs."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from attendance import intake
from attendance.models import Snapshot
from benchmarks.load import cameras, inside, soak
from tests import factories as make


@pytest.fixture
def rooms(db: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Two of the benchmark's rooms; what would be queued is not, and requests go to the application at once."""
    monkeypatch.setattr(intake, "publish", lambda *task, **options: True)
    monkeypatch.setattr(cameras, "_ask", ask)
    return inside.rooms(cameras=2, students=3)


def ask(_site: object, method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> Any:
    kind = headers.get("Content-Type", "")
    answer = Client().generic(method, path, body or b"", content_type=kind, headers=headers)
    return answer.status_code, answer.content


def photos(folder: Path, count: int) -> list[Path]:
    for number in range(count):
        (folder / f"{number}.jpg").write_bytes(make.jpeg(number))
    return sorted(folder.glob("*.jpg"))


class Once:
    """An event that is set after one look."""

    def __init__(self) -> None:
        self._looks: Iterator[bool] = iter([False, True])

    def wait(self, _seconds: float) -> bool:
        return next(self._looks)


def test_a_camera_is_known_its_photo_taken_in_and_the_teachers_page_shown(
    rooms: dict[str, Any], tmp_path: Path
) -> None:
    first, second, third = photos(tmp_path, 3)
    seen = cameras.Seen()
    cameras._send(SimpleNamespace(), rooms["keys"][0], first, seen)
    cameras._send(SimpleNamespace(), rooms["keys"][1], second, seen)
    cameras._watch(SimpleNamespace(), (rooms["sessions"][0], rooms["cookie"]), seen, Once())  # type: ignore[arg-type]
    assert seen.refused == []
    assert (len(seen.ids), len(seen.accept), len(seen.page)) == (2, 2, 1)
    assert inside.feed([str(third)], rooms["sessions"][0]) == 1
    told = json.loads(json.dumps(inside.tell()))
    assert set(told["ids"]) > set(seen.ids)
    assert (told["states"], told["repeated"], told["without_file"]) == ({"received": 3}, 0, 0)


def test_a_key_that_is_not_known_is_counted_as_refused(rooms: dict[str, Any], tmp_path: Path) -> None:
    seen = cameras.Seen()
    cameras._send(SimpleNamespace(), "rcam_nobody", photos(tmp_path, 1)[0], seen)
    assert seen.ids == []
    assert seen.refused[0].startswith("401 ")


def test_cameras_send_on_their_own_clocks_what_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []

    def note(_site: object, method: str, path: str, *_more: object) -> tuple[int, bytes]:
        asked.append(f"{method} {path}")
        return (202, json.dumps({"id": len(asked)}).encode()) if method == "POST" else (200, b"")

    monkeypatch.setattr(cameras, "_ask", note)
    monkeypatch.setattr(cameras, "PAGE_EVERY", 0.1)
    seen = cameras.Seen()
    cameras._drive(SimpleNamespace(), ["a", "b"], photos(tmp_path, 30), 40.0, 0.5, seen, (7, "cookie"))
    assert seen.offered == len(seen.ids) == asked.count("POST /api/camera/snapshots/")
    assert 18 <= seen.offered <= 22
    assert len(seen.page) == asked.count("GET /sessions/7/") >= 1


def test_the_soak_feeds_what_was_asked_for_and_looks_at_the_worker(
    rooms: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = iter(range(100))
    source = SimpleNamespace(jpeg=lambda: make.jpeg(next(numbers)))
    monkeypatch.setattr(soak, "Source", lambda *given: source)
    monkeypatch.setattr(soak, "BATCH", 3)
    site = SimpleNamespace(
        inside=lambda act, **values: getattr(inside, act)(**values),
        states=lambda: {"done": Snapshot.objects.count()},
        processes={"worker": SimpleNamespace(pid=os.getpid())},
        processor_seconds=lambda name: 6.0,
    )
    given = argparse.Namespace(photos=5, minutes=1.0, groups=Path())
    found = soak._run(site, rooms["sessions"], given)  # type: ignore[arg-type]
    assert (found["photos"], found["failed"], found["core_s_a_photo"]) == (5, 0, 1.2)
    assert 0 < found["rss_first_mib"] <= found["rss_most_mib"]
    assert found["handles_last"] > 0
    assert Snapshot.objects.filter(session=rooms["sessions"][1]).count() == 2
