"""A school in the middle of its term: 10,000 students, 500 courses, a million marks, two million faces.

Nobody is real: encodings are random bytes, all photos are one grey picture. As in a school that keeps photos for
thirty days, older ones have lost file, encodings and second opinions, and keep who was seen where.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

ROSTER = 50
PHOTOS = 4
FACES = 25
"""Of a photo: every second student of the roster."""


@dataclass(frozen=True, slots=True)
class Size:
    """The whole school at ``scale`` 1."""

    scale: float = 1.0
    lessons: int = 40
    """Of each course until today; one more is planned."""

    @property
    def courses(self) -> int:
        return max(2, round(500 * self.scale))

    @property
    def students(self) -> int:
        return max(ROSTER, 20 * self.courses // ROSTER * ROSTER)

    @property
    def teachers(self) -> int:
        return max(1, self.courses // 5)

    @property
    def rooms(self) -> int:
        return max(1, round(60 * self.scale))

    def share(self, number: int) -> int:
        """What there are ``number`` of in the whole school."""
        return max(5, round(number * self.scale))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--scale", type=float, default=1.0, help="1: 10,000 students; 0.25: a quarter")


def measure(given: argparse.Namespace) -> Iterator[tuple[str, float]]:
    """Fill the empty database that the settings name. Raises SystemExit where it is not empty."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from attendance.models import Student

    call_command("migrate", verbosity=0)
    if Student.objects.exists():
        raise SystemExit("this database holds students: a made-up school goes into an empty one only")
    began = time.monotonic()
    fill(Size(given.scale))
    yield "seed_seconds", time.monotonic() - began
    yield from counted()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(current_database())")
            yield "database_mib", cursor.fetchone()[0] / 2**20


def fill(size: Size) -> None:
    """Everything, table by table; in one transaction."""
    from django.db import transaction
    from django.utils import timezone

    from benchmarks.load import rows, seed_faces, seed_people, seed_term

    now = timezone.now().replace(microsecond=0)
    with transaction.atomic():
        rows.begin()
        for part in (seed_people, seed_term, seed_faces):
            for step in part.STEPS:
                _timed(step, size, now)
        rows.finish(seed_people.tables())


def _timed(step: Callable[..., None], size: Size, now: object) -> None:
    began = time.monotonic()
    step(size, now)
    print(f"  {step.__name__}: {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)


def counted() -> Iterator[tuple[str, int]]:
    from attendance.models import Candidate, ClassSession, Course, Mark, Sighting, Snapshot, Student

    for model in (Student, Course, ClassSession, Mark, Snapshot, Sighting, Candidate):
        yield f"rows_{model._meta.model_name}", model._default_manager.count()


def scatter(number: int) -> int:
    """0 to 999, evenly and the same each time (Knuth's multiplicative hash)."""
    return (number * 2654435761 & 0xFFFFFFFF) * 1000 >> 32
