"""Forty slips by keyboard, as fast as somebody types; and what a pile of paper brings with it."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from attendance import consent_links, consent_slips
from attendance.models import Consent, ConsentEvent, ConsentLink, StudentContact
from tests import factories as make
from tests.browser.conftest import Visitor
from tests.browser.test_every_page import serious
from tests.web.world import World

pytestmark = pytest.mark.browser
SLIPS = 40
WEEK = dt.timedelta(days=7)
KEYS_A_SECOND = 4.0
"""An unhurried typist: 48 words a minute."""


def test_forty_slips_take_less_than_two_minutes(school: World, visit: Callable[..., Visitor]) -> None:
    """Every fourth guardian is not known and is typed; time is the keys at an unhurried pace and the waits between."""
    students = [make.student(school.course, family_name=f"Kim{n}") for n in range(SLIPS)]
    for n, student in enumerate(students):
        if n % 4:
            StudentContact.objects.create(student=student, name=f"Parent {n}", email=f"p{n}@home.example")
    consent_slips.prepare(students, school.teacher)
    page = visit("grant").goes_to(f"/courses/{school.course.pk}/consent/returned/")
    find, found, name = (
        page.locator("#answer-find"),
        page.locator("#answer-found"),
        page.locator("#answer-name"),
    )
    keys, waited = 0, 0.0

    def press(*wanted: str) -> None:
        nonlocal keys
        for key in wanted:
            page.keyboard.press(key)
        keys += len(wanted)

    for n, student in enumerate(students):
        expect(find).to_be_focused()
        press(*student.number[-4:], "Enter")
        expect(found).to_contain_text(student.number)
        press("n" if n % 10 == 9 else "y")
        expect(name).to_be_focused()
        if not n % 4:
            press(*"Jo")
        started = time.monotonic()
        press("Enter")
        expect(page.locator(f"#open{student.pk}")).to_have_count(0, timeout=15_000)
        waited += time.monotonic() - started
    seconds = keys / KEYS_A_SECOND + waited
    print(f"keys: {keys}, waited for the server: {waited:.1f} s, together: {seconds:.0f} s")
    answers = Consent.objects.filter(student__in=students)
    assert answers.filter(state="given").count() == SLIPS * 9 // 10
    assert answers.filter(refused_at__isnull=False).count() == SLIPS // 10
    assert ConsentEvent.objects.get(student=students[0], state="given").given_by_name == "Jo Kim0"
    assert keys / SLIPS < 8
    assert seconds < 120


def test_slips_code_undo_and_what_is_missing(school: World, visit: Callable[..., Visitor]) -> None:
    student = make.student(school.course, given_name="محمد", family_name="عبد الله")
    slip = consent_slips.prepare([student], school.teacher)[0]
    page = visit("grant", width=360).goes_to(
        f"/courses/{school.course.pk}/consent/returned/?slip={slip.code}"
    )
    expect(page.locator("#answer-found")).to_contain_text(student.number)
    page.keyboard.press("y")
    page.keyboard.press("Enter")
    expect(page.locator(".toast--bad")).to_contain_text("Who signed?")
    page.locator(".toast--bad").click()
    page.locator("#answer-name").fill("أم محمد")
    page.keyboard.press("Enter")
    expect(page.locator(f"#open{student.pk}")).to_have_count(0)
    assert ConsentEvent.objects.get(student=student, state="given").slip == slip
    page.locator("[data-undo]").click()
    expect(page.locator(f"#open{student.pk}")).to_have_count(1)
    assert Consent.objects.get(student=student).standing == "asked"


@pytest.mark.parametrize(("width", "dark"), [(360, False), (1280, True)])
def test_a_readers_page_is_whole_and_answers_on_purpose_alone(
    school: World, visit: Callable[..., Visitor], width: int, dark: bool
) -> None:
    student = make.student(school.course, given_name="Ana", family_name="W" * 110)
    now = timezone.now()
    link = ConsentLink.objects.create(
        student=student, token_hash=consent_links.hash_of("token"), to="a@home.example", reader="guardian",
        language="en", text_version="2026-1", sent_by=school.teacher, sent_at=now, expires_at=now + WEEK,
    )  # fmt: skip
    page = visit("", width=width, dark=dark).goes_to("/consent/token/")
    assert serious(page) == []
    page.get_by_label("Your name").fill("Maria")
    page.keyboard.press("Enter")
    page.reload()
    link.refresh_from_db()
    assert link.answer == "", "Enter in the field is no answer"
    page.get_by_label("Your name").fill("Maria")
    page.get_by_role("button", name="No, I do not agree").click()
    expect(page.locator("h1")).to_have_text("Thank you: you said no")
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert Consent.objects.get(student=student).standing == "refused"
