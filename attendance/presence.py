"""Which programs were heard of when: each writes the time into Redis, and pages read it.

One hash, ``rollcall:seen``: ``worker:<machine>``, ``office:<machine>``, ``beat:<machine>`` -> seconds since 1970 by
Redis' clock, so that the clocks of several machines need not agree. It holds nothing that could not be lost.
"""

from __future__ import annotations

import datetime as dt
import logging
import socket
import time

import redis
from django.conf import settings

log = logging.getLogger(__name__)

HASH = "rollcall:seen"
EVERY = 15.0
"""Seconds between two words of one program."""
FORGOTTEN = dt.timedelta(days=1)
"""After this long a machine that says nothing any more is no longer expected."""

_last: dict[str, float] = {}


def note(kind: str) -> None:
    """This machine's program of that kind lives. At most every ``EVERY`` seconds; a Redis that is away is no matter."""
    now = time.monotonic()
    if now - _last.get(kind, -EVERY) < EVERY:
        return
    _last[kind] = now
    try:
        with _client() as client:
            client.hset(HASH, f"{kind}:{socket.gethostname()}", str(client.time()[0]))
    except (redis.RedisError, OSError) as error:
        log.debug("nobody can be told that %s lives: %s", kind, error)


def silence(kind: str) -> dt.timedelta | None:
    """How long none of that kind was heard of; None where none was for a day. Raises RedisError, OSError."""
    with _client() as client:
        now = float(client.time()[0])
        seen = [
            float(at) for name, at in client.hgetall(HASH).items() if name.decode().startswith(f"{kind}:")
        ]
    if not seen or now - max(seen) > FORGOTTEN.total_seconds():
        return None
    return dt.timedelta(seconds=max(now - max(seen), 0.0))


def redis_clock() -> dt.datetime:
    """What time it is on Redis' machine. Raises RedisError, OSError."""
    with _client() as client:
        seconds, micro = client.time()
    return dt.datetime.fromtimestamp(seconds + micro / 1e6, dt.UTC)


def _client() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1)
