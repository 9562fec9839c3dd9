"""When this room has sessions and how to shoot, as the server said last; kept for a restart without network."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from camera import files
from camera.faults import CameraProblem

EARLY = dt.timedelta(minutes=5)
"""A session opened before its time is shot from so long before it."""


@dataclass(frozen=True)
class Session:
    id: int
    course: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    state: str
    upload: str
    """Path on the server."""

    def is_shot(self, now: dt.datetime) -> bool:
        """Whether photos are taken at this moment: opened by a person, and within its time."""
        return self.state == "open" and self.starts_at - EARLY <= now < self.ends_at


@dataclass(frozen=True)
class Policy:
    interval_seconds: float = 180.0
    burst: int = 5
    long_side: int = 3840
    jpeg_quality: int = 90
    min_face_pixels: int = 32


@dataclass(frozen=True)
class Timetable:
    room: str = ""
    time_zone: str = "UTC"
    sessions: frozenset[Session] = frozenset()
    policy: Policy = Policy()
    poll_seconds: float = 30.0

    def session_now(self, now: dt.datetime) -> Session | None:
        """The session to shoot; of several the one that began last."""
        running = [session for session in self.sessions if session.is_shot(now)]
        return max(running, key=lambda session: (session.starts_at, session.id), default=None)

    def session_of(self, moment: dt.datetime) -> Session | None:
        """The session a photo of this moment belongs to, also where that is over by now; never a planned one."""
        meant = [
            session
            for session in self.sessions
            if session.state != "planned" and session.starts_at - EARLY <= moment < session.ends_at
        ]
        return max(meant, key=lambda session: (session.starts_at, session.id), default=None)

    def open_sessions(self) -> frozenset[int]:
        return frozenset(session.id for session in self.sessions if session.state == "open")

    def next_session(self, now: dt.datetime) -> Session | None:
        coming = [session for session in self.sessions if session.ends_at > now and session.state != "closed"]
        return min(coming, key=lambda session: session.starts_at, default=None)


def parsed(content: Mapping[str, Any]) -> Timetable:
    """The server's answer. Raises CameraProblem for one that is none."""
    try:
        said = content["policy"]
        policy = Policy(
            interval_seconds=_within(float(said["interval_seconds"]), 1, 86400),
            burst=int(_within(said["burst"], 1, 30)),
            long_side=int(_within(said["long_side"], 320, 20000)),
            jpeg_quality=int(_within(said["jpeg_quality"], 40, 100)),
            min_face_pixels=int(_within(said["min_face_pixels"], 8, 1000)),
        )
        return Timetable(
            room=str(content["room"]["name"]),
            time_zone=str(content["time_zone"]),
            sessions=frozenset(_session(each) for each in content["sessions"]),
            policy=policy,
            poll_seconds=_within(float(content["poll_seconds"]), 1, 3600),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CameraProblem(
            "What answers at the server's address is not Rollcall, or a later one."
        ) from error


def load(path: Path) -> dict[str, Any]:
    """What ``store`` kept: ``etag`` and ``content``; empty without it."""
    return files.read_json(path)


def store(path: Path, etag: str, content: Mapping[str, Any]) -> None:
    """Raises OSError."""
    files.write(path, json.dumps({"etag": etag, "content": content}))


def instant(text: str) -> dt.datetime:
    """ISO 8601; Python before 3.11 does not read the Z. Raises ValueError without an offset."""
    moment = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        raise ValueError(f"no offset in {text}")
    return moment


def _session(said: Mapping[str, Any]) -> Session:
    return Session(
        id=int(said["id"]),
        course=str(said["course"]),
        starts_at=instant(said["starts_at"]),
        ends_at=instant(said["ends_at"]),
        state=str(said["state"]),
        upload=urlsplit(str(said["upload"])).path,
    )


def _within(value: float, low: float, high: float) -> float:
    return min(high, max(low, value))


def words(sessions: list[Session]) -> str:
    """For ``status``: one line a session."""
    return "\n".join(
        f"  {each.starts_at.astimezone():%a %H:%M}-{each.ends_at.astimezone():%H:%M}  {each.state:8} {each.course}"
        for each in sorted(sessions, key=lambda each: each.starts_at)
    )
