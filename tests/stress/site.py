"""A whole site of its own for one test: database, Redis, workers as real processes that can be killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import migrated
from tests.stress.ready import Ready

ROOT = Path(__file__).resolve().parents[2]
REAL_WORKER = "config.celery:app"
STAND_IN = "tests.stress.stand_in_worker:app"
FACES_A_PHOTO = 3
"""What the stand-in finds in each."""
RECEIVE = """
from pathlib import Path
from attendance import intake
from attendance.models import ClassSession
from tests import factories as make
def receive(session):
    for path in V["paths"]:
        intake.receive(session, Path(path).read_bytes())
"""


@dataclass
class Site:
    folder: Path
    redis_url: str
    env: dict[str, str]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    inside: tuple[str, ...] = ()
    """What stands before the commands of ``python``, so that they run elsewhere."""
    _ready: Ready | None = None

    def python(self, code: str, **values: Any) -> Any:
        """Run code in Django against this site; ``answer(value)`` hands a JSON value back."""
        if self._ready is not None and self._ready.env != self.env:
            self.forget_python()
        if self._ready is None:
            self._ready = Ready(self.env, self.inside)
        return self._ready.run(code, values)

    def forget_python(self) -> None:
        if self._ready is not None:
            self._ready.stop()
            self._ready = None

    def worker(self, app: str = STAND_IN, **env: str) -> subprocess.Popen[bytes]:
        """Start a worker with one child process; it leads a process group, so that all of it can be killed."""
        # The stand-in's faces are nobody's: no second network has to be loaded in every child for them.
        quick = {"ROLLCALL_SECOND_OPINION": "0"} if app == STAND_IN else {}
        log = (self.folder / f"worker-{len(self.processes)}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", app, "worker", "-c", "1", "--loglevel", "INFO",
             "-n", f"w{uuid.uuid4().hex[:6]}@test", "--without-gossip", "--without-mingle"],
            cwd=ROOT, env=self.env | quick | env, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        self.processes.append(process)
        return process

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the database past Django: quicker than a process of its own."""
        url = self.env["DATABASE_URL"]
        if url.startswith("sqlite"):
            with contextlib.closing(
                sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30)
            ) as connection:
                return list(connection.execute(sql))
        import psycopg

        with psycopg.connect(url) as connection:
            return list(connection.execute(sql))  # type: ignore[arg-type]

    def execute(self, sql: str) -> None:
        """Tell PostgreSQL something that has no answer, outside of any transaction."""
        import psycopg

        with psycopg.connect(self.env["DATABASE_URL"], autocommit=True) as connection:
            connection.execute(sql)  # type: ignore[arg-type]

    @property
    def is_sqlite(self) -> bool:
        return self.env["DATABASE_URL"].startswith("sqlite")

    def states(self) -> dict[str, int]:
        """How many snapshots are in each state, and how many sightings there are."""
        counts = dict(self.query("SELECT state, count(*) FROM attendance_snapshot GROUP BY state"))
        counts["sightings"] = self.query("SELECT count(*) FROM attendance_sighting")[0][0]
        return counts

    def sweep(self, minutes_later: float = 10) -> None:
        """What beat does every thirty seconds, as if that much time had passed."""
        self.python(
            "import datetime as dt\nfrom django.utils import timezone\nfrom attendance import sweeper\n"
            "sweeper.sweep(timezone.now() + dt.timedelta(minutes=V['later']))",
            later=minutes_later,
        )

    def wait(self, reached: Callable[[dict[str, int]], bool], seconds: float = 100) -> dict[str, int]:
        """The states once ``reached`` holds. Fails with them and the workers' logs when it never does."""
        deadline = time.monotonic() + seconds
        while True:
            states = self.states()
            if reached(states):
                return states
            if time.monotonic() > deadline:
                logs = "".join(path.read_text()[-3000:] for path in sorted(self.folder.glob("worker-*.log")))
                raise AssertionError(f"never reached; {states}\n{logs}")
            time.sleep(0.2)

    def said(self, words: str) -> int:
        """How often the workers' logs have these words."""
        return sum(path.read_text().count(words) for path in self.folder.glob("worker-*.log"))

    def said_by(self, process: subprocess.Popen[bytes], words: str) -> int:
        """How often one worker's log has them."""
        return (self.folder / f"worker-{self.processes.index(process)}.log").read_text().count(words)

    def wait_until_said(self, words: str, times: int = 1, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while self.said(words) < times:
            assert time.monotonic() < deadline, f"{words!r} was said {self.said(words)} times"
            time.sleep(0.1)

    def make_session(self, photos: list[bytes]) -> int:
        """An open session with these photos received (and queued, where Redis answers)."""
        session_id: int = self.python(
            RECEIVE + "session = make.session(make.course(make.teacher(), students=2))\n"
            "receive(session)\nanswer(session.pk)",
            paths=self._written(photos),
        )
        return session_id

    def send(self, session_id: int, photos: list[bytes]) -> None:
        """More photos for a session."""
        self.python(
            RECEIVE + "receive(ClassSession.objects.get(pk=V['session']))",
            session=session_id,
            paths=self._written(photos),
        )

    def _written(self, photos: list[bytes]) -> list[str]:
        paths = [self.folder / f"in-{uuid.uuid4().hex}.jpg" for _ in photos]
        for path, data in zip(paths, photos, strict=True):
            path.write_bytes(data)
        return [str(path) for path in paths]

    def stop(self) -> None:
        self.forget_python()
        for process in self.processes:
            kill(process)


def kill(process: subprocess.Popen[bytes], sig: int = signal.SIGKILL) -> None:
    """The whole process group, children too."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, sig)
    if sig == signal.SIGKILL:
        process.wait(timeout=20)


@contextlib.contextmanager
def site_in(folder: Path, redis_url: str, **extra: str) -> Iterator[Site]:
    """A migrated, empty site on SQLite, or on the PostgreSQL server that ``DATABASE_URL`` names."""
    with _database(folder) as database_url:
        env = os.environ | {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "ROLLCALL_DATA_DIR": str(folder / "data"),
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "PYTHONPATH": str(ROOT),
            "ROLLCALL_TORCH_THREADS": "1",
            "ROLLCALL_LEASE_SECONDS": "2",
            **extra,
        }
        site = Site(folder, redis_url, dict(env))
        try:
            yield site
        finally:
            site.stop()


@contextlib.contextmanager
def _database(folder: Path) -> Iterator[str]:
    server = os.environ.get("DATABASE_URL", "")
    if not server.startswith("postgres"):
        shutil.copy(migrated.sqlite_file(), folder / "stress.sqlite3")
        yield f"sqlite:///{folder / 'stress.sqlite3'}"
        return
    import psycopg

    name = f"stress_{uuid.uuid4().hex[:10]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {migrated.postgresql_name(server)}")
    try:
        yield migrated.at(server, name)
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
