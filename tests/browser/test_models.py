"""Two models compared, in a real browser: filled, on a laptop in the dark and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from attendance.models import Review, SecondOpinion, Sighting
from tests.browser.test_every_page import serious
from tests.web import world

pytestmark = pytest.mark.browser


def both_answers(school: world.World) -> None:
    """Every face answered twice; one of twenty named differently, and one of those settled."""
    faces = Sighting.objects.filter(snapshot__session=school.session).order_by("pk")
    others = [student for student in school.students if student.templates.exists()]
    for number, face in enumerate(faces):
        named = face.decision == "recognised"
        different = named and number % 20 == 0
        student = others[number % len(others)] if different or not face.student else face.student
        if different and student == face.student:
            student = others[(number + 1) % len(others)]
        kind = "different" if different else "same" if named else "neither"
        if different:
            Sighting.objects.filter(pk=face.pk).update(decision="uncertain", reason="models_disagree")
        SecondOpinion.objects.create(
            sighting=face, student=student, distance=0.4, probability=0.8, agreement=kind, confidence=0.9,
            decision="recognised" if named else "unknown", encoder_version="lfwcnn1", milliseconds=2.4,
        )  # fmt: skip
    settled = SecondOpinion.objects.filter(agreement="different").first()
    assert settled is not None
    Review.objects.create(
        sighting=settled.sighting,
        verdict="is",
        student=settled.sighting.student,
        by=school.teacher,
        at=timezone.now(),
    )


@pytest.mark.parametrize(("width", "dark"), [(1280, True), (360, False)])
def test_two_models_side_by_side(
    width: int, dark: bool, visit: Callable[..., Any], school: world.World
) -> None:
    both_answers(school)
    page = visit(school.admin.username, width=width, dark=dark).goes_to("/site/models/")
    expect(page.locator("[data-chart] canvas")).to_be_visible()
    expect(page.locator("#agree-table")).to_be_hidden()
    page.keyboard.press("t")
    expect(page.locator("#agree-table")).to_be_visible()
    assert page.locator(".pair").count() > 0
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_label("Faces to show").select_option("same")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("#faces-title")).to_contain_text("Same name")
    page.locator(".pair__face a").first.click()
    expect(page.get_by_text("The second model names")).to_be_visible()
