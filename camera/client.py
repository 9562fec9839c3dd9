"""Talks to the server: a new connection for each request, so that a changed address is no trouble."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from camera import __version__
from camera.clock import Clock
from camera.faults import CameraProblem

TIMEOUT = 20.0
"""Seconds the server may be silent."""
LONGEST_ANSWER = 4 * 1024 * 1024
PATIENCE = 90.0
"""Seconds one answer may take in all, however slowly it drips."""
_REDIRECTS = (301, 302, 307, 308)


class Unreachable(CameraProblem):
    """No whole answer came; whether the server took what was sent is not known."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The body as an object; empty for anything else."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def code(self) -> str:
        """Of a problem, such as ``session-not-open``; empty for other answers."""
        stated = str(self.json.get("type", ""))
        return stated.rpartition(":")[2] if stated.startswith("urn:rollcall:problem:") else ""

    @property
    def detail(self) -> str:
        return str(self.json.get("detail", ""))

    @property
    def retry_after(self) -> float | None:
        """Seconds the server asks to wait, at most an hour."""
        try:
            return min(3600.0, max(0.0, float(self.headers.get("retry-after", ""))))
        except ValueError:
            return None


class Server:
    """One Rollcall server, as a camera with its key."""

    def __init__(self, address: str, key: str = "", *, ca_file: str = "", clock: Clock | None = None) -> None:
        """Raises CameraProblem for an address or a certificate file that cannot be used."""
        self.address = normalised(address)
        self.clock = clock or Clock()
        self._key = key
        self._tls = _tls(ca_file)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        return self._ask("GET", path, None, headers or {})

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        return self._ask("POST", path, body, headers)

    def post_json(self, path: str, content: Mapping[str, Any]) -> Answer:
        return self._ask("POST", path, json.dumps(content).encode(), {"Content-Type": "application/json"})

    def _ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        """Raises Unreachable without a whole answer; follows a redirect only on the same host, to safer ground."""
        answer = self._once(method, path, body, headers)
        if answer.status in _REDIRECTS:
            self._move(urlsplit(urljoin(self.address + path, answer.headers.get("location", ""))), path)
            answer = self._once(method, path, body, headers)
        return answer

    def _move(self, to: SplitResult, path: str) -> None:
        here = urlsplit(self.address)
        if to.hostname != here.hostname or (here.scheme, to.scheme) != ("http", "https") or to.path != path:
            raise Unreachable(
                f"The server sends everybody on to {to.scheme}://{to.netloc}: if that is right, run setup again."
            )
        self.address = f"https://{to.netloc}"

    def _once(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        url = urlsplit(self.address)
        sent = time.time()
        deadline = time.monotonic() + PATIENCE
        connection = self._connection(url)
        try:
            said = {"User-Agent": f"rollcall-camera/{__version__}", "Accept": "application/json", **headers}
            if self._key:
                said["Authorization"] = f"Camera {self._key}"
            connection.request(method, path, body=body, headers=said)
            response = connection.getresponse()
            head = time.time()
            content = _body(response, deadline)
        except ssl.SSLCertVerificationError as error:
            raise Unreachable(
                f"The certificate of {url.netloc} is not trusted here ({error.verify_message}): "
                "run setup with --ca-file and the school's certificate."
            ) from error
        except socket.gaierror as error:
            raise Unreachable(f"There is no address for {url.hostname}: is the network there?") from error
        except socket.timeout as error:
            raise Unreachable(f"{url.netloc} does not answer.") from error
        except (OSError, http.client.HTTPException) as error:
            why = getattr(error, "strerror", None) or type(error).__name__
            raise Unreachable(f"{url.netloc} cannot be reached: {why}.") from error
        finally:
            connection.close()
        found = {name.lower(): value for name, value in response.getheaders()}
        self.clock.heard(found.get("date"), sent, head)
        return Answer(response.status, found, content)

    def _connection(self, url: SplitResult) -> http.client.HTTPConnection:
        assert url.hostname is not None
        if url.scheme == "https":
            return http.client.HTTPSConnection(url.hostname, url.port, timeout=TIMEOUT, context=self._tls)
        return http.client.HTTPConnection(url.hostname, url.port, timeout=TIMEOUT)


def normalised(address: str) -> str:
    """``https://host[:port]``. Raises CameraProblem for what is no such address."""
    text = address.strip()
    if "://" not in text:
        text = f"https://{text}"
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError as error:
        raise CameraProblem(f"“{address}” is no address of a server.") from error
    if url.scheme not in ("http", "https") or not url.hostname or url.query or url.username:
        raise CameraProblem(
            f"“{address}” is no address of a server; it looks like https://rollcall.school.example."
        )
    host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
    return f"{url.scheme}://{host}" + (f":{port}" if port else "")


def _tls(ca_file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise CameraProblem(f"The certificate file {ca_file} cannot be read.") from error


def _body(response: http.client.HTTPResponse, deadline: float) -> bytes:
    parts = []
    size = 0
    while True:
        part = response.read(65536)
        if not part:
            break
        parts.append(part)
        size += len(part)
        if size > LONGEST_ANSWER or time.monotonic() > deadline:
            raise http.client.HTTPException("an answer without end")
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)
    return b"".join(parts)
