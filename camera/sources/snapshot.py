"""An IP camera's address for single pictures, with basic or digest log-in."""

from __future__ import annotations

import http.client
import socket
import time
import urllib.error
import urllib.request
from urllib.parse import unquote, urlsplit, urlunsplit

import cv2
import numpy as np

from camera.best import Frame
from camera.faults import CameraProblem

TIMEOUT = 10.0
LARGEST = 25 * 1024 * 1024
BETWEEN = 0.3


class SnapshotAddress:
    kind = "http"

    def __init__(self, address: str) -> None:
        url = urlsplit(address)
        if not url.hostname:
            raise CameraProblem(f"“{address}” is no address of a picture.")
        self._where = url.netloc.rpartition("@")[2]
        self._has_login = bool(url.username)
        self._url = urlunsplit(url._replace(netloc=self._where))
        handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
        if url.username:
            logins = urllib.request.HTTPPasswordMgrWithDefaultRealm()
            logins.add_password(None, self._url, unquote(url.username), unquote(url.password or ""))
            handlers.append(urllib.request.HTTPDigestAuthHandler(logins))
            handlers.append(urllib.request.HTTPBasicAuthHandler(logins))
        self._opener = urllib.request.build_opener(*handlers)

    def open(self) -> None:
        """Nothing stays open between two pictures."""

    def close(self) -> None:
        """As ``open``."""

    def frames(self, count: int) -> list[Frame]:
        taken = []
        for turn in range(max(1, count)):
            if turn:
                time.sleep(BETWEEN)
            taken.append(self._picture())
        return taken

    def _picture(self) -> Frame:
        try:
            with self._opener.open(self._url, timeout=TIMEOUT) as answer:
                data = answer.read(LARGEST + 1)
        except urllib.error.HTTPError as error:
            error.close()
            raise CameraProblem(self._refusal(error.code)) from error
        except (socket.timeout, TimeoutError) as error:
            raise CameraProblem(f"The camera at {self._where} does not answer.") from error
        except urllib.error.URLError as error:
            if isinstance(error.reason, (socket.timeout, TimeoutError)):
                raise CameraProblem(f"The camera at {self._where} does not answer.") from error
            why = getattr(error.reason, "strerror", None) or error.reason
            raise CameraProblem(f"The camera at {self._where} cannot be reached: {why}.") from error
        except ValueError as error:  # the library's word for it
            raise CameraProblem(
                f"The camera at {self._where} wants a log-in of a kind this agent does not know: set it to digest."
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise CameraProblem(f"The camera at {self._where} broke off its answer.") from error
        if len(data) > LARGEST:
            raise CameraProblem(
                f"What the camera at {self._where} sends has no end: give its address for single pictures."
            )
        frame = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
        if frame is None:
            raise CameraProblem(
                f"What the camera at {self._where} sends is no picture: give its snapshot address."
            )
        return np.asarray(frame, np.uint8)

    def _refusal(self, status: int) -> str:
        if status in (401, 403):
            if self._has_login:
                return f"The camera at {self._where} refuses the user name or the password in the address."
            return f"The camera at {self._where} wants a user name and a password in its address."
        if status == 404:
            return (
                f"The camera at {self._where} has no picture at this address: look the path up in its manual."
            )
        return f"The camera at {self._where} answers with an error ({status})."
