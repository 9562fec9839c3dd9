"""A search for what is left of somebody on a whole site: database, files, Redis, logs, temporary folders, workers.

It looks for bytes, whatever they lie in: as they are, within what is sealed, packed, or written in hexadecimal, base64
or JSON.

Of SQLite the whole file is read as it lies. Of PostgreSQL first what the server gives: a dump of all tables, where
binary columns are hexadecimal. That shows that no row holds it, not that the server's disk does not: dead rows stay in
its files until they are written anew. So, where the server's data folder can be read (it runs on this machine, and may
be looked into), the files of this database are searched too as they lie: tables, indexes, statistics. Not searched are
the server's write-ahead log, which belongs to all of its databases; and a value of more than 2 kB may lie packed, where
it is not found.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import os
import re
import sqlite3
import subprocess
import time
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import redis

from tests.stress.site import Site

ENGINE = "knowing-engine"
LOGGED = ("attendance_auditentry",)
"""The log of who looked at whom keeps the number of the row, and nothing else: what was done must stay provable."""
RELATIONS = (
    "SELECT pg_relation_filenode(oid), relname FROM pg_class WHERE relkind IN ('r', 'i', 't', 'm', 'S')"
)
"""What lies in which file of PostgreSQL: tables, indexes, what is too long for either."""
DATABASE_FILES = (".sqlite3", ".sqlite3-wal", ".sqlite3-shm")
BASE64 = re.compile(rb"[A-Za-z0-9+/]{24,}={0,2}")


def face_of_the_student() -> np.ndarray:
    return (np.random.default_rng(4711).normal(size=128) * 0.06).astype(np.float32)


@dataclass
class Wanted:
    """What must not be found: bytes by what they are; hashes (SHA-256) of pictures; the number of the student's row."""

    bytes_of: dict[str, bytes] = field(default_factory=dict)
    pictures: dict[str, str] = field(default_factory=dict)
    row_number: int | None = None

    def forms(self) -> Iterator[tuple[str, bytes]]:
        for label, found in self.bytes_of.items():
            yield label, found
            yield f"{label} (hex)", found.hex().encode()
            with contextlib.suppress(UnicodeDecodeError):
                escaped = json.dumps(found.decode())[1:-1].encode()
                if escaped != found:
                    yield f"{label} (JSON)", escaped


def search(site: Site, wanted: Wanted, *, server_files: bool = True) -> set[str]:
    """Where something is left: ``place: what``. Empty when it is all gone.

    ``server_files``: PostgreSQL's own as well.
    """
    found: set[str] = set()
    forms = list(wanted.forms())
    number = [] if wanted.row_number is None else [("row number", str(wanted.row_number).encode())]
    for place, content in _everything(site):
        known = forms if place.endswith(DATABASE_FILES) else forms + number
        found |= {f"{place}: {label}" for label, form in known if form in content}
        for text in BASE64.findall(content) if len(content) < 200_000 else ():
            with contextlib.suppress(ValueError):
                plain = base64.b64decode(text, validate=True)
                found |= {f"{place}: {label} (base64)" for label, form in forms if form in plain}
        digest = hashlib.sha256(content).hexdigest()
        found |= {f"{place}: {label}" for label, picture in wanted.pictures.items() if picture == digest}
    if wanted.row_number is not None and site.is_sqlite:
        # Numbers lie in SQLite's pages as six bytes, the largest first (sqlite.org/fileformat2.html, serial type 5).
        number.append(("row number (packed)", wanted.row_number.to_bytes(6, "big")))
        for place, content in _sqlite_files(site, without_log=True):
            found |= {f"{place}: {label}" for label, form in number if form in content}
    if server_files and not site.is_sqlite:
        found |= _in_server_files(site, wanted)
    return found


def _everything(site: Site) -> Iterator[tuple[str, bytes]]:
    yield from _sqlite_files(site) if site.is_sqlite else _dumped(site)
    yield from _tables(site)
    yield from _files(site)
    yield from _redis(site)


# --- the database ---------------------------------------------------------------------------------------
def _sqlite_files(site: Site, *, without_log: bool = False) -> Iterator[tuple[str, bytes]]:
    """The file as it lies, free pages and all, and the write-ahead log beside it."""
    base = Path(site.env["DATABASE_URL"].removeprefix("sqlite:///"))
    for path in sorted(base.parent.glob(f"{base.name}*")):
        if without_log and path == base:
            copy = site.folder.parent / "without-log.sqlite3"
            copy.write_bytes(path.read_bytes())
            with contextlib.closing(sqlite3.connect(copy)) as connection:
                connection.execute("PRAGMA journal_mode=DELETE")
                connection.execute("PRAGMA secure_delete=ON")
                connection.execute("DROP TRIGGER IF EXISTS attendance_auditentry_only_added")
                connection.execute("DELETE FROM attendance_auditentry")
                connection.commit()
            yield path.name, copy.read_bytes()
            copy.unlink()
        else:
            yield path.name, path.read_bytes()


def _dumped(site: Site) -> Iterator[tuple[str, bytes]]:
    done = subprocess.run(
        ["pg_dump", "--data-only", site.env["DATABASE_URL"]], capture_output=True, check=True
    )
    for table in re.split(rb"(?=^COPY )", done.stdout, flags=re.MULTILINE):
        name = table.split(b" ", 2)[1].decode() if table.startswith(b"COPY") else "settings"
        if not name.endswith(LOGGED):
            yield name, table


def _in_server_files(site: Site, wanted: Wanted) -> set[str]:
    """The same in the files of this database, once what the server holds in memory is on disk."""
    folder = data_folder(site)
    if folder is None:
        return set()
    forms = list(wanted.forms())
    # A bigint lies as eight bytes, the smallest first (postgresql.org/docs/current/storage-page-layout.html).
    number = [("row number (packed)", (wanted.row_number or 0).to_bytes(8, "little"))]
    relations = {str(file): name for file, name in site.query(RELATIONS)}
    found = _in_statistics(site, wanted)
    for path in sorted(folder.iterdir()):
        name = relations.get(re.split(r"[._]", path.name)[0], path.name)
        with contextlib.suppress(FileNotFoundError):
            content = path.read_bytes()
            unlogged = wanted.row_number is not None and not name.startswith((*LOGGED, "pg_statistic"))
            known = forms + number if unlogged else forms
            found |= {f"server's file of {name}: {label}" for label, form in known if form in content}
    return found


def _in_statistics(site: Site, wanted: Wanted) -> set[str]:
    """The row's number quoted in the statistics of any table but the log, whose own do quote it."""
    rows = site.query(
        f"SELECT tablename, attname FROM pg_stats WHERE '{wanted.row_number}' <> 'None' AND tablename <> '{LOGGED[0]}' "
        f"AND concat(most_common_vals, histogram_bounds) LIKE '%{wanted.row_number}%'"
    )
    return {f"server's statistics of {table}.{column}: row number" for table, column in rows}


def data_folder(site: Site) -> Path | None:
    """Where the files of this database lie; None where they cannot be read from here."""
    site.execute("CHECKPOINT")
    ((folder, number),) = site.query(
        "SELECT current_setting('data_directory'), oid FROM pg_database WHERE datname = current_database()"
    )
    path = Path(folder) / "base" / str(number)
    return path if os.access(path, os.R_OK | os.X_OK) else None


def _tables(site: Site) -> Iterator[tuple[str, bytes]]:
    """Every value of every table, what is sealed opened."""
    rows = site.python(
        "from django.apps import apps\nfrom attendance.models.sealed import SealedField\n"
        "out = {}\n"
        "for model in apps.get_models():\n"
        "    if model._meta.db_table in V['logged']: continue\n"
        "    for field in model._meta.concrete_fields:\n"
        "        values = model._default_manager.values_list(field.attname, flat=True)\n"
        "        for v in values:\n"
        "            if v is None: continue\n"
        "            raw = bytes(v).hex() if isinstance(v, (bytes, memoryview)) else json.dumps(v, default=str)\n"
        "            out.setdefault(f'{model._meta.db_table}.{field.name}', []).append(raw)\n"
        "answer(out)",
        logged=LOGGED,
    )
    for place, values in rows.items():
        yield place, "\n".join(values).encode()


# --- files ------------------------------------------------------------------------------------------------
def _files(site: Site) -> Iterator[tuple[str, bytes]]:
    """Logs, media, temporary folders: all of the site's folder. Sealed files as they lie and as they read."""
    database = site.env["DATABASE_URL"].removeprefix("sqlite:///")
    for path in sorted(site.folder.rglob("*")):
        if path.is_file() and not str(path).startswith(database):
            name = str(path.relative_to(site.folder))
            yield name, name.encode() + path.read_bytes()
    plain = site.python(
        "import base64\nfrom django.core.files.storage import default_storage as d\n"
        "from attendance.storage import media\n"
        "from django.utils import timezone\nimport datetime as dt\n"
        "names = list(media().names(timezone.now() + dt.timedelta(days=1)))\n"
        "answer({n: base64.b64encode(d.open(n).read()).decode() for n in names})"
    )
    for name, content in plain.items():
        data = base64.b64decode(content)
        yield f"media {name}", data
        yield from _packed(f"media {name}", data)


def _packed(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            for member in file.namelist():
                yield f"{name} {member}", file.read(member)


# --- Redis ------------------------------------------------------------------------------------------------
def _redis(site: Site) -> Iterator[tuple[str, bytes]]:
    """Every key and value, and the file Redis writes on disk, made anew first."""
    with redis.Redis.from_url(site.redis_url) as client:
        for key in client.scan_iter(count=1000):
            yield f"redis {key.decode(errors='replace')}", key + b"\n" + _value(client, key)
        client.bgrewriteaof()
        for _n in range(100):
            if not client.info("persistence")["aof_rewrite_in_progress"]:
                break
            time.sleep(0.05)
        folder = Path(client.config_get("dir")["dir"])
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield f"redis file {path.name}", path.read_bytes()


def _value(client: Any, key: bytes) -> bytes:
    read = {
        b"string": lambda: [client.get(key) or b""],
        b"list": lambda: client.lrange(key, 0, -1),
        b"set": lambda: list(client.smembers(key)),
        b"hash": lambda: [part for pair in client.hgetall(key).items() for part in pair],
        b"zset": lambda: client.zrange(key, 0, -1),
    }
    return b"\n".join(read[client.type(key)]())


# --- the worker -------------------------------------------------------------------------------------------
def remembered(site: Site, seconds: float = 60) -> Mapping[str, Any]:
    """What the worker's process holds of faces, asked of itself."""
    answer = site.folder.parent / f"remembered-{time.monotonic_ns()}.json"
    site.python(
        "from config.celery import app\napp.send_task('tests.remembered', args=[V['answer']])",
        answer=str(answer),
    )
    deadline = time.monotonic() + seconds
    while not answer.exists():
        assert time.monotonic() < deadline, "the worker does not answer"
        time.sleep(0.1)
    told: Mapping[str, Any] = json.loads(answer.read_text())
    return told
