"""Reports and the dashboard in a real browser: charts under the strict policy, keys, small screens, axe."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from attendance.models import Mark
from tests import factories as make
from tests.browser.test_every_page import COLOURS, EVERYTHING, serious
from tests.web import world

pytestmark = pytest.mark.browser
STATUSES = ("present", "late", "present", "absent", "excused", "left_early", "present")


@pytest.fixture
def dashboard(school: world.World) -> str:
    """Fourteen lessons, so that the heat map is wider than a phone; one without a roll."""
    start = timezone.now() - dt.timedelta(days=40)
    for lesson in range(14):
        session = make.session(school.course, "closed", start + dt.timedelta(days=2 * lesson))
        Mark.objects.bulk_create(
            Mark(
                session=session,
                student=student,
                status="not_evaluated" if lesson == 6 else STATUSES[(lesson * 3 + number) % 7],
                first_seen_at=session.starts_at + dt.timedelta(minutes=number),
                decided_at=timezone.now(),
            )
            for number, student in enumerate(school.students)
        )
    return f"/courses/{school.course.pk}/attendance/"


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (360, False)])
def test_dashboard_and_reports_are_whole_and_accessible(
    width: int, dark: bool, visit: Callable[..., Any], dashboard: str
) -> None:
    visitor = visit("grant", width=width, dark=dark)
    for path in (dashboard, "/reports/", "/reports/?what=session", "/reports/?what=missing"):
        page = visitor.goes_to(path)
        assert serious(page, COLOURS if dark else EVERYTHING) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_charts_are_drawn_and_their_tables_one_key_away(visit: Callable[..., Any], dashboard: str) -> None:
    page = visit("grant").goes_to(dashboard)
    expect(page.locator(".chart canvas")).to_have_count(2)
    for chart in page.locator(".chart canvas").all():
        chart.hover()  # a tooltip with inline styles would be refused, and the visitor would hear of it
        page.wait_for_timeout(200)
    expect(page.locator("#rate-table")).to_be_hidden()
    page.keyboard.press("t")
    expect(page.locator("#rate-table tbody tr")).to_have_count(17)
    expect(page.locator("#arrivals-table")).to_be_visible()
    page.get_by_role("button", name="Table").first.click()
    expect(page.locator("#rate-table")).to_be_hidden()


def test_arrow_keys_walk_the_heat_map_and_enter_opens_the_session(
    visit: Callable[..., Any], dashboard: str
) -> None:
    page = visit("grant").goes_to(dashboard)
    cells = page.locator("#heat tbody .heat__cell")
    assert cells.evaluate_all("all => all.filter(one => one.tabIndex === 0).length") == 1
    cells.first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    here = page.evaluate(
        "[document.activeElement.closest('tr').rowIndex, document.activeElement.closest('td').cellIndex]"
    )
    assert here == [2, 2]
    page.keyboard.press("Enter")
    page.wait_for_url("**/sessions/*/#s*")


def test_choosing_changes_the_preview_and_the_files(visit: Callable[..., Any], dashboard: str) -> None:
    page = visit("grant").goes_to("/reports/")
    page.get_by_label("A session: the roll").check()
    expect(page.locator("#report-title")).to_have_text("Roll: Algebra II")
    assert "what=session" in page.url
    with page.expect_download() as download:
        page.get_by_role("link", name="Excel").click()
    assert download.value.suggested_filename.endswith(".xlsx")
    page.get_by_label("All courses, one line each").check()
    expect(page.locator("#report-title")).to_have_text("All courses")
