"""Real parts for the camera's tests: a web server with its database, cameras of several kinds, a bad network."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from camera.best import Frame
from tests.stress.site import Site, site_in

ROOT = Path(__file__).resolve().parents[2]
SYSTEM_PYTHON = "/usr/bin/python3"
NO_REDIS = "unix:///nowhere/redis.sock"
"""These photos are taken in; who is in them is another test's business."""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def until(reached: Callable[[], Any], seconds: float = 30, why: Callable[[], object] = str) -> Any:
    """What ``reached`` returns once it is true. Fails with ``why()`` where it never is."""
    deadline = time.monotonic() + seconds
    while True:
        found = reached()
        if found:
            return found
        if time.monotonic() > deadline:
            pytest.fail(f"never reached within {seconds:.0f} s: {why()}")
        time.sleep(0.1)


@dataclass
class School:
    """A running web server, and a room with an open session in it."""

    site: Site
    address: str
    room: int
    session: int
    web: subprocess.Popen[bytes]

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """The web server stands still meanwhile; who asked is answered afterwards."""
        os.killpg(self.web.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self.web.pid, signal.SIGCONT)

    def code(self) -> str:
        """A new pairing code for the room."""
        return str(self.site.python(
            "from attendance import pairing\nfrom attendance.models import Room\n"
            "from django.contrib.auth.models import User\n"
            "answer(pairing.make_code(User.objects.get(username='boss'), room=Room.objects.get(pk=V['room']))[1])",
            room=self.room,
        ))  # fmt: skip

    def pair(self) -> dict[str, Any]:
        """A camera and its key, past the address that counts how often it is asked."""
        paired: dict[str, Any] = self.site.python(
            "from attendance import pairing\ncamera, key = pairing.pair(V['typed'])\n"
            "answer({'camera': camera.pk, 'key': key})", typed=self.code(),
        )  # fmt: skip
        return paired

    def new_session(self, state: str = "open") -> int:
        """One that began ten minutes ago and is the room's only open one."""
        return int(self.site.python(
            "import datetime as dt\nfrom django.utils import timezone\nfrom attendance.models import *\n"
            "now = timezone.now()\nroom = Room.objects.get(pk=V['room'])\n"
            "ClassSession.objects.filter(room=room).update(state='closed', closed_at=now)\n"
            "made = ClassSession.objects.create(course=Course.objects.first(), room=room, state=V['state'],\n"
            "    starts_at=now - dt.timedelta(minutes=10), ends_at=now + dt.timedelta(minutes=50))\n"
            "answer(made.pk)",
            room=self.room, state=state,
        ))  # fmt: skip

    def arrived(self, session: int) -> list[tuple[str, str]]:
        """SHA-256 and Idempotency-Key of the photos of a session."""
        rows = self.site.query(
            f"SELECT sha256, idempotency_key FROM attendance_snapshot WHERE session_id = {session}"
        )
        return [(str(sha), str(key)) for sha, key in rows]


@pytest.fixture(scope="session")
def _served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    folder = tmp_path_factory.mktemp("school")
    with site_in(folder, NO_REDIS, ALLOWED_HOSTS="127.0.0.1,localhost") as site:
        room = site.python(
            "from tests import factories as make\nboss = make.administrator()\nboss.username = 'boss'\n"
            "boss.save()\nmake.course(boss, students=2)\nanswer(make.room('Room 12').pk)"
        )
        port = free_port()
        with (folder / "web.log").open("wb") as log:
            web = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "tests.camera.asked_often", "--bind", f"127.0.0.1:{port}",
                 "--workers", "1", "--threads", "4"],
                cwd=ROOT, env=site.env, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        site.processes.append(web)
        until(lambda: answers(port), 60, (folder / "web.log").read_text)
        yield School(site, f"http://127.0.0.1:{port}", room, 0, web)


@pytest.fixture
def school(_served: School) -> School:
    """The server with a new open session."""
    _served.session = _served.new_session()
    return _served


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class AgentProcess:
    """The agent as it is really run, with its settings and its log."""

    folder: Path
    settings: dict[str, Any]
    process: subprocess.Popen[bytes] | None = None

    @property
    def config(self) -> Path:
        return self.folder / "config.json"

    @property
    def log(self) -> str:
        path = self.folder / "agent.log"
        return path.read_text() if path.exists() else ""

    def write(self, **changes: Any) -> None:
        self.settings |= changes
        self.config.write_text(json.dumps(self.settings))

    def start(self, *words: str) -> None:
        self.write()
        with (self.folder / "agent.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "camera", "--config", str(self.config), "run", *words],
                cwd=ROOT, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def kill(self, number: int = signal.SIGKILL) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, number)
            self.process.wait(timeout=40)

    def call(self, *words: str, seconds: float = 90) -> subprocess.CompletedProcess[str]:
        """Another command of the agent, with the same settings."""
        self.write()
        return subprocess.run(
            [sys.executable, "-m", "camera", "--config", str(self.config), *words],
            cwd=ROOT, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip

    def says(self, text: str, seconds: float = 40, times: int = 1) -> None:
        until(lambda: self.log.count(text) >= times, seconds, lambda: f"{text!r} in\n{self.log[-4000:]}")

    def waiting(self) -> list[Path]:
        return list((self.folder / "data" / "spool").glob("*.shot"))


@pytest.fixture
def agent(tmp_path: Path, school: School) -> Iterator[AgentProcess]:
    """Paired with the school, not started; its lens is a video of one frame after the other."""
    paired = school.pair()
    made = AgentProcess(
        tmp_path,
        {"server": school.address, "key": paired["key"], "camera": paired["camera"], "room": "Room 12",
         "data": str(tmp_path / "data"), "source": f"folder:{tmp_path}"},
    )  # fmt: skip
    yield made
    made.kill()


@pytest.fixture(scope="session")
def frames() -> list[Frame]:
    """A classroom of the demo's photos, 1280 by 720; each frame differs from every other."""
    from attendance.demo import photos
    from attendance.demo.errors import PhotosUnavailable

    try:
        found = sorted(photos.fetch().values())
    except PhotosUnavailable as error:
        pytest.skip(f"not here: demo photos ({error})")
    room: Frame = np.full((720, 1280, 3), (190, 200, 205), np.uint8)
    for place, path in enumerate(found[:15]):
        face = cv2.imread(str(path))
        assert face is not None
        top, left = 20 + 235 * (place // 5), 30 + 250 * (place % 5)
        room[top : top + 200, left : left + 200] = cv2.resize(face, (200, 200), interpolation=cv2.INTER_AREA)
    made = []
    for number in range(40):
        frame = np.roll(room, 3 * number, axis=1)
        cv2.putText(frame, str(number), (20, 715), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (20, 20, 20), 2)
        made.append(frame)
    return made


@pytest.fixture(scope="session")
def frame_folder(frames: list[Frame], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("frames")
    for number, frame in enumerate(frames):
        cv2.imwrite(str(folder / f"{number:03d}.jpg"), frame, [cv2.IMWRITE_JPEG_QUALITY, 92])
    return folder


@pytest.fixture(scope="session")
def video(frames: list[Frame], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a file."""
    path = tmp_path_factory.mktemp("video") / "classroom.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 5, (1280, 720))
    for frame in frames:
        writer.write(frame)
    writer.release()
    return path


@dataclass
class Stream:
    """An RTSP camera that can be switched off and on."""

    folder: Path
    port: int
    words: tuple[str, ...]
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/classroom"

    def on(self) -> None:
        script = Path(__file__).parent / "rtsp_server.py"
        self.process = subprocess.Popen(
            [SYSTEM_PYTHON, str(script), str(self.port), str(self.folder), *self.words],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until(lambda: answers(self.port), 20)

    def off(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=10)


@pytest.fixture
def stream(frame_folder: Path) -> Iterator[Callable[..., Stream]]:
    """Make RTSP cameras: ``stream("5", "h264")``, ``stream("5", "h264", "user:password")``."""
    probe = (
        "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import Gst, GstRtspServer; "
        "Gst.init(None); assert Gst.ElementFactory.find('x264enc') and Gst.ElementFactory.find('jpegdec')"
    )
    if (
        not shutil.which(SYSTEM_PYTHON)
        or subprocess.run([SYSTEM_PYTHON, "-c", probe], capture_output=True, check=False).returncode
    ):
        pytest.skip("not here: GStreamer's RTSP server (packages as in .ci/run)")
    made: list[Stream] = []

    def make(*words: str) -> Stream:
        new = Stream(frame_folder, free_port(), words or ("5", "h264"))
        made.append(new)
        new.on()
        return new

    yield make
    for each in made:
        each.off()


def jpeg(number: int, size: tuple[int, int] = (320, 240)) -> bytes:
    """A photo of its own for each number."""
    pixels = np.random.default_rng(number).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    done, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 60])
    assert done
    return bytes(data.tobytes())


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
