"""More photos than the worker gets done: uploads do not wait, the site says how far it is behind, none is lost."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import factories as make
from tests.stress.site import Site, kill, site_in
from tests.stress.web import serving

pytestmark = [pytest.mark.worker, pytest.mark.redis, pytest.mark.timeout(300)]
MOST = 6
TOLD = r"""
import re
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from attendance import doctor, health
from tests import factories as make
cache.delete("photos-waiting")  # as after the few seconds one count serves
chief = User.objects.filter(username__startswith="admin").first() or make.administrator()
browser = Client(HTTP_HOST="localhost")
browser.force_login(chief, backend="django.contrib.auth.backends.ModelBackend")
page = browser.get("/site/").content.decode()
answer({
    "tile": re.search(r"<dt>Waiting</dt><dd><b>(\d+)</b><span>([^<]*)", page).groups(),
    "sentence": next(str(part.message) for part in health.check() if part.name == "workers"),
    "on the page": "as many as may" in page,
    "age": health.backlog().age.total_seconds(),
})
"""


@pytest.fixture
def busy(tmp_path: Path, real_redis: str) -> Iterator[Site]:
    with site_in(tmp_path, real_redis, ROLLCALL_MAX_WAITING=str(MOST)) as made:
        yield made


def told(site: Site) -> dict[str, Any]:
    found: dict[str, Any] = site.python(TOLD)
    return found


def test_beyond_capacity_uploads_are_answered_it_says_so_and_nothing_is_lost(busy: Site) -> None:
    photos = [make.jpeg(seed) for seed in range(MOST + 4)]
    with serving(busy) as server:
        worker = busy.worker(STAND_IN_SECONDS="0.02")
        assert server.send(photos[0])[0] == 202
        busy.wait(lambda now: now.get("done", 0) == 1)
        kill(worker, signal.SIGSTOP)  # it gets nothing done from here on
        accepted = [status for status, _body in server.send_at_once(photos[1 : MOST + 1])]
        assert accepted == [202] * MOST, "an upload waits for the worker"
        found = told(busy)
        assert found["tile"][0] == str(MOST)
        assert found["tile"][1].startswith("the oldest since")
        assert found["age"] > 0
        assert found["sentence"].startswith(f"{MOST} photos wait, as many as may")
        assert found["on the page"]
        refused = server.send_at_once(photos[MOST + 1 :])
        assert {status for status, _body in refused} == {429}
        assert {json.loads(body)["type"] for _status, body in refused} == {"urn:rollcall:problem:queue-full"}
        kill(worker, signal.SIGCONT)
        busy.wait(lambda now: now.get("done", 0) == MOST + 1)
        assert not told(busy)["on the page"]
        again = server.send_at_once(photos)
        assert {status for status, _body in again} == {202}
        states = busy.wait(lambda now: now.get("done", 0) == len(photos))
        assert {key: n for key, n in states.items() if n} == {
            "done": len(photos),
            "sightings": 3 * len(photos),
        }
