"""Photos on their way to a server, as a camera sends them."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from attendance.demo.camera import ApiSender, checked_server
from attendance.demo.errors import ServerUnavailable
from attendance.models import ClassSession

TAKEN = dt.datetime(2026, 3, 12, 9, 16, tzinfo=dt.UTC)


class Recorder(BaseHTTPRequestHandler):
    """Remembers requests and gives the answers it was told to give, then 202."""

    requests: list[tuple[str, dict[str, str], bytes]]
    answers: list[tuple[int, dict[str, str], bytes]]

    def do_GET(self) -> None:
        self.send_response(404)
        self.end_headers()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.requests.append((self.path, {name.title(): value for name, value in self.headers.items()}, body))
        code, headers, answer = self.answers.pop(0) if self.answers else (202, {}, b"{}")
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[str]:
    Recorder.requests, Recorder.answers = [], []
    with HTTPServer(("127.0.0.1", 0), Recorder) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


def send(server: str) -> None:
    ApiSender(server, "rcam_key").send(ClassSession(pk=7), b"jpeg", TAKEN, "demo-3")


def test_a_photo_is_one_post_with_key_time_and_repeat_key(server: str) -> None:
    send(server)
    ((path, headers, body),) = Recorder.requests
    assert path == "/api/sessions/7/snapshots/"
    assert body == b"jpeg"
    assert headers["Authorization"] == "Camera rcam_key"
    assert headers["Content-Type"] == "image/jpeg"
    assert headers["Idempotency-Key"] == "demo-3"
    assert headers["X-Taken-At"] == "2026-03-12T09:16:00+00:00"


def test_a_busy_server_is_asked_again(server: str) -> None:
    Recorder.answers = [(503, {"Retry-After": "0"}, b""), (429, {"Retry-After": "0"}, b"")]
    send(server)
    assert len(Recorder.requests) == 3


def test_a_refusal_is_told_in_the_servers_words(server: str) -> None:
    problem = json.dumps({"title": "Conflict", "detail": "This session does not take photos now."}).encode()
    Recorder.answers = [(409, {"Content-Type": "application/problem+json"}, problem)]
    with pytest.raises(ServerUnavailable, match="does not take photos now"):
        send(server)
    assert len(Recorder.requests) == 1


def test_a_refusal_without_words_is_told_by_its_number(server: str) -> None:
    Recorder.answers = [(500, {}, b"<html>")]
    with pytest.raises(ServerUnavailable, match="500"):
        send(server)


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(ServerUnavailable, match=r"No server answers at http://127\.0\.0\.1:9 .*\./run"):
        checked_server("http://127.0.0.1:9/")
    with pytest.raises(ServerUnavailable, match="not the address of a server"):
        checked_server("file:///etc/passwd")


def test_anything_that_speaks_http_is_a_server(server: str) -> None:
    assert checked_server(f"{server}/") == server
