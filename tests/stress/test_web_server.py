"""What a web server answered with 202 is kept: after its own end, without its queue, and on a disk that fills up."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests import factories as make
from tests import migrated
from tests.stress.site import FACES_A_PHOTO, ROOT, Site, site_in
from tests.stress.web import Redis, in_a_small_disk, serving

pytestmark = [pytest.mark.worker, pytest.mark.timeout(240)]

NO_REDIS = "redis://127.0.0.1:1/0"

WHOLE = """
from django.core.files.storage import default_storage
from attendance import photos
from attendance.models import Snapshot
def whole(shot):
    with default_storage.open(str(shot.image)) as stored:
        return photos.load_upright(stored.read()).shape[:2] == (shot.height, shot.width)
"""


@pytest.fixture
def alone(tmp_path: Path) -> Site:
    """A site without a queue."""
    with site_in(tmp_path, NO_REDIS) as made:
        yield made


def test_a_web_server_killed_right_after_its_answer_has_kept_every_photo_it_accepted(alone: Site) -> None:
    photos = [make.jpeg(seed, (640, 480)) for seed in range(40)]
    accepted: list[str] = []
    with serving(alone) as server, ThreadPoolExecutor(4) as pool:

        def send(photo: bytes) -> int:
            status, _body = server.send(photo)
            if status == 202:
                accepted.append(hashlib.sha256(photo).hexdigest())
                if len(accepted) == 8:
                    server.kill()
            return status

        statuses = list(pool.map(send, photos))
    assert 8 <= len(accepted) < 40, "killed too late to prove anything"
    assert set(statuses) == {202, 0}
    kept = alone.python(WHOLE + "answer({s.sha256: whole(s) for s in Snapshot.objects.all()})")
    assert set(accepted) <= set(kept)
    assert all(kept.values()), "a row without its whole file"


def test_redis_stopped_during_uploads_delays_and_loses_nothing(tmp_path: Path) -> None:
    queue = Redis(tmp_path)
    queue.start()
    try:
        with site_in(tmp_path, queue.url) as site:
            with serving(site) as server:
                assert {status for status, _ in server.send_at_once([make.jpeg(n) for n in range(3)])} == {
                    202
                }
                queue.stop()
                began = time.monotonic()
                assert {status for status, _ in server.send_at_once([make.jpeg(n) for n in range(3, 6)])} == {
                    202
                }
                assert time.monotonic() - began < 20, "an upload waits for the queue"
            assert site.states() == {"queued": 3, "received": 3, "sightings": 0}
            queue.start()  # and what lay in it is gone
            site.worker(STAND_IN_SECONDS="0.02")
            site.sweep()
            done = site.wait(lambda now: now.get("done", 0) == 6)
            assert done == {"done": 6, "sightings": 6 * FACES_A_PHOTO}
    finally:
        queue.stop()


FILL = """
import json
from pathlib import Path
from django.conf import settings
from django.test import Client
from attendance import cameras
from tests import factories as make
ballast = Path(settings.DATA_DIR) / "ballast"
ballast.write_bytes(b"0" * 1_000_000)
room, teacher = make.room(), make.teacher()
session = make.session(make.course(teacher), room=room)
key = cameras.create("c", room, teacher)[1]
client = Client(SERVER_NAME="localhost", raise_request_exception=False)
def send(seed):
    return client.generic("POST", f"/api/sessions/{session.pk}/snapshots/", make.jpeg(seed, (640, 480), quality=95),
                          content_type="image/jpeg", headers={"Authorization": f"Camera {key}"})
accepted, refused = [], []
for seed in range(100):
    said = send(seed)
    (accepted if said.status_code == 202 else refused).append(said)
    if len(refused) == 4:
        break
rows = list(Snapshot.objects.all())
media = Path(settings.MEDIA_ROOT)
found = {
    "accepted": len(accepted), "rows": len(rows), "whole": sum(map(whole, rows)),
    "files": sum(path.is_file() for path in media.rglob("*")),
    "refused": [[said.status_code, said["Content-Type"], said.json()["detail"]] for said in refused],
}
ballast.unlink()
found["with room again"] = [said.status_code for said in map(send, (200, 200))]
answer(found)
"""


@pytest.mark.parametrize("database", ["beside the photos", "elsewhere"])
def test_a_disk_that_fills_up_refuses_photos_in_words_and_keeps_every_one_it_took(
    tmp_path: Path, database: str
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = in_a_small_disk(disk, 6)
    if subprocess.run([*command, "true"], check=False, capture_output=True).returncode:
        pytest.skip("not here: a disk of its own for a process (unshare is not allowed)")
    with site_in(tmp_path, NO_REDIS, ROLLCALL_DATA_DIR=str(disk), ROLLCALL_MIN_FREE_BYTES="0") as site:
        env = site.env
        code = "import sys, json\nanswer = lambda v: print('ANSWER' + json.dumps(v))\n"
        if database == "beside the photos":
            if not env["DATABASE_URL"].startswith("sqlite"):
                pytest.skip("only on SQLite: another server keeps its own disk")
            copy = (
                f"import shutil\nshutil.copy({str(migrated.sqlite_file())!r}, {str(disk / 'db.sqlite3')!r})\n"
            )
            code, env = copy + code, env | {"DATABASE_URL": f"sqlite:///{disk / 'db.sqlite3'}"}
        done = subprocess.run(
            [*command, sys.executable, "-c", code + "import django\ndjango.setup()\n" + WHOLE + FILL],
            cwd=ROOT, env=env, capture_output=True, text=True, timeout=200, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    found = json.loads(next(line[6:] for line in done.stdout.splitlines() if line.startswith("ANSWER")))
    assert found["accepted"] == found["rows"] == found["whole"] == found["files"] > 5
    for status, kind, detail in found["refused"]:
        assert (status, kind) == (507, "application/problem+json"), detail
        assert detail.endswith(".")
    assert len(found["refused"]) == 4
    assert found["with room again"] == [202, 202]
