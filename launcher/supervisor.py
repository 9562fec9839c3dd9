"""Keeps the programs running, each in a process group of its own, and leaves none behind."""

from __future__ import annotations

import contextlib
import ctypes
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from launcher.commands import end_group, explain_disk_full
from launcher.console import complain, show_end_of, step
from launcher.errors import LaunchError
from launcher.places import ROOT
from launcher.services import Service
from launcher.signals import Interruption

FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0
STEADY = 60.0
"""Seconds of running after which an earlier crash no longer counts."""
READY_LIMIT = 120.0
PR_SET_PDEATHSIG = 1  # linux/prctl.h
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(slots=True)
class Child:
    """One service and the process that runs it now; ``due`` is when to start it again."""

    service: Service
    log: Path
    process: subprocess.Popen[bytes]
    began: float
    wait: float = FIRST_WAIT
    due: float | None = None


class Supervisor:
    """Starts services, starts again what dies, stops all of them."""

    def __init__(self, logs: Path, env: Mapping[str, str], interruption: Interruption) -> None:
        self.logs = logs
        self.env = dict(env)
        self.interruption = interruption
        self.children: list[Child] = []
        logs.mkdir(parents=True, exist_ok=True)

    def begin(self, service: Service) -> None:
        """Start a service without waiting for it."""
        log = self.logs / f"{service.name}.log"
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        with self.interruption.held_back():
            self.children.append(Child(service, log, self._spawn(service, log), time.monotonic()))

    def await_ready(self, service: Service) -> None:
        """Wait until a service that was begun says that it is ready; raise with its last words if it ends."""
        child = next(child for child in self.children if child.service is service)
        deadline = time.monotonic() + READY_LIMIT
        while not service.ready():
            if child.process.poll() is not None:
                explain_disk_full(child.log, self.logs)
                show_end_of(child.log, service.name)
                raise LaunchError(f"The {service.name} program did not start; all it said is in {child.log}.")
            if time.monotonic() > deadline:
                show_end_of(child.log, service.name)
                raise LaunchError(f"The {service.name} program was not ready after {READY_LIMIT:.0f} s.")
            time.sleep(0.1)

    def start(self, service: Service) -> None:
        with step(f"Starting {service.name}"):
            self.begin(service)
            self.await_ready(service)

    def watch(self) -> None:
        """Look after the services until a signal comes (which is raised as ``Stopped``)."""
        while True:
            self.look_after_all()
            time.sleep(0.5)

    def look_after_all(self) -> None:
        """Tell of each program that ended, and start again those whose waiting time is over."""
        for child in self.children:
            self._look_after(child)

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.due is not None:
            if now >= child.due:
                with self.interruption.held_back():
                    child.process = self._spawn(child.service, child.log)
                    child.began, child.due = now, None
            return
        code = child.process.poll()
        if code is None:
            return
        end_group(child.process)
        child.wait = FIRST_WAIT if now - child.began > STEADY else min(child.wait * 2, LONGEST_WAIT)
        child.due = now + child.wait
        show_end_of(child.log, child.service.name, lines=8)
        complain(
            f"{child.service.name} {ending(code)}; starting it again in {child.wait:.0f} s ({child.log})."
        )

    def _spawn(self, service: Service, log: Path) -> subprocess.Popen[bytes]:
        with log.open("ab") as out:
            return subprocess.Popen(
                service.command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env=self.env,
                start_new_session=True,
                preexec_fn=end_with_parent if LIBC else None,
            )

    def stop(self) -> None:
        """Ask the programs to end, the first one (Redis, which the others use) last; kill what stays.

        A second signal while waiting kills at once.
        """
        with self.interruption.held_back():
            for group in (self.children[1:], self.children[:1]):
                for child in group:
                    with contextlib.suppress(ProcessLookupError):
                        child.process.send_signal(signal.SIGTERM)
                for child in group:
                    self._await_end(child)
                    end_group(child.process)
            self.children.clear()

    def _await_end(self, child: Child) -> None:
        already = max(self.interruption.count, 1)
        deadline = time.monotonic() + child.service.grace
        while child.process.poll() is None and time.monotonic() < deadline:
            if self.interruption.count > already:
                return
            time.sleep(0.05)


def end_with_parent() -> None:
    """In the child, before it becomes the program: let the kernel end it should the launcher be killed."""
    assert LIBC is not None
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def ending(code: int) -> str:
    """How a process ended, in words."""
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with code {code}"
