"""The real thing: ``./run`` with web server, worker, office, beat and an embedded Redis, and nothing left of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import migrated

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.worker, pytest.mark.redis, pytest.mark.slow, pytest.mark.timeout(240)]
ours = pytest.mark.skipif(sys.platform != "linux", reason="only on Linux: processes are counted in /proc")


class Running:
    """One ``./run`` on a data folder and a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.log = folder / "said.txt"
        self.process: subprocess.Popen[bytes] | None = None

    def begins_with_tables(self) -> None:
        """Its database is there, as after an earlier start: what comes after the migrations is meant."""
        self.data.mkdir()
        shutil.copy(migrated.sqlite_file(), self.data / "db.sqlite3")

    @property
    def env(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in ("REDIS_URL", "DATABASE_URL", "SECRET_KEY", "DJANGO_SETTINGS_MODULE")
        }
        return {**kept, "ROLLCALL_DATA_DIR": str(self.data), "ROLLCALL_WEB_PROCESSES": "1"}

    def start(self) -> float:
        """Start and wait for the address to be printed; returns the seconds it took."""
        began = time.monotonic()
        command = [ROOT / "run", "--port", str(self.port), "--no-demo"]
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                command, env=self.env, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
            )
        wait_for(lambda: "Rollcall is ready" in self.said() or not self.alive(), 200)
        assert "Rollcall is ready" in self.said(), self.said()
        return time.monotonic() - began

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def end(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=60)

    def processes(self) -> dict[int, str]:
        """Everything that runs with this data folder in its environment or command line: id -> command."""
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                command = (entry / "cmdline").read_bytes()
                known = (entry / "environ").read_bytes() + command
            except OSError:
                continue
            if os.fsencode(self.data) in known:
                found[int(entry.name)] = command.replace(b"\0", b" ").decode(errors="replace")
        return found

    def parts(self) -> dict[str, str]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=10) as answer:
            parts: dict[str, str] = json.load(answer)["parts"]
        return parts


def wait_for(true: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s"
        time.sleep(0.1)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    run = Running(tmp_path)
    yield run
    if run.alive() and run.process is not None:
        run.process.terminate()
        run.process.wait(timeout=60)


@ours
def test_a_whole_life(running: Running) -> None:
    running.start()
    assert set(running.parts().values()) == {"ok"}
    assert {log.stem for log in (running.data / "log").glob("*.log")} >= {
        "redis",
        "web",
        "worker",
        "office",
        "beat",
    }

    # Redis has no port, only a socket that its owner alone can use.
    assert (running.data / "redis" / "redis.sock").stat().st_mode & 0o077 == 0

    # A second start on the same folder is refused with one sentence.
    second = subprocess.run([ROOT / "run", "--port", "1"], env=running.env, capture_output=True, text=True)
    assert second.returncode == 1
    assert second.stderr.startswith("rollcall: Rollcall already runs on this data folder")
    assert second.stderr.count("\n") == 1

    # A worker that is killed is started again.
    masters = [number for number, command in running.processes().items() if "photos,default" in command]
    os.kill(min(masters), signal.SIGKILL)
    wait_for(lambda: "worker was ended by SIGKILL; starting it again" in running.said(), 20)
    wait_for(
        lambda: "ready." in (running.data / "log" / "worker.log").read_text().rpartition("tasks]")[2], 60
    )

    # Ctrl-C ends everything.
    assert running.end(signal.SIGINT) == 0
    assert running.processes() == {}
    assert running.said().rstrip().endswith("Stopped.")

    # The second start takes seconds, keeps the data, and SIGTERM ends it as well.
    assert running.start() < 60
    assert "Installing" not in running.said()
    assert running.end(signal.SIGTERM) == 0
    assert running.processes() == {}


@ours
def test_stopping_in_the_middle_of_a_start_leaves_nothing(running: Running) -> None:
    running.begins_with_tables()
    env = running.env
    with running.log.open("wb") as out:
        running.process = subprocess.Popen(
            [ROOT / "run", "--port", str(running.port)], env=env, stdout=out, stderr=subprocess.STDOUT
        )
    wait_for(lambda: "Starting redis" in running.said(), 120)
    running.end(signal.SIGTERM)
    wait_for(lambda: running.processes() == {}, 10)


@ours
def test_a_web_server_that_cannot_start_stops_the_rest_and_says_why(running: Running) -> None:
    running.begins_with_tables()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROLLCALL_WEB_THREADS", "none")
        with pytest.raises(AssertionError, match="The web program did not start"):
            running.start()
    assert running.process is not None
    assert running.process.wait(timeout=60) == 1
    assert "web | " in running.said()
    assert running.processes() == {}


def test_the_port_of_another_program_is_refused_at_once(running: Running) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", running.port))
        other.listen()
        command = [ROOT / "run", "--port", str(running.port)]
        answer = subprocess.run(command, env=running.env, capture_output=True, text=True)
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.startswith(f"rollcall: Port {running.port} is taken by another program")
