"""A student objects, a teacher answers, the student reads it; each in a browser of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from attendance import accounts
from attendance.models import Sighting
from tests import factories as make
from tests.web import world

from .test_every_page import serious

pytestmark = pytest.mark.browser


@pytest.fixture
def pupil(school: world.World) -> User:
    face = Sighting.objects.filter(snapshot__session=school.session, decision="recognised").first()
    assert face is not None
    assert face.student is not None
    user = accounts.give_login(face.student, school.admin).user
    user.set_password(make.PASSWORD)
    user.save()
    return user


def test_objecting_and_being_answered(visit: Callable[..., Any], school: world.World, pupil: User) -> None:
    student = visit(width=360)
    page = student.goes_to("/sign-in/")
    page.locator("[name=username]").fill(pupil.username)
    page.locator("[name=password]").fill(make.PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="My lessons")).to_be_visible()
    assert serious(page) == []
    page = student.goes_to(f"/my/lessons/{school.session.pk}/")
    assert serious(page) == []
    page.get_by_text("That wasn't me").first.click()
    page.locator("details[open] input[name=note]").fill("I was at the dentist")
    page.get_by_role("button", name="Tell the teacher").first.click()
    expect(page.get_by_text("waiting for an answer").first).to_be_visible()

    teacher = visit(school.teacher.username)
    page = teacher.goes_to(f"/sessions/{school.session.pk}/")
    objection = page.locator("#contests")
    expect(objection).to_contain_text("I was at the dentist")
    assert serious(page) == []
    objection.get_by_role("textbox").fill("You are right, sorry")
    objection.get_by_role("button", name="Right: not this student").click()
    expect(page.locator("#contests")).to_contain_text("put right")

    page = student.goes_to(f"/my/lessons/{school.session.pk}/")
    expect(page.get_by_text("You are right, sorry")).to_be_visible()
    assert student.complaints == []
    assert teacher.complaints == []
