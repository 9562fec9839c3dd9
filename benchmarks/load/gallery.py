"""How it grows: the roster match by the size of the roster, and photos an hour by worker processes."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.load import running
from benchmarks.load.photos import CLASSES, Source
from benchmarks.measuring import in_turn
from launcher.places import ROOT

TEMPLATES, FACES = 3, 30


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rosters", type=int, nargs="*", default=[10, 30, 100, 300, 1000, 33_334])
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2])
    parser.add_argument(
        "--photos", type=int, default=16, help="through the workers, at each number of processes"
    )
    parser.add_argument("--megapixels", type=int, choices=(2, 12), default=2)
    parser.add_argument("--groups", type=Path, default=ROOT.parent / "shared" / "data" / "groups")


def measure(given: argparse.Namespace) -> Iterator[tuple[str, float]]:
    for students in given.rosters:
        yield from roster(students, given.runs)
    for processes in given.workers:
        yield from workers(processes, given)


def roster(students: int, runs: int) -> Iterator[tuple[str, float]]:
    """Thirty faces named against a roster; and the gallery made from sealed encodings, as once a worker and course."""
    from attendance.sealing import make_keyring, new_key
    from recognition.gallery import Gallery, Template
    from recognition.identification import Probe, identify
    from recognition.policy import MatchPolicy

    rng, ring, version = np.random.default_rng(students), make_keyring([new_key()]), "measured"
    centres = rng.normal(size=(students, 128)) * 0.08
    vectors = [
        (pk, (centres[pk] + rng.normal(size=128) * 0.02).astype(np.float32))
        for pk in range(students)
        for _ in range(TEMPLATES)
    ]
    sealed = [(pk, ring.seal(vector.tobytes(), "a.b")) for pk, vector in vectors]

    def opened() -> Gallery:
        rows = [Template(pk, np.frombuffer(ring.open(data, "a.b"), "<f4"), 0.9) for pk, data in sealed]
        return Gallery.build(rows, version=version)

    gallery, policy = opened(), MatchPolicy.default_for(version)
    seated = rng.choice(students, min(FACES, students), replace=False)
    faces = [Probe((centres[pk] + rng.normal(size=128) * 0.02).astype(np.float32)) for pk in seated]
    faces += [Probe((rng.normal(size=128) * 0.08).astype(np.float32)) for _ in range(FACES - len(faces))]
    times = in_turn({"identify": lambda: identify(faces, gallery, policy), "open": opened}, runs)
    size = students * TEMPLATES
    yield f"identify_30_faces_ms_{size}_templates", 1000 * times["identify"].median
    yield f"identify_30_faces_most_ms_{size}_templates", 1000 * max(times["identify"].seconds)
    yield f"gallery_made_ms_{size}_templates", 1000 * times["open"].median


def workers(processes: int, given: argparse.Namespace) -> Iterator[tuple[str, float]]:
    """A backlog looked at by so many worker processes, which share the cores out."""
    env = {"ROLLCALL_WORKER_PROCESSES": str(processes)}
    with running.site(**env) as site, tempfile.TemporaryDirectory(prefix="rollcall-load-photos-") as name:
        lesson = site.inside("rooms", cameras=1)["sessions"][0]
        source, paths = Source(given.groups, CLASSES, given.megapixels), []
        warm = 2 * processes
        for number in range(given.photos + warm):
            path = Path(name) / f"{number}.jpg"
            path.write_bytes(source.jpeg())
            paths.append(str(path))
        site.start("redis")
        site.inside("feed", paths=paths, session=lesson)
        site.start("worker")
        while site.states().get("done", 0) < warm:  # each process loads its networks
            time.sleep(0.1)
        first, began, used = site.states()["done"], time.monotonic(), site.processor_seconds("worker")
        while (done := site.states().get("done", 0)) < len(paths):
            time.sleep(0.1)
        seconds, used = time.monotonic() - began, site.processor_seconds("worker") - used
        yield f"photos_per_hour_{processes}_processes", 3600 * (done - first) / seconds
        yield f"core_s_a_photo_{processes}_processes", used / (done - first)
