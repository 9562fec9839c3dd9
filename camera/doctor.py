"""What works and what does not, part by part, each with one sentence and what to do."""

from __future__ import annotations

import shutil
import sys
import uuid
from dataclasses import dataclass
from typing import Callable

from camera import best, service, sources, timetable
from camera.client import Server
from camera.clock import Clock
from camera.config import MEBIBYTE, NAME, Config
from camera.faults import CameraProblem
from camera.sealing import Sealer
from camera.sources.folder import WatchedFolder
from camera.spool import Spool
from camera.uploader import refused_key, trouble
from camera.view import look

LOW_DISK = 200 * MEBIBYTE
CLOCK_IS_OFF = 120.0


@dataclass(frozen=True)
class Finding:
    part: str
    good: bool
    sentence: str


def examine(config: Config) -> list[Finding]:
    """Everything, in the order in which it is needed."""
    parts: list[tuple[str, Callable[[Config], str]]] = [
        ("python", _python), ("sealing", _sealing), ("settings", _settings), ("spool", _spool),
        ("server", _server), ("camera", _camera), ("service", _service),
    ]  # fmt: skip
    findings = []
    for part, check in parts:
        try:
            findings.append(Finding(part, True, check(config)))
        except CameraProblem as problem:
            findings.append(Finding(part, False, str(problem)))
    return findings


def report(config: Config, say: Callable[[str], None] = print) -> int:
    """Print every finding; 0 where all is well."""
    findings = examine(config)
    for finding in findings:
        say(f"{'ok   ' if finding.good else 'WRONG'} {finding.part:9} {finding.sentence}")
    return 0 if all(finding.good for finding in findings) else 1


def _python(_config: Config) -> str:
    import cv2

    if "YES" not in next((line for line in cv2.getBuildInformation().splitlines() if "FFMPEG:" in line), ""):
        raise CameraProblem(
            "This OpenCV was built without FFmpeg and reads no streams: install opencv-python-headless."
        )
    return f"Python {sys.version.split()[0]}, OpenCV {cv2.__version__}."


def _sealing(_config: Config) -> str:
    Sealer(["a key to try"])
    return "Photos that wait are sealed with AES-256-GCM."


def _settings(config: Config) -> str:
    config.paired()
    return f"{config.path}: {config.name or 'camera'} in {config.room or 'its room'}, {config.server}."


def _spool(config: Config) -> str:
    folder = config.data_folder / "spool"
    spool = Spool(
        folder, Sealer([config.key or "none yet"]), config.spool_mib * MEBIBYTE, config.spool_days * 86400
    )
    trial = folder / f"{uuid.uuid4().hex}.trial"
    try:
        trial.write_bytes(b"x")
        trial.unlink()
    except OSError as error:
        raise CameraProblem(f"Photos cannot be kept in {folder}: {error.strerror}.") from error
    free = shutil.disk_usage(folder).free
    if free < LOW_DISK:
        raise CameraProblem(f"The disk with {folder} is nearly full: {free // MEBIBYTE} MiB are free.")
    photos, size = spool.size()
    return f"{photos} photos ({size / 1e6:.1f} MB) wait in {folder}; {free // MEBIBYTE} MiB are free."


def _server(config: Config) -> str:
    config.paired()
    clock = Clock()
    server = Server(config.server, config.key, ca_file=config.ca_file, clock=clock)
    answer = server.get("/api/camera/schedule/")
    if answer.status in (401, 403):
        raise CameraProblem(refused_key(answer))
    if answer.status != 200:
        raise CameraProblem(trouble(answer))
    table = timetable.parsed(answer.json)
    now = clock.now()
    if abs(clock.offset) > CLOCK_IS_OFF:
        raise CameraProblem(
            f"This machine's clock is off by {clock.offset:+.0f} s: switch on setting the time by network."
        )
    running = table.session_now(now)
    if running is not None:
        return f"Reached; “{running.course}” is open in {table.room} now."
    coming: timetable.Session | None = table.next_session(now)
    when = (
        f"the next is “{coming.course}” at {coming.starts_at.astimezone():%a %H:%M}"
        if coming
        else "none is planned"
    )
    return f"Reached; no session is open in {table.room} now, {when}."


def _camera(config: Config) -> str:
    if not config.source:
        raise CameraProblem(f"No lens is chosen yet: run `{NAME} setup`.")
    source = sources.made(config.source)
    if isinstance(source, WatchedFolder):
        source.ready(set(), 0.0)
        return f"The folder {source.folder} can be read."
    try:
        source.open()
        view = look(source.frames(1)[0], best.FaceFinder(config.face_model), 32)
    finally:
        source.close()
    return view.words()


def _service(_config: Config) -> str:
    state = service.state()
    if state in ("", "active"):
        return "It runs." if state else "Not installed as a service; it runs only while somebody runs it."
    raise CameraProblem(f"The service is {state}: look with `journalctl --user -u {service.UNIT} -n 50`.")
