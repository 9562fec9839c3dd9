"""A copy of everything while the site runs, and the way back. The keys are not in it: they are kept apart on purpose.

The database is copied first, at one instant; then the files its rows name, which are written once and never changed.
What was deleted between the two (a withdrawal, retention) is left out, as it should be.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from attendance import stored_files
from attendance.storage import media

FORMAT = 1
MANIFEST = "manifest.json"
MEDIA = "media"
NAMED_BY = "%Y-%m-%dT%H%M%S.%fZ"
COPIED_AT_ONCE = 1024 * 1024


class BackupError(Exception):
    """Something is in the way; the message is one sentence for the person at the keyboard."""


@dataclass(frozen=True, slots=True)
class Summary:
    files: int
    bytes: int
    missing: int = 0
    """Files that a row named and that were gone when they were to be copied."""


def backup(target: Path) -> Summary:
    """Copy database and files into a new folder. Raises BackupError, StorageAway."""
    if target.exists() and any(target.iterdir()):
        raise BackupError(f"{target} is not empty: give a new folder for each backup.")
    (target / MEDIA).mkdir(parents=True, exist_ok=True)
    target.chmod(0o700)
    database = target / _database_name()
    _dump(database)
    hashes, missing, size = {database.name: _sha256(database)}, 0, database.stat().st_size
    for name in stored_files.named():
        copy = target / MEDIA / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            with media().stored(name) as source, copy.open("wb") as out:
                shutil.copyfileobj(source, out)
        except FileNotFoundError:
            missing += 1
            continue
        hashes[f"{MEDIA}/{name}"] = _sha256(copy)
        size += copy.stat().st_size
    facts = {
        "format": FORMAT,
        "made_at": timezone.now().isoformat(),
        "database": database.name,
        "migrations": sorted(".".join(key) for key in MigrationRecorder(connection).applied_migrations()),
        "sha256": hashes,
    }
    _write_synced(target / MANIFEST, json.dumps(facts, indent=1).encode())
    return Summary(len(hashes) - 1, size, missing)


def backup_into(folder: Path, keep: int) -> tuple[Path, Summary]:
    """A new backup in a folder of its own within ``folder``, named by the time; then all but the newest ``keep`` go.

    What was begun and never finished goes too. Raises BackupError, StorageAway; nothing is deleted before the new
    one is whole.
    """
    if keep < 1:
        raise BackupError("At least one backup has to be kept.")
    target = folder / f"{timezone.now().astimezone(dt.UTC):{NAMED_BY}}"
    done = backup(target)
    earlier = sorted(
        path for path in folder.iterdir() if path.is_dir() and _is_ours(path.name) and path != target
    )
    finished = [path for path in earlier if (path / MANIFEST).is_file()]
    kept = set(finished[max(len(finished) - keep + 1, 0) :])
    for path in earlier:
        if path not in kept:
            shutil.rmtree(path)
    return target, done


def _is_ours(name: str) -> bool:
    try:
        dt.datetime.strptime(name, NAMED_BY).replace(tzinfo=dt.UTC)
    except ValueError:
        return False
    return True


def _migrations_not_known(names: Sequence[str]) -> list[str]:
    """Of the backup's migrations of our own tables, those this version lacks: it must not touch such a database."""
    known = MigrationLoader(None, ignore_no_migrations=True).disk_migrations or {}
    return sorted(
        name for name in names if name.startswith("attendance.") and tuple(name.split(".", 1)) not in known
    )


def restore(source: Path) -> Summary:
    """Put a backup in the place of an empty site, checked file by file first; then bring the tables up to date.

    Raises StorageFull, StorageAway, and BackupError for a backup that is not whole or of another kind, and where
    there is something already.
    """
    facts = _checked(source)
    if _is_in_use():
        raise BackupError(
            "This site has data already: restore into an empty one (another ROLLCALL_DATA_DIR or database)."
        )
    size = 0
    for name in facts["sha256"]:  # before the rows that name them: stopped in between, it can be begun again
        if name.startswith(f"{MEDIA}/"):
            size += (source / name).stat().st_size
            media().put(name.removeprefix(f"{MEDIA}/"), _pieces(source / name))
    _load(source / facts["database"])
    call_command("migrate", interactive=False, verbosity=0)
    return Summary(len(facts["sha256"]) - 1, size)


def _checked(source: Path) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads((source / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BackupError(f"{source} is not a finished backup: its {MANIFEST} cannot be read.") from error
    if not isinstance(facts, dict) or not isinstance(facts.get("sha256"), dict) or "database" not in facts:
        raise BackupError(f"{source} is not a finished backup: its {MANIFEST} says nothing of its files.")
    if facts.get("format") != FORMAT:
        raise BackupError(f"{source} was made by another version of Rollcall (format {facts.get('format')}).")
    newer = _migrations_not_known(facts.get("migrations", []))
    if newer:
        raise BackupError(
            f"{source} was made by a newer version of Rollcall (this one does not know {newer[0]}): install that "
            "version, then restore."
        )
    if facts["database"] != _database_name():
        raise BackupError(f"{source} holds {facts['database']}; this site's database is of another kind.")
    for name, digest in facts["sha256"].items():
        path = source / name
        if not _lies_within(source, name) or not path.is_file() or _sha256(path) != digest:
            raise BackupError(f"{name} of the backup is missing or was changed.")
    return facts


def _lies_within(source: Path, name: str) -> bool:
    """A plain name below the backup's folder, and no link out of it: what a manifest says is not to be believed."""
    parts = name.split("/")
    plain = all(part not in ("", ".", "..") and part.isprintable() for part in parts) and "\\" not in name
    return plain and (source / name).resolve() == source.resolve() / name


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(COPIED_AT_ONCE):
            yield piece


def _is_in_use() -> bool:
    tables = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for table in ("auth_user", "attendance_student", "attendance_course"):
            if table in tables:
                cursor.execute(f"SELECT 1 FROM {table} LIMIT 1")  # noqa: S608 (names of our own tables)
                if cursor.fetchone():
                    return True
    return False


def _database_name() -> str:
    return "database.sqlite3" if connection.vendor == "sqlite" else "database.dump"


def _dump(target: Path) -> None:
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        with closing(sqlite3.connect(target)) as copy:
            connection.connection.backup(copy)
        return
    _postgres(["pg_dump", "--format=custom", "--no-owner", "--file", str(target)])


def _load(source: Path) -> None:
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        with closing(sqlite3.connect(source)) as copy:
            copy.backup(connection.connection)
        return
    _postgres(
        ["pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", str(source)],
        last="--dbname",
    )


def _postgres(command: list[str], last: str = "") -> None:
    """One of PostgreSQL's own programs against this site's database; the password goes by the environment."""
    given = connection.get_connection_params()
    names = {
        "PGHOST": "host",
        "PGPORT": "port",
        "PGUSER": "user",
        "PGPASSWORD": "password",
        "PGDATABASE": "dbname",
    }
    env = {**os.environ, **{name: str(given[key]) for name, key in names.items() if given.get(key)}}
    if last:
        command = [*command[:-1], last, str(given["dbname"]), command[-1]]
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise BackupError(f"{command[0]} is not installed: install PostgreSQL's client programs.") from error
    if done.returncode:
        raise BackupError(
            f"{command[0]} failed: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else ''}"
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_synced(path: Path, content: bytes) -> None:
    """Last of all, so that a backup without it is known to be unfinished."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
