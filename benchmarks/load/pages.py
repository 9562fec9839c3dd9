"""Every page and API list of a large school on PostgreSQL, asked for by one user: how long, and how many queries.

A page is what it takes until all of it is there: ``page_p95_ms_<name>`` and ``page_p50_ms_<name>``, and what it takes
of the processor: ``page_cpu_ms_<name>``. A file to be saved is no page: ``file_first_byte_ms_<name>`` is how long a
browser waits until it begins to come and ``file_s_<name>`` until all of it is there, both at the 95th percentile;
``file_cpu_s_<name>`` is the processor time of the whole. A file counts as slow by its first byte.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from types import SimpleNamespace
from typing import Any

from benchmarks.load import postgres, seed
from benchmarks.load.cameras import percentile
from benchmarks.load.running import processor_seconds
from launcher.environment import settings_environment
from launcher.places import ROOT, DataFolder

LIMIT_MS = 300.0
TOO_SLOW = 20.0
"""Seconds after which a page is not asked for again."""


@dataclass(frozen=True, slots=True)
class Asked:
    name: str
    who: str
    address: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    seed.add_arguments(parser)
    parser.add_argument("--runs", type=int, default=20, help="how often each is asked for")
    parser.add_argument(
        "--only", default="", help="parts of the names of the pages wanted, separated by commas"
    )
    parser.add_argument("--keep", type=Path, help="a folder: the school is made once there, and used again")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)


def measure(given: argparse.Namespace) -> Iterator[tuple[str, float]]:
    """Starts a server and asks in a process of its own, which has that server's settings."""
    if given.inside:
        yield from _inside(given)
        return
    with tempfile.TemporaryDirectory(prefix="rollcall-school-") as folder:
        home = (given.keep or Path(folder)).resolve()
        home.mkdir(parents=True, exist_ok=True)
        (home / "postgresql").mkdir(exist_ok=True)
        with postgres.running(home / "postgresql") as address:
            env = settings_environment(DataFolder(home / "data")) | {
                "DATABASE_URL": address,
                "PYTHONPATH": str(ROOT),
            }
            command = [
                sys.executable,
                "-m",
                "benchmarks.load",
                "pages",
                "--inside",
                "--scale",
                str(given.scale),
            ]
            command += ["--runs", str(given.runs), "--only", given.only]
            done = subprocess.run(command, cwd=ROOT, env=os.environ | env, check=False)
    if done.returncode:
        raise SystemExit(done.returncode)


def _inside(given: argparse.Namespace) -> Iterator[tuple[str, float]]:
    from django.core.management import call_command

    import config.wsgi  # noqa: F401 (everything is loaded, and left alone by the collector, as in the web server)
    from attendance import tallies
    from attendance.models import Student

    call_command("migrate", verbosity=0)
    if not Student.objects.exists():
        yield from seed.measure(given)
    # As the clock has a worker do every five minutes.
    tallies.keep_all()
    yield "figures_worked_out_s", work_out_figures()
    yield from report(asked(), given.runs, given.only)


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds of each run: until the first byte, until the last, and of processor time; ``queries`` of one more."""

    first: list[float]
    whole: list[float]
    processor: list[float]
    queries: int
    is_file: bool


def work_out_figures() -> float:
    """Seconds a worker takes for the kept figures behind these pages: people see them kept."""
    from attendance import figures
    from attendance.learned.counting import OF_COURSE, OF_SITE
    from attendance.reports.comparison_facts import TWO_MODELS

    began = time.perf_counter()
    figures.count_now(OF_SITE)
    figures.count_now(TWO_MODELS)
    figures.count_now(OF_COURSE, things().course.pk)
    return time.perf_counter() - began


def report(everything: list[Asked], runs: int, only: str = "") -> Iterator[tuple[str, float]]:
    """Wall time, processor time of this process and the database's together, and queries."""
    slow = []
    wanted = [one for one in everything if any(part in one.name for part in only.split(","))]
    for one in wanted:
        taken = time_of(one, runs)
        yield from (_of_file if taken.is_file else _of_page)(one.name, taken)
        yield f"queries_{one.name}", taken.queries
        if 1000 * percentile(taken.first if taken.is_file else taken.whole, 0.95) > LIMIT_MS:
            slow.append(one.name)
    yield "pages_measured", len(wanted)
    yield f"pages_over_{LIMIT_MS:.0f}_ms", len(slow)
    print("slow: " + (" ".join(slow) or "none"), flush=True)


def _of_page(name: str, taken: Taken) -> Iterator[tuple[str, float]]:
    yield f"page_p95_ms_{name}", 1000 * percentile(taken.whole, 0.95)
    yield f"page_p50_ms_{name}", 1000 * percentile(taken.whole, 0.5)
    yield f"page_cpu_ms_{name}", 1000 * mean(taken.processor)


def _of_file(name: str, taken: Taken) -> Iterator[tuple[str, float]]:
    yield f"file_first_byte_ms_{name}", 1000 * percentile(taken.first, 0.95)
    yield f"file_s_{name}", percentile(taken.whole, 0.95)
    yield f"file_cpu_s_{name}", mean(taken.processor)


def time_of(one: Asked, runs: int) -> Taken:
    """So many runs after one that is not counted."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client, server = client_of(one.who), _server_process()
    first, whole, processor = [], [], []
    for number in range(-1, runs):
        began, used = time.perf_counter(), _processor_time(server)
        answer = client.get(one.address)
        came = _first_byte(answer)
        if answer.status_code not in (200, 202, 302):
            raise SystemExit(f"{one.name}: {answer.status_code} {one.address} {answer.content[:300]!r}")
        if number >= 0 or time.perf_counter() - began > TOO_SLOW:
            first.append(came - began)
            whole.append(time.perf_counter() - began)
            processor.append(_processor_time(server) - used)
        if time.perf_counter() - began > TOO_SLOW:
            break
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(one.address)
        _first_byte(answer)
    is_file = answer.headers.get("Content-Disposition", "").startswith("attachment")
    return Taken(first, whole, processor, len(captured), is_file)


def _first_byte(answer: Any) -> float:
    """When the first byte was there; the rest is read as well."""
    if not answer.streaming:
        return time.perf_counter()
    pieces = iter(answer.streaming_content)
    next(pieces, None)
    came = time.perf_counter()
    deque(pieces, maxlen=0)
    return came


def _server_process() -> int:
    """The process of the database server that answers this one; 0 where the database is a file."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        found: int = cursor.fetchone()[0]
        return found


def _processor_time(server: int) -> float:
    """Seconds this process and the server's have used; the server's in hundredths."""
    return time.process_time() + (processor_seconds(server) if server else 0.0)


def client_of(who: str) -> Any:
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get(username=who), backend="django.contrib.auth.backends.ModelBackend")
    return client


def asked() -> list[Asked]:
    """Every page a browser is given and everything the API answers to GET, as the tables of the tests name them."""
    return [*_web_pages(), *_api_operations()]


def _web_pages() -> Iterator[Asked]:
    from tests.web import test_who_sees_what as table

    school = things()
    families = [
        (table.PAGES, ("teacher0",)),
        (table.FOR_CHANGERS, ("teacher0",)),
        (table.OWN, ("teacher0", "administrator")),
        (table.SITE_PAGES, ("administrator",)),
        (table.OF_STUDENTS, ("pupil",)),
    ]
    for pages, people in families:
        for name, arguments in pages.items():
            for who in people:
                suffix = "_admin" if who == "administrator" and len(people) > 1 else ""
                yield Asked(_plain(name) + suffix, who, table.address(name, arguments, school))  # type: ignore[arg-type]
    for what in ("course", "session", "student", "missing", "absences", "away", "summary"):
        query = (
            f"?what={what}&course={school.course.pk}&session={school.session.pk}&student={school.student.pk}"
        )
        for who in ("teacher0", "administrator"):
            suffix = "_admin" if who == "administrator" else ""
            yield Asked(f"reports_{what}{suffix}", who, f"/reports/{query}")


def _api_operations() -> Iterator[Asked]:
    from tests.api import test_access as table

    school = things()
    numbers = {
        "course_id": school.course.pk, "session_id": school.session.pk, "student_id": school.student.pk,
        "snapshot_id": school.snapshot.pk, "sighting_id": school.sighting.pk, "portrait_id": school.held.pk,
        "camera_id": school.camera.pk,
    }  # fmt: skip
    known = {"nothing-here", "docs", "report-job", "report-job-file"}
    for rule in table.RULES:
        if rule.method != "GET" or rule.name in known or rule.name.startswith("camera-"):
            continue
        address = table.address_of(rule.name, numbers)
        if "<" in address:
            continue
        if rule.answers == table.NO_STAFF:
            yield Asked(f"api_{_plain(rule.name)}", "pupil", address)
            continue
        for who in ("teacher0", "administrator"):
            if rule.answers[3 if who == "administrator" else 0] == 200:
                yield Asked(
                    f"api_{_plain(rule.name)}{'_admin' if who == 'administrator' else ''}", who, address
                )


def things() -> SimpleNamespace:
    """One of everything a page can show, of the first course; chosen where there is the most to show."""
    from attendance.models import (
        Camera,
        Course,
        FaceTemplate,
        Portrait,
        Sighting,
        Snapshot,
        Student,
        TimetableSlot,
    )

    course = Course.objects.get(pk=1)
    session = course.sessions.exclude(state="planned").order_by("-starts_at")[0]
    faces = Sighting.objects.filter(snapshot__session=session)
    first = Student.objects.get(pk=1)
    return SimpleNamespace(
        owner=course.teachers.get(),
        course=course,
        session=session,
        student=first,
        snapshot=Snapshot.objects.filter(session=session).order_by("pk")[0],
        sighting=faces.filter(student=first).order_by("pk")[0],
        unsure=faces.exclude(decision="recognised").order_by("pk")[0],
        template=FaceTemplate.objects.filter(student=first)[0],
        held=Portrait.objects.filter(student=first)[0],
        camera=Camera.objects.get(pk=1),
        slot=TimetableSlot.objects.filter(course=course)[0],
    )


def _plain(name: str) -> str:
    return name.replace("-", "_")
