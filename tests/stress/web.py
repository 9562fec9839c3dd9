"""A real web server for a site, that photos are sent to and that can be killed; a Redis that can go and come back."""

from __future__ import annotations

import contextlib
import http.client
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import redis_server_path, wait_for_redis
from tests.stress.site import ROOT, Site, kill


def send(address: str, key: str, data: bytes, **headers: str) -> tuple[int, bytes]:
    """A photo as a camera sends it: (status, body); (0, why) where no answer came."""
    request = urllib.request.Request(
        address,
        data,
        {"Authorization": f"Camera {key}", "Content-Type": "image/jpeg", **headers},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()
    except (OSError, http.client.HTTPException) as gone:
        return 0, str(gone).encode()


@dataclass
class Server:
    """gunicorn before one open session, and the key of a camera in its room."""

    site: Site
    process: subprocess.Popen[bytes]
    address: str
    key: str

    def send(self, data: bytes, **headers: str) -> tuple[int, bytes]:
        return send(self.address, self.key, data, **headers)

    def send_at_once(self, photos: list[bytes]) -> list[tuple[int, bytes]]:
        with ThreadPoolExecutor(len(photos)) as pool:
            return list(pool.map(self.send, photos))

    def kill(self) -> None:
        """SIGKILL for all its processes."""
        kill(self.process)


@contextlib.contextmanager
def serving(site: Site, workers: int = 1) -> Iterator[Server]:
    made: dict[str, Any] = site.python(
        "from attendance import cameras\nfrom tests import factories as make\n"
        "room = make.room()\nteacher = make.teacher()\nsession = make.session(make.course(teacher), room=room)\n"
        "answer({'session': session.pk, 'key': cameras.create('c', room, teacher)[1]})"
    )
    log = site.folder / "web.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "config.wsgi", "--workers", str(workers), "--threads", "8",
             "--bind", "127.0.0.1:0", "--timeout", "100"],
            cwd=ROOT, env=site.env, stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip
    try:
        address = f"http://127.0.0.1:{port_of(process, log)}/api/sessions/{made['session']}/snapshots/"
        yield Server(site, process, address, made["key"])
    finally:
        kill(process)


def port_of(process: subprocess.Popen[bytes], log: Path) -> int:
    """The port that the server chose, once it listens."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_text().splitlines():
            if "Listening at: http://127.0.0.1:" in line:
                return int(line.split("127.0.0.1:")[1].split()[0])
        time.sleep(0.1)
    raise AssertionError(log.read_text())


class Redis:
    """One that keeps nothing, on a socket in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "queue.sock"
        self.url = f"unix://{self.socket}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = redis_server_path()
        assert program is not None
        folder = str(self.socket.parent)
        self._process = subprocess.Popen(
            [program, "--port", "0", "--unixsocket", str(self.socket), "--dir", folder, "--save", ""],
            stdout=subprocess.DEVNULL,
        )
        wait_for_redis(self._process, self.url)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=10)
            self.socket.unlink(missing_ok=True)


def in_a_small_disk(folder: Path, megabytes: int) -> list[str]:
    """What to put before a command so that it alone sees ``folder`` as an empty disk of this size."""
    unshare = shutil.which("unshare")
    assert unshare is not None
    mount = f'mount -t tmpfs -o size={megabytes}m none {folder} && exec "$@"'
    return [unshare, "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh"]
