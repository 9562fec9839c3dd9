"""The same photo many times at the same moment, from real web processes on a real database."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from tests import factories as make
from tests.stress.site import ROOT, Site, kill, site_in
from tests.stress.web import port_of, send

NO_REDIS = "redis://127.0.0.1:1/0"
TOGETHER = 20


@dataclass
class Door:
    """A session behind a web server of two processes."""

    site: Site
    session_id: int
    address: str
    key: str

    def send(self, data: bytes, **headers: str) -> tuple[int, bytes]:
        return send(self.address, self.key, data, **headers)

    def rows_here_and_files_too_many(self) -> tuple[int, int]:
        """Photos of this session; stored files of all sessions that no row knows."""
        here, rows = self.site.python(
            "from attendance.models import Snapshot\n"
            "answer([Snapshot.objects.filter(session=V['session']).count(), Snapshot.objects.count()])",
            session=self.session_id,
        )
        photos = self.site.folder / "data" / "media" / "photos"
        return here, sum(path.is_file() for path in photos.rglob("*")) - rows


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Iterator[Door]]:
    """A session for each test, all behind one server."""
    folder = tmp_path_factory.mktemp("site")
    with site_in(folder, NO_REDIS) as site:
        made: dict[str, Any] = site.python(
            "from attendance import cameras\nfrom tests import factories as make\n"
            "room = make.room()\nteacher = make.teacher()\ncourse = make.course(teacher)\n"
            "sessions = [make.session(course, room=room).pk for _ in range(5)]\n"
            "answer({'sessions': sessions, 'key': cameras.create('c', room, teacher)[1]})"
        )
        log = folder / "web.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "config.wsgi", "--workers", "2", "--threads", "10",
                 "--bind", "127.0.0.1:0", "--timeout", "100"],
                cwd=ROOT, env=site.env, stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip
        try:
            at = f"http://127.0.0.1:{port_of(process, log)}/api/sessions"
            yield iter([Door(site, pk, f"{at}/{pk}/snapshots/", made["key"]) for pk in made["sessions"]])
        finally:
            kill(process)


@pytest.fixture
def door(doors: Iterator[Door]) -> Door:
    return next(doors)


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "one"}], ids=["by its bytes", "by its key"])
def test_twenty_identical_posts_at_once_are_one_photo(door: Door, headers: dict[str, str]) -> None:
    photo = make.jpeg(1)
    with ThreadPoolExecutor(TOGETHER) as pool:
        answers = list(pool.map(lambda _: door.send(photo, **headers), range(TOGETHER)))
    assert {status for status, _body in answers} == {202}
    assert sum(b'"created":true' in body for _status, body in answers) == 1
    assert door.rows_here_and_files_too_many() == (1, 0)


def test_one_key_for_twenty_photos_at_once_keeps_one_and_refuses_the_others(door: Door) -> None:
    with ThreadPoolExecutor(TOGETHER) as pool:
        answers = list(
            pool.map(lambda seed: door.send(make.jpeg(seed), **{"Idempotency-Key": "one"}), range(TOGETHER))
        )
    assert sorted(status for status, _body in answers) == [202] + [422] * (TOGETHER - 1)
    assert door.rows_here_and_files_too_many() == (1, 0)


def test_twenty_different_photos_at_once_are_all_kept_without_a_queue(door: Door) -> None:
    with ThreadPoolExecutor(TOGETHER) as pool:
        answers = list(pool.map(lambda seed: door.send(make.jpeg(seed)), range(TOGETHER)))
    assert {status for status, _body in answers} == {202}
    assert all(b'"state":"received"' in body for _status, body in answers)
    assert door.rows_here_and_files_too_many() == (TOGETHER, 0)


def test_a_body_in_chunks_is_refused_with_a_sentence(door: Door) -> None:
    status, body = door.send(iter([b"\xff\xd8" * 500]), **{"Transfer-Encoding": "chunked"})  # type: ignore[arg-type]
    assert status == 411
    assert b"Content-Length" in body
