"""The page of the API works in a browser under the strict policy, and asks nobody outside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.browser


def test_the_api_page_shows_its_operations_and_tries_one(visit: Callable[..., Any]) -> None:
    visitor = visit("grant")
    page = visitor.goes_to("/api/docs/")
    page.get_by_text("/api/sessions/{session_id}/snapshots/").first.wait_for()
    operation = page.locator("#operations-courses-courses_list")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    operation.locator(".live-responses-table .response-col_status", has_text="200").wait_for()
