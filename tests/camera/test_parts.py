"""The agent's parts without any network: spool, sealing, clock, timetable, best frame, pauses."""

from __future__ import annotations

import ast
import datetime as dt
import errno
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import cv2
import numpy as np
import pytest

from camera import best, config, files, timetable
from camera.best import FaceFinder, Frame
from camera.client import Answer, Server, Unreachable, normalised
from camera.clock import Clock
from camera.faults import CameraProblem, Faults
from camera.indicator import Indicator
from camera.lock import only_one
from camera.sealing import Sealer, Unreadable, derived
from camera.spool import Shot, Spool, SpoolProblem
from camera.timetable import Policy, Session, Timetable
from camera.uploader import Uploader, pause_after
from camera.view import Page, View, look
from tests.camera.conftest import ROOT, jpeg

KEY = "rcam_" + "k" * 43
NOW = dt.datetime(2026, 3, 12, 9, 20, tzinfo=dt.UTC)


def spool_in(folder: Path, max_bytes: int = 10**6, key: str = KEY) -> Spool:
    return Spool(folder, Sealer([key]), max_bytes, 7 * 86400)


def shot(number: int, session: int = 1, taken: int = 0) -> Shot:
    return Shot(f"{number:032x}", session, taken or 1_700_000_000_000 + number)


# --- spool and sealing --------------------------------------------------------------------------
def test_a_photo_that_was_kept_is_there_after_a_restart_and_is_not_to_be_read_on_the_disk(
    tmp_path: Path,
) -> None:
    photo = jpeg(1)
    spool_in(tmp_path).put(shot(1), photo, "/api/sessions/1/snapshots/")
    again = spool_in(tmp_path)
    (waiting,) = again.waiting()
    assert again.read(waiting) == ("/api/sessions/1/snapshots/", photo)
    (path,) = tmp_path.glob("*.shot")
    sealed = path.read_bytes()
    assert photo[:20] not in sealed
    assert b"/api/" not in sealed
    assert path.stat().st_mode & 0o077 == 0
    again.remove(waiting)
    assert again.waiting() == []
    assert again.size() == (0, 0)


def test_what_is_damaged_or_under_another_name_or_key_does_not_open(tmp_path: Path) -> None:
    sealer = Sealer([KEY])
    sealed = sealer.seal(b"photo", "a")
    assert sealer.open(sealed, "a") == b"photo"
    flipped = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for content, name in ((flipped, "a"), (sealed, "b"), (sealed[:20], "a"), (b"", "a"), (b"x" * 99, "a")):
        with pytest.raises(Unreadable):
            sealer.open(content, name)
    with pytest.raises(Unreadable, match="another key"):
        Sealer(["rcam_other"]).open(sealed, "a")
    assert Sealer(["rcam_other", KEY]).open(sealed, "a") == b"photo"
    assert sealer.seal(b"photo", "a") != sealed


def test_the_key_is_derived_as_rfc_5869_says() -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    known = HKDF(hashes.SHA256(), 32, None, b"rollcall spool").derive(KEY.encode())
    assert derived(KEY, b"rollcall spool") == known


def test_a_damaged_photo_is_set_aside_and_keeps_no_other(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    spool.put(shot(1), jpeg(1), "/u/")
    spool.put(shot(2), jpeg(2), "/u/")
    (tmp_path / shot(1).name).write_bytes(b"RCS1 and nonsense")
    with pytest.raises(Unreadable):
        spool.read(spool.waiting()[0])
    assert [each.id for each in spool.waiting()] == [shot(2).id]
    assert len(list(tmp_path.glob("*.unreadable"))) == 1


def test_a_full_spool_gives_up_the_oldest_of_closed_sessions_first(tmp_path: Path) -> None:
    photo = b"x" * 1000
    spool = spool_in(tmp_path, max_bytes=4500)
    for number, session in ((1, 7), (2, 8), (3, 7), (4, 8)):
        spool.put(shot(number, session), photo, "/u/", {7})
    spool.put(shot(5, 7), photo, "/u/", {7})  # 8 is closed: its oldest goes, though 1 is older
    assert {each.id[-1] for each in spool.waiting()} == {"1", "3", "4", "5"}
    spool.put(shot(6, 7), photo, "/u/", {7})
    spool.put(shot(7, 7), photo, "/u/", {7})
    assert {each.id[-1] for each in spool.waiting()} == {"3", "5", "6", "7"}


def test_photos_that_are_too_old_go(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    now = time.time()
    spool.put(shot(1, taken=round((now - 8 * 86400) * 1000)), b"x", "/u/")
    spool.put(shot(2, taken=round((now - 6 * 86400) * 1000)), b"x", "/u/")
    assert spool.purge(now) == 1
    assert [each.id for each in spool.waiting()] == [shot(2).id]


def test_open_sessions_are_sent_first_each_the_oldest_first(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    for number, session in ((1, 7), (2, 8), (3, 7), (4, 8)):
        spool.put(shot(number, session), b"x", "/u/")
    assert [each.id[-1] for each in spool.waiting({8})] == ["2", "4", "1", "3"]


def test_a_full_disk_is_said_leaves_nothing_half_and_is_over_when_it_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = spool_in(tmp_path)

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(SpoolProblem, match="No space left"):
            spool.put(shot(1), b"x" * 1000, "/u/")
        assert list(tmp_path.iterdir()) == []
    spool.put(shot(1), b"x" * 1000, "/u/")
    assert len(spool.waiting()) == 1


def test_a_place_where_nothing_can_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file, no folder")
    with pytest.raises(SpoolProblem, match="cannot be kept"):
        spool_in(tmp_path / "spool")


def test_half_a_file_of_a_kill_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / f"{shot(1).name}{files.TEMPORARY}").write_bytes(b"half")
    assert spool_in(tmp_path).waiting() == []
    assert list(tmp_path.iterdir()) == []


def test_without_cryptography_no_photo_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
    with pytest.raises(CameraProblem, match="pip install cryptography"):
        Sealer([KEY])


# --- uploads ------------------------------------------------------------------------------------
class Said(Server):
    """A server that answers from a list."""

    def __init__(self, *answers: Answer | Unreachable) -> None:
        super().__init__("http://127.0.0.1:9")
        self.answers = list(answers)
        self.asked: list[str] = []

    def post(self, path: str, body: bytes, headers: object) -> Answer:
        assert isinstance(headers, dict)
        self.asked.append(headers["Idempotency-Key"])
        found = self.answers.pop(0)
        if isinstance(found, Unreachable):
            raise found
        return found


def says(status: int, code: str = "", detail: str = "Because.", **headers: str) -> Answer:
    body = b'{"id": 1}' if status == 202 else b""
    if code:
        body = f'{{"type": "urn:rollcall:problem:{code}", "detail": "{detail}"}}'.encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def uploader(folder: Path, *answers: Answer | Unreachable, photos: int = 1) -> tuple[Uploader, Said, Spool]:
    spool, server = spool_in(folder), Said(*answers)
    for number in range(photos):
        spool.put(shot(number + 1), jpeg(number), "/u/")
    return Uploader(spool, server, Faults(), frozenset), server, spool


def test_a_photo_leaves_the_spool_only_when_the_server_has_it(tmp_path: Path) -> None:
    trouble: list[Answer | Unreachable] = [
        says(500), Unreachable("gone"), says(503), says(429, "throttled"), says(200), says(507, "storage-full"),
        says(409, "changes-met"), says(401, "bad-camera-key"), Answer(404, {}, b"<html>another server</html>"),
    ]  # fmt: skip
    work, server, spool = uploader(tmp_path, *trouble, says(202))
    for _ in trouble:
        assert work.step() > 0
        assert len(spool.waiting()) == 1
    assert work.step() == 0
    assert spool.waiting() == []
    assert set(server.asked) == {shot(1).id}


def test_retry_after_is_honoured_and_pauses_grow_with_jitter(tmp_path: Path) -> None:
    work, _server, _spool = uploader(tmp_path, says(429, "throttled", retry_after="77"), says(500))
    assert work.step() == 77
    assert 1 <= work.step() <= 2
    longest = [pause_after(n, lambda _low, high: high) for n in range(12)]
    assert longest[:5] == [1, 2, 4, 8, 16]
    assert longest[-1] == 300
    assert 4 <= pause_after(3) <= 8


def test_a_photo_refused_for_a_full_queue_is_kept_and_brought_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    full = says(429, "queue-full", retry_after="42")
    work, server, spool = uploader(tmp_path, full, says(202), says(202), photos=2)
    assert work.step() == 42
    assert len(spool.waiting()) == 2
    assert "As many photos wait at the server as it takes" in caplog.text
    assert [work.step(), work.step()] == [0, 0]
    assert spool.waiting() == []
    assert set(server.asked) == {shot(1).id, shot(2).id}


def test_a_photo_the_server_cannot_use_is_dropped_with_its_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    work, _server, spool = uploader(tmp_path, says(422, "photo-broken", "The photo is damaged."))
    work.step()
    assert spool.waiting() == []
    assert "The photo is damaged." in caplog.text


def test_a_photo_of_a_closed_session_waits_and_keeps_no_other(tmp_path: Path) -> None:
    work, server, spool = uploader(tmp_path, says(409, "session-not-open"), says(202), photos=2)
    work.step()
    work.step()
    assert [each.id for each in spool.waiting()] == [shot(1).id]
    assert work.step() == 30
    assert len(server.asked) == 2


def test_a_photo_the_server_stumbles_over_keeps_no_other(tmp_path: Path) -> None:
    work, server, _spool = uploader(tmp_path, says(500), says(202), says(500), photos=2)
    for _ in range(3):
        work.step()
    assert server.asked == [shot(1).id, shot(2).id, shot(1).id]


# --- clock, timetable, settings -----------------------------------------------------------------
def test_the_offset_is_found_to_a_fraction_of_a_second() -> None:
    clock, true = Clock(), 734.2
    for step in range(12):
        sent = 1_700_000_000 + step * 30.37
        clock.heard(formatdate(int(sent + true + 0.02), usegmt=True), sent, sent + 0.04)
    assert abs(clock.offset - true) < 0.3
    sent += 30
    clock.heard(
        formatdate(int(sent - 5), usegmt=True), sent, sent + 0.04
    )  # somebody set this machine's clock
    assert abs(clock.offset + 5) <= 1
    for nonsense in (None, "", "yesterday"):
        clock.heard(nonsense, sent, sent)
    assert abs(clock.offset + 5) <= 1


def session(state: str, begins: int, ends: int, number: int = 1) -> Session:
    minute = dt.timedelta(minutes=1)
    return Session(number, "Biology", NOW + begins * minute, NOW + ends * minute, state, "/u/")


@pytest.mark.parametrize(
    ("state", "begins", "ends", "shot"),
    [
        ("open", -20, 30, True), ("open", 4, 50, True), ("open", 6, 50, False), ("open", -60, 0, False),
        ("planned", -20, 30, False), ("closed", -20, 30, False),
    ],
)  # fmt: skip
def test_only_an_open_session_is_shot_and_only_in_its_time(
    state: str, begins: int, ends: int, shot: bool
) -> None:
    table = Timetable(sessions=frozenset({session(state, begins, ends)}))
    assert (table.session_now(NOW) is not None) is shot


def test_of_two_open_sessions_the_later_one_is_shot() -> None:
    table = Timetable(sessions=frozenset({session("open", -60, 30, 1), session("open", -5, 40, 2)}))
    found = table.session_now(NOW)
    assert found is not None
    assert found.id == 2


def test_what_is_no_timetable_is_said_and_what_is_out_of_bounds_is_held_within() -> None:
    for nonsense in ({}, {"policy": 1}, {"policy": {}, "sessions": []}, {"room": "x"}):
        with pytest.raises(CameraProblem, match="not Rollcall"):
            timetable.parsed(nonsense)
    good = {
        "room": {"name": "12"}, "time_zone": "UTC", "sessions": [], "poll_seconds": 0,
        "policy": {"interval_seconds": 0, "burst": 900, "long_side": 1, "jpeg_quality": 500, "min_face_pixels": 0},
    }  # fmt: skip
    held = timetable.parsed(good)
    assert (held.poll_seconds, held.policy) == (1, Policy(1, 30, 320, 100, 8))


def test_instants_are_read_with_a_z_too() -> None:
    assert timetable.instant("2026-03-12T09:20:00Z") == NOW
    with pytest.raises(ValueError, match="no offset"):
        timetable.instant("2026-03-12T09:20:00")


def test_settings_are_private_survive_and_are_refused_when_damaged(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "config.json"
    made = config.Config(path=path, server="https://a", key="k", spool_days=2)
    made.save()
    assert path.stat().st_mode & 0o077 == 0
    assert config.load(path) == made
    assert config.load(tmp_path / "none.json").key == ""
    for text in ("", "[]", "{half", '{"key": 5}'):
        path.write_text(text)
        with pytest.raises(CameraProblem):
            config.load(path)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("rollcall.school.example", "https://rollcall.school.example"), (" http://10.0.0.2:8000/ ", "http://10.0.0.2:8000"),
        ("https://a.example/sign-in/", "https://a.example"), ("http://[::1]:80", "http://[::1]:80"),
    ],
)  # fmt: skip
def test_addresses_are_read_as_people_type_them(typed: str, meant: str) -> None:
    assert normalised(typed) == meant


@pytest.mark.parametrize(
    "typed", ["", "ftp://a", "http://", "http://a:port", "http://user@a", "https://a/?x=1"]
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(CameraProblem):
        normalised(typed)


def test_one_agent_at_a_time(tmp_path: Path) -> None:
    with (
        only_one(tmp_path / "lock"),
        pytest.raises(CameraProblem, match="runs already"),
        only_one(tmp_path / "lock"),
    ):
        pass
    with only_one(tmp_path / "lock"):
        pass


def test_a_fault_is_said_once_and_its_end_too(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    faults = Faults()
    for _ in range(3):
        faults.say("camera", "It was unplugged.")
    faults.clear("camera")
    faults.clear("camera")
    assert [record.message for record in caplog.records] == [
        "camera: It was unplugged.",
        "camera: works again.",
    ]


def test_the_indicator_is_called_when_it_changes_and_a_broken_one_stops_nothing(tmp_path: Path) -> None:
    log, faults = tmp_path / "lamp", Faults()
    script = tmp_path / "lamp.sh"
    script.write_text(f'#!/bin/sh\necho "$1" >> {log}\n')
    script.chmod(0o755)
    lamp = Indicator(str(script), faults)
    for on in (False, True, True, False):
        lamp.show(on)
    assert log.read_text().split() == ["on", "off"]
    assert faults.sentences() == []
    Indicator("/nowhere/lamp --red", faults).show(True)
    assert "did not work" in faults.sentences()[0]


# --- the best frame -----------------------------------------------------------------------------
@pytest.fixture
def yunet(shared_data: Path) -> FaceFinder:
    return FaceFinder(str(shared_data / "models" / "face_detection_yunet_2023mar.onnx"))


def test_of_a_burst_the_sharpest_is_sent(frames: list[Frame]) -> None:
    blurred = np.asarray(cv2.GaussianBlur(frames[0], (0, 0), 4), np.uint8)
    chosen = best.choose([blurred, frames[0], blurred], FaceFinder(), Policy())
    assert (chosen.frame == frames[0]).all()


def test_of_frames_as_sharp_the_one_with_most_usable_faces_is_sent(
    yunet: FaceFinder, frames: list[Frame]
) -> None:
    turned_away = frames[0].copy()
    turned_away[20:220] = 200
    turned_away[20:220, ::6] = 155  # a blind with slats is sharp, too
    softer = frames[0]
    assert 1 < best.sharpness(turned_away) / best.sharpness(softer) < 1 / best.AS_SHARP
    chosen = best.choose([turned_away, softer], yunet, Policy())
    assert (chosen.frame == softer).all()
    assert len(chosen.faces) >= 5


def test_the_photo_is_as_large_as_its_smallest_face_needs(yunet: FaceFinder, frames: list[Frame]) -> None:
    def long_side(policy: Policy) -> int:
        large = np.asarray(cv2.resize(frames[0], (2560, 1440)), np.uint8)
        chosen = best.choose([large], yunet, policy)
        picture = cv2.imdecode(np.frombuffer(best.encoded(chosen, policy), np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        return max(picture.shape)

    assert long_side(Policy(min_face_pixels=64)) == 2560
    assert 300 < long_side(Policy(min_face_pixels=12)) < 2560
    assert long_side(Policy(long_side=640, min_face_pixels=64)) == 640


def test_usable_and_too_small_faces_are_told_apart_and_shown(yunet: FaceFinder, frames: list[Frame]) -> None:
    view = look(frames[0], yunet, 30)
    assert len(view.usable) >= 8
    assert "large enough" in view.words()
    assert "#" in view.terminal()
    small = look(frames[0], yunet, 60)
    assert len(small.small) >= 3
    assert "too small" in small.words()
    assert "o" in small.terminal()
    assert cv2.imdecode(np.frombuffer(view.jpeg(), np.uint8), cv2.IMREAD_COLOR) is not None


def test_without_a_face_finder_it_says_so(frames: list[Frame]) -> None:
    assert "look yourself" in View(frames[0], (), (), 32, looked=False).words()
    with pytest.raises(CameraProblem, match="no model"):
        FaceFinder("/nowhere/model.onnx")


def test_the_page_shows_the_picture_to_those_who_know_its_address_only(frames: list[Frame]) -> None:
    from urllib.error import HTTPError
    from urllib.request import urlopen

    page = Page()
    try:
        page.show(View(frames[0], ((1, 1, 40, 40),), (), 32, looked=True))
        with urlopen(page.address, timeout=5) as answer:
            assert "1 faces are large enough" in answer.read().decode()
        with urlopen(f"{page.address}view.jpg?1", timeout=5) as answer:
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.read()[:2] == b"\xff\xd8"
        with pytest.raises(HTTPError):
            urlopen(page.address.rsplit("/", 2)[0] + "/", timeout=5)
    finally:
        page.close()


# --- what it is made of -------------------------------------------------------------------------
def sources() -> Iterator[Path]:
    yield from (ROOT / "camera").rglob("*.py")


def test_it_is_written_for_python_3_9() -> None:
    for path in sources():
        ast.parse(path.read_text(), feature_version=(3, 9))


def test_the_one_file_is_built_alike_each_time_and_runs(tmp_path: Path) -> None:
    made = []
    for name in ("a.pyz", "b.pyz"):
        subprocess.run(
            [sys.executable, "-m", "scripts.build_camera", "--to", str(tmp_path / name)], cwd=ROOT, check=True,
            capture_output=True,
        )  # fmt: skip
        made.append((tmp_path / name).read_bytes())
    assert made[0] == made[1]
    said = subprocess.run(
        [sys.executable, str(tmp_path / "a.pyz"), "--config", str(tmp_path / "none.json"), "status"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert said.returncode == 1
    assert "not set up yet" in said.stderr
    assert "Traceback" not in said.stderr
