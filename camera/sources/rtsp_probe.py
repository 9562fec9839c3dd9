"""Why a stream gives no picture, in one sentence: OpenCV says only that it does not."""

from __future__ import annotations

import re
import socket
from urllib.parse import urlsplit

PATIENCE = 5.0
_LONGEST = 64 * 1024
_READABLE = {"H264", "H265", "JPEG", "MP4V-ES", "VP8", "VP9", "AV1", "MPV"}


def why_silent(address: str) -> str:
    """Ask the camera itself (RTSP 1.0, ``DESCRIBE``) and say what its answer means."""
    url = urlsplit(address)
    where = url.netloc.rpartition("@")[2] or address
    if not url.hostname:
        return f"“{where}” is no address of a stream; it looks like rtsp://10.0.0.7/stream1."
    try:
        status, body = _describe(url.hostname, url.port or 554, address)
    except socket.gaierror:
        return f"There is no camera called {url.hostname} in this network."
    except socket.timeout:
        return f"The camera at {where} does not answer."
    except ConnectionRefusedError:
        return f"At {where} nothing listens for RTSP: is it switched on in the camera, and is the port right?"
    except (OSError, ValueError) as error:
        return f"The camera at {where} cannot be reached: {getattr(error, 'strerror', None) or 'no RTSP answer'}."
    if status in (401, 403):
        if url.username:
            return f"The camera at {where} refuses the user name or the password in the address."
        return f"The camera at {where} wants a user name and a password: rtsp://user:password@{where}."
    if status == 404:
        return f"The camera at {where} has no stream “{url.path or '/'}”: look the path up in its manual."
    if status != 200:
        return f"The camera at {where} refuses the stream (RTSP {status}): too many may be watching it."
    codecs = re.findall(r"^a=rtpmap:\d+ ([\w-]+)/", body[body.find("m=video") :], re.MULTILINE)
    strange = [codec for codec in codecs[:1] if codec.upper() not in _READABLE]
    if strange:
        return f"The camera at {where} sends {strange[0]}, which cannot be read: set it to H.264 in its settings."
    return f"The camera at {where} answers but sends no picture: set its stream to H.264, or restart it."


def _describe(host: str, port: int, address: str) -> tuple[int, str]:
    url = urlsplit(address)
    plain = url._replace(netloc=url.netloc.rpartition("@")[2]).geturl()
    with socket.create_connection((host, port), timeout=PATIENCE) as connection:
        connection.sendall(
            f"DESCRIBE {plain} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n".encode()
        )
        data = b""
        while len(data) < _LONGEST and b"\r\n\r\n" not in data:
            part = connection.recv(4096)
            if not part:
                break
            data += part
        head, _gap, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"^Content-Length:\s*(\d+)", head, re.MULTILINE | re.IGNORECASE)
        while length and len(body) < min(int(length[1]), _LONGEST):
            part = connection.recv(4096)
            if not part:
                break
            body += part
    found = re.match(rb"RTSP/1\.\d (\d{3})", head)
    if found is None:
        raise ValueError("no RTSP answer")
    return int(found[1]), body.decode("utf-8", "replace")
