"""The second factor in a real browser: set up, asked for, a recovery code, by keyboard and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django_otp.oath import TOTP
from playwright.sync_api import expect

from attendance.models import Authenticator
from tests.browser.test_every_page import serious
from tests.web import world

pytestmark = pytest.mark.browser


def code_of(user: User) -> str:
    """What the phone shows; a code that was used a moment ago may be used again by this test."""
    Authenticator.objects.filter(user=user).update(last_step=-1)
    return f"{TOTP(Authenticator.objects.get(user=user).key).token():06d}"


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (360, True)])
def test_an_administrator_sets_it_up_and_signs_in_with_it(
    width: int, dark: bool, visit: Callable[..., Any], school: world.World, settings: Any
) -> None:
    settings.ROLLCALL_SECOND_FACTOR_REQUIRED = True
    visitor = visit(width=width, dark=dark)
    page = visitor.page

    def signs_in() -> None:
        visitor.goes_to("/sign-in/?next=/site/second-factors/")
        page.get_by_label("Username").fill(school.admin.username)
        page.get_by_label("Password").fill("correct horse battery")
        page.keyboard.press("Enter")

    def is_good() -> None:
        assert not serious(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    signs_in()
    expect(page.get_by_role("heading", level=1)).to_have_text("Set up the second factor")
    is_good()
    page.get_by_label("Code of six digits").fill(code_of(school.admin))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("The second factor is on")
    expect(page.locator("#codes li")).to_have_count(10)
    recovery = page.locator("#codes code").first.inner_text()
    is_good()
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Second factors")
    is_good()
    visitor.goes_to("/account/")
    is_good()
    page.get_by_label("What it is for").fill("timetable import")
    page.get_by_label("The password you have now").fill("correct horse battery")
    page.get_by_role("button", name="Make a token").click()
    expect(page.locator("#token")).to_contain_text("rtok_")
    is_good()

    page.context.clear_cookies()
    signs_in()
    expect(page.get_by_label("Code", exact=True)).to_be_focused()
    is_good()
    page.keyboard.type(code_of(school.admin))
    page.keyboard.press("Enter")
    page.wait_for_url("**/site/second-factors/")

    page.context.clear_cookies()
    signs_in()
    page.get_by_role("link", name="recovery code").click()
    page.get_by_label("Recovery code").fill(recovery)
    page.keyboard.press("Enter")
    page.wait_for_url("**/site/second-factors/")
