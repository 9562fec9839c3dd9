"""What the camera sees, for the person who sets it up: faces that are large enough, and those that are not."""

from __future__ import annotations

import html
import http.server
import secrets
import threading
from dataclasses import dataclass

import cv2
import numpy as np

from camera.best import Box, FaceFinder, Frame
from camera.faults import CameraProblem

COLUMNS, ROWS = 64, 18
_USABLE, _SMALL = (80, 175, 76), (60, 60, 230)
_PAGE_WIDTH = 1280


@dataclass(frozen=True)
class View:
    frame: Frame
    usable: tuple[Box, ...]
    small: tuple[Box, ...]
    needed: int
    """Width in pixels of the smallest usable face."""
    looked: bool
    """Whether faces could be looked for at all."""

    def words(self) -> str:
        height, width = self.frame.shape[:2]
        picture = f"Picture of {width} x {height} pixels."
        if not self.looked:
            return f"{picture} Nothing here finds faces, so look yourself: they must be {self.needed} pixels wide."
        if not self.usable and not self.small:
            return f"{picture} No face seen: try it with people in the seats."
        said = f"{picture} {len(self.usable)} faces are large enough"
        if not self.small:
            return f"{said}; the smallest has {min(box[2] for box in self.usable)} pixels, {self.needed} are needed."
        return (
            f"{said}, {len(self.small)} too small (from {min(box[2] for box in self.small)} pixels, {self.needed} are "
            "needed): bring the camera nearer, turn up its resolution, or add a second one."
        )

    def terminal(self) -> str:
        """The picture as a frame of letters: # a usable face, o one that is too small."""
        height, width = self.frame.shape[:2]
        field = [[" "] * COLUMNS for _ in range(ROWS)]
        for boxes, sign in ((self.small, "o"), (self.usable, "#")):
            for left, top, wide, high in boxes:
                first = min(COLUMNS - 1, max(0, left * COLUMNS // width))
                last = min(COLUMNS - 1, max(first, (left + wide) * COLUMNS // width))
                upper = min(ROWS - 1, max(0, top * ROWS // height))
                lower = min(ROWS - 1, max(upper, (top + high) * ROWS // height))
                for row in range(upper, lower + 1):
                    field[row][first : last + 1] = sign * (last - first + 1)
        edge = "+" + "-" * COLUMNS + "+"
        return "\n".join([edge, *("|" + "".join(row) + "|" for row in field), edge])

    def jpeg(self) -> bytes:
        """The picture with a box around each face: green is large enough, red is not."""
        drawn = self.frame.copy()
        thick = max(2, drawn.shape[1] // 640)
        for boxes, colour in ((self.usable, _USABLE), (self.small, _SMALL)):
            for left, top, wide, high in boxes:
                cv2.rectangle(drawn, (left, top), (left + wide, top + high), colour, thick)
        scale = _PAGE_WIDTH / drawn.shape[1]
        if scale < 1:
            drawn = np.asarray(
                cv2.resize(drawn, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
            )
        return bytes(cv2.imencode(".jpg", drawn)[1].tobytes())


def look(frame: Frame, finder: FaceFinder, needed: int) -> View:
    """Faces down to half the usable width, told apart by it."""
    found = finder.find(frame, max(8, needed // 2))
    usable = tuple(box for box in found if box[2] >= needed)
    return View(frame, usable, tuple(box for box in found if box[2] < needed), needed, bool(finder.name))


class Page:
    """Shows views to a browser on this machine, at an address nobody can guess; nothing is stored."""

    def __init__(self, port: int = 0) -> None:
        """Raises CameraProblem where no port is free."""
        secret, self._view = secrets.token_urlsafe(12), b""
        self._words = ""
        page = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == f"/{secret}/":
                    self._answer("text/html; charset=utf-8", page._html().encode())
                elif self.path.partition("?")[0] == f"/{secret}/view.jpg" and page._view:
                    self._answer("image/jpeg", page._view)
                else:
                    self.send_error(404)

            def _answer(self, kind: str, content: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.send_header("Cache-Control", "no-store")
                self.send_header("Content-Security-Policy", "default-src 'none'; img-src 'self'")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_said: object) -> None:
                """The terminal is for the person."""

        try:
            self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        except OSError as error:
            raise CameraProblem(f"The page cannot be shown: {error.strerror}.") from error
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}/{secret}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def show(self, view: View) -> None:
        self._words, self._view = view.words(), view.jpeg()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _html(self) -> str:
        number = secrets.token_hex(4)
        return (
            '<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="2">'
            '<meta name="viewport" content="width=device-width"><title>What the camera sees</title>'
            f"<h1>What the camera sees</h1><p>{html.escape(self._words)}</p>"
            "<p>Green: large enough. Red: too small.</p>"
            f'<img src="view.jpg?{number}" width="100%" alt="{html.escape(self._words)}">'
        )


def lines(view: View) -> list[str]:
    """For the terminal: the sketch where faces were found, and the sentence."""
    found = bool(view.usable or view.small)
    return [*([view.terminal(), "# large enough   o too small"] if found else []), view.words()]
