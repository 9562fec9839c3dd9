"""What the camera agent costs and how soon names are there: ``python -m benchmarks.camera_agent``.

A whole site on this machine: the demo class, a real worker, a web server, and an RTSP camera (GStreamer's server, as in
``.ci/run``) that shows the demo's classroom photos in 1920 x 1080 at 25 pictures a second, H.264. The agent shoots it
twice: with the stream held open (``--every 10``) and opened for each shot (``--every 30``). Times run from the moment
of the shot to the moment its faces stand on the roll; the session page asks for that every few seconds. Bytes are
counted on the wire between agent and server, both ways.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.camera.conftest import AgentProcess, Stream, answers, free_port, until
from tests.conftest import redis_server_path
from tests.stress.site import REAL_WORKER, Site, site_in

ROOT = Path(__file__).resolve().parent.parent
LESSON_MINUTES, USUAL_SECONDS = 50, 180
TICKS = os.sysconf("SC_CLK_TCK")


class Wire:
    """A way to the server that counts the bytes on it."""

    def __init__(self, to: int) -> None:
        self.bytes = 0
        self._to = to
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            server = socket.create_connection(("127.0.0.1", self._to))
            for here, there in ((client, server), (server, client)):
                threading.Thread(target=self._carry, args=(here, there), daemon=True).start()

    def _carry(self, here: socket.socket, there: socket.socket) -> None:
        try:
            while data := here.recv(65536):
                self.bytes += len(data)
                there.sendall(data)
            there.shutdown(socket.SHUT_WR)
        except OSError:
            return


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    path = folder / "redis.sock"
    program = redis_server_path()
    assert program, "no redis-server"
    with subprocess.Popen(
        [program, "--port", "0", "--unixsocket", str(path), "--dir", str(folder), "--save", ""],
        stdout=subprocess.DEVNULL,
    ) as process:
        until(path.exists, 20)
        yield f"unix://{path}"
        process.terminate()


def prepare(site: Site, server: str, frames: Path) -> dict[str, int | str]:
    """The demo class, its classroom photos as frames, and a session of it that is open now."""
    env = site.env
    subprocess.run(
        [sys.executable, "manage.py", "demo", "--server", server], cwd=ROOT, env=env, check=True, timeout=900
    )
    made: dict[str, int | str] = site.python(
        "import datetime as dt\nfrom pathlib import Path\nfrom django.utils import timezone\n"
        "from django.core.files.storage import default_storage\nfrom django.contrib.auth.models import User\n"
        "from attendance import classes, pairing\nfrom attendance.models import *\n"
        "course = Course.objects.get(is_demo=True)\n"
        "photos = list(Snapshot.objects.filter(session__course=course).order_by('taken_at'))\n"
        "for number in range(50):\n"
        "    data = default_storage.open(photos[number % len(photos)].image.name).read()\n"
        "    (Path(V['frames']) / f'{number:03d}.jpg').write_bytes(data)\n"
        "room = Room.objects.create(name='Measured')\nnow = timezone.now()\n"
        "boss = User.objects.create_superuser('boss')\n"
        "camera, key = pairing.pair(pairing.make_code(boss, room=room)[1])\n"
        "session = classes.open_session(classes.plan(course, now, now + dt.timedelta(hours=2), room))\n"
        "answer({'session': session.pk, 'key': key, 'camera': camera.pk})",
        frames=str(frames),
    )
    return made


def measure(agent: AgentProcess, site: Site, wire: Wire, session: int, every: int, shots: int) -> None:
    known = {row[0] for row in site.query(f"SELECT id FROM attendance_snapshot WHERE session_id = {session}")}  # noqa: S608 (a number of ours)
    agent.start("--every", str(every))
    assert agent.process is not None
    agent.says("camera ON", 60)
    pid, began, cpu, carried = agent.process.pid, time.monotonic(), cpu_seconds(agent.process.pid), wire.bytes
    time.sleep(every * shots)
    seconds, used = time.monotonic() - began, cpu_seconds(pid) - cpu
    memory, carried = peak_mib(pid), wire.bytes - carried
    agent.kill(signal.SIGTERM)
    site.wait(lambda states: not set(states) - {"done", "failed", "sightings"}, 300)
    delays: list[float] = site.python(
        "from attendance.models import Snapshot\n"
        "answer([(s.processed_at - s.taken_at).total_seconds() for s in Snapshot.objects.filter("
        "session_id=V['session'], state='done').exclude(pk__in=V['known'])])",
        session=session, known=sorted(known),
    )  # fmt: skip
    named = site.python(
        "from attendance.models import Sighting\n"
        "answer(Sighting.objects.filter(snapshot__session=V['session'], decision='recognised').count())",
        session=session,
    )
    delays.sort()
    p95 = delays[min(len(delays) - 1, round(0.95 * (len(delays) - 1)))]
    print(
        f"every {every} s: {len(delays)} shots in {seconds:.0f} s; agent {100 * used / seconds:.1f} % of a core "
        f"({used / max(1, len(delays)):.2f} CPU s a shot), {memory:.0f} MiB at most; shot to roll p50 "
        f"{statistics.median(delays):.1f} s, p95 {p95:.1f} s; {named} names; {carried / 1e6:.2f} MB on the wire"
    )
    photos = LESSON_MINUTES * 60 // USUAL_SECONDS + 1
    print(
        f"  {carried / max(1, len(delays)) / 1e6:.2f} MB a photo; a lesson of {LESSON_MINUTES} min has {photos}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shots", type=int, default=12)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="rollcall-camera-"))
    try:
        with ExitStack() as stack:
            site = stack.enter_context(
                site_in(folder, stack.enter_context(redis(folder)), ALLOWED_HOSTS="127.0.0.1,localhost",
                        ROLLCALL_LEASE_SECONDS="180", ROLLCALL_TORCH_THREADS="2")
            )  # fmt: skip
            site.worker(REAL_WORKER)
            port, frames = free_port(), folder / "frames"
            frames.mkdir()
            site.processes.append(subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}", "--threads", "4"],
                cwd=ROOT, env=site.env, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            ))  # fmt: skip
            until(lambda: answers(port), 60)
            made = prepare(site, f"http://127.0.0.1:{port}", frames)
            wire = Wire(port)
            lens = Stream(frames, free_port(), ("25", "h264"))
            lens.on()
            stack.callback(lens.off)
            agent = AgentProcess(folder, {
                "server": wire.address, "key": made["key"], "data": str(folder / "agent"), "source": lens.address,
            })  # fmt: skip
            stack.callback(agent.kill)
            for every in (10, 30):
                measure(agent, site, wire, int(made["session"]), every, given.shots)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        print(json.dumps({"cores": os.cpu_count(), "load": os.getloadavg()[0]}))


if __name__ == "__main__":
    main()
