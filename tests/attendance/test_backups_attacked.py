"""A backup from somebody who means harm: refused with a sentence before anything is touched."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage

from attendance import backups
from tests import bad_files, odd_papers

pytestmark = pytest.mark.django_db


def manifest(folder: Path, **other: Any) -> None:
    facts = {"format": backups.FORMAT, "database": backups._database_name(), "migrations": [], "sha256": {}}
    (folder / backups.MANIFEST).write_text(json.dumps({**facts, **other}))


@pytest.mark.parametrize(
    "name",
    ["media//etc/evil.jpg", "/etc/hostname", "media/../../evil.jpg", "../evil.jpg", "media/./a.jpg", "media/link.jpg",
     "media/folder/a.jpg", "media/a\nb.jpg", "media\\a.jpg", "media/", ""],
)  # fmt: skip
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    backup, outside = tmp_path / "backup", tmp_path / "outside"
    (backup / "media").mkdir(parents=True)
    outside.mkdir()
    (outside / "a.jpg").write_bytes(b"evil")
    (backup / "media" / "link.jpg").symlink_to(outside / "a.jpg")
    (backup / "media" / "folder").symlink_to(outside)
    for place in (
        "media/etc/evil.jpg",
        "evil.jpg",
        "../evil.jpg",
        "media/a.jpg",
        "media/a\nb.jpg",
        "media\\a.jpg",
    ):
        (backup / place).parent.mkdir(parents=True, exist_ok=True)
        (backup / place).write_bytes(b"evil")
    found = Path("/etc/hostname").read_bytes() if name == "/etc/hostname" else b"evil"
    manifest(backup, sha256={name: hashlib.sha256(found).hexdigest()})
    with pytest.raises(backups.BackupError, match="is missing or was changed"):
        backups.restore(backup)
    assert not list(Path(default_storage.path("")).rglob("*.jpg"))


@pytest.mark.parametrize(
    "text",
    [b"[]", b"null", b"{}", b'{"format": 1}', b'{"format": 1, "sha256": []}', b'{"sha256": {}, "database": 5}',
     b"[" * 99_999],
)  # fmt: skip
def test_a_manifest_of_another_shape_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / backups.MANIFEST).write_bytes(text)
    with pytest.raises(backups.BackupError, match=r"\.$|kind|version"):
        backups.restore(tmp_path)


def test_no_odd_file_is_taken_for_a_backup(tmp_path: Path) -> None:
    for file in (*bad_files.odd_files(), *odd_papers.class_lists()):
        (tmp_path / backups.MANIFEST).write_bytes(file.data)
        with pytest.raises(backups.BackupError, match="is not a finished backup"):
            backups.restore(tmp_path)
    (tmp_path / "a.zip").write_bytes(odd_papers.zipped({"../../evil": b"x"}))
    with pytest.raises(backups.BackupError, match="is not a finished backup"):
        backups.restore(tmp_path / "a.zip")
