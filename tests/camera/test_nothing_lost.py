"""Killed and started again at random, before a server that fails a third of its answers: every shot arrives once.

``ROLLCALL_CAMERA_KILLS=300`` (seconds) for the long run; a change is judged by a short one.
"""

from __future__ import annotations

import http.client
import os
import random
import re
import signal
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.camera.bad_network import SPOILT, BadNetwork
from tests.camera.conftest import AgentProcess, School, Stream, jpeg, sha256, until

SECONDS = float(os.environ.get("ROLLCALL_CAMERA_KILLS", "20"))
pytestmark = pytest.mark.timeout(SECONDS * 2 + 300)


@pytest.fixture
def network(school: School) -> Iterator[BadNetwork]:
    made = BadNetwork(school.address)
    yield made
    made.close()


def kill_at_random(agent: AgentProcess, *words: str, between: Callable[[], None] = lambda: None) -> int:
    """For ``SECONDS``: run, kill (now and then ask to stop), run. How often."""
    draw, kills = random.Random(4), 0
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        agent.start(*words)
        rest = time.monotonic() + draw.uniform(0.5, 7.0)
        while time.monotonic() < rest:
            between()
            time.sleep(1)
        agent.kill(signal.SIGTERM if draw.random() < 0.15 else signal.SIGKILL)
        kills += 1
    return kills


def test_every_photo_of_a_folder_arrives_once(
    agent: AgentProcess, school: School, network: BadNetwork, tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    put: list[str] = []

    def one_more() -> None:
        data = jpeg(len(put))
        put.append(sha256(data))
        path = folder / f"{len(put)}.jpg"
        with path.open("wb") as file:  # half of it first: a photo that is not finished is not taken
            file.write(data[: len(data) // 2])
            file.flush()
            time.sleep(0.02)
            file.write(data[len(data) // 2 :])

    agent.write(server=network.address, source=f"folder:{folder}")
    kills = kill_at_random(agent, between=one_more)
    network.share = 0.0
    agent.start()
    until(lambda: len(school.arrived(school.session)) >= len(put), 120, lambda: agent.log[-3000:])
    until(lambda: not agent.waiting(), 60, lambda: agent.log[-3000:])
    arrived = [sha for sha, _key in school.arrived(school.session)]
    assert sorted(arrived) == sorted(put)
    assert kills >= SECONDS / 12
    print(f"\n{len(put)} photos, {kills} kills, {dict(network.counts)}")


def test_every_shot_of_a_stream_arrives_once(
    agent: AgentProcess, school: School, network: BadNetwork, stream: Callable[..., Stream]
) -> None:
    lens = stream("10", "mjpeg")
    agent.write(server=network.address, source=lens.address)
    kills = kill_at_random(agent, "--every", "1")
    network.share = 0.0
    agent.start()
    until(lambda: "kept shot" in agent.log, 60, lambda: agent.log[-3000:])
    agent.kill(signal.SIGTERM)
    agent.write(source=f"folder:{agent.folder}")  # no new shots
    agent.start()
    until(lambda: not agent.waiting(), 120, lambda: agent.log[-3000:])
    begun = {m["id"]: m["sha"] for m in re.finditer(r"shot (?P<id>\w{32}) sha256 (?P<sha>\w{64})", agent.log)}
    kept = {m["id"] for m in re.finditer(r"kept shot (?P<id>\w{32})", agent.log)}
    arrived = [sha for sha, _key in school.arrived(school.session)]
    assert len(arrived) == len(set(arrived)), "a shot is there twice"
    assert {begun[each] for each in kept} <= set(arrived), "a shot that was kept is not there"
    assert set(arrived) <= set(begun.values()), "something is there that was not shot, or not as it was shot"
    assert len(begun) - len(kept) <= kills
    assert len(kept) >= SECONDS / 10
    print(
        f"\n{len(begun)} begun, {len(kept)} kept, {len(arrived)} there, {kills} kills, {dict(network.counts)}"
    )


def answered(address: str) -> None:
    with urllib.request.urlopen(address, timeout=10) as answer:
        assert b"html" not in answer.read()


def test_the_bad_network_is_bad_in_every_way(school: School) -> None:
    network = BadNetwork(school.address, share=1.0)
    try:
        for _ in range(60):
            with pytest.raises((OSError, http.client.HTTPException, AssertionError)):
                answered(f"{network.address}/healthz")
        assert set(network.counts) == set(SPOILT)
    finally:
        network.close()
