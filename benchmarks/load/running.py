"""A whole site for one case: database, Redis, web server and worker, each as ``./run`` starts it."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.load.postgres import free_port
from launcher import services
from launcher.environment import settings_environment
from launcher.places import ROOT, DataFolder

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class RunningSite:
    """``env``: what its programs are started with; ``base``: its address."""

    data: DataFolder
    env: dict[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.env['ROLLCALL_PORT']}"

    def start(self, *names: str, seconds: float = 600, nice: int = 0) -> None:
        """Start these of Rollcall's programs and wait until each says that it is ready."""
        made = {
            "redis": lambda: services.redis(self.data),
            "web": lambda: services.web("127.0.0.1", self.env),
            "worker": lambda: services.worker(self.data, self.env),
            "beat": lambda: services.beat(self.data),
        }
        for name in names:
            service = made[name]()
            with (self.data.logs / f"{name}.log").open("wb") as log:
                command = ("nice", "-n", str(nice), *service.command) if nice else service.command
                process = subprocess.Popen(
                    command, cwd=ROOT, env=self.env, stdout=log, stderr=log, start_new_session=True
                )
            self.processes[name] = process
            deadline = time.monotonic() + seconds
            while not service.ready():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit((self.data.logs / f"{name}.log").read_text()[-3000:])
                time.sleep(0.1)

    def stop(self, *names: str) -> None:
        """End these programs, or all of them: the last started first."""
        for name in reversed(names or tuple(self.processes)):
            process = self.processes.pop(name)
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait(timeout=20)

    def inside(self, what: str, **values: Any) -> Any:
        """The answer of one of the acts of ``benchmarks.load.inside``, in this site."""
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.load.inside", what, json.dumps(values)],
            cwd=ROOT, env=self.env | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(done.stdout[-2000:] + done.stderr[-4000:])
        return json.loads(done.stdout.strip().splitlines()[-1])

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the database past Django: quicker than a process of its own."""
        address = self.env.get("DATABASE_URL", "")
        if address:
            import psycopg

            with psycopg.connect(address) as connection:
                return list(connection.execute(sql))  # type: ignore[arg-type]
        file = self.data.path / "db.sqlite3"
        with contextlib.closing(sqlite3.connect(file, timeout=30)) as lite:
            return list(lite.execute(sql))

    def states(self) -> dict[str, int]:
        """How many photos are in each state."""
        return dict(self.query("SELECT state, count(*) FROM attendance_snapshot GROUP BY state"))

    def oldest_waiting(self) -> float:
        """Seconds the oldest photo that is not done has waited; 0 where none waits."""
        rows = self.query(
            "SELECT min(received_at) FROM attendance_snapshot WHERE state IN ('received', 'queued', 'processing')"
        )
        oldest = rows[0][0]
        if oldest is None:
            return 0.0
        when = dt.datetime.fromisoformat(oldest) if isinstance(oldest, str) else oldest
        when = when if when.tzinfo else when.replace(tzinfo=dt.UTC)
        return (dt.datetime.now(dt.UTC) - when).total_seconds()

    def processor_seconds(self, name: str) -> float:
        """What a program and its children have used until now."""
        return sum(processor_seconds(pid) for pid in family(self.processes[name].pid))


@contextmanager
def site(database: str = "", **env: str) -> Iterator[RunningSite]:
    """A migrated, empty site in a folder of its own; on SQLite, or on the database of this address."""
    with tempfile.TemporaryDirectory(prefix="rollcall-load-") as folder:
        data = DataFolder(Path(folder))
        data.logs.mkdir(parents=True)
        named = {"DATABASE_URL": database} if database else {}
        unset = {
            name: value for name, value in os.environ.items() if name not in ("REDIS_URL", "DATABASE_URL")
        }
        with _environment(unset | named | env):
            found = settings_environment(data, port=free_port())
        made = RunningSite(data, found | {"DJANGO_SETTINGS_MODULE": "config.settings"})
        try:
            made.inside("migrate")
            yield made
        finally:
            made.stop()


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def family(pid: int) -> list[int]:
    """A process and all that came from it and still run."""
    found = [pid]
    for each in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{each}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


def processor_seconds(pid: int) -> float:
    """Of one process and of its children that have ended; 0 where it has ended itself."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(fields[place]) for place in (11, 12, 13, 14)) / TICKS


def resident_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def handles(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
