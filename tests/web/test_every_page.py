"""What holds for all pages: queries that do not grow, nothing inline, nothing from outside, words for every code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from attendance import health, marks, rollcall
from attendance.models import Mark, Snapshot
from attendance.web import words
from recognition.quality import PortraitProblem
from tests import factories as make

from .conftest import SchoolFixture, add_class
from .test_who_sees_what import FOR_CHANGERS, OWN, PAGES, SITE_PAGES, address

FILES = (
    "roll-csv",
    "report-file",
    "photo",
    "face-crop",
    "template-crop",
    "portrait",
    "audit-export",
    "consent-scan",
)
HTML = [name for name in PAGES if name not in FILES]
EVERY_PAGE = PAGES | FOR_CHANGERS | OWN | SITE_PAGES


@pytest.mark.parametrize(
    "name",
    [
        "today",
        "courses",
        "course",
        "course-sessions",
        "course-dashboard",
        "reports",
        "overview-file",
        "session",
        "session-live",
        "roll-csv",
        "face",
        "mark-history",
        "student",
    ],
)
def test_the_number_of_queries_does_not_grow(name: str, school: SchoolFixture) -> None:
    client, path = school.client(), address(name, EVERY_PAGE[name], school)

    def queries() -> int:
        client.get(path)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert client.get(path).status_code == 200
        return len(captured)

    few = queries()
    add_class(school.course, school.session, 9)
    marks.recompute(school.session.pk)
    for _ in range(3):
        more = make.session(make.course(school.owner, students=2))
        marks.recompute(more.pk)
        marks.recompute(make.session(school.course, "closed").pk)
    assert queries() == few
    assert few <= 25


def rendered(school: SchoolFixture) -> Iterator[tuple[str, str]]:
    for name in [*HTML, *FOR_CHANGERS, *OWN, *(page for page in SITE_PAGES if page not in FILES)]:
        yield name, school.client("administrator").get(address(name, EVERY_PAGE[name], school)).text
    for template in (
        "400.html",
        "403.html",
        "403_csrf.html",
        "404.html",
        "500.html",
        "registration/locked.html",
    ):
        request = RequestFactory().get("/")
        request.user, request.LANGUAGE_CODE = school.owner, "en"  # type: ignore[attr-defined]
        yield template, render_to_string(template, request=request)
    yield "login", school.client("nobody").get(reverse("web:login")).text
    yield "camera key", school.client("administrator").post(
        reverse("web:camera-new"), {"name": "x", "room_name": "y"}
    ).text  # fmt: skip


def test_nothing_is_inline_and_nothing_comes_from_outside(school: SchoolFixture) -> None:
    for name, text in rendered(school):
        assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:", text), name
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text)), name
        outside = re.findall(r'(?:src|href|action)="(?:https?:)?//[^"]+', text)
        assert not outside, name


def test_style_sheets_and_scripts_call_nobody() -> None:
    for path in [
        *Path(settings.BASE_DIR, "static", "rollcall").rglob("*.css"),
        *Path(settings.BASE_DIR, "static", "rollcall").rglob("*.js"),
    ]:
        assert not re.search(r"https?://", path.read_text()), path


def test_every_page_is_under_a_strict_policy(school: SchoolFixture) -> None:
    policy = school.client().get("/")["Content-Security-Policy"]
    for part in ("default-src 'self'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"):
        assert part in policy
    assert "unsafe" not in policy


def test_every_page_has_one_main_heading_and_a_title(school: SchoolFixture) -> None:
    for name, text in rendered(school):
        if "<html" in text:
            assert len(re.findall(r"<h1[ >]", text)) == 1, name
            assert re.search(r"<title>\s*\S.*Rollcall</title>", text, re.S), name
            assert 'lang="en"' in text, name


CODES: list[tuple[type[StrEnum] | list[str], object]] = [
    (rollcall.Reason, words.MARK_REASONS),
    (PortraitProblem, words.PORTRAIT_PROBLEMS),
    (["looks_like_another", "could_not_be_read"], words.PORTRAIT_PROBLEMS),
    (Mark.Status.values, words.STATUS_WORDS),
    (Mark.Status.values, words.LETTERS),
    (Snapshot.Unusable.values, words.UNUSABLE),
]


@pytest.mark.parametrize(("codes", "known"), CODES)
def test_every_code_has_words(codes: list[str], known: dict[str, str]) -> None:
    assert {str(code) for code in codes} <= set(known)


def test_every_reason_of_recognition_has_words() -> None:
    source = Path(settings.BASE_DIR, "recognition", "identification.py").read_text()
    reasons = set(re.findall(r'reason = "(\w+)"|return "(\w+)"', source))
    assert {first or second for first, second in reasons} <= set(words.FACE_REASONS)


def test_every_part_of_the_site_has_a_name(db: None) -> None:
    assert {part.name for part in health.check()} <= set(words.SITE_PARTS)


def test_letters_are_keys_and_differ() -> None:
    letters = list(words.LETTERS.values())
    assert len(set(letters)) == len(letters)
    assert set(words.KEYS) == set("PLEXA")


def test_icons_that_are_named_exist() -> None:
    sprite = Path(settings.BASE_DIR, "static/vendor/tabler-icons/sprite.svg").read_text()
    drawn = set(re.findall(r'<symbol id="([^"]+)"', sprite))
    templates = "".join(path.read_text() for path in Path(settings.BASE_DIR, "templates").rglob("*.html"))
    named = set(re.findall(r'{% icon "([^"]+)"', templates)) | set(
        re.findall(r'components/empty.html" with name="([^"]+)"', templates)
    )
    assert named <= drawn


def test_spanish_is_spoken(school: SchoolFixture) -> None:
    with translation.override("es"):
        text = school.client().get("/", headers={"Accept-Language": "es"}).text
    assert 'lang="es"' in text
