"""Kept figures in a real browser: a page that waits for them shows them by itself, and has them counted anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from attendance import figure_kinds, figures
from attendance.learned import counting
from attendance.models import KeptFigures
from attendance.reports import comparison_facts
from tests.browser.test_every_page import serious
from tests.browser.test_models import both_answers
from tests.web import world

pytestmark = pytest.mark.browser


def work() -> None:
    for row in KeptFigures.objects.filter(wanted_at__isnull=False):
        assert figures.work(figure_kinds.KINDS, row.pk)


@pytest.mark.parametrize(("width", "dark", "locale"), [(1280, True, "en"), (360, False, "es")])
def test_figures_appear_by_themselves(
    width: int,
    dark: bool,
    locale: str,
    visit: Callable[..., Any],
    school: world.World,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(counting, "FEW_FACES", -1)
    monkeypatch.setattr(comparison_facts, "FEW_FACES", -1)
    both_answers(school)
    visitor = visit(school.admin.username, width=width, dark=dark)
    visitor.page.context.add_cookies([{"name": "django_language", "value": locale, "url": visitor.address}])
    for address in (f"/courses/{school.course.pk}/learned/", "/site/models/"):
        page = visitor.goes_to(address)
        expect(page.locator(".figures__wait")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        work()
        expect(page.locator(".figures time")).to_be_visible()
        assert serious(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.locator(".figures button").click()
        expect(page.locator(".figures button")).to_have_count(0)
        expect(page.locator(".figures time")).to_be_visible()
        work()
        expect(page.locator(".figures button")).to_be_visible()
        KeptFigures.objects.update(wanted_at=KeptFigures.objects.first().as_of, attempts=3)  # type: ignore[union-attr]
        page.reload()
        expect(page.locator(".figures .note")).to_be_visible()
        KeptFigures.objects.all().delete()
