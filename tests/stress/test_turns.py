"""Who comes first: a photo of an open session before a hundred old ones, and never behind a report."""

from __future__ import annotations

import subprocess
import time

import pytest
import redis

from launcher import services
from launcher.places import DataFolder
from tests import factories as make
from tests.stress.site import REAL_WORKER, ROOT, STAND_IN, Site

pytestmark = [pytest.mark.worker, pytest.mark.redis, pytest.mark.timeout(600)]
OLD = 100
PATIENCE = 150.0
BACKLOG = """
from pathlib import Path
from attendance import intake
from tests import factories as make
course = make.course(make.teacher(), students=2)
old, now = make.session(course, state="closed"), make.session(course)
folder = Path(V["folder"])
for number in range(V["old"]):
    intake.receive(old, (folder / f"{number}.jpg").read_bytes())
answer([now.pk, intake.receive(now, (folder / "now.jpg").read_bytes()).snapshot.pk])
"""
REPORT = """
import uuid
from attendance import intake
from attendance.tasks import make_report
assert intake.publish(make_report, str(uuid.uuid4()), priority=9)
"""
ANOTHER = """
from pathlib import Path
from attendance import intake
from attendance.models import ClassSession
answer(intake.receive(ClassSession.objects.get(pk=V["session"]), Path(V["path"]).read_bytes()).snapshot.pk)
"""


def start(site: Site, service: services.Service, **env: str) -> None:
    """One of the programs as ``./run`` calls it, with the stand-in for the models."""
    command = [STAND_IN if word == REAL_WORKER else word for word in service.command]
    log = (site.folder / f"worker-{service.name}.log").open("wb")
    site.processes.append(
        subprocess.Popen(
            command, cwd=ROOT, env=site.env | env, stdout=log, stderr=log, start_new_session=True
        )
    )


def done(site: Site, snapshot: int) -> bool:
    return site.query(f"SELECT state FROM attendance_snapshot WHERE id = {snapshot}") == [("done",)]


def wait_until_done(site: Site, snapshot: int, seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not done(site, snapshot):
        assert time.monotonic() < deadline, site.states()
        time.sleep(0.05)


def test_an_open_session_goes_before_a_hundred_old_photos_and_a_report_holds_up_nobody(site: Site) -> None:
    for seed in range(OLD + 2):
        name = {OLD: "now", OLD + 1: "later"}.get(seed, str(seed))
        (site.folder / f"{name}.jpg").write_bytes(make.jpeg(seed))
    session, now = site.python(BACKLOG, folder=str(site.folder), old=OLD)
    site.python(REPORT)
    assert site.states()["queued"] == OLD + 1
    start(site, services.worker(DataFolder(site.folder), site.env), STAND_IN_SECONDS="0.5")
    wait_until_done(site, now)
    assert site.states()["done"] <= 2, "old photos were looked at before the one somebody waits for"

    later = site.python(ANOTHER, session=session, path=str(site.folder / "later.jpg"))
    before = site.states()["done"]
    wait_until_done(site, later)
    assert site.states()["done"] - before < 20, "a photo of an open session waited behind the backlog"

    with redis.Redis.from_url(site.redis_url) as client:
        waiting = list(client.scan_iter("office*"))
        assert sum(client.llen(key) for key in waiting) == 1, "the report was taken by the photos' worker"
        start(site, services.office(DataFolder(site.folder)))
        deadline = time.monotonic() + PATIENCE
        while any(client.llen(key) for key in waiting):
            assert time.monotonic() < deadline, "nobody makes the report"
            time.sleep(0.1)
