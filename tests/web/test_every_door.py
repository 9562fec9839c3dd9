"""Every odd file through every door: an answer with a sentence, quickly, and nothing half written."""

from __future__ import annotations

import json
import re
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import reverse

from attendance import cameras, intake
from tests import bad_files, odd_papers
from tests import factories as make

from .conftest import SchoolFixture

MOST_SECONDS = 6.0
"""Of processor time for one file at one door, twice the worst seen: other threads of the tests count too."""
MOST_MEMORY = 300 * 1024 * 1024
"""By how much one file may raise the peak."""


@dataclass(frozen=True)
class Door:
    """``file``: the field a file goes into; ``takes``: what may be kept of a file that is let in."""

    name: str
    address: str
    file: str
    more: dict[str, str]
    takes: re.Pattern[str]


def doors(school: SchoolFixture) -> list[Door]:
    course, day = school.course.pk, "2026-11-20"
    excuse = {"reason": "illness", "first_day": day, "last_day": day}
    photos = re.compile("photos|portraits|excuses|logo")

    def door(name: str, args: list[int], file: str, **more: str) -> Door:
        return Door(name, reverse(f"web:{name}", args=args), file, more, photos)

    return [
        door("photos-add", [school.session.pk], "photo"),
        door("portraits-add", [school.student.pk], "photo"),
        door("school-set", [], "logo"),
        door("excuse-new", [school.student.pk], "attachment", **excuse),
        door("roster-import", [course], "file"),
        door("timetable-import", [course], "file"),
        door("holidays-import", [], "file"),
        door("canvas-fill", [course], "gradebook"),
    ]


def every_file() -> Iterator[tuple[str, bytes]]:
    for file in (*bad_files.odd_files(), *odd_papers.class_lists(), *odd_papers.calendars()):
        yield file.name, file.data


def rows() -> int:
    """Rows of all tables but the log of who asked."""
    left_out = {"attendance_auditentry", "attendance_audithead", "django_session"}
    tables = [model._meta.db_table for model in apps.get_models(include_auto_created=True)]
    counts = " + ".join(f"(SELECT count(*) FROM {table})" for table in tables if table not in left_out)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {counts}")
        return int(cursor.fetchone()[0])


def stored() -> set[Path]:
    return {path for path in Path(default_storage.path("")).rglob("*") if path.is_file()}


def refused(answer: HttpResponseBase) -> bool:
    return answer.status_code >= 400


@pytest.fixture(autouse=True)
def _no_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "publish", lambda *_task, **_more: True)


def test_there_are_many_files_and_no_two_are_the_same() -> None:
    files = list(every_file())
    assert len({data for _name, data in files}) >= 160
    assert sum(file.status != 202 for file in bad_files.odd_files()) >= 60


@pytest.mark.parametrize("place", range(8))
def test_every_file_at_every_door_of_the_pages(school: SchoolFixture, place: int) -> None:
    door, client = doors(school)[place], school.client("administrator")
    client.raise_request_exception = False
    before, files_before = rows(), stored()
    for name, data in every_file():
        form = {door.file: SimpleUploadedFile(name, data), **door.more}
        answer = _timed(client, name, door.address, form, headers={"Accept": "application/json"})
        about = f"{name} at {door.name}: {answer.status_code}"
        assert answer.status_code in (200, 202, 302, 413, 415, 422), about
        files, count = stored(), rows()
        new = files - files_before
        if refused(answer):
            assert not new, about
            assert count == before, about
            assert _sentence(answer), about
        before, files_before = count, files
        assert all(path.suffix in (".jpg", ".pdf", ".png") for path in new), about
        assert all(path.stat().st_size > 20 for path in new), about


def test_every_file_at_the_camera_s_door(school: SchoolFixture) -> None:
    room = school.session.room
    assert room is not None
    _camera, key = cameras.create("attacked", room, make.administrator())
    client = Client(headers={"Authorization": f"Camera {key}"})
    address = f"/api/sessions/{school.session.pk}/snapshots/"
    expected = {file.name: file.status for file in bad_files.odd_files()}
    before, files_before = rows(), stored()
    for name, data in every_file():
        answer = _timed(client, name, address, data, content_type="application/octet-stream")
        assert answer.status_code == expected.get(name, answer.status_code), name
        assert answer.status_code in (202, 413, 415, 422), name
        if refused(answer):
            assert answer.json()["detail"].endswith("."), name
            assert (stored(), rows()) == (files_before, before), name
        before, files_before = rows(), stored()


def _timed(client: Client, name: str, address: str, data: Any, **how: Any) -> Any:
    began, peak = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = client.post(address, data, **how)
    assert time.process_time() - began < MOST_SECONDS, name
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) * 1024 < MOST_MEMORY, name
    return answer


def _sentence(answer: HttpResponseBase) -> bool:
    """Words of ours, not a bare status."""
    text = getattr(answer, "content", b"").decode()
    if answer.headers["Content-Type"] == "application/json":
        return str(json.loads(text)["message"]).endswith(".")
    return bool(re.search(r"[a-z]{3,}[^<>]*\.", text))
