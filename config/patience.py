"""gunicorn's threads, given only to requests that are there: a client that dawdles holds a socket and no thread.

gunicorn 27's own worker hands each new connection to a thread, which waits for the first byte for five seconds and for
the rest of the request's head without end: eight clients that send a letter now and then would keep a site of eight
threads from everybody (*slowloris*). Here the main thread waits, with all others in one ``epoll``.
"""

from __future__ import annotations

import re
import selectors
import socket
import struct
import time
from collections import deque
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

HEAD_SECONDS = 10.0
"""From the connection to the end of a request's head, and of a body that is small."""
STILL_SECONDS = 20
"""Between two pieces of a longer body."""
PEEKED = 64 * 1024
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,6})[ \t]*\r\n", re.IGNORECASE)


def is_here(peeked: bytes) -> bool:
    """Whether a thread can begin: the head is whole, and a small body too; or there is more than is looked at."""
    if len(peeked) >= PEEKED:
        return True
    head, end, body = peeked.partition(b"\r\n\r\n")
    if not end:
        return False
    stated = _LENGTH.search(head + b"\r\n")
    length = int(stated[1]) if stated else 0
    return len(head) + 4 + length > PEEKED or len(body) >= length


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """Threads work; waiting is done by the main thread."""

    pending_conns: deque[TConn]

    def accept(self, listener: Any) -> None:
        """Takes a connection and waits for its request; no thread hears of it yet."""
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        self.nr_conns += 1
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", STILL_SECONDS, 0))
        conn = TConn(self.cfg, client, address, listener.getsockname())
        conn.timeout = time.monotonic() + HEAD_SECONDS
        self.pending_conns.append(conn)
        self.poller.register(client, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def on_pending_socket_readable(self, conn: TConn, client: Any) -> None:
        if self._may_begin(conn):
            super().on_pending_socket_readable(conn, client)

    def on_client_socket_readable(self, conn: TConn, client: Any) -> None:
        """The next request on a connection that is kept; gunicorn's ``keep-alive`` bounds how long it may take."""
        if self._may_begin(conn):
            super().on_client_socket_readable(conn, client)

    def _may_begin(self, conn: TConn) -> bool:
        """If not, the socket counts as readable again when there is more than was seen now."""
        if self.cfg.is_ssl:
            return True  # what is peeked at is not the request
        try:
            peeked = conn.sock.recv(PEEKED, socket.MSG_PEEK)
        except OSError:
            return True  # gone: the thread's read says so, and closes it
        # Woken without anything new: the client has closed, and would wake us without end.
        begins = is_here(peeked) or len(peeked) <= getattr(conn, "seen", -1) or not peeked
        conn.seen = -1 if begins else len(peeked)
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1 if begins else len(peeked) + 1)
        return begins
