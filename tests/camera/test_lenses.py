"""Every kind of lens with a real one behind it, and what is said when it fails."""

from __future__ import annotations

import base64
import hashlib
import http.server
import os
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from camera import sources
from camera.best import Frame
from camera.faults import CameraProblem
from camera.sources import folder as folders
from camera.sources import rtsp, snapshot
from camera.sources.device import UsbCamera, VideoFile
from camera.sources.folder import WatchedFolder, mark
from camera.sources.rtsp import RtspStream
from camera.sources.snapshot import SnapshotAddress
from tests.camera.conftest import Stream, free_port, jpeg

USER, PASSWORD = "caretaker", "p:ss w/rd"
QUOTED = "caretaker:p%3Ass%20w%2Frd"


def problem(source: sources.Source) -> str:
    with pytest.raises(CameraProblem) as found:
        source.open()
        source.frames(1)
    source.close()
    sentence = str(found.value)
    assert PASSWORD not in sentence
    assert sentence.count(". ") == 0, "one sentence"
    return sentence


# --- streams ------------------------------------------------------------------------------------
@pytest.mark.parametrize("codec", ["h264", "mjpeg"])
def test_a_stream_gives_a_burst_of_different_pictures(stream: Callable[..., Stream], codec: str) -> None:
    lens = RtspStream(stream("10", codec).address)
    lens.open()
    burst = lens.frames(3)
    lens.close()
    assert [frame.shape for frame in burst] == [(720, 1280, 3)] * 3
    assert any((burst[0] != frame).any() for frame in burst[1:])


def test_a_stream_gives_the_newest_picture_and_its_delay_does_not_grow(
    stream: Callable[..., Stream], frames: list[Frame]
) -> None:
    """The classroom moves on by one frame in a tenth of a second: who falls behind is seen to."""
    lens = RtspStream(stream("10", "mjpeg").address)
    lens.open()
    started, first = time.monotonic(), number_of(lens.frames(1)[0], frames)
    for pause in (1.3, 2.4):
        time.sleep(pause)
        expected = first + round((time.monotonic() - started) * 10)
        seen = number_of(lens.frames(1)[0], frames)
        behind = (expected - seen + 5) % len(frames) - 5
        assert abs(behind) <= 6, f"{behind} frames behind after {pause} s"
    lens.close()


def number_of(frame: Frame, frames: list[Frame]) -> int:
    small = [cv2.resize(each, (160, 90)).astype(int) for each in (frame, *frames)]
    return int(np.argmin([np.abs(small[0] - each).mean() for each in small[1:]]))


def test_a_stream_with_a_log_in(stream: Callable[..., Stream]) -> None:
    made = stream("10", "mjpeg", "cam:secret")
    lens = RtspStream(made.address.replace("//", "//cam:secret@"))
    lens.open()
    assert lens.frames(1)[0].shape == (720, 1280, 3)
    lens.close()
    assert "wants a user name and a password" in problem(RtspStream(made.address))
    assert "refuses the user name or the password" in problem(
        RtspStream(made.address.replace("//", "//cam:wrong@"))
    )


def test_a_stream_that_breaks_off_is_said_and_comes_back(stream: Callable[..., Stream]) -> None:
    made = stream("10", "mjpeg")
    lens = RtspStream(made.address)
    lens.open()
    lens.frames(1)
    made.off()
    with pytest.raises(CameraProblem, match="broke off"):
        for _ in range(40):
            lens.frames(1)
    assert "nothing listens" in problem(lens)
    made.on()
    lens.open()
    assert lens.frames(1)[0].shape == (720, 1280, 3)
    lens.close()


def test_a_stream_that_is_not_there(stream: Callable[..., Stream]) -> None:
    made = stream("10", "mjpeg")
    assert "no stream “/other”" in problem(RtspStream(made.address.replace("classroom", "other")))
    assert "nothing listens" in problem(RtspStream(f"rtsp://127.0.0.1:{free_port()}/x"))
    assert "no camera called" in problem(RtspStream("rtsp://no-such-camera.invalid/x"))


def test_a_stream_of_another_codec_is_named(serve: Callable[[Callable[[socket.socket], None]], int]) -> None:
    """A camera that offers JPEG 2000, which nothing here decodes."""
    description = "v=0\r\ns=x\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 jpeg2000/90000\r\na=control:track0\r\n"

    def speak(client: socket.socket) -> None:
        while data := client.recv(4096):
            number = re.search(rb"CSeq: (\d+)", data)
            sequence = number[1].decode() if number else "1"
            if data.startswith(b"DESCRIBE"):
                body = f"Content-Type: application/sdp\r\nContent-Length: {len(description)}\r\n\r\n{description}"
                client.sendall(f"RTSP/1.0 200 OK\r\nCSeq: {sequence}\r\n{body}".encode())
            elif data.startswith(b"OPTIONS"):
                client.sendall(f"RTSP/1.0 200 OK\r\nCSeq: {sequence}\r\nPublic: DESCRIBE\r\n\r\n".encode())
            else:
                client.sendall(f"RTSP/1.0 461 Unsupported Transport\r\nCSeq: {sequence}\r\n\r\n".encode())

    assert "sends jpeg2000, which cannot be read" in problem(RtspStream(f"rtsp://127.0.0.1:{serve(speak)}/x"))


def test_an_address_that_never_answers(
    serve: Callable[[Callable[[socket.socket], None]], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(client: socket.socket) -> None:
        client.recv(4096)
        time.sleep(8)

    monkeypatch.setattr(rtsp, "OPEN_MS", 1500)
    monkeypatch.setattr("camera.sources.rtsp_probe.PATIENCE", 1.0)
    monkeypatch.setattr(snapshot, "TIMEOUT", 1.0)
    port = serve(silent)
    began = time.monotonic()
    assert "does not answer" in problem(RtspStream(f"rtsp://127.0.0.1:{port}/x"))
    assert "does not answer" in problem(SnapshotAddress(f"http://127.0.0.1:{port}/x.jpg"))
    assert time.monotonic() - began < 12


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[socket.socket], None]], int]]:
    """A TCP server that speaks with each client as told; its port."""
    listeners: list[socket.socket] = []

    def start(speak: Callable[[socket.socket], None]) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def accept() -> None:
            while True:
                try:
                    client, _address = listener.accept()
                except OSError:
                    return
                threading.Thread(target=speak_and_close, args=(client,), daemon=True).start()

        def speak_and_close(client: socket.socket) -> None:
            with client:
                try:
                    speak(client)
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        return int(listener.getsockname()[1])

    yield start
    for each in listeners:
        each.close()


# --- single pictures ----------------------------------------------------------------------------
class IpCamera(http.server.BaseHTTPRequestHandler):
    """Wants a log-in of the kind its path begins with; checks digests as RFC 7616 says, each nonce once."""

    picture = jpeg(1, (640, 480))
    nonces: set[str] = set()

    def do_GET(self) -> None:
        kind = self.path.split("/")[1]
        if kind == "page":
            return self._answer(b"<html>no picture</html>")
        if kind == "gone":
            return self.send_error(404)
        if kind == "broken":
            return self.send_error(500)
        if kind in ("basic", "digest") and not getattr(self, f"_{kind}")():
            return self._refuse(kind)
        return self._answer(self.picture)

    def _basic(self) -> bool:
        expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        return self.headers.get("Authorization") == f"Basic {expected}"

    def _digest(self) -> bool:
        said = dict(re.findall(r'(\w+)="?([^",]+)"?', self.headers.get("Authorization", "")))
        if said.get("nonce") not in self.nonces:
            return False
        self.nonces.discard(said["nonce"])
        first = hashlib.md5(f"{USER}:cam:{PASSWORD}".encode()).hexdigest()
        second = hashlib.md5(f"GET:{self.path}".encode()).hexdigest()
        parts = (first, said["nonce"], said["nc"], said["cnonce"], said["qop"], second)
        return said["response"] == hashlib.md5(":".join(parts).encode()).hexdigest()

    def _refuse(self, kind: str) -> None:
        self.send_response(401)
        nonce = secrets.token_hex(8)
        self.nonces.add(nonce)
        more = f', qop="auth", nonce="{nonce}"' if kind == "digest" else ""
        self.send_header("WWW-Authenticate", f'{kind.title()} realm="cam"{more}')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _answer(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_said: object) -> None:
        """The test says enough."""


@pytest.fixture
def ip_camera() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), IpCamera)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("kind", ["digest", "basic", "open"])
def test_an_ip_camera_with_each_kind_of_log_in(ip_camera: str, kind: str) -> None:
    lens = SnapshotAddress(f"http://{QUOTED}@{ip_camera}/{kind}/snapshot.jpg")
    lens.open()
    assert [frame.shape for frame in lens.frames(3)] == [(480, 640, 3)] * 3


@pytest.mark.parametrize(
    ("path", "login", "said"),
    [
        ("digest/a.jpg", "caretaker:wrong@", "refuses the user name or the password"),
        ("basic/a.jpg", "caretaker:wrong@", "refuses the user name or the password"),
        ("digest/a.jpg", "", "wants a user name and a password"),
        ("gone/a.jpg", "", "no picture at this address"),
        ("broken/a.jpg", "", "answers with an error (500)"),
        ("page/a.jpg", "", "is no picture"),
    ],
)
def test_an_ip_camera_that_gives_no_picture(ip_camera: str, path: str, login: str, said: str) -> None:
    assert said in problem(SnapshotAddress(f"http://{login}{ip_camera}/{path}"))


def test_an_ip_camera_that_is_not_there() -> None:
    assert "cannot be reached" in problem(SnapshotAddress(f"http://127.0.0.1:{free_port()}/a.jpg"))


# --- devices, files, folders --------------------------------------------------------------------
def test_a_usb_camera_that_is_not_plugged_in() -> None:
    assert "is it plugged in" in problem(UsbCamera("63"))


def test_a_usb_camera_that_is_unplugged_says_so_and_is_opened_anew(video: Path) -> None:
    """A device that ends stands for one that is pulled out; OpenCV reads both through the same calls."""

    class Paced:
        """As a device gives pictures: thirty a second, not as fast as they can be decoded."""

        def __init__(self) -> None:
            self._video = cv2.VideoCapture(str(video))

        def read(self) -> Any:
            time.sleep(1 / 30)
            return self._video.read()

        def release(self) -> None:
            self._video.release()

    class Unplugged(UsbCamera):
        def open(self) -> None:
            self._device = Paced()

    lens = Unplugged("0")
    lens.open()
    with pytest.raises(CameraProblem, match="was it unplugged"):
        for _ in range(100):
            lens.frames(1)
    lens.open()
    assert lens.frames(1)[0].shape == (720, 1280, 3)
    lens.close()


def test_a_video_goes_on_where_it_was_and_begins_again_after_its_end(video: Path) -> None:
    lens = VideoFile(video)
    lens.open()
    first = lens.frames(1)[0]
    lens.close()
    lens.open()
    second = lens.frames(1)[0]
    assert (first != second).any()
    lens.frames(38)
    assert (lens.frames(1)[0] == first).all()
    assert "no video at" in problem(VideoFile(video.with_name("other.avi")))


def test_a_folder_gives_finished_photos_in_their_order_and_each_once(tmp_path: Path) -> None:
    folder = WatchedFolder(tmp_path)
    now = time.time()
    for name, age, data in (("b.jpg", 20, jpeg(1)), ("a.jpg", 10, jpeg(2)), ("old.jpg", 500, jpeg(3))):
        (tmp_path / name).write_bytes(data)
        os.utime(tmp_path / name, (now - age, now - age))
    (tmp_path / "half.jpg").write_bytes(jpeg(4)[:2000])
    (tmp_path / "notes.txt").write_text("no photo")
    (tmp_path / "empty.jpg").touch()
    ready = folder.ready(set(), now - 100)
    assert [photo.path.name for photo in ready] == ["b.jpg", "a.jpg"]
    taken = {mark(photo.path, len(photo.content), photo.modified) for photo in ready}
    assert folder.ready(taken, now - 100) == []
    (tmp_path / "half.jpg").write_bytes(jpeg(4))
    assert [photo.path.name for photo in folder.ready(taken, now - 100)] == ["half.jpg"]


def test_a_photo_without_its_usual_end_is_finished_once_nothing_changes(tmp_path: Path) -> None:
    path = tmp_path / "odd.jpg"
    path.write_bytes(jpeg(1) + b"maker's notes")
    assert WatchedFolder(tmp_path).ready(set(), 0) == []
    before = time.time() - folders.FINISHED - 1
    os.utime(path, (before, before))
    assert len(WatchedFolder(tmp_path).ready(set(), 0)) == 1


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(CameraProblem, match="is not there"):
        WatchedFolder(tmp_path / "gone").ready(set(), 0)


@pytest.mark.parametrize("address", ["", "telescope:1", "usb", "folder:", "video:", "10.0.0.7/stream"])
def test_an_address_of_no_lens_is_refused_with_examples(address: str) -> None:
    with pytest.raises(CameraProblem, match="usb:0"):
        sources.made(address)


def test_a_password_is_not_shown() -> None:
    assert sources.without_password("rtsp://a:b@10.0.0.7:554/x?y=1") == "rtsp://…@10.0.0.7:554/x?y=1"
    assert sources.without_password("usb:0") == "usb:0"
