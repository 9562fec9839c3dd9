"""In every Python program that finds it on its path: whoever asks for an address outside is written down and refused.

``ROLLCALL_CALLS`` names the file. An audit hook cannot be taken off again, by no library and for no call.
"""

from __future__ import annotations

import os
import socket
import sys

OWN = {"", "localhost", "::", "::1", "0.0.0.0", socket.gethostname()}


def is_own(host: object) -> bool:
    if isinstance(host, bytes):
        host = host.decode(errors="replace")
    return host is None or str(host) in OWN or str(host).startswith("127.")


def listen(event: str, arguments: tuple[object, ...]) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) and address else None
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    else:
        return
    if is_own(host):
        return
    with open(os.environ["ROLLCALL_CALLS"], "a", encoding="utf-8") as out:  # noqa: PTH123 (before pathlib is there)
        out.write(f"{event} {host} {' '.join(sys.argv)[:200]}\n")
    raise OSError(f"a call to the outside: {host}")


if os.environ.get("ROLLCALL_CALLS"):
    sys.addaudithook(listen)
