"""``is_healthy.py web | worker | office | beat``: exit code 0 while this container's program does what it is for."""

from __future__ import annotations

import os
import socket
import sys
import urllib.request

SILENT = 120.0
"""Seconds without a word after which a worker or beat is taken for dead; each writes every quarter of a minute."""


def web() -> None:
    port = os.environ.get("ROLLCALL_PORT", "8000")
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}/healthz", headers={"Host": "localhost", "X-Forwarded-Proto": "https"}
    )
    urllib.request.urlopen(asked, timeout=5).read()  # noqa: S310


def program(kind: str) -> None:
    """What it wrote into Redis itself; where Redis is away, nothing can be said against the program."""
    import redis

    try:
        with redis.Redis.from_url(
            os.environ["REDIS_URL"], socket_connect_timeout=3, socket_timeout=3
        ) as client:
            seen = client.hget("rollcall:seen", f"{kind}:{socket.gethostname()}")
            now = float(client.time()[0])
    except redis.RedisError:
        return
    if seen is None or now - float(seen) > SILENT:
        sys.exit(f"{kind} has not been heard of for {SILENT:.0f} seconds")


if __name__ == "__main__":
    web() if sys.argv[1:] == ["web"] else program(sys.argv[1])
