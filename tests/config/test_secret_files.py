"""Secrets from variables and from files, and what is said where one cannot be read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from attendance.sealing import new_key
from config.secret_files import MAX_BYTES, secret
from launcher.environment import settings_environment
from launcher.places import DataFolder

ROOT = Path(__file__).resolve().parents[2]


def test_a_variable_a_file_or_the_default(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(" from a file\n")
    assert secret("KEY", "default", {}) == "default"
    assert secret("KEY", "default", {"KEY": "given"}) == "given"
    assert secret("KEY", "default", {"KEY_FILE": str(file)}) == "from a file"
    assert secret("KEY", "default", {"KEY": "", "KEY_FILE": str(file)}) == "from a file"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read .No such file"),
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\xff\xfe", "is not text"),
        (b"x" * (MAX_BYTES + 1), "larger than a secret"),
    ],
)
def test_a_file_that_will_not_do_is_named(tmp_path: Path, content: bytes | None, words: str) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ImproperlyConfigured, match=f"KEY_FILE: .*{words}"):
        secret("KEY", "default", {"KEY_FILE": str(file)})


def test_a_folder_is_no_secret_and_two_places_are_one_too_many(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="cannot be read"):
        secret("KEY", env={"KEY_FILE": str(tmp_path)})
    with pytest.raises(ImproperlyConfigured, match="Set KEY or KEY_FILE, not both"):
        secret("KEY", env={"KEY": "x", "KEY_FILE": str(tmp_path)})


def test_the_settings_read_every_secret_from_a_file(tmp_path: Path) -> None:
    keys = [new_key(), new_key()]
    secrets = {
        "SECRET_KEY": "s" * 60,
        "ROLLCALL_KEYS": "\n".join(keys),
        "ROLLCALL_AUDIT_KEY": "chained",
        "POSTGRES_PASSWORD": "p@ss/w:rd?#",
        "EMAIL_PASSWORD": "mail",
        "ROLLCALL_METRICS_TOKEN": "watch",
    }
    env = {name: value for name, value in os.environ.items() if name not in secrets}
    for name, value in secrets.items():
        (tmp_path / name).write_text(value + "\n")
        env[f"{name}_FILE"] = str(tmp_path / name)
    env |= {
        "ROLLCALL_LOCAL": "false",
        "DATABASE_URL": "postgres://rollcall@postgres:5432/rollcall",
        "ROLLCALL_DATA_DIR": str(tmp_path / "data"),
    }
    code = (
        "from config import settings as s; print(s.SECRET_KEY, *s.ROLLCALL_KEYS, s.ROLLCALL_AUDIT_KEY,"
        " s.DATABASES['default']['PASSWORD'], s.EMAIL_HOST_PASSWORD, s.ROLLCALL_METRICS_TOKEN)"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], env=env, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == ["s" * 60, *keys, "chained", "p@ss/w:rd?#", "mail", "watch"]


def test_the_launcher_makes_no_secret_of_its_own_beside_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SECRET_KEY", "ROLLCALL_KEYS"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv(f"{name}_FILE", str(tmp_path / name))
    env = settings_environment(DataFolder(tmp_path / "data"))
    assert "SECRET_KEY" not in env
    assert "ROLLCALL_KEYS" not in env
    assert not (tmp_path / "data" / "secret_key").exists()
