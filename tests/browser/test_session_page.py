"""The session page with hands on the keyboard, the mouse and the phone."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from attendance import marks
from attendance.models import Mark, Snapshot
from tests import factories as make
from tests.web import world

pytestmark = pytest.mark.browser


def photos_on_disk(folder: Path, count: int) -> list[str]:
    paths = [folder / f"class {number}.jpg" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_bytes(make.jpeg(500 + number, (640, 480)))
    return [str(path) for path in paths]


def test_a_roll_is_settled_with_the_keyboard_alone(visit: Callable[..., Any], school: world.World) -> None:
    page = visit("grant").goes_to(f"/sessions/{school.session.pk}/")
    absent = school.students[5]
    row = page.locator(f"#s{absent.pk}")
    page.keyboard.press("/")
    page.keyboard.type("fernandez")
    expect(page.locator(".roll__row:visible")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    expect(row).to_be_focused()
    page.keyboard.press("a")
    expect(row.locator(".roll__mark")).to_contain_text("absent")
    expect(row).to_be_focused()
    page.keyboard.press("l")
    expect(row.locator(".roll__mark")).to_contain_text("late")
    expect(page.locator(".toast")).to_contain_text("late")
    page.keyboard.press("u")
    expect(row.locator(".roll__mark")).to_contain_text("absent")
    mark = Mark.objects.get(session=school.session, student=absent)
    assert (mark.status, mark.source) == ("absent", "manual")
    page.keyboard.press("?")
    expect(page.locator("#keys-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys-dialog")).to_be_hidden()


def test_names_and_faces_light_each_other(visit: Callable[..., Any], school: world.World) -> None:
    page = visit("grant").goes_to(f"/sessions/{school.session.pk}/")
    student = school.students[0]
    box = page.locator(f".box[data-student='{student.pk}']")
    page.locator(f"#s{student.pk}").hover()
    expect(box).to_have_class(re.compile("is-lit"))
    page.locator(f".box[data-student='{school.students[1].pk}']").hover()
    expect(page.locator(f"#s{school.students[1].pk}")).to_have_class(re.compile("is-lit"))
    expect(box).not_to_have_class(re.compile("is-lit"))


def test_an_unknown_face_gets_a_name(visit: Callable[..., Any], school: world.World) -> None:
    page = visit("grant").goes_to(f"/sessions/{school.session.pk}/")
    unseen = school.students[2]
    page.locator(".box--unknown").first.click()
    dialog = page.locator("#face-dialog")
    expect(dialog).to_be_visible()
    dialog.locator(f"button[name=student][value='{unseen.pk}']").click()
    expect(dialog).to_be_hidden()
    expect(page.locator(".toast")).to_contain_text(f"This is {unseen.full_name}")
    expect(page.locator(f"#s{unseen.pk} .roll__mark")).to_contain_text("checked by a person")
    page.locator(".toast [data-undo]").click()
    expect(page.locator(f"#s{unseen.pk} .roll__mark")).to_contain_text("not evaluated")


def test_somebody_else_is_chosen_from_the_roster(visit: Callable[..., Any], school: world.World) -> None:
    page = visit("grant").goes_to(f"/sessions/{school.session.pk}/")
    page.locator(".box--unknown").first.click()
    page.locator("#face-other").select_option(str(school.students[9].pk))
    page.locator("[data-other-go]").click()
    expect(page.locator(f"#s{school.students[9].pk} .roll__mark")).to_contain_text("checked by a person")


def test_several_photos_are_uploaded_and_followed_without_reloading(
    visit: Callable[..., Any], school: world.World, tmp_path: Path, queued: list[Any]
) -> None:
    page = visit("grant").goes_to(f"/sessions/{school.session.pk}/")
    page.evaluate("window.stayed = true")
    before = page.locator(".strip__item").count()
    page.locator("#photo-files").set_input_files(photos_on_disk(tmp_path, 5))
    expect(page.locator(".strip__item")).to_have_count(before + 5)
    expect(page.locator(".strip__item", has_text="waiting")).to_have_count(5)
    assert len(queued) == 5
    done = Snapshot.objects.filter(
        session=school.session, pk__in=[arguments[0] for _task, arguments in queued]
    )
    done.update(state="done", faces=0, processed_at=timezone.now())
    marks.touch(school.session.pk)
    expect(page.locator(".fresh")).to_contain_text(f"photos {before + 5}/{before + 5} processed")
    assert page.evaluate("window.stayed")


def test_a_refused_file_says_why_and_the_others_go_on(
    visit: Callable[..., Any], school: world.World, tmp_path: Path
) -> None:
    visitor = visit("grant")
    page = visitor.goes_to(f"/sessions/{school.session.pk}/")
    before = page.locator(".strip__item").count()
    wrong = tmp_path / "list.jpg"
    wrong.write_text("not a photo")
    page.locator("#photo-files").set_input_files([str(wrong), *photos_on_disk(tmp_path, 1)])
    expect(page.locator(".upload.is-bad")).to_contain_text("This is not a photo")
    expect(page.locator(".strip__item")).to_have_count(before + 1)
    # The browser notes every refused request by itself.
    visitor.complaints = [text for text in visitor.complaints if "415" not in text]


def test_photos_dropped_anywhere_are_taken(visit: Callable[..., Any], school: world.World) -> None:
    page = visit("grant").goes_to(f"/sessions/{school.session.pk}/")
    before = page.locator(".strip__item").count()
    content = list(make.jpeg(77, (320, 240)))
    page.evaluate(
        """bytes => {
            const files = new DataTransfer();
            files.items.add(new File([new Uint8Array(bytes)], "dropped.jpg", {type: "image/jpeg"}));
            const details = {dataTransfer: files, bubbles: true, cancelable: true};
            for (const kind of ["dragenter", "dragover", "drop"])
                document.body.dispatchEvent(new DragEvent(kind, details));
        }""",
        content,
    )
    expect(page.locator(".strip__item")).to_have_count(before + 1)


def test_what_the_camera_finds_appears_by_itself(visit: Callable[..., Any], school: world.World) -> None:
    page = visit("grant").goes_to(f"/sessions/{school.session.pk}/")
    page.locator("#roll-find").fill("a")
    shown = page.locator(".roll__row:visible").count()
    late = school.students[5]
    for minute in (28, 30):
        photo = make.snapshot(school.session, minute, width=1600, height=1000)
        make.sighting(photo, late, "recognised")
    marks.recompute(school.session.pk)
    expect(page.locator(f"#s{late.pk} .roll__mark")).to_contain_text("late")
    expect(page.locator("#roll-find")).to_have_value("a")
    expect(page.locator(".roll__row:visible")).to_have_count(shown)


def test_on_a_phone_the_roll_comes_first_and_the_camera_is_at_hand(
    visit: Callable[..., Any], school: world.World, tmp_path: Path
) -> None:
    page = visit("grant", width=360).goes_to(f"/sessions/{school.session.pk}/")
    roll, photos = (
        page.locator(".session__roll").bounding_box(),
        page.locator(".session__photos").bounding_box(),
    )
    assert roll["y"] < photos["y"]
    expect(page.locator(".fab .btn--primary")).to_be_in_viewport()
    before = page.locator(".strip__item").count()
    page.locator("#photo-camera").set_input_files(photos_on_disk(tmp_path, 1))
    expect(page.locator(".strip__item")).to_have_count(before + 1)
    for button in page.locator(".markset").first.locator("button").all():
        size = button.bounding_box()
        assert min(size["width"], size["height"]) >= 40


def test_taking_a_roll_now_from_the_start_page(visit: Callable[..., Any], school: world.World) -> None:
    page = visit("grant").goes_to("/")
    page.get_by_text("Take a roll now").click()
    page.get_by_role("button", name="Geometry").click()
    expect(page.locator(".roll__row")).to_have_count(4)
    expect(page.locator(".drop")).to_contain_text("Drop photos of the class here")
    page.get_by_role("button", name="Close").first.click()
    expect(page.locator(".pill").first).to_have_text("closed")


def test_a_server_that_is_gone_is_told(visit: Callable[..., Any], school: world.World) -> None:
    visitor = visit("grant")
    page = visitor.goes_to(f"/sessions/{school.session.pk}/")
    page.route("**/marks/**", lambda route: route.abort())
    page.locator(f"#s{school.students[0].pk} button[value=absent]").click()
    expect(page.locator(".toast--bad")).to_contain_text("The server cannot be reached")
    visitor.complaints.clear()


def test_a_session_of_yesterday_asks_less_often(visit: Callable[..., Any], school: world.World) -> None:
    past = make.session(school.course, "closed", timezone.now() - dt.timedelta(days=1))
    marks.recompute(past.pk)
    visitor = visit("grant")
    page = visitor.goes_to(f"/sessions/{past.pk}/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/live/" in request.url else None)
    page.wait_for_timeout(5_000)
    assert not asked
