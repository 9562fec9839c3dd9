"""Kill things in the middle: no photo is lost and none counts twice."""

from __future__ import annotations

import io
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests import factories as make
from tests.stress.site import FACES_A_PHOTO, REAL_WORKER, Site, kill, site_in

pytestmark = [pytest.mark.worker, pytest.mark.timeout(240)]


def noise(count: int) -> list[bytes]:
    return [make.jpeg(seed) for seed in range(count)]


def variants(photo: Path, count: int) -> list[bytes]:
    """The same photo in slightly different light, so that each has bytes of its own."""
    image = np.asarray(Image.open(photo).convert("RGB"), np.float32)
    found = []
    for step in range(count):
        out = io.BytesIO()
        Image.fromarray(np.clip(image * (1 - step / 200), 0, 255).astype(np.uint8)).save(out, "JPEG")
        found.append(out.getvalue())
    return found


def test_killing_the_worker_in_the_middle_of_twenty_real_photos_loses_none_and_doubles_none(
    site: Site, shared_data: Path
) -> None:
    site.make_session(variants(shared_data / "groups" / "dlib_2007_007763.jpg", 20))
    first = site.worker(REAL_WORKER)
    site.wait(lambda now: now.get("done", 0) >= 5, seconds=100)
    kill(first)
    middle = site.states()
    assert 5 <= middle["done"] < 20, "killed too late to prove anything"
    time.sleep(2.2)  # the dead worker's lease
    second = site.worker(REAL_WORKER)
    site.sweep()
    site.wait(lambda now: now.get("done", 0) == 20, seconds=100)
    kill(second, signal.SIGTERM)
    rows = site.query(
        "SELECT faces, (SELECT count(*) FROM attendance_sighting s WHERE s.snapshot_id = p.id)"
        " FROM attendance_snapshot p"
    )
    assert len(rows) == 20
    assert all(faces == sightings >= 2 for faces, sightings in rows), rows


def test_two_workers_given_one_photo_two_hundred_times_process_it_once(site: Site) -> None:
    site.make_session(noise(10))
    site.python(
        "from attendance.models import Snapshot\nfrom attendance.tasks import process_snapshot\n"
        "one, *_ = ids = list(Snapshot.objects.values_list('pk', flat=True))\n"
        "[process_snapshot.delay(pk) for _ in range(20) for pk in [one] * 10 + ids]"
    )
    workers = [site.worker(STAND_IN_SECONDS="0.1") for _ in range(2)]
    site.wait_until_said("not_ours", times=190 + 200, seconds=180)
    assert all(site.said_by(worker, "not_ours") > 0 for worker in workers), "one did all of the work"
    assert site.states() == {"done": 10, "sightings": 10 * FACES_A_PHOTO}
    assert site.query("SELECT sum(attempts) FROM attendance_snapshot") == [(10,)]


def test_an_emptied_redis_delays_and_loses_nothing(site: Site) -> None:
    import redis

    site.make_session(noise(50))
    site.worker(STAND_IN_SECONDS="0.05")
    site.wait(lambda now: now.get("done", 0) >= 10)
    with redis.Redis.from_url(site.redis_url) as client:
        client.flushall()
    site.sweep()
    done = site.wait(lambda now: now.get("done", 0) == 50)
    assert done["sightings"] == 50 * FACES_A_PHOTO


def test_photos_taken_in_while_redis_is_down_are_processed_when_it_is_back(
    tmp_path: Path, real_redis: str
) -> None:
    with site_in(tmp_path, "redis://127.0.0.1:1/0") as site:
        site.make_session(noise(5))
        assert site.states()["received"] == 5
        site.env["REDIS_URL"] = real_redis
        site.worker(STAND_IN_SECONDS="0.05")
        site.sweep()
        assert site.wait(lambda now: now.get("done", 0) == 5)["sightings"] == 5 * FACES_A_PHOTO


def test_a_worker_that_sleeps_past_its_lease_changes_nothing_when_it_wakes(site: Site) -> None:
    site.make_session(noise(1))
    sleeper = site.worker(STAND_IN_SECONDS="3")
    site.wait(lambda now: now.get("processing", 0) == 1)
    kill(sleeper, signal.SIGSTOP)
    time.sleep(2.2)
    site.worker(STAND_IN_SECONDS="0.05")
    site.sweep()
    site.wait(lambda now: now.get("done", 0) == 1)
    before = site.query("SELECT id FROM attendance_sighting ORDER BY id")
    kill(sleeper, signal.SIGCONT)
    site.wait_until_said("not_ours")
    after = site.query("SELECT id FROM attendance_sighting ORDER BY id")
    assert after == before
    assert len(after) == FACES_A_PHOTO


def test_a_photo_that_kills_its_worker_is_set_aside_and_twenty_behind_it_are_done(site: Site) -> None:
    poison = np.full((120, 160, 3), (255, 0, 255), np.uint8)
    out = io.BytesIO()
    Image.fromarray(poison).save(out, "JPEG", quality=95)
    site.make_session([out.getvalue(), *noise(20)])
    site.worker(STAND_IN_SECONDS="0.02")
    site.wait(lambda now: now.get("done", 0) == 20, seconds=150)
    for _attempt in range(12):
        if site.states().get("failed", 0):
            break
        time.sleep(2.2)  # the dead worker's lease
        site.sweep()
    done = site.wait(lambda now: now.get("failed", 0) == 1)
    assert done["done"] == 20
    assert done["sightings"] == 20 * FACES_A_PHOTO


def test_a_photo_that_never_ends_is_stopped_and_set_aside(site: Site) -> None:
    endless = io.BytesIO()
    Image.fromarray(np.full((120, 160, 3), (0, 255, 255), np.uint8)).save(endless, "JPEG", quality=95)
    session = site.make_session(noise(1))
    site.worker(STAND_IN_SECONDS="0.02", ROLLCALL_TASK_SECONDS="4")
    site.wait(lambda now: now.get("done", 0) == 1)  # everything is loaded
    site.env["ROLLCALL_TASK_SECONDS"] = "4"  # the limit travels with the task, from whoever queues it
    site.send(session, [endless.getvalue(), *noise(4)])
    done = site.wait(lambda now: now.get("failed", 0) == 1 and now.get("done", 0) == 4, seconds=120)
    assert done["sightings"] == 4 * FACES_A_PHOTO
    ((error, attempts),) = site.query(
        "SELECT error, attempts FROM attendance_snapshot WHERE state = 'failed'"
    )
    assert (error.partition(":")[0], attempts) == ("SoftTimeLimitExceeded", 3)


def test_a_worker_that_grew_too_large_is_replaced_and_no_photo_is_lost(site: Site) -> None:
    site.make_session(noise(3))
    looked = site.folder / "processes"
    looked.mkdir()
    site.worker(STAND_IN_SECONDS="0.02", STAND_IN_PIDS=str(looked), ROLLCALL_WORKER_MEMORY_KIB="1000")
    done = site.wait(lambda now: now.get("done", 0) == 3, seconds=120)
    assert done["sightings"] == 3 * FACES_A_PHOTO
    assert len(list(looked.iterdir())) == 3, "each photo was too much for the process that looked at it"
