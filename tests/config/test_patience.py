"""Clients that dawdle hold no thread of the web server."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.patience import PEEKED, is_here

APP = """
import time
def application(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(str(len(body)))))])
    return [str(len(body)).encode()]
"""


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A server of two threads."""
    (tmp_path / "app.py").write_text(APP)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found: int = free.getsockname()[1]
    root = Path(__file__).resolve().parent.parent.parent
    command = [sys.executable, "-m", "gunicorn", "app:application", "--bind", f"127.0.0.1:{found}", "--threads", "2",
               "--worker-class", "config.patience.PatientWorker", "--pythonpath", f"{tmp_path},{root}"]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        try:
            until = time.monotonic() + 60
            while time.monotonic() < until:
                try:
                    assert ask(found) == b"0"
                    break
                except OSError:
                    time.sleep(0.1)
            yield found
        finally:
            server.terminate()
            server.wait(20)


def ask(port: int, body: bytes | None = None) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", body, timeout=8) as answer:
        data: bytes = answer.read()
        return data


@pytest.mark.parametrize(
    "sent",
    [b"", b"G", b"GET / HTTP/1.1\r\nHost: x\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"],
    ids=["nothing", "one letter", "half a head", "half a small body"],
)  # fmt: skip
def test_forty_clients_that_dawdle_keep_nobody_waiting(port: int, sent: bytes) -> None:
    dawdling = [socket.create_connection(("127.0.0.1", port)) for _ in range(40)]
    try:
        for client in dawdling:
            client.sendall(sent)
        time.sleep(0.3)
        assert ask(port) == b"0"
        assert ask(port, b"x" * 300_000) == b"300000"
    finally:
        for client in dawdling:
            client.close()


def test_who_hangs_up_in_the_middle_is_let_go(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=8) as client:
        client.sendall(b"GET / HTTP/1.1\r\n")
        client.shutdown(socket.SHUT_WR)
        assert client.recv(4000) == b""


def test_a_request_that_comes_in_pieces_is_answered(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=8) as client:
        for _twice in range(2):  # the second on the connection that was kept
            for piece in (
                b"POST / HT",
                b"TP/1.1\r\nHost: x\r\nContent-",
                b"Length: 5\r\n",
                b"\r\nab",
                b"cde",
            ):
                client.sendall(piece)
                time.sleep(0.05)
            answer = client.recv(4000)
            assert answer.startswith(b"HTTP/1.1 200")
            assert answer.endswith(b"5")


@pytest.mark.parametrize(
    ("peeked", "here"),
    [
        (b"", False),
        (b"GET / HTTP/1.1\r\n", False),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", True),
        (b"POST / HTTP/1.1\r\ncontent-length:3\r\n\r\nab", False),
        (b"POST / HTTP/1.1\r\ncontent-length:3\r\n\r\nabc", True),
        (b"POST / HTTP/1.1\r\nContent-Length: 999999\r\n\r\n", True),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", True),
        (b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n", True),
        (b"x" * PEEKED, True),
    ],
)
def test_when_a_thread_may_begin(peeked: bytes, here: bool) -> None:
    assert is_here(peeked) is here
