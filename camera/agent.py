"""The agent at work: shoots while a session is open, and at no other time."""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
import os
import threading
import time
from pathlib import Path
from typing import Any

import cv2

from camera import __version__, best, files, sources
from camera.client import Server
from camera.clock import Clock
from camera.config import MEBIBYTE, Config
from camera.faults import CameraProblem, Faults
from camera.indicator import Indicator
from camera.keeper import Keeper
from camera.lock import only_one
from camera.reporter import Reporter, StateFile
from camera.sealing import Sealer
from camera.sources.folder import Photo, WatchedFolder, mark
from camera.spool import Spool, SpoolProblem
from camera.timetable import Policy, Session
from camera.uploader import SPOOL, Uploader

log = logging.getLogger("rollcall-camera")
TICK = 0.25
SOURCE = "camera"
KEEPS_OPEN = 20.0
"""Seconds between shots below which the device stays open from one to the next."""
RETRY_FIRST, RETRY_LONGEST = 3.0, 30.0
PURGE_EVERY = 600.0


class Agent:
    """Everything of one camera. ``run`` returns after ``stop``."""

    def __init__(self, config: Config, *, every: float | None = None, dry_run: bool = False) -> None:
        """``every``: seconds between shots instead of the server's; raises CameraProblem where it cannot work."""
        self._config, self._every, self._dry = config.paired(), every, dry_run
        self.faults = Faults()
        data = _prepared(config.data_folder)
        self._state_file = StateFile(data / "state.json")
        before = files.read_json(data / "state.json")
        self.clock = Clock(_number(before.get("clock_offset")))
        self._last_shot = _number(before.get("last_shot"))
        self._taken: set[str] = {str(each) for each in before.get("taken", [])}
        self.server = Server(config.server, config.key, ca_file=config.ca_file, clock=self.clock)
        self.spool = Spool(
            data / "spool",
            Sealer([config.key, *config.old_keys]),
            config.spool_mib * MEBIBYTE,
            config.spool_days * 86400,
        )
        self.reporter = Reporter(self.server, self.faults, data / "timetable.json", self._report)
        self.uploader = Uploader(
            self.spool, self.server, self.faults, lambda: self.reporter.timetable.open_sessions()
        )
        self.keeper = Keeper(
            self.spool, self.faults, lambda: self.reporter.timetable.open_sessions(), self.uploader.wake
        )
        self.source = sources.made(config.source)
        self.finder = best.FaceFinder(config.face_model)
        self.indicator = Indicator(config.indicator, self.faults)
        self._lock = data / "lock"
        self._smallest: int | None = None
        self._retry_at, self._retry_pause = 0.0, RETRY_FIRST
        self._purge_at = 0.0
        self._stopped = threading.Event()

    def stop(self) -> None:
        self._stopped.set()

    def run(self) -> None:
        """Raises CameraProblem where another agent is at work on the same data."""
        with only_one(self._lock):
            log.info("agent %s starts: %s", __version__, sources.without_password(self._config.source))
            threads = [threading.Thread(target=self.reporter.run, name="reporter", daemon=True)]
            if not self._dry:
                threads.append(threading.Thread(target=self.uploader.run, name="uploader", daemon=True))
            for thread in threads:
                thread.start()
            try:
                while not self._stopped.wait(TICK):
                    self.tick()
            finally:
                self._rest()
                self.reporter.stop()
                self.uploader.stop()
                self._write_state(at_once=True)
                log.info("agent stops")

    def tick(self) -> None:
        """Look once what there is to do, and do it."""
        self.keeper.flush()
        if self.uploader.key_refused:
            self.uploader.key_refused = False
            self.reporter.doubt_key()
        session = self.session_now()
        if session is None:
            self._rest()
        else:
            self.indicator.show(True, session.course)
        if isinstance(self.source, WatchedFolder):
            self._watch(self.source)
        elif session is not None and self._is_due(session):
            self._shoot(session)
        if time.monotonic() >= self._purge_at:
            self._purge_at = time.monotonic() + PURGE_EVERY
            self._purge()
        self._write_state()

    def session_now(self) -> Session | None:
        """The session to shoot; none once the key was refused."""
        if self.reporter.key_refused:
            return None
        return self.reporter.timetable.session_now(self.clock.now())

    def policy(self) -> Policy:
        policy = self.reporter.timetable.policy
        return policy if self._every is None else dataclasses.replace(policy, interval_seconds=self._every)

    def one_shot(self, session: Session | None) -> tuple[best.Choice, bytes, float]:
        """A burst's best frame, that as a JPEG, and when it was taken (server's time). Raises CameraProblem.

        The device is closed again, unless the next shot of the session is near.
        """
        assert not isinstance(self.source, WatchedFolder)
        policy = self.policy()
        try:
            self.source.open()
            frames = self.source.frames(policy.burst)
            taken = self.clock.timestamp()
            choice = best.choose(frames, self.finder, policy)
        except CameraProblem:
            self.source.close()
            raise
        except cv2.error as error:
            self.source.close()
            raise CameraProblem(f"OpenCV cannot use the picture of this camera ({error.err}).") from error
        if session is None or policy.interval_seconds >= KEEPS_OPEN:
            self.source.close()
        return choice, best.encoded(choice, policy), taken

    def keep(self, session: Session, photo: bytes, taken: float, shot_id: str = "") -> None:
        """Into the spool; ``taken`` in seconds since 1970, by the server's clock."""
        if self._dry:
            log.info("dry run: a photo of %d bytes for session %d is not kept", len(photo), session.id)
        else:
            self.keeper.keep(session, photo, taken, shot_id)

    def _is_due(self, session: Session) -> bool:
        """Shots stand on a grid from the session's start, so that all cameras of a room shoot together."""
        if time.monotonic() < self._retry_at:
            return False
        now, interval = self.clock.timestamp(), self.policy().interval_seconds
        if self._last_shot > now:  # a clock was set back
            self._last_shot = 0.0
        turn = (now - session.starts_at.timestamp()) // interval
        last_turn = (self._last_shot - session.starts_at.timestamp()) // interval
        return turn > last_turn and now - self._last_shot >= interval / 2

    def _shoot(self, session: Session) -> None:
        moment = self.clock.timestamp()
        try:
            choice, photo, taken = self.one_shot(session)
        except CameraProblem as problem:
            self.faults.say(SOURCE, str(problem))
            self._retry_at = time.monotonic() + self._retry_pause
            self._retry_pause = min(RETRY_LONGEST, self._retry_pause * 2)
            return
        self.faults.clear(SOURCE)
        self._retry_pause = RETRY_FIRST
        self._last_shot = moment
        self._smallest = choice.smallest_face
        self.keep(session, photo, taken)

    def _watch(self, folder: WatchedFolder) -> None:
        timetable = self.reporter.timetable
        if self.reporter.key_refused or not timetable.sessions:
            return
        first = min(session.starts_at for session in timetable.sessions) - dt.timedelta(minutes=5)
        try:
            photos = folder.ready(self._taken, first.timestamp() - self.clock.offset)
        except CameraProblem as problem:
            self.faults.say(SOURCE, str(problem))
            return
        self.faults.clear(SOURCE)
        for photo in photos:
            self._take_in(photo)

    def _take_in(self, photo: Photo) -> None:
        moment = photo.modified + self.clock.offset
        session = self.reporter.timetable.session_of(dt.datetime.fromtimestamp(moment, dt.timezone.utc))
        if session is not None and self.keeper.is_empty:
            if not self.keeper.knows(photo.id):
                self.keep(session, photo.content, moment, photo.id)
            if not self.keeper.is_empty:
                return  # not on disk yet: the file's turn comes again
            self._last_shot = max(self._last_shot, moment)
            if self._config.delete_after and not self._dry:
                self._delete(photo)
            self._taken.add(mark(photo.path, len(photo.content), photo.modified))
            self._write_state(at_once=True)

    def _delete(self, photo: Photo) -> None:
        try:
            photo.path.unlink(missing_ok=True)
        except OSError as error:
            self.faults.say(SOURCE, f"{photo.path} was taken but cannot be deleted: {error.strerror}.")

    def _rest(self) -> None:
        if not isinstance(self.source, WatchedFolder):
            self.source.close()
        self.indicator.show(False)

    def _purge(self) -> None:
        try:
            self.spool.purge(self.clock.timestamp())
        except SpoolProblem as problem:
            self.faults.say(SPOOL, str(problem))
        if isinstance(self.source, WatchedFolder) and self.source.folder.is_dir():
            there = {path.name for path in self.source.folder.iterdir()}
            self._taken = {each for each in self._taken if each.partition("|")[0] in there}

    def _report(self) -> dict[str, Any]:
        """What a heartbeat says."""
        photos, size = self._spool_size()
        wrong = self.faults.sentences()
        return {
            "version": __version__,
            "source": self.source.kind,
            "capturing": self.indicator.is_on,
            "clock_offset_ms": round(self.clock.offset * 1000),
            "spool_photos": photos,
            "spool_bytes": size,
            "last_shot_at": _iso(self._last_shot),
            "smallest_face": self._smallest,
            "error": wrong[0][:300] if wrong else "",
        }

    def _spool_size(self) -> tuple[int, int]:
        try:
            return self.spool.size()
        except SpoolProblem:
            return 0, 0

    def _write_state(self, *, at_once: bool = False) -> None:
        if self._dry:
            return  # what a dry run took in is not taken
        session = self.session_now()
        content = {
            "pid": os.getpid(),
            "version": __version__,
            "session": session.course if session else "",
            "clock_offset": round(self.clock.offset, 2),
            "last_shot": self._last_shot,
            "smallest_face": self._smallest,
            "sent": self.uploader.sent,
            "sent_bytes": self.uploader.sent_bytes,
            "reached": self.reporter.reached,
            "faults": self.faults.sentences(),
            "taken": sorted(self._taken),
        }
        try:
            self._state_file.write(content, at_once=at_once)
        except OSError as error:
            self.faults.say("state", f"Its state cannot be written: {error.strerror}.")
        else:
            self.faults.clear("state")


def _prepared(data: Path) -> Path:
    try:
        return files.private_folder(data)
    except OSError as error:
        raise CameraProblem(f"The folder {data} cannot be made: {error.strerror}.") from error


def _iso(timestamp: float) -> str | None:
    return dt.datetime.fromtimestamp(timestamp, dt.timezone.utc).isoformat() if timestamp else None


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0
