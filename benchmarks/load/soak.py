"""Many photos through one worker process: its memory, its handles, and what it leaves in temporary folders."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.load import running
from benchmarks.load.photos import FEW_FACES, Source
from launcher.places import ROOT

BATCH = 50
"""Photos fed at a time, and of one lesson: as many as a camera takes of it."""
WARM = 100
"""Photos before the first look: the networks load with the first, buffers grow with the next."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--photos", type=int, default=5000)
    parser.add_argument(
        "--minutes", type=float, default=240, help="stop after so long, and say how many were done"
    )
    parser.add_argument("--groups", type=Path, default=ROOT.parent / "shared" / "data" / "groups")
    parser.add_argument("--nice", type=int, default=0, help="of the worker, where the machine is shared")


def measure(given: argparse.Namespace) -> dict[str, float]:
    """``name: value`` of the soak; a line of progress each hundred photos on the error output."""
    with tempfile.TemporaryDirectory(prefix="rollcall-soak-tmp-") as temporary:
        scratch = Path(temporary)
        with running.site(TMPDIR=temporary, ROLLCALL_TORCH_THREADS="1") as site:
            lessons = site.inside("rooms", cameras=-(-given.photos // BATCH))["sessions"]
            site.start("redis")
            site.start("worker", nice=given.nice)
            found = _run(site, lessons, given)
            site.stop()
        left = [path for path in scratch.rglob("*") if path.is_file()]
        return {**found, "temp_files_left": len(left)}


def _run(site: running.RunningSite, lessons: list[int], given: argparse.Namespace) -> dict[str, float]:
    source = Source(given.groups, FEW_FACES, 2)
    ends, began = time.monotonic() + given.minutes * 60, time.monotonic()
    seen: list[tuple[int, float, int]] = []
    fed = done = 0
    children: set[int] = set()
    with tempfile.TemporaryDirectory(prefix="rollcall-soak-in-") as folder:
        while done < given.photos and time.monotonic() < ends:
            if fed < given.photos and fed - done < 2 * BATCH:
                batch = min(BATCH, given.photos - fed)
                paths = []
                for number in range(batch):
                    path = Path(folder) / f"{number}.jpg"
                    path.write_bytes(source.jpeg())
                    paths.append(str(path))
                fed += int(site.inside("feed", paths=paths, session=lessons[fed // BATCH]))
                done = site.states().get("done", 0)
                child = _child(site)
                children.add(child)
                seen.append((done, running.resident_mib(child), running.handles(child)))
                if len(seen) % 4 == 0:
                    print(
                        f"{done} done, {seen[-1][1]:.0f} MiB, {seen[-1][2]} handles",
                        file=sys.stderr,
                        flush=True,
                    )
            else:
                time.sleep(2)
                done = site.states().get("done", 0)
    states = site.states()
    child = _child(site)
    seen.append((done, running.resident_mib(child), running.handles(child)))
    first = next((each for each in seen if each[0] >= min(WARM, given.photos // 2)), seen[0])
    return {
        "photos": done,
        "failed": states.get("failed", 0),
        "seconds": time.monotonic() - began,
        "worker_processes_used": len(children | {child}),
        "rss_first_mib": first[1],
        "rss_last_mib": seen[-1][1],
        "rss_most_mib": max(each[1] for each in seen),
        "handles_first": first[2],
        "handles_last": seen[-1][2],
        "core_s_a_photo": site.processor_seconds("worker") / max(1, done),
    }


def _child(site: running.RunningSite) -> int:
    """The worker's one child process: the newest of its family."""
    return running.family(site.processes["worker"].pid)[-1]
