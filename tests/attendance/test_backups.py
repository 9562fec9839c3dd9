"""It can be moved and brought back: a backup made while photos come in, restored elsewhere, row for row."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection

from attendance import intake
from attendance.models import FaceTemplate, Portrait
from tests import factories as make

ROOT = Path(__file__).resolve().parent.parent.parent
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _portraits_go_first() -> Iterator[None]:
    """The database lets no consent go while a portrait stands on it, not even when tests clear it."""
    yield
    FaceTemplate.objects.all().delete()
    Portrait.objects.all().delete()


def a_school() -> None:
    teacher = make.teacher("ada")
    session = make.session(make.course(teacher, students=3))
    make.template(session.course.students.first(), make.encoding(1))
    for seed in range(3):
        make.sighting(intake.receive(session, make.jpeg(seed)).snapshot, encoding=b"x" * 512)


def rows(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    with sqlite3.connect(path) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            table: sorted(database.execute(f"SELECT * FROM {table}").fetchall(), key=repr) for table in tables
        }


def manage(data: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "ROLLCALL_DATA_DIR": str(data), **settings}
    env.pop("DATABASE_URL", None)
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def on_sqlite() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("only on SQLite: the restored copy is opened beside this one")


def test_backup_and_restore_give_the_same_rows_and_files(tmp_path: Path, on_sqlite: None) -> None:
    a_school()
    target, elsewhere = tmp_path / "backup", tmp_path / "elsewhere"
    call_command("backup", str(target))
    done = manage(elsewhere, "restore", str(target))
    assert done.returncode == 0, done.stderr
    assert rows(elsewhere / "db.sqlite3") == rows(target / "database.sqlite3")
    before = {
        path.name: path.read_bytes() for path in Path(default_storage.path("")).rglob("*") if path.is_file()
    }
    after = {path.name: path.read_bytes() for path in (elsewhere / "media").rglob("*") if path.is_file()}
    assert before == after
    assert len(after) >= 6


def test_a_site_with_data_is_never_overwritten(tmp_path: Path, on_sqlite: None) -> None:
    a_school()
    target, elsewhere = tmp_path / "backup", tmp_path / "elsewhere"
    call_command("backup", str(target))
    assert manage(elsewhere, "restore", str(target)).returncode == 0
    again = manage(elsewhere, "restore", str(target))
    assert again.returncode == 1
    assert "has data already" in again.stderr


def test_a_file_that_goes_meanwhile_is_left_out(tmp_path: Path, on_sqlite: None) -> None:
    a_school()
    next(path for path in Path(default_storage.path("photos")).rglob("*.jpg")).unlink()
    call_command("backup", str(tmp_path / "backup"))
    listed = json.loads((tmp_path / "backup" / "manifest.json").read_text())["sha256"]
    assert sum(name.startswith("media/photos") for name in listed) == 2


@pytest.mark.parametrize("harm", ["changed", "missing", "unfinished", "foreign", "nonsense"])
def test_a_backup_that_is_not_whole_is_refused_before_anything_is_touched(
    tmp_path: Path, on_sqlite: None, harm: str
) -> None:
    a_school()
    target = tmp_path / "backup"
    call_command("backup", str(target))
    photo = next((target / "media").rglob("*.jpg"))
    manifest = target / "manifest.json"
    if harm == "changed":
        photo.write_bytes(photo.read_bytes()[:-1] + b"!")
    elif harm == "missing":
        photo.unlink()
    elif harm == "unfinished":
        manifest.unlink()
    elif harm == "foreign":
        manifest.write_text(manifest.read_text().replace("database.sqlite3", "database.dump"))
    else:
        manifest.write_text("{")
    with pytest.raises(CommandError):
        call_command("restore", str(target))


def test_each_backup_has_a_folder_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "something").write_text("here")
    with pytest.raises(CommandError, match="not empty"):
        call_command("backup", str(tmp_path))


def test_a_folder_of_backups_keeps_the_newest_whole_ones(tmp_path: Path) -> None:
    make.teacher("ada")
    (tmp_path / "2020-01-01T020000.000000Z").mkdir()  # begun and never finished
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "to-keep.txt").write_text("not ours")
    for _night in range(4):
        call_command("backup", "--into", str(tmp_path), "--keep", "2")
    found = sorted(path.name for path in tmp_path.iterdir())
    assert len(found) == 3
    assert found[-1] == "letters"
    assert all((tmp_path / name / "manifest.json").is_file() for name in found[:2])
    before = found[:2]
    call_command("backup", "--into", str(tmp_path), "--keep", "2")
    assert before[1] in {path.name for path in tmp_path.iterdir()}, "the newest stays, the oldest goes"
    assert before[0] not in {path.name for path in tmp_path.iterdir()}
    with pytest.raises(CommandError, match="At least one"):
        call_command("backup", "--into", str(tmp_path), "--keep", "0")
    with pytest.raises(CommandError, match="Name a new folder"):
        call_command("backup")
