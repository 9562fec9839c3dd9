"""Cameras that send photos to a whole site: what was offered, accepted, processed, lost; how quick it stayed."""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import queue
import random
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from benchmarks.load import postgres, running
from benchmarks.load.photos import CLASSES, Source
from launcher.places import ROOT

LOADS = {"under": 0.5, "beyond": 2.0}
"""Photos offered, as a share of what the worker was measured to get done."""
LOADING = 900.0
"""Seconds a worker may take to load its networks on a busy machine."""
PAGE_EVERY = 1.0
"""Seconds between two looks at the session page."""


@dataclass(frozen=True, slots=True)
class Case:
    cameras: int
    megapixels: int
    load: str
    database: str

    def __str__(self) -> str:
        return f"{self.cameras}x{self.megapixels}mp_{self.load}_{self.database}"


@dataclass
class Seen:
    """What the senders and the person at the page saw."""

    offered: int = 0
    ids: list[int] = field(default_factory=list)
    accept: list[float] = field(default_factory=list)
    page: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cameras", type=int, nargs="+", default=[5, 20, 60])
    parser.add_argument("--megapixels", type=int, nargs="+", choices=(2, 12), default=[2, 12])
    parser.add_argument("--loads", nargs="+", choices=tuple(LOADS), default=list(LOADS))
    parser.add_argument(
        "--databases", nargs="+", choices=("sqlite", "postgresql"), default=["sqlite", "postgresql"]
    )
    parser.add_argument("--seconds", type=float, default=60, help="how long photos are sent in each case")
    parser.add_argument("--drain", type=float, default=60, help="how long is waited afterwards for the rest")
    parser.add_argument("--groups", type=Path, default=ROOT.parent / "shared" / "data" / "groups")


def measure(given: argparse.Namespace) -> Iterator[tuple[str, float]]:
    """``name: value`` of each case, as they are measured; the case stands at the end of a name."""
    for megapixels in given.megapixels:
        with tempfile.TemporaryDirectory(prefix="rollcall-load-photos-") as folder, ExitStack() as stack:
            capacity = capacity_of(megapixels, given.groups)
            yield f"capacity_photos_per_hour_{megapixels}mp", 3600 * capacity
            most = max(2, int(given.seconds * capacity * max(LOADS.values())) + 8)
            photos = _photos(given.groups, megapixels, most, Path(folder))
            address = stack.enter_context(postgres.server()) if "postgresql" in given.databases else ""
            for database, load, cameras in itertools.product(given.databases, given.loads, given.cameras):
                chosen = Case(cameras, megapixels, load, database)
                rate = LOADS[load] * capacity
                with fresh_database(address if database == "postgresql" else "") as url:
                    for name, value in case(chosen, url, photos, rate, given):
                        yield f"{name}_{chosen}", value


def capacity_of(megapixels: int, groups: Path, photos: int = 8) -> float:
    """Photos a second that the worker gets done while nobody sends any."""
    source = Source(groups, CLASSES, megapixels, seed=7)
    with running.site() as site, tempfile.TemporaryDirectory(prefix="rollcall-load-photos-") as folder:
        lesson = site.inside("rooms", cameras=1)["sessions"][0]
        paths = _write(source, photos + 1, Path(folder))
        site.start("redis", "worker")
        site.inside("feed", paths=paths[:1], session=lesson)
        _wait(site, 1, LOADING)  # the networks load with the first photo
        site.stop("worker")
        site.inside("feed", paths=paths[1:], session=lesson)
        site.start("worker")
        began = time.monotonic()
        _wait(site, 2, LOADING)
        first = time.monotonic()
        _wait(site, photos + 1, LOADING)
        return (photos - 1) / max(0.001, time.monotonic() - first) if photos > 1 else 1 / (first - began)


@contextmanager
def fresh_database(server: str) -> Iterator[str]:
    """The address of a database of its own on this server; blank stays blank, which is SQLite."""
    if not server:
        yield ""
        return
    import psycopg

    name = f"load_{uuid.uuid4().hex[:10]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[call-overload]


def case(
    wanted: Case, url: str, photos: Sequence[Path], rate: float, given: argparse.Namespace
) -> Iterator[tuple[str, float]]:
    with running.site(url) as site:
        rooms = site.inside("rooms", cameras=wanted.cameras)
        site.start("redis", "web", "worker", "beat")
        lesson = rooms["sessions"][0]
        warm = Seen()
        _send(site, rooms["keys"][0], photos[0], warm)
        _wait(site, 1, LOADING)
        before = {name: site.processor_seconds(name) for name in ("web", "worker")}
        seen, began = Seen(), time.monotonic()
        _drive(site, rooms["keys"], photos[1:], rate, given.seconds, seen, (lesson, rooms["cookie"]))
        seconds = time.monotonic() - began
        processed, age = site.states().get("done", 0) - 1, site.oldest_waiting()
        _wait(site, len(seen.ids) + 1, given.drain, must=False)
        used = {name: site.processor_seconds(name) - before[name] for name in before}
        site.stop("worker", "beat")
        told = site.inside("tell")
    rows = set(told["ids"])
    states = told["states"]
    yield "offered", seen.offered
    yield "accepted", len(seen.ids)
    yield "refused", len(seen.refused)
    yield "processed", processed
    yield "processed_after_waiting", states.get("done", 0) - 1
    yield "lost", len(set(seen.ids) - rows) + states.get("failed", 0) + told["without_file"]
    yield "duplicated", told["repeated"] + len(seen.ids) - len(set(seen.ids))
    yield "offered_per_hour", 3600 * seen.offered / seconds
    yield "photos_per_hour", 3600 * processed / seconds
    yield "accept_p50_ms", 1000 * percentile(seen.accept, 0.5)
    yield "accept_p95_ms", 1000 * percentile(seen.accept, 0.95)
    yield "session_page_p50_ms", 1000 * percentile(seen.page, 0.5)
    yield "session_page_p95_ms", 1000 * percentile(seen.page, 0.95)
    yield "backlog_age_s", age
    yield "web_core_s_a_photo", used["web"] / max(1, len(seen.ids))
    yield "worker_core_s_a_photo", used["worker"] / max(1, states.get("done", 0) - 1)
    for why in sorted(set(seen.refused)):
        print(f"  refused: {why}", flush=True)


def _drive(
    site: running.RunningSite,
    keys: Sequence[str],
    photos: Sequence[Path],
    rate: float,
    seconds: float,
    seen: Seen,
    page: tuple[int, str],
) -> None:
    """Each camera sends on its own clock, all of them together ``rate`` photos a second; somebody watches."""
    every = len(keys) / rate
    chance = random.Random(1)  # noqa: S311 (when a camera begins, not a secret)
    due = sorted(
        (moment, key) for key in keys for moment in _moments(chance.random() * every, every, seconds)
    )[: len(photos)]
    work: queue.SimpleQueue[tuple[str, Path] | None] = queue.SimpleQueue()
    ended = threading.Event()
    senders = [threading.Thread(target=_sender, args=(site, work, seen)) for _ in keys]
    watcher = threading.Thread(target=_watch, args=(site, page, seen, ended))
    for thread in (*senders, watcher):
        thread.start()
    began = time.monotonic()
    for (moment, key), photo in zip(due, photos, strict=False):
        time.sleep(max(0.0, began + moment - time.monotonic()))
        seen.offered += 1
        work.put((key, photo))
    time.sleep(max(0.0, began + seconds - time.monotonic()))
    for _ in senders:
        work.put(None)
    for thread in senders:
        thread.join()
    ended.set()
    watcher.join()


def _moments(first: float, every: float, until: float) -> Iterator[float]:
    while first < until:
        yield first
        first += every


def _sender(site: running.RunningSite, work: queue.SimpleQueue[tuple[str, Path] | None], seen: Seen) -> None:
    while (todo := work.get()) is not None:
        _send(site, *todo, seen)


def _send(site: running.RunningSite, key: str, photo: Path, seen: Seen) -> None:
    data = photo.read_bytes()
    began = time.monotonic()
    headers = {
        "Authorization": f"Camera {key}",
        "Content-Type": "image/jpeg",
        "Idempotency-Key": uuid.uuid4().hex,
    }
    try:
        status, body = _ask(site, "POST", "/api/camera/snapshots/", headers, data)
    except (OSError, http.client.HTTPException) as error:
        status, body = 0, str(error).encode()
    spent = time.monotonic() - began
    with seen.lock:
        if status == 202:
            seen.ids.append(json.loads(body)["id"])
            seen.accept.append(spent)
        else:
            seen.refused.append(f"{status} {body[:120]!r}")


def _watch(site: running.RunningSite, page: tuple[int, str], seen: Seen, ended: threading.Event) -> None:
    """A teacher reloads the page of the first lesson."""
    lesson, cookie = page
    while not ended.wait(PAGE_EVERY):
        began = time.monotonic()
        status, _body = _ask(site, "GET", f"/sessions/{lesson}/", {"Cookie": f"sessionid={cookie}"})
        if status == 200:
            seen.page.append(time.monotonic() - began)
        else:
            seen.refused.append(f"page {status}")


def _ask(
    site: running.RunningSite, method: str, path: str, headers: dict[str, str], body: bytes | None = None
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(site.base.removeprefix("http://"), timeout=120)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _wait(site: running.RunningSite, photos: int, seconds: float, *, must: bool = True) -> None:
    """Until so many photos are looked at."""
    deadline = time.monotonic() + seconds
    while (states := site.states()).get("done", 0) < photos:
        if time.monotonic() > deadline:
            if must:
                raise SystemExit(
                    f"never done: {states}\n{(site.data.logs / 'worker.log').read_text()[-2000:]}"
                )
            return
        time.sleep(0.1)


def _photos(groups: Path, megapixels: int, count: int, folder: Path) -> list[Path]:
    return [Path(path) for path in _write(Source(groups, CLASSES, megapixels), count, folder)]


def _write(source: Source, count: int, folder: Path) -> list[str]:
    paths = []
    for number in range(count):
        path = folder / f"{number:05d}.jpg"
        path.write_bytes(source.jpeg())
        paths.append(str(path))
    return paths


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of them do not exceed; 0 where there is none."""
    ordered = sorted(values)
    return (
        ordered[min(len(ordered) - 1, max(0, -(-len(ordered) * share // 1).__int__() - 1))]
        if ordered
        else 0.0
    )
