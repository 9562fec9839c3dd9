"""Every page in a real browser: accessible, whole at 360 pixels, in the dark, and silent towards the outside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from attendance import consent_slips
from tests import factories as make
from tests.web import world

pytestmark = pytest.mark.browser

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
EVERYTHING = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice")
COLOURS = ("color-contrast",)


def paths(school: world.World) -> dict[str, str]:
    course, session = school.course.pk, school.session.pk
    return {
        "today": "/",
        "courses": "/courses/",
        "new course": "/courses/new/",
        "roster": f"/courses/{course}/",
        "sessions": f"/courses/{course}/sessions/",
        "cameras": f"/courses/{course}/cameras/",
        "plan": f"/courses/{course}/sessions/plan/",
        "import": f"/courses/{course}/import/",
        "session": f"/sessions/{session}/",
        "planned session": f"/sessions/{school.planned.pk}/",
        "face": f"/sessions/{session}/faces/{world.best_sighting(school.session, 'unknown').pk}/",
        "student": f"/students/{school.students[5].pk}/",
        "student without consent": f"/students/{school.students[2].pk}/",
        "site": "/site/",
        "camera key": "/site/cameras/new/",
        "history of a mark": f"/sessions/{session}/marks/{school.students[4].pk}/history/",
        "learned": f"/courses/{course}/learned/",
        "learned, site": "/site/learned/",
        "review e-mail": "/review/by-email/",
        "timetable": f"/courses/{course}/timetable/",
        "timetable import": f"/courses/{course}/timetable/import/",
        "my calendar": "/calendar/",
        "excuses": "/excuses/",
        "new excuse": f"/students/{school.students[5].pk}/excuses/new/",
        "holidays": "/site/holidays/",
        "rules": "/site/rules/",
        "consent": f"/courses/{course}/consent/",
        "slips": f"/courses/{course}/consent/slips/",
        "returned slips": f"/courses/{course}/consent/returned/",
        "consent by e-mail": f"/courses/{course}/consent/links/",
        "asking for consent": "/site/consent/",
        "what is kept": "/site/retention/",
        "what is kept of a course": f"/courses/{course}/retention/",
    }


def serious(page: Page, rules: tuple[str, ...] = EVERYTHING) -> list[str]:
    page.evaluate(AXE.read_text())
    found = page.evaluate("only => axe.run({runOnly: only})", list(rules))
    return [
        f"{one['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"][:3]
    ]


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (360, False)])
def test_no_serious_finding_and_no_sideways_scrolling(
    width: int, dark: bool, visit: Callable[..., Any], school: world.World
) -> None:
    world.portrait_answers(school.students[5], school.students[6], school.teacher)
    consent_slips.prepare(school.students[:3], school.teacher)
    visitor = visit(school.admin.username, width=width, dark=dark)
    findings: dict[str, list[str]] = {}
    for name, path in paths(school).items():
        page = visitor.goes_to(path)
        # The dark pages differ in their colours alone.
        if found := serious(page, COLOURS if dark else EVERYTHING):
            findings[name] = found
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, name
    assert findings == {}


def test_doors_and_dead_ends(visit: Callable[..., Any], school: world.World) -> None:
    visitor = visit()
    page = visitor.goes_to("/sign-in/")
    assert serious(page) == []
    visitor.signs_in("stone")
    page = visitor.goes_to(f"/courses/{school.course.pk}/")
    expect(page.locator("h1")).to_have_text("There is nothing here")
    assert serious(page) == []
    visitor.complaints = [text for text in visitor.complaints if "404" not in text]


def test_a_new_teacher_sees_what_to_do(visit: Callable[..., Any], school: world.World) -> None:
    page = visit("stone").goes_to("/")
    page.get_by_role("link", name="Add a course").click()
    expect(page.locator("h1")).to_have_text("Add a course")
    assert serious(page) == []


def test_the_theme_is_kept(visit: Callable[..., Any], school: world.World) -> None:
    page = visit("grant").goes_to("/")
    page.get_by_label("Your account").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_language_is_chosen(visit: Callable[..., Any], school: world.World) -> None:
    page = visit("grant").goes_to(f"/sessions/{school.session.pk}/")
    page.get_by_label("Your account").click()
    page.get_by_role("button", name="Español").click()
    expect(page.locator("html")).to_have_attribute("lang", "es")
    expect(page.locator(".tally")).to_contain_text("presentes")


def test_the_demo_card_leads_the_way(visit: Callable[..., Any], school: world.World) -> None:
    demo = make.course(school.teacher, students=2, is_demo=True, name="Demo")
    make.session(demo)
    page = visit("grant").goes_to("/")
    expect(page.locator(".first li")).to_have_count(3)
    page.get_by_role("button", name="Remove the demo").click()
    expect(page.locator(".first")).to_have_count(0)
