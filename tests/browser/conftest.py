"""A real browser in front of a real server; what the models would find is laid into the database."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from attendance import intake
from attendance.models import FaceTemplate, Portrait
from tests import factories as make
from tests.web import world

# Playwright keeps an event loop in this thread; Django would refuse the database because of it.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser asks for several things at once, and an SQLite database in memory has one connection for all."""
    from django.db import connection

    if connection.vendor == "sqlite" and any(item.get_closest_marker("browser") for item in items):
        quick = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        folder = tempfile.mkdtemp(prefix="rollcall-test-", dir=quick)
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        connection.settings_dict["TEST"]["NAME"] = f"{folder}/db.sqlite3"


FAKE_CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


@pytest.fixture(scope="session")
def browser(chromium_path: str, chromium_arguments: tuple[str, ...]) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=chromium_path, args=[*chromium_arguments, *FAKE_CAMERA]
        )
        yield running
        running.close()


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[Any, ...]]]:
    log: list[tuple[str, tuple[Any, ...]]] = []

    def publish(task: Any, *arguments: Any, priority: int | None = None) -> bool:
        log.append((task.name.rsplit(".", 1)[-1], arguments))
        return True

    monkeypatch.setattr(intake, "publish", publish)
    return log


@pytest.fixture
def school(transactional_db: None, settings: Any, queued: list[object]) -> Iterator[world.World]:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    yield world.build(students=12)
    # The database lets no consent go while a portrait stands on it, not even when tests clear it.
    FaceTemplate.objects.all().delete()
    Portrait.objects.all().delete()


class Visitor:
    """Somebody with a browser; remembers what the browser complained of and what it asked for."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.address = address
        self.page: Page = context.new_page()
        self.page.set_default_timeout(15_000)
        self.complaints: list[str] = []
        self.outside: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._request)

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.outside.append(request.url)

    def goes_to(self, path: str) -> Page:
        self.page.goto(self.address + path)
        return self.page

    def signs_in(self, name: str) -> None:
        self.goes_to("/sign-in/")
        self.page.get_by_label("Username").fill(name)
        self.page.get_by_label("Password").fill(make.PASSWORD)
        self.page.locator("form .btn--primary").click()
        self.page.wait_for_url(self.address + "/")


@pytest.fixture
def visit(browser: Browser, live_server: Any, school: world.World) -> Iterator[Callable[..., Visitor]]:
    """``visit("grant", width=360, dark=True)``: a signed-in person. What the browser disliked fails the test."""
    opened: list[tuple[BrowserContext, Visitor]] = []

    def come(name: str = "", *, width: int = 1280, dark: bool = False, locale: str = "en") -> Visitor:
        phone = width < 500
        context = browser.new_context(
            viewport={"width": width, "height": 780 if phone else 900},
            color_scheme="dark" if dark else "light",
            locale=locale,
            is_mobile=phone,
            has_touch=phone,
            reduced_motion="reduce",
        )
        visitor = Visitor(context, live_server.url)
        opened.append((context, visitor))
        if name:
            visitor.signs_in(name)
        return visitor

    yield come
    for context, visitor in opened:
        context.close()
        assert not visitor.complaints
        assert not visitor.outside
