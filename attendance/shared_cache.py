"""What all processes of a site remember together for a while: how often somebody asked, which look was written.

In Redis where it answers. Where it does not, each process counts by itself until it is back: limits are then looser,
by as many times as there are processes, and nothing else changes: no request fails, an upload is still a 202. What is
kept is JSON, never a pickle: whoever can write to Redis must not be able to run code here.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from typing import Any

from django.core.cache import cache
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

log = logging.getLogger(__name__)

ASK_AGAIN_SECONDS = 5.0
"""How long a Redis that did not answer is left alone, so that no request waits for it twice."""
CONNECT_SECONDS = 0.25
ANSWER_SECONDS = 0.5
PAGE = 500

_gone_until: dict[str, float] = {}
"""Server -> instant of the monotonic clock; shared by the threads of this process."""


class JsonSerializer:
    """Values as JSON; whole numbers stay such that Redis can count them up."""

    def dumps(self, value: Any) -> bytes:
        return json.dumps(value, separators=(",", ":")).encode()

    def loads(self, stored: bytes) -> Any:
        return json.loads(stored)


class SharedCache(BaseCache):
    """Django's Redis cache with this process's memory behind it."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._server = server
        options = {
            "serializer": JsonSerializer,
            "socket_connect_timeout": CONNECT_SECONDS,
            "socket_timeout": ANSWER_SECONDS,
            "retry": Retry(NoBackoff(), 0),
        }
        self._all = RedisCache(server, {**params, "OPTIONS": options})
        self._here = LocMemCache(f"beside:{server}", params)

    def _either(self, ask: Callable[[BaseCache], Any]) -> Any:
        """Redis's answer, else this process's own."""
        if time.monotonic() >= _gone_until.get(self._server, 0.0):
            try:
                return ask(self._all)
            except (RedisError, OSError) as error:
                log.warning(
                    "Redis does not answer (%s); limits are counted by each process", type(error).__name__
                )
                _gone_until[self._server] = time.monotonic() + ASK_AGAIN_SECONDS
        return ask(self._here)

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        return bool(self._either(lambda each: each.add(key, value, timeout, version)))

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        return self._either(lambda each: each.get(key, default, version))

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> None:
        self._either(lambda each: each.set(key, value, timeout, version))

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        return bool(self._either(lambda each: each.touch(key, timeout, version)))

    def delete(self, key: Any, version: Any = None) -> bool:
        return bool(self._either(lambda each: each.delete(key, version)))

    def incr(self, key: Any, delta: int = 1, version: Any = None) -> int:
        """Raises ValueError where the key is not there."""
        return int(self._either(lambda each: each.incr(key, delta, version)))

    def clear(self) -> None:
        """Our own keys only: the queue may live in the same Redis."""
        self._here.clear()
        self._either(lambda each: self._clear_redis() if each is self._all else None)

    def _clear_redis(self) -> None:
        client = self._all._cache.get_client(write=True)
        for key in client.scan_iter(match=f"{self.key_prefix}:*", count=PAGE):
            client.delete(key)


def count(key: str, seconds: int) -> int:
    """One more of these; how many there were since the first, which is forgotten after ``seconds``."""
    cache.add(key, 0, seconds)
    try:
        return int(cache.incr(key))
    except ValueError:  # it ended, or Redis came or went, between the two
        cache.set(key, 1, seconds)
        return 1
