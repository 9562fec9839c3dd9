"""The settings the programs get, and where the embedded Redis listens."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from launcher.environment import settings_environment
from launcher.places import LONGEST_SOCKET_PATH, DataFolder


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REDIS_URL", "SECRET_KEY", "ROLLCALL_PORT", "ROLLCALL_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)


def test_the_secret_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    data = DataFolder(tmp_path / "data")
    first = settings_environment(data)["SECRET_KEY"]
    assert len(first) >= 50
    assert settings_environment(data)["SECRET_KEY"] == first
    assert stat.S_IMODE(data.secret_key.stat().st_mode) == 0o600
    assert settings_environment(DataFolder(tmp_path / "other"))["SECRET_KEY"] != first


def test_what_the_person_set_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere:6379/2")
    monkeypatch.setenv("SECRET_KEY", "mine")
    monkeypatch.setenv("ROLLCALL_PORT", "8100")
    env = settings_environment(DataFolder(tmp_path))
    assert (env["REDIS_URL"], env["SECRET_KEY"]) == ("redis://elsewhere:6379/2", "mine")
    assert env["ROLLCALL_PORT"] == "8100"
    assert settings_environment(DataFolder(tmp_path), port=8200)["ROLLCALL_PORT"] == "8200"
    assert not (tmp_path / "secret_key").exists()


def test_the_launchers_own_module_path_is_not_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    assert "PYTHONPATH" not in settings_environment(DataFolder(tmp_path))


@pytest.mark.parametrize("name", ["d" * 120, "with space", "100%", "Übung"])
def test_a_folder_no_socket_can_live_in_gets_one_elsewhere(name: str, tmp_path: Path) -> None:
    data = DataFolder(tmp_path / name)
    assert not data.redis_socket.is_relative_to(data.path)
    assert len(str(data.redis_socket)) <= LONGEST_SOCKET_PATH
    assert data.redis_socket == DataFolder(tmp_path / name).redis_socket
    assert data.redis_socket != DataFolder(tmp_path / (name + "2")).redis_socket


def test_a_plain_folder_keeps_its_socket_inside() -> None:
    data = DataFolder(Path("/srv/rollcall/var"))
    assert data.redis_socket == Path("/srv/rollcall/var/redis/redis.sock")
