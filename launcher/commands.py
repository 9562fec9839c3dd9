"""Running other programs: one at a time with its output in a log, never left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from launcher.errors import DiskFull

DISK_FULL = "No space left on device"


def run_logged(
    command: Sequence[str | Path],
    log: Path,
    *,
    env: Mapping[str, str],
    on_line: Callable[[str], None] = lambda line: None,
) -> int:
    """Run to the end with all output appended to ``log``; ``on_line`` sees each line. Returns the exit code.

    The program has a process group of its own, which is killed if this call is left early.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as record:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=env,
            start_new_session=True,
        )
        try:
            assert process.stdout is not None
            for line in process.stdout:
                record.write(line)
                record.flush()
                on_line(line.rstrip())
            return process.wait()
        finally:
            end_group(process)


def end_group(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    """Kill whatever is left of a program's process group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def explain_disk_full(log: Path, where: Path) -> None:
    """Raise the sentence for a full disk if the end of ``log`` speaks of one."""
    try:
        tail = log.read_text(encoding="utf-8", errors="replace")[-4000:]
    except OSError:
        return
    if DISK_FULL in tail:
        raise DiskFull(f"The disk is full: make room on the one that holds {where} and start again.")
