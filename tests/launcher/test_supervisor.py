"""Programs are kept running, told about when they die, and all gone at the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from launcher.errors import LaunchError, Stopped
from launcher.services import Service
from launcher.signals import STOPPING, Interruption
from launcher.supervisor import Supervisor

ROOT = Path(__file__).resolve().parents[2]
STUBBORN = "trap '' TERM; sleep 60 & echo ready; while :; do sleep 0.2; done"
POLITE = "sleep 60 & echo ready; wait"


@pytest.fixture
def interruption() -> Iterator[Interruption]:
    before = {number: signal.getsignal(number) for number in STOPPING}
    try:
        yield Interruption()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.fixture
def supervisor(tmp_path: Path, interruption: Interruption) -> Iterator[Supervisor]:
    supervised = Supervisor(tmp_path, os.environ, interruption)
    yield supervised
    supervised.stop()


def shell(name: str, script: str, tmp_path: Path, grace: float = 3.0) -> Service:
    log = tmp_path / f"{name}.log"
    return Service(
        name, ("/bin/sh", "-c", script), lambda: log.exists() and "ready" in log.read_text(), grace
    )


def group_members(group: int) -> list[int]:
    """Processes of a group that still run, from /proc; zombies do not count."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(int(entry.parent.name))
    return found


def eventually(true: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.parametrize("script", [POLITE, STUBBORN], ids=["ends when asked", "must be killed"])
def test_stopping_leaves_no_process_not_even_a_grandchild(
    script: str, supervisor: Supervisor, tmp_path: Path
) -> None:
    supervisor.start(shell("toy", script, tmp_path, grace=0.5))
    group = supervisor.children[0].process.pid
    assert len(group_members(group)) >= 2
    supervisor.stop()
    assert eventually(lambda: group_members(group) == [])


def test_the_first_program_is_stopped_last(supervisor: Supervisor, tmp_path: Path) -> None:
    order = tmp_path / "order"
    for name in ("redis", "web", "worker"):
        script = f"trap 'echo {name} >> {order}; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
        supervisor.start(shell(name, script, tmp_path))
    supervisor.stop()
    assert sorted(order.read_text().split()[:2]) == ["web", "worker"]
    assert order.read_text().split()[2:] == ["redis"]


def test_a_program_that_dies_is_told_about_and_started_again(
    supervisor: Supervisor, interruption: Interruption, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    supervisor.start(shell("worker", "echo ready for work; exec sleep 60", tmp_path))
    child = supervisor.children[0]
    first = child.process.pid
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: child.process.poll() is not None)
    supervisor.look_after_all()
    said = capsys.readouterr().err
    assert "worker | ready for work" in said
    assert "worker was ended by SIGKILL; starting it again in 2 s" in said
    assert child.process.pid == first
    child.due = time.monotonic()
    supervisor.look_after_all()
    assert child.process.pid != first
    assert child.process.poll() is None


def test_the_wait_grows_with_each_crash_up_to_a_bound(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.begin(shell("beat", "exit 3", tmp_path))
    child = supervisor.children[0]
    waits = []
    for _ in range(7):
        assert eventually(lambda: child.process.poll() is not None)
        supervisor.look_after_all()
        waits.append(child.wait)
        child.due = time.monotonic()
        supervisor.look_after_all()
    assert waits == [2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_a_program_that_cannot_start_gives_its_last_words(
    supervisor: Supervisor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(LaunchError, match=r"The web program did not start; all it said is in .*web\.log"):
        supervisor.start(shell("web", "echo no such module >&2; exit 1", tmp_path))
    assert "web | no such module" in capsys.readouterr().err


def test_a_full_disk_is_told_as_such(supervisor: Supervisor, tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="The disk is full"):
        supervisor.start(shell("redis", "echo 'write: No space left on device'; exit 1", tmp_path))


def test_a_signal_ends_the_watch_and_one_held_back_comes_later(
    supervisor: Supervisor, interruption: Interruption
) -> None:
    reached = False
    with pytest.raises(Stopped), interruption.held_back():
        os.kill(os.getpid(), signal.SIGTERM)
        reached = True
    assert reached
    os.kill(os.getpid(), signal.SIGINT)  # the second only counts
    assert interruption.count == 2


@pytest.mark.skipif(
    sys.platform != "linux", reason="only on Linux: the kernel ends children with their parent"
)
def test_killing_the_launcher_itself_takes_the_programs_along(tmp_path: Path) -> None:
    script = (
        "import os, pathlib\n"
        "from launcher.services import Service\n"
        "from launcher.signals import Interruption\n"
        "from launcher.supervisor import Supervisor\n"
        f"supervisor = Supervisor(pathlib.Path({str(tmp_path)!r}), os.environ, Interruption())\n"
        "supervisor.begin(Service('toy', ('/bin/sleep', '60'), lambda: True))\n"
        "print(supervisor.children[0].process.pid, flush=True)\n"
        "supervisor.watch()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as launcher:
        assert launcher.stdout is not None
        group = int(launcher.stdout.readline())
        assert group_members(group) == [group]
        launcher.kill()
        assert eventually(lambda: group_members(group) == [])
