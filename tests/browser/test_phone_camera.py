"""A phone as classroom camera, with Chromium's camera playing a film: paired, shooting, offline, back again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from attendance import cameras, classes, pairing, permissions
from attendance.models import Camera, CameraStatus, ClassSession, Snapshot
from tests import factories as make
from tests.web import world

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=20_000)
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of a moving, busy picture as Motion JPEG, which Chromium's fake camera plays for ever."""
    path = tmp_path_factory.mktemp("film") / "class.mjpeg"
    noise = np.random.default_rng(1).integers(0, 255, (36, 64, 3), dtype=np.uint8)
    with path.open("wb") as out:
        for frame in range(30):
            picture = cv2.resize(np.roll(noise, frame, axis=1), (1280, 720), interpolation=cv2.INTER_NEAREST)
            done, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])
            assert done
            out.write(jpeg.tobytes())
    return path


@pytest.fixture
def phone_browser(
    chromium_path: str, chromium_arguments: tuple[str, ...], film: Path, browser: Browser
) -> Iterator[Browser]:
    """A browser of its own, since the film is chosen when it starts."""
    arguments = [
        *chromium_arguments,
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]
    started = browser.browser_type.launch(executable_path=chromium_path, args=arguments)
    yield started
    started.close()


@pytest.fixture
def quick_shots(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = cameras.policy_of
    monkeypatch.setattr(
        cameras, "policy_of", lambda camera: replace(usual(camera), interval_seconds=2, burst=2)
    )
    monkeypatch.setattr(cameras, "POLL_SECONDS", 1)


@pytest.fixture
def session(school: world.World) -> ClassSession:
    room = make.room("Room 12")
    ClassSession.objects.filter(pk=school.session.pk).update(room=room, state="open")
    return ClassSession.objects.select_related("room").get(pk=school.session.pk)


def paired(browser: Browser, address: str, session: ClassSession, by: Any) -> tuple[Page, Camera]:
    assert session.room is not None
    _made, code = pairing.make_code(by, room=session.room)
    context = browser.new_context(viewport=PHONE, is_mobile=True, has_touch=True, locale="en")
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.goto(f"{address}/camera/#code={code}")
    expect(page.get_by_label("Pairing code")).to_have_value(code)
    page.get_by_label("Name of this camera").fill("phone on the wall")
    page.get_by_role("button", name="Pair").click()
    expect(page.locator("[data-place]")).to_have_text("phone on the wall · Room 12")
    return page, Camera.objects.get(name="phone on the wall")


def arrived(session: ClassSession) -> int:
    return Snapshot.objects.filter(session=session, camera__name="phone on the wall").count()


def wait_for_photos(page: Page, session: ClassSession, count: int) -> None:
    for _ in range(200):
        if arrived(session) >= count:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{arrived(session)} of {count} photos arrived")


def kept_hashes(page: Page) -> list[str]:
    """SHA-256 of every photo that waits on the phone."""
    return page.evaluate(
        """async () => {
            const spool = await import("/static/rollcall/js/phone/spool.js");
            const hashes = [];
            for (const { id } of await spool.waiting()) {
                const { blob } = await spool.picture(id);
                const digest = await crypto.subtle.digest("SHA-256", await blob.arrayBuffer());
                hashes.push([...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join(""));
            }
            return hashes;
        }"""
    )


def test_it_pairs_shoots_goes_offline_and_every_photo_is_there_once(
    phone_browser: Browser, live_server: Any, school: world.World, session: ClassSession, quick_shots: None
) -> None:
    page, _camera = paired(phone_browser, live_server.url, session, school.admin)
    expect(page.locator("[data-light]")).to_have_text("On")
    wait_for_photos(page, session, 2)
    page.context.set_offline(True)
    expect(page.locator("[data-trouble]")).to_contain_text("No network")
    expect(page.locator("[data-counts]")).to_contain_text(re.compile(r"[3-9] waiting"))
    kept = kept_hashes(page)
    page.reload()  # as after a crash or an empty battery: the page starts without a network and goes on
    expect(page.locator("[data-light]")).to_have_text("On")
    assert set(kept) <= set(kept_hashes(page))
    page.context.set_offline(False)
    expect(page.locator("[data-counts]")).not_to_contain_text("waiting", timeout=30_000)
    here = list(
        Snapshot.objects.filter(session=session, camera__isnull=False).values_list("sha256", flat=True)
    )
    assert set(kept) <= set(here)
    assert len(here) == len(set(here))


def test_it_is_off_outside_sessions_and_says_what_comes_next(
    phone_browser: Browser, live_server: Any, school: world.World, session: ClassSession, quick_shots: None
) -> None:
    page, camera = paired(phone_browser, live_server.url, session, school.admin)
    expect(page.locator("[data-light]")).to_have_text("On")
    classes.close_session(session)
    expect(page.locator("[data-light]")).to_have_text("Off")
    expect(page.locator("video")).to_be_hidden()
    assert page.evaluate("document.querySelector('video').srcObject") is None
    before = arrived(session)
    page.wait_for_timeout(3000)
    assert arrived(session) == before
    assert CameraStatus.objects.get(camera=camera).source in (None, "phone")


def test_a_revoked_key_in_the_middle_is_told_and_a_new_code_goes_on(
    phone_browser: Browser, live_server: Any, school: world.World, session: ClassSession, quick_shots: None
) -> None:
    page, camera = paired(phone_browser, live_server.url, session, school.admin)
    wait_for_photos(page, session, 1)
    cameras.revoke(camera)
    expect(page.locator("[data-pair-error]")).to_contain_text("was revoked")
    _made, code = pairing.make_code(school.admin, camera=camera)
    before = arrived(session)
    page.get_by_label("Pairing code").fill(code.lower())
    page.get_by_role("button", name="Pair").click()
    wait_for_photos(page, session, before + 1)
    assert permissions.snapshots_for_camera(Camera.objects.get(pk=camera.pk)).count() == arrived(session)


def test_a_wrong_code_and_a_camera_that_is_refused_are_one_clear_sentence(
    phone_browser: Browser, live_server: Any, school: world.World, session: ClassSession, quick_shots: None
) -> None:
    context = phone_browser.new_context(viewport=PHONE, locale="en")
    page = context.new_page()
    page.goto(f"{live_server.url}/camera/")
    page.get_by_label("Pairing code").fill("ABCD-2345")
    page.get_by_role("button", name="Pair").click()
    expect(page.locator("[data-pair-error]")).to_contain_text("no such pairing code")
    page.add_init_script(
        "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('no', 'NotAllowedError'); };"
    )
    _made, code = pairing.make_code(school.admin, room=session.room)
    page.goto(f"{live_server.url}/camera/?again#code={code}")
    page.get_by_role("button", name="Pair").click()
    expect(page.locator("[data-trouble]")).to_contain_text("Allow it in the site settings")
    expect(page.locator("[data-light]")).to_have_text("Off")
