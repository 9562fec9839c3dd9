"""Photos on their way in: over the API as a camera sends them, or straight into the services of this process."""

from __future__ import annotations

import datetime as dt
import json
import os
import time
import urllib.error
import urllib.request
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from attendance import errors, intake
from attendance.demo.errors import ServerUnavailable
from attendance.models import Camera, ClassSession

ANSWER_SECONDS = 60
BUSY_TRIES = 5


class Sender(Protocol):
    def send(self, session: ClassSession, jpeg: bytes, taken_at: dt.datetime, key: str) -> None:
        """Hand in one photo. Raises ServerUnavailable."""


@dataclass(frozen=True, slots=True)
class ApiSender:
    """What the script in a camera does: one POST a photo, with the camera's key and an Idempotency-Key."""

    server: str
    camera_key: str

    def send(self, session: ClassSession, jpeg: bytes, taken_at: dt.datetime, key: str) -> None:
        request = urllib.request.Request(  # noqa: S310 - the address is checked by `checked_server`
            f"{self.server}/api/sessions/{session.pk}/snapshots/",
            data=jpeg,
            method="POST",
            headers={
                "Authorization": f"Camera {self.camera_key}",
                "Content-Type": "image/jpeg",
                "Idempotency-Key": key,
                "X-Taken-At": taken_at.isoformat(),
                "Accept": "application/json",
            },
        )
        for attempt in range(BUSY_TRIES):
            try:
                with _open(request):
                    return
            except urllib.error.HTTPError as error:
                if error.code not in (429, 503) or attempt == BUSY_TRIES - 1:
                    raise ServerUnavailable(f"The server refused a photo: {_why(error)}") from error
                time.sleep(min(10.0, float(error.headers.get("Retry-After") or 1)))
            except OSError as error:
                raise ServerUnavailable(_silent(self.server, error)) from error


@dataclass(frozen=True, slots=True)
class DirectSender:
    """Without a server: the photo goes to the same service that the API calls."""

    camera: Camera

    def send(self, session: ClassSession, jpeg: bytes, taken_at: dt.datetime, key: str) -> None:
        try:
            intake.receive(session, jpeg, camera=self.camera, taken_at=taken_at, idempotency_key=key)
        except errors.RollcallError as error:
            raise ServerUnavailable(f"A photo was refused: {error.message}") from error


def default_server() -> str:
    """The web server that ``./run`` starts on this machine."""
    return f"http://127.0.0.1:{os.environ.get('ROLLCALL_PORT') or 8000}"


def checked_server(server: str) -> str:
    """The address without its last slash, once something answers there. Raises ServerUnavailable."""
    server = server.rstrip("/")
    if not server.startswith(("http://", "https://")):
        raise ServerUnavailable(
            f"{server} is not the address of a server; it begins with http:// or https://."
        )
    try:
        with _open(urllib.request.Request(f"{server}/healthz")):  # noqa: S310 - http or https, see above
            pass
    except urllib.error.HTTPError:
        pass  # it answers; whether it takes photos is seen when one is sent
    except OSError as error:
        raise ServerUnavailable(_silent(server, error)) from error
    return server


def _open(request: urllib.request.Request) -> AbstractContextManager[object]:
    # The server is this machine's own: a proxy for the outside has no part in it.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    answer: AbstractContextManager[object] = opener.open(request, timeout=ANSWER_SECONDS)
    return answer


def _silent(server: str, error: OSError) -> str:
    reason = getattr(error, "reason", None) or error
    return f"No server answers at {server} ({reason}); start it with ./run, or name it with --server."


def _why(error: urllib.error.HTTPError) -> str:
    """The sentence of a problem JSON (RFC 9457), or the bare status."""
    try:
        problem = json.loads(error.read(20_000))
        return str(problem.get("detail") or problem.get("title") or error)
    except (ValueError, AttributeError, OSError):
        return str(error)
