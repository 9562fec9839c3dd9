"""Databases for tests that need no migrating: it is done once for a state of the migrations, and copied from there.

Migrating an empty database takes eight seconds of a processor, a copy a few milliseconds.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parent.parent


def sqlite_file() -> Path:
    """A migrated, empty SQLite database; to be read only."""
    made = _folder() / f"migrated-{state()}.sqlite3"
    with _alone():
        if not made.exists():
            half = made.with_suffix(".part")
            half.unlink(missing_ok=True)
            _migrate(f"sqlite:///{half}")
            with contextlib.closing(sqlite3.connect(half)) as connection:
                connection.execute("PRAGMA journal_mode=DELETE")  # nothing is left beside the file
            half.rename(made)
    return made


def postgresql_name(server: str) -> str:
    """A migrated, empty database on the server this address names, to be the template of others; nobody connects."""
    import psycopg

    name = f"migrated_{state()}"
    with _alone(), psycopg.connect(server, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            connection.execute(f"DROP DATABASE IF EXISTS {name}_part WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {name}_part")
            _migrate(at(server, f"{name}_part"))
            connection.execute(f"ALTER DATABASE {name}_part RENAME TO {name}")
    return name


def at(server: str, name: str) -> str:
    """The address of another database on the same server."""
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


def state() -> str:
    """Changes with any migration of Rollcall and with any package."""
    found = hashlib.sha256((ROOT / "requirements.txt").read_bytes())
    for path in sorted((ROOT / "attendance" / "migrations").glob("*.py")):
        found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()[:16]


def _folder() -> Path:
    folder = Path(os.environ.get("ROLLCALL_DATA_DIR") or ROOT / "var" / "test") / "migrated"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Of several processes that need it at once one makes it, and the others wait."""
    with (_folder() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _migrate(database_url: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity", "0", "--skip-checks"],
        cwd=ROOT, env=os.environ | {"DATABASE_URL": database_url}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
