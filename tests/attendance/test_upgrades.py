"""From the first version's database to the present one: migrated in place, and restored from its backup."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.timeout(600)

FOUND = {
    "school": [["Riverside", "Europe/Madrid", 14]],
    "students": [["S0", "Ana", "Núñez"], ["S1", "Ben", "Núñez"], ["S2", "Cai", "Núñez"]],
    "marks": [
        ["S0", "present", "recognised", "present", "2026-03-12T08:00:00+00:00"],
        ["S1", "excused", "manual", "absent", "2026-03-12T08:00:00+00:00"],
        ["S2", "absent", "recognised", "absent", "2026-03-12T08:00:00+00:00"],
    ],
    "consents": [["S0", "given"], ["S1", "withdrawn"]],
    "encodings": True,
    "sealed": [True, True],
    "photo": "what lay in photos/aa/3.jpg",
    "camera": "Front",
    "review": "is",
    "guards": [True] * 5,
}


@contextlib.contextmanager
def empty_database(folder: Path) -> Iterator[str]:
    """A database without a table: a file, or one on the PostgreSQL server that ``DATABASE_URL`` names."""
    server = os.environ.get("DATABASE_URL", "")
    if not server.startswith("postgres"):
        yield f"sqlite:///{folder / 'upgraded.sqlite3'}"
        return
    import psycopg

    name = f"upgrade_{uuid.uuid4().hex[:10]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def python(code: str, folder: Path, database_url: str) -> Any:
    """Run code in a process of its own on this site; what it prints last, as JSON."""
    setup = (
        "import json, sys, django; django.setup()\n"
        "from pathlib import Path\nfrom django.core.management import CommandError, call_command\n"
        "from tests.attendance import first_release\n"
    )
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": database_url,
        "ROLLCALL_DATA_DIR": str(folder),
    }
    done = subprocess.run(
        [sys.executable, "-c", setup + code], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


def test_the_first_versions_database_is_brought_up_to_date_and_its_backup_restored(tmp_path: Path) -> None:
    old, backup = tmp_path / "old", tmp_path / "backup"
    old.mkdir()
    with empty_database(old) as url:
        in_place = python(
            f"first_release.build()\nfirst_release.back_up(Path({str(backup)!r}))\n"
            "call_command('migrate', verbosity=0)\nprint(json.dumps(first_release.found()))",
            old, url,
        )  # fmt: skip
    assert in_place == FOUND
    new = tmp_path / "new"
    new.mkdir()
    with empty_database(new) as url:
        restored = python(
            f"call_command('restore', {str(backup)!r})\nprint(json.dumps(first_release.found()))", new, url
        )
        assert restored == FOUND
        manifest = backup / "manifest.json"
        facts = json.loads(manifest.read_text())
        facts["migrations"].append("attendance.9999_of_next_year")
        manifest.write_text(json.dumps(facts))
        said = python(
            "from django.db import connection\nconnection.cursor().execute('DELETE FROM attendance_review')\n"
            f"try: call_command('restore', {str(backup)!r})\n"
            "except CommandError as error: print(json.dumps(str(error)))",
            new, url,
        )  # fmt: skip
    assert "was made by a newer version of Rollcall" in said
    assert "9999_of_next_year" in said
