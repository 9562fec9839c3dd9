"""A proxy between agent and server that spoils a share of the answers, each in another way."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import random
import threading
from collections import Counter
from typing import Any

SPOILT = ("dropped", "lost", "error", "busy", "truncated", "throttled", "nonsense")


class BadNetwork:
    """``share`` of the requests go wrong: before the server sees them, or after it took them."""

    def __init__(self, server: str, share: float = 1 / 3, seed: int = 9) -> None:
        self._to = server.removeprefix("http://")
        self.share, self._draw = share, random.Random(seed)
        self.counts: Counter[str] = Counter()
        network = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                network.answer(self)

            def do_POST(self) -> None:
                network.answer(self)

            def log_message(self, *_said: Any) -> None:
                """The counts say it all."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, asked: http.server.BaseHTTPRequestHandler) -> None:
        body = asked.rfile.read(int(asked.headers.get("Content-Length") or 0))
        what = self._draw.choice(SPOILT) if self._draw.random() < self.share else "passed"
        self.counts[what] += 1
        asked.close_connection = True
        with contextlib.suppress(OSError):  # the agent was killed meanwhile
            self._spoil(asked, body, what)

    def _spoil(self, asked: http.server.BaseHTTPRequestHandler, body: bytes, what: str) -> None:
        if what == "dropped":
            return
        if what in ("error", "busy", "throttled", "nonsense"):
            status = {"error": 500, "busy": 503, "throttled": 429, "nonsense": 200}[what]
            asked.send_response(status)
            if what in ("busy", "throttled"):
                asked.send_header("Retry-After", "1")
            asked.send_header("Content-Length", "14")
            asked.end_headers()
            asked.wfile.write(b"<html>!</html>")
            return
        status, headers, content = self._pass_on(asked, body)
        if what == "lost":
            return
        asked.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                asked.send_header(name, value)
        asked.send_header("Content-Length", str(len(content)))
        asked.end_headers()
        asked.wfile.write(content[: len(content) // 2] if what == "truncated" else content)

    def _pass_on(
        self, asked: http.server.BaseHTTPRequestHandler, body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self._to, timeout=60)
        try:
            headers = {name: value for name, value in asked.headers.items() if name.lower() != "connection"}
            connection.request(asked.command, asked.path, body or None, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()
