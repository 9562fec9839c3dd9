"""Class lists and faces: from an empty course to an enrolled student, in the browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from attendance.models import Portrait, Student
from tests import factories as make
from tests.web import world

pytestmark = pytest.mark.browser


def test_a_course_from_nothing(visit: Callable[..., Any], school: world.World, tmp_path: Path) -> None:
    page = visit("grant").goes_to("/courses/new/")
    page.get_by_label("Name", exact=True).fill("Botany")
    page.get_by_label("Code").fill("BOT-1")
    page.get_by_role("button", name="Add and go to the class list").click()
    list_file = tmp_path / "class.csv"
    list_file.write_bytes("número;nombre;apellidos\n77;Zoë;Nuñez\n78;Li;\n;Nobody;Here\n".encode("latin-1"))
    page.locator("input[type=file]").set_input_files(str(list_file))
    expect(page.locator("[data-file-name]")).to_have_text("class.csv")
    page.get_by_role("button", name="Look at the rows").click()
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page.locator(".row--error")).to_contain_text("The student number is missing.")
    assert not Student.objects.filter(number="77").exists()
    page.get_by_role("button", name="Import 2 students").click()
    expect(page.locator(".toast")).to_contain_text("2 new")
    page.keyboard.press("/")
    page.keyboard.type("nunez")
    expect(page.locator("tbody tr:visible")).to_have_count(1)


def test_consent_then_photos_then_the_webcam(
    visit: Callable[..., Any], school: world.World, tmp_path: Path, queued: list[Any]
) -> None:
    student = school.students[2]
    page = visit("grant").goes_to(f"/students/{student.pk}/")
    expect(page.locator("#portrait-files")).to_have_count(0)
    page.get_by_label("Who consents").select_option("guardian")
    page.get_by_label("Their name").fill("Maria Cole")
    page.get_by_label("How").select_option("paper")
    page.get_by_label("They read this text").check()
    page.get_by_role("button", name="Record consent").click()
    paths = []
    for number in range(2):
        paths.append(str(tmp_path / f"portrait {number}.jpg"))
        Path(paths[-1]).write_bytes(make.jpeg(900 + number, (400, 500)))
    page.locator("#portrait-files").set_input_files(paths)
    expect(page.locator(".answer", has_text="being looked at")).to_have_count(2)
    Portrait.objects.filter(name="portrait 0.jpg").update(state="rejected", problems=["too_dark"])
    expect(page.locator(".answer--bad")).to_contain_text("The face is too dark.")
    page.get_by_role("button", name="Use the webcam").click()
    for taken in range(3):
        page.get_by_role("button", name="Take it now").click()
        expect(page.locator(".answer", has_text=f"webcam {taken + 1}.jpg")).to_have_count(1)
    expect(page.locator("[data-hold]")).to_contain_text("Three photos were taken")
    assert [task for task, _arguments in queued] == ["check_portrait"] * 5


def test_a_look_alike_is_compared_before_anything_is_used(
    visit: Callable[..., Any], school: world.World
) -> None:
    student, twin = school.students[5], school.students[6]
    world.portrait_answers(student, twin, school.teacher)
    page = visit("grant").goes_to(f"/students/{student.pk}/")
    card = page.locator(".answer", has_text="please compare")
    expect(card).to_contain_text(f"This face looks like {twin.full_name}")
    expect(card.locator(".twins .face img")).to_have_count(2)
    card.get_by_role("button", name="Delete the photo").click()
    expect(card).to_have_count(0)


def test_consent_is_withdrawn_after_the_number_was_typed(
    visit: Callable[..., Any], school: world.World
) -> None:
    student = school.students[0]
    page = visit("grant").goes_to(f"/students/{student.pk}/")
    page.get_by_role("button", name="Withdraw consent").click()
    page.locator("#withdraw-number").fill(student.number)
    page.get_by_role("button", name="Withdraw and delete").click()
    expect(page.locator("h2", has_text="Record consent first")).to_be_visible()
    assert not student.templates.exists()
