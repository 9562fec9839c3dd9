"""Real programs say that they live, their containers' checks believe it, and machines can read what they write."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
import redis

from tests import factories as make
from tests.stress.site import ROOT, STAND_IN, Site, kill

pytestmark = [pytest.mark.worker, pytest.mark.timeout(180)]


def until(reached: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, "never reached"
        time.sleep(0.2)


def healthy(site: Site, kind: str) -> bool:
    done = subprocess.run(
        [sys.executable, str(ROOT / "deploy" / "is_healthy.py"), kind], env=site.env, check=False
    )
    return done.returncode == 0


def test_workers_and_beat_are_heard_and_write_json_without_values(site: Site) -> None:
    site.env |= {"ROLLCALL_LOG_FORMAT": "json", "ROLLCALL_LOG_LEVEL": "DEBUG"}
    assert not healthy(site, "worker")
    site.make_session([make.jpeg(1)])
    site.worker(STAND_IN_SECONDS="0.01")
    log = (site.folder / "beat.log").open("wb")
    beat = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", STAND_IN, "beat", "--loglevel", "INFO", "--pidfile="],
        cwd=ROOT, env=site.env, stdout=log, stderr=log, start_new_session=True,
    )  # fmt: skip
    site.processes.append(beat)
    with redis.Redis.from_url(site.redis_url) as client:
        until(lambda: len(client.hkeys("rollcall:seen")) == 2)
        assert healthy(site, "worker")
        assert healthy(site, "beat")
        assert not healthy(site, "office")
        site.wait(lambda now: now.get("done", 0) == 1)
        for name in client.hkeys("rollcall:seen"):
            client.hset("rollcall:seen", name, "1000")
        assert not healthy(site, "beat"), "its last word is long ago"
    for process in (*site.processes,):
        kill(process)
    for path in (site.folder / "worker-0.log", site.folder / "beat.log"):
        lines = [line for line in path.read_text().splitlines() if line.startswith("{")]
        assert lines, path.read_text()[-2000:]
        assert all({"time", "level", "event"} <= set(json.loads(line)) for line in lines)
    written = (site.folder / "worker-0.log").read_text()
    assert '"photo": 1' in written
    assert site.env["ROLLCALL_KEYS"] not in written
