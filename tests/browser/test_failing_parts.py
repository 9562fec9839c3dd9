"""Parts taken away, as people see it: a sentence on the page Site, and a page that says why nothing can be shown."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from playwright.sync_api import Page, expect

from attendance import health_parts, permissions
from attendance.sealing import new_key
from attendance.storage import DurableStorage
from recognition.errors import ModelFileMissing
from tests.web import world

pytestmark = pytest.mark.browser


def pictured(page: Page, name: str) -> None:
    """Kept where ``ROLLCALL_PICTURES`` names a folder, to be looked at."""
    folder = os.environ.get("ROLLCALL_PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (360, True)])
def test_the_site_page_names_every_part_that_is_away(
    visit: Callable[..., Any],
    school: world.World,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    width: int,
    dark: bool,
) -> None:
    def gone(*arguments: object) -> Path:
        raise ModelFileMissing("gone")

    visitor = visit(school.admin.username, width=width, dark=dark)
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.ROLLCALL_MIN_FREE_BYTES = 10**15
    right, settings.ROLLCALL_KEYS = settings.ROLLCALL_KEYS, [new_key()]
    monkeypatch.setattr(health_parts.model_files, "find", gone)
    page = visitor.goes_to("/site/")
    for words in (
        "Redis does not answer. Photos are kept",
        "The disk is full: new photos are refused",
        "Files of face recognition are missing or damaged",
        "the key they were sealed with is missing",
    ):
        expect(page.get_by_text(words)).to_be_visible()
    pictured(page, f"site-parts-{width}")
    settings.ROLLCALL_MIN_FREE_BYTES, settings.ROLLCALL_KEYS = 0, right
    monkeypatch.setattr(health_parts, "silence", lambda kind: health_parts.Silence(6))
    monkeypatch.setattr(DurableStorage, "works", lambda self: (False, "Its folder cannot be written"))
    page = visitor.goes_to("/site/")
    for words in (
        "No worker was heard of for 6 minutes",
        "stopped 6 minutes ago",
        "Its folder cannot be written",
    ):
        expect(page.get_by_text(words)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    pictured(page, f"site-programs-{width}")


@pytest.mark.parametrize(("locale", "words"), [("en", "This does not work just now"), ("es", "no funciona")])
def test_a_page_that_cannot_be_shown_says_why_and_gives_a_number(
    visit: Callable[..., Any], school: world.World, monkeypatch: pytest.MonkeyPatch, locale: str, words: str
) -> None:
    visitor = visit("grant", width=360)
    visitor.page.context.add_cookies([{"name": "django_language", "value": locale, "url": visitor.address}])

    def gone(*arguments: object) -> None:
        raise OperationalError("server closed the connection")

    with monkeypatch.context() as patched:
        patched.setattr(permissions, "courses_for", gone)
        page = visitor.goes_to("/courses/")
        expect(page.get_by_role("heading", name=words)).to_be_visible()
        number = page.locator("b.mono").inner_text()
        assert len(number) == 12
        pictured(page, f"away-{locale}")
    assert all("503" in complaint for complaint in visitor.complaints)
    visitor.complaints.clear()
    page.locator(".btn--primary").click()
    expect(page.get_by_text("Algebra II").first).to_be_visible()
