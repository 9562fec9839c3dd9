"""A whole run at the review desk, with the keyboard alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from attendance import marks
from attendance.engines import to_bytes
from attendance.models import Candidate, ClassSession, DeskFact, Mark, Review, Sighting, Snapshot, Student
from tests import factories as make
from tests.attendance.conftest import near
from tests.browser.test_every_page import serious
from tests.web import world

pytestmark = pytest.mark.browser


def waiting_lesson(school: world.World, people: int = 8) -> ClassSession:
    """A lesson of this morning with one unsure person for each of the first students, likeliest first."""
    start = timezone.now() - dt.timedelta(hours=3)
    session = make.session(school.course, "closed", start)
    shots = []
    for minute in (2, 20, 40):
        shot = make.snapshot(session, minute, width=1600, height=1000)
        shot.image = make.stored("photos", world.jpeg(world.drawn_face(77, 600).resize((1600, 1000))))
        shot.save()
        shots.append(shot)
    enrolled = [student for student in school.students if student.templates.exists()]
    for index, student in enumerate(enrolled[:people]):
        for shot in shots if index == 0 else shots[:1]:
            unsure_face(shot, index, student, enrolled[-2], 0.98 - index / 25)
    marks.recompute(session.pk)
    return session


def unsure_face(shot: Snapshot, index: int, student: Student, second: Student, chance: float) -> Sighting:
    sighting = make.sighting(
        shot, student, "uncertain", index, reason="middle_band", left=100 + 150 * index, top=300, width=90, height=90,
        encoding=to_bytes(near(make.encoding(900 + index), 0.2, seed=shot.pk)),
        quality_details={"sharpness": 0.3, "size": 0.9, "pose": 1, "light": 1, "completeness": 1},
    )  # fmt: skip
    sighting.chip = make.stored("chips", world.jpeg(world.drawn_face(index, 150, blur=1.5)))
    sighting.save()
    for rank, (who, probability) in enumerate([(student, chance), (second, (1 - chance) / 2)]):
        Candidate.objects.create(
            sighting=sighting, student=who, rank=rank, distance=0.5 + rank / 10, score=-0.5 - rank / 10,
            probability=probability,
        )  # fmt: skip
    return sighting


def shown(page: Page) -> str:
    """The likeliest student of the item on top."""
    name = page.locator("[data-desk-now] [data-choice='1'] .candidate__name")
    return name.inner_text()


def expect_left(page: Page, left: int) -> None:
    expect(page.locator(".page-head")).to_contain_text(f"{left} to check")
    expect(page.locator("[data-desk-now]")).to_be_visible()


def test_a_whole_run_with_the_keyboard_alone(visit: Callable[..., Any], school: world.World) -> None:
    session = waiting_lesson(school)
    people = [student for student in school.students if student.templates.exists()]
    page = visit("grant").goes_to(f"/review/?session={session.pk}")
    expect_left(page, 8)
    assert people[0].full_name in shown(page)
    expect(page.locator("[data-desk-now]")).to_contain_text("3 faces in 3 photos")
    page.keyboard.press("Enter")  # confirm: all three faces
    expect_left(page, 7)
    assert Review.objects.filter(verdict="is", student=people[0]).count() == 3
    page.keyboard.press("2")  # the second candidate
    expect_left(page, 6)
    assert Review.objects.filter(verdict="is", student=people[8]).count() == 1
    page.keyboard.press("/")  # search the roster by name
    page.keyboard.type(people[9].family_name or people[9].given_name)
    page.keyboard.press("Enter")
    expect_left(page, 5)
    assert Review.objects.filter(verdict="is", student=people[9]).count() == 1
    page.keyboard.press("n")
    expect_left(page, 4)
    page.keyboard.press("f")
    expect_left(page, 3)
    page.keyboard.press("s")
    expect_left(page, 2)
    page.keyboard.press("x")  # not this person
    expect_left(page, 1)
    page.keyboard.press("u")
    expect_left(page, 2)
    assert not Review.objects.filter(verdict="is_not", undone_at__isnull=True).exists()
    page.keyboard.press("1")
    expect_left(page, 1)
    page.keyboard.press("Enter")
    expect(page.locator(".desk h1")).to_have_text("All checked")
    expect(page.locator(".desk")).to_contain_text("9 faces checked in")
    expect(page.locator(".desk")).to_contain_text("marks changed.")
    expect(page.locator(".desk")).to_contain_text("1 was skipped")
    assert Mark.objects.get(session=session, student=people[0]).status == "present"
    page.keyboard.press("u")  # the way back from the end
    expect_left(page, 1)
    page.keyboard.press("Enter")
    expect(page.locator(".desk h1")).to_have_text("All checked")


def test_keys_pressed_in_one_go_reach_the_item_that_is_shown(
    visit: Callable[..., Any], school: world.World
) -> None:
    session = waiting_lesson(school, people=4)
    page = visit("grant").goes_to(f"/review/?session={session.pk}")
    expect_left(page, 4)
    page.keyboard.press("Enter")
    page.keyboard.press("n")
    expect_left(page, 2)
    assert Review.objects.filter(verdict="is").count() == 3
    assert Review.objects.filter(verdict="not_in_class").count() == 1


def test_one_face_of_a_group_alone_and_a_group_split(visit: Callable[..., Any], school: world.World) -> None:
    session = waiting_lesson(school, people=1)
    page = visit("grant").goes_to(f"/review/?session={session.pk}")
    expect_left(page, 1)
    page.keyboard.press("g")
    expect(page.get_by_label("all 3 faces of this person")).not_to_be_checked()
    page.keyboard.press("f")
    expect(page.locator("[data-desk-now]")).to_contain_text("2 faces in 2 photos")
    assert Review.objects.filter(verdict="not_a_face").count() == 1
    split = page.locator(".desk__more").first
    split.locator("summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect_left(page, 2)
    assert DeskFact.objects.get().kind == "apart"
    page.keyboard.press("u")
    expect_left(page, 1)


def test_help_shows_the_keys_and_nothing_is_lost(visit: Callable[..., Any], school: world.World) -> None:
    session = waiting_lesson(school, people=2)
    page = visit("grant").goes_to(f"/review/?session={session.pk}")
    expect_left(page, 2)
    page.keyboard.press("?")
    expect(page.locator("#keys-dialog")).to_be_visible()
    page.keyboard.press("n")
    assert not Review.objects.exists()
    page.keyboard.press("Escape")
    expect(page.locator("#keys-dialog")).to_be_hidden()
    # The browser gives the focus back after it hides the dialog; until then keys go nowhere.
    page.wait_for_function("!document.activeElement?.closest('dialog')")
    page.keyboard.press("Enter")
    expect_left(page, 1)
    assert Review.objects.filter(verdict="is").exists()


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (360, False)])
def test_no_serious_finding_and_no_sideways_scrolling(
    width: int, dark: bool, visit: Callable[..., Any], school: world.World
) -> None:
    session = waiting_lesson(school, people=3)
    visitor = visit(school.admin.username, width=width, dark=dark)
    for path in (f"/review/?session={session.pk}", f"/review/many/?session={session.pk}&at=80"):
        page = visitor.goes_to(path)
        for each in page.locator("[data-desk-now] .desk__more summary").all():
            each.click()
        assert serious(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
