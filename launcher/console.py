"""What the person at the terminal sees: one line a step."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WIDTH = 78


class Step:
    """The step under way; ``note`` shows a detail on a terminal, and is silent elsewhere."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.outcome = ""
        self._live = sys.stdout.isatty()
        self._began = time.monotonic()
        self.note("")

    def note(self, detail: str) -> None:
        if self._live:
            line = f"  {self.title} ... {detail}"[:WIDTH]
            print(f"\r{line:<{WIDTH}}", end="", flush=True)

    def close(self, ending: str) -> None:
        start = "\r" if self._live else ""
        seconds = time.monotonic() - self._began
        print(f"{start}{f'  {self.title} ... {ending} ({seconds:.1f} s)':<{WIDTH}}".rstrip(), flush=True)


@contextmanager
def step(title: str) -> Iterator[Step]:
    """Print ``title``, then how it ended and how long it took."""
    current = Step(title)
    try:
        yield current
    except BaseException:
        current.close("failed")
        raise
    current.close(current.outcome or "done")


def say(text: str = "") -> None:
    print(text, flush=True)


def complain(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def show_end_of(log: Path, name: str, lines: int = 15) -> None:
    """Print the last lines of a log, each with the name of who wrote it."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        complain(f"{name} | (no log: {error})")
        return
    for line in text.splitlines()[-lines:]:
        complain(f"{name} | {line}")
