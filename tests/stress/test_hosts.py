"""Several machines: web, Redis and PostgreSQL on one, files in an S3 store on another, workers on two more.

``ROLLCALL_STRESS=full`` pulls the cable for a minute in the middle of 150 photos, with a lease of 20 seconds.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from tests import factories as make
from tests.stress.hosts import ADDRESSES, NETWORK, FarSite, far_site
from tests.stress.site import FACES_A_PHOTO, ROOT, kill

FULL = os.environ.get("ROLLCALL_STRESS") == "full"
pytestmark = [pytest.mark.worker, pytest.mark.redis, pytest.mark.timeout(3600 if FULL else 600)]
PHOTOS, LEASE, CUT = (150, 20, 60.0) if FULL else (40, 4, 5.0)

SWEEPER = """
import time, django
django.setup()
from attendance import stored_files, sweeper
while True:
    sweeper.sweep()
    stored_files.sweep()
    time.sleep(1)
"""
CLASS = """
from attendance import cameras
from tests import factories as make
room = make.room()
session = make.session(make.course(make.administrator(), students=2), room=room)
_camera, key = cameras.create("by the door", room, make.administrator())
answer([session.pk, key])
"""
UPLOAD = """
import json, sys, urllib.request
address, key, folder = sys.argv[1:]
from pathlib import Path
for number, path in enumerate(sorted(Path(folder).glob("*.jpg"))):
    request = urllib.request.Request(address, path.read_bytes(), {
        "Authorization": f"Camera {key}", "Content-Type": "image/jpeg"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 202, answer.status
"""


def upload(site: FarSite, session_id: int, key: str, seeds: range) -> None:
    """From a host that is none of the site's: by the network, as a camera does."""
    folder = site.folder / f"in-{uuid.uuid4().hex[:6]}"
    folder.mkdir()
    for seed in seeds:
        (folder / f"{seed:04}.jpg").write_bytes(make.jpeg(seed))
    address = f"http://{NETWORK}.{ADDRESSES['hub']}:8000/api/sessions/{session_id}/snapshots/"
    done = subprocess.run(
        [*site.hosts.inside("store"), sys.executable, "-c", UPLOAD, address, key, str(folder)],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_worker_cut_off_in_the_middle_of_forty_photos_loses_none_and_doubles_none(tmp_path: Path) -> None:
    with far_site(tmp_path, ROLLCALL_LEASE_SECONDS=str(LEASE), STAND_IN_SECONDS="0.2") as site:
        session_id, key = site.python(CLASS)
        # Their clocks are two hours apart: no lease may hang on them.
        site.worker_on("one", STAND_IN_CLOCK="3600", STAND_IN_SECONDS="1")
        two = site.worker_on("two", STAND_IN_CLOCK="-3600")
        site.hosts.start("hub", [sys.executable, "-c", SWEEPER], site.env, tmp_path / "sweeper.log")
        upload(site, session_id, key, range(PHOTOS))
        site.wait(lambda now: now.get("done", 0) >= 3, seconds=150)
        pull_while_it_holds_one(site)
        time.sleep(CUT)
        site.hosts.plug_in("one")
        site.wait(lambda now: now.get("done", 0) == PHOTOS, seconds=150 + 10 * CUT)
        assert site.query("SELECT count(*) FROM attendance_snapshot WHERE attempts > 1") >= [(1,)], (
            "the photo that was held was not begun again by the other worker"
        )

        # The one that was cut off is back at work, alone.
        kill(two, signal.SIGKILL)
        upload(site, session_id, key, range(PHOTOS, PHOTOS + 3))
        site.wait(lambda now: now.get("done", 0) == PHOTOS + 3, seconds=150 + 10 * CUT)
        everything_once(site, PHOTOS + 3)


def pull_while_it_holds_one(site: FarSite) -> None:
    """Pull the cable of the first host at a moment when it has a photo, as its silence then shows."""
    in_work = "SELECT token FROM attendance_snapshot WHERE state = 'processing'"
    for _try in range(20):
        while len(before := set(site.query(in_work))) < 2:
            time.sleep(0.02)
        site.hosts.pull("one")
        time.sleep(1.5)  # long enough for the other worker to be through with its own
        if before & set(site.query(in_work)):
            return
        site.hosts.plug_in("one")
    raise AssertionError("it never held one when its cable was pulled")


def everything_once(site: FarSite, photos: int) -> None:
    """One set of sightings a photo, and exactly the files that rows name."""
    counted = site.query(
        "SELECT state, faces, (SELECT count(*) FROM attendance_sighting s WHERE s.snapshot_id = p.id), count(*)"
        " FROM attendance_snapshot p GROUP BY 1, 2, 3"
    )
    assert counted == [("done", FACES_A_PHOTO, FACES_A_PHOTO, photos)]
    deadline = time.monotonic() + 60
    while True:  # chips of the one that came too late may have to be deleted a little later
        lie, named = site.python(
            "import datetime as dt\nfrom django.utils import timezone\nfrom attendance import stored_files\n"
            "from attendance.storage import media\n"
            "answer([sorted(media().names(timezone.now() + dt.timedelta(hours=1))), sorted(stored_files.named())])"
        )
        if lie == named or time.monotonic() > deadline:
            break
        time.sleep(1)
    assert lie == named
    assert len(named) == photos * (1 + FACES_A_PHOTO)
