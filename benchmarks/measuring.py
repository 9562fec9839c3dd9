"""Times of several ways of doing one thing, taken in turn so that a busy moment falls on all of them alike."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of every run of one way."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    def __str__(self) -> str:
        return f"{self.median:.4g} s ({min(self.seconds):.4g} to {max(self.seconds):.4g})"


def in_turn(
    ways: Mapping[str, Callable[[], object]],
    runs: int,
    *,
    warm: int = 1,
    repeats: Mapping[str, int] | None = None,
) -> dict[str, Times]:
    """Each way once a round, ``runs`` rounds, after ``warm`` rounds that are not counted.

    A way in ``repeats`` runs so many times a round, and the mean counts: what is over in a blink would else be measured
    just after seconds of the slow way, with its memory gone cold, as it never is in a worker.
    """
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for round_number in range(-warm, runs):
        for name, way in ways.items():
            times = (repeats or {}).get(name, 1)
            start = time.perf_counter()
            for _ in range(times):
                way()
            if round_number >= 0:
                taken[name].append((time.perf_counter() - start) / times)
    return {name: Times(tuple(seconds)) for name, seconds in taken.items()}


@dataclass(frozen=True, slots=True)
class Ratio:
    """Slow over quick, run by run."""

    values: tuple[float, ...]
    least_disturbed: float
    """The quickest run of the one over the quickest of the other: what other work on the machine changes least."""

    @classmethod
    def of(cls, slow: Times, quick: Times) -> Ratio:
        ratios = tuple(a / b for a, b in zip(slow.seconds, quick.seconds, strict=True))
        return cls(ratios, min(slow.seconds) / min(quick.seconds))

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def spread(self) -> str:
        return (
            f"{min(self.values):.3g} to {max(self.values):.3g} in {len(self.values)} runs;"
            f" quickest over quickest {self.least_disturbed:.3g}"
        )


def peak_mib() -> float:
    """The most memory this process has held, MiB: from /proc, as ``ru_maxrss`` starts at the parent's."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def json_of(command: Sequence[str | Path]) -> dict[str, float]:
    """The JSON object that a command prints as its last line."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True)
    answer: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def in_own_process(module: str, *arguments: str) -> dict[str, float]:
    """The JSON object that ``python -m module arguments`` prints as its last line."""
    return json_of([sys.executable, "-m", module, *arguments])
