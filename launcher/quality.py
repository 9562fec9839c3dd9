"""``./run test`` and ``./run lint``."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from launcher.environment import settings_environment
from launcher.packages import ensure_packages
from launcher.places import PYTHON, ROOT, VENV, DataFolder

CHECKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("ruff check", ("ruff", "check", ".")),
    ("ruff format", ("ruff", "format", "--check", ".")),
    ("mypy", ("mypy",)),
    ("import rules", ("lint-imports",)),
)


def test(arguments: Sequence[str]) -> int:
    """Run pytest on everything, or with the arguments given; returns its exit code.

    The data folder is one for tests, so that no test can touch a school's database, photos or queue.
    """
    data = DataFolder(ROOT / "var" / "test")
    ensure_packages(data.logs, development=True)
    env = settings_environment(data)
    os.chdir(ROOT)
    os.execve(PYTHON, [str(PYTHON), "-m", "pytest", *arguments], env)


def lint() -> int:
    """Run every check, all at once, even if one fails; what they say comes in order. Returns 1 if any failed."""
    data = DataFolder(ROOT / "var" / "test")
    ensure_packages(data.logs, development=True)
    env = settings_environment(data)
    running = [
        subprocess.Popen(
            [VENV / "bin" / command[0], *command[1:]],
            cwd=ROOT,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _name, command in CHECKS
    ]
    failed = []
    for (name, _command), process in zip(CHECKS, running, strict=True):
        said, _nothing = process.communicate()
        print(f"== {name}\n{said}", end="", flush=True)
        if process.returncode:
            failed.append(name)
    print(f"lint: {'failed: ' + ', '.join(failed) if failed else 'all clean'}", flush=True)
    return 1 if failed else 0
