"""Files by a worker, schedules, warnings, the projector's code and a class marked by keyboard, in a real browser."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from attendance import absence_warnings, marks, report_jobs, scheduled_reports, signin
from attendance.models import Mark, ReportJob, SignInArrival, SignInWindow
from attendance.reports.facts import Days
from attendance.reports.orders import Order
from tests import factories as make
from tests.browser.test_every_page import serious
from tests.web import world

pytestmark = pytest.mark.browser


@pytest.fixture
def full(school: world.World, settings: Any, tmp_path: Path) -> world.World:
    """Jobs in every state, a schedule, students with three absences, a code with arrivals."""
    settings.DATA_DIR = tmp_path
    settings.EMAIL_HOST, settings.DEFAULT_FROM_EMAIL = "mail.example", "rollcall@school.example"
    settings.ROLLCALL_SITE_URL = "https://rollcall.school.example"
    teacher = school.teacher
    teacher.email = "grant@school.example"
    teacher.save()
    today = timezone.now().date()
    days = Days(today - dt.timedelta(days=60), today)
    order = Order("course", school.course.pk, "xlsx", days)
    job = report_jobs.ask(teacher, order, "en")
    assert report_jobs.work(job.pk)
    for kind, state, more in (
        ("csv", "working", {"done": 4300, "total": 10000}), ("json", "queued", {}),
        ("pdf", "failed", {"error": "The report could not be made. Please tell the administrator."}),
    ):  # fmt: skip
        found = report_jobs.ask(teacher, Order("course", school.course.pk, kind, days), "en")
        ReportJob.objects.filter(pk=found.pk).update(state=state, **more)
    saved = scheduled_reports.save(teacher, "Every Monday: attendance of Algebra II", order, "term")
    scheduled_reports.schedule(saved, "week", 1, 7, "link", [teacher])
    for session in school.course.sessions.filter(state="closed"):
        Mark.objects.filter(session=session, student__in=school.students[:2]).update(status="absent")
    absence_warnings.add_contact(school.students[0], "A Parent", "parent@home.example")
    window = signin.open_window(school.session, teacher)
    for number, student in enumerate(school.students[3:8]):
        claim = signin.open_code(signin.code_now(window), f"d{number}", "10.0.0.1")
        signin.arrive_by_login(claim, f"d{number}", student, "10.0.0.1")
    return school


def paths(school: world.World) -> dict[str, str]:
    course, session = school.course.pk, school.session.pk
    return {
        # First: a code is good for half a minute.
        "here": f"/here/{signin.code_now(SignInWindow.objects.get())}/",
        "reports": "/reports/",
        "saved": f"/reports/saved/{school.teacher.saved_reports.get().pk}/",
        "warnings": f"/courses/{course}/warnings/",
        "numbers": f"/sessions/{session}/numbers/",
        "attendance": f"/courses/{course}/attendance/",
        "code": f"/sessions/{session}/code/",
        "planned code": f"/sessions/{school.planned.pk}/code/",
    }


def picture(page: Page, name: str, width: int, dark: bool) -> None:
    """For whoever looks: ``ROLLCALL_SHOTS`` names a folder."""
    if folder := os.environ.get("ROLLCALL_SHOTS"):
        page.screenshot(path=Path(folder, f"{name}-{width}{'-dark' if dark else ''}.png"), full_page=True)


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (360, False), (360, True)])
def test_whole_and_accessible(width: int, dark: bool, visit: Callable[..., Any], full: world.World) -> None:
    visitor = visit("grant", width=width, dark=dark)
    findings = {}
    for name, path in paths(full).items():
        page = visitor.goes_to(path)
        page.wait_for_timeout(150)
        picture(page, name, width, dark)
        if found := serious(page):
            findings[name] = found
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    admin = visit(full.admin.username, width=width, dark=dark)
    for name, path in (("site", "/site/"), ("texts", "/site/warnings/")):
        page = admin.goes_to(path)
        picture(page, name, width, dark)
        if found := serious(page):
            findings[name] = found
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    assert findings == {}


def test_a_code_changes_and_names_come_up_by_themselves(
    visit: Callable[..., Any], full: world.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signin, "STEP_SECONDS", 2)
    page = visit("grant").goes_to(f"/sessions/{full.session.pk}/code/")
    before = page.locator(".code__picture svg path").last.get_attribute("d")
    SignInArrival.objects.create(
        session=full.session, student=full.students[9], at=timezone.now(), via="ticket", device="x"
    )
    expect(page.locator(".code__count b")).to_have_text("6")
    expect(page.locator(".code__latest li")).to_have_count(6)
    page.wait_for_timeout(4500)
    assert page.locator(".code__picture svg path").last.get_attribute("d") != before


def test_a_bar_moves_and_the_file_comes(visit: Callable[..., Any], full: world.World) -> None:
    page = visit("grant").goes_to("/reports/")
    bar = page.locator("progress")
    expect(bar).to_have_attribute("value", "4300")
    ReportJob.objects.filter(state="working").update(done=8000)
    expect(bar).to_have_attribute("value", "8000")
    job = ReportJob.objects.get(state="queued")
    assert report_jobs.work(job.pk)
    row = page.locator(f"#job-{job.pk}")
    expect(row.get_by_role("link", name="Take the file")).to_be_visible()
    with page.expect_download() as download:
        row.get_by_role("link", name="Take the file").click()
    assert download.value.suggested_filename.endswith(".json")


def test_thirty_students_by_keyboard_in_a_minute(visit: Callable[..., Any], school: world.World) -> None:
    course = make.course(school.teacher, students=30, name="By hand")
    session = make.session(course, "open", timezone.now() - dt.timedelta(minutes=5), opened_at=timezone.now())
    marks.recompute(session.pk)
    page = visit("grant").goes_to(f"/sessions/{session.pk}/")
    page.locator(".roll__row").first.focus()
    keys = "PPPPALPPPXPPPEPPPPPAPPPPPPLPPP"
    start = time.monotonic()
    for number, key in enumerate(keys):
        row = page.locator(".roll__row").nth(number)
        expect(row).to_be_focused()
        page.keyboard.press(key.lower())
        if number + 1 < len(keys):
            page.keyboard.press("ArrowDown")
    expect(page.locator("#tally")).to_contain_text("27 of 30")
    seconds = time.monotonic() - start
    words = {"P": "present", "A": "absent", "L": "late", "X": "excused", "E": "left_early"}
    rows = page.locator(".roll__row").evaluate_all("all => all.map(one => Number(one.dataset.student))")
    said = dict(session.marks.values_list("student_id", "status"))
    assert [said[pk] for pk in rows] == [words[key] for key in keys]
    assert seconds < 60, seconds
    print(f"30 students marked by keyboard in {seconds:.1f} s")
