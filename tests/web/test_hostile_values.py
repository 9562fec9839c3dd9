"""Every page with every field it may ask for filled with what no form would send: never a fault, never a stored NUL."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.forms import BaseForm
from django.test import Client
from django.urls import URLPattern, reverse

from attendance import web
from attendance.web import calendar_forms, forms, urls

from .conftest import SchoolFixture

ASKED = re.compile(r"""(?:GET|POST|FILES|given|query)(?:\.get|\.getlist|\.pop)?[(\[]\s*["']([\w-]+)["']""")
VALUES = {
    "a NUL": "a\0b",
    "a number of 5,000 digits": "9" * 5000,
    "a number too large for the database": "9" * 18,
    "no number": "nan",
    "markup, placeholders and a path": "'\"><script>%s %(x)s {0} ../../etc/passwd \u202e",
}


def asked_for() -> list[str]:
    """Names of all fields that pages read, from their source and their forms."""
    sources = [path.read_text(encoding="utf-8") for path in Path(next(iter(web.__path__))).glob("*.py")]
    found = {name for source in sources for name in ASKED.findall(source)}
    for module in (forms, calendar_forms):
        for made in vars(module).values():
            if isinstance(made, type) and issubclass(made, BaseForm):
                found |= set(getattr(made, "base_fields", {}))
    return sorted(found - {"csrfmiddlewaretoken"})


def address_of(pattern: URLPattern, school: SchoolFixture) -> str:
    """The page's address about something of this school."""
    of: dict[str, Any] = {
        "course_id": school.course.pk, "session_id": school.session.pk, "student_id": school.student.pk,
        "snapshot_id": school.snapshot.pk, "sighting_id": school.unsure.pk, "template_id": school.template.pk,
        "portrait_id": school.held.pk, "review_id": school.review.pk, "camera_id": school.camera.pk,
        "contest_id": school.contest.pk, "size": "thumb", "action": "close", "decision": "approve",
        "what": "course", "kind": "csv", "pk": school.course.pk,
    }  # fmt: skip
    kinds = {name: type(kind).__name__ for name, kind in pattern.pattern.converters.items()}
    left = {"UUIDConverter": uuid.UUID(int=7), "IntConverter": 1}
    given = {name: of.get(name, left.get(kind, "x")) for name, kind in kinds.items()}
    return reverse(f"web:{pattern.name}", kwargs=given)


def requests(school: SchoolFixture, client: Client, value: str) -> Iterator[tuple[str, Any]]:
    fields = dict.fromkeys(asked_for(), value)
    for pattern in urls.urlpatterns:
        if pattern.name in ("login", "logout"):
            continue
        address = address_of(pattern, school)
        for method in (client.get, client.post):
            with transaction.atomic():  # what a request changed is not there for the next one
                yield f"{method.__name__} {address}", method(address, fields)
                transaction.set_rollback(True)


def test_the_fields_are_found() -> None:
    assert {"photo", "verdict", "reason", "number", "pin", "given_name"} <= set(asked_for())
    assert len(asked_for()) > 60


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_no_page_falls_over_what_no_form_would_send(school: SchoolFixture, value: str) -> None:
    client = school.client("administrator")
    client.raise_request_exception = False
    faults = [name for name, answer in requests(school, client, value) if answer.status_code >= 500]
    assert not faults


def test_every_answer_says_how_it_may_be_kept_and_that_it_is_not_to_be_framed(school: SchoolFixture) -> None:
    client = school.client("administrator")
    for pattern in urls.urlpatterns:
        answer = client.get(address_of(pattern, school))
        kept = answer.headers["Cache-Control"]
        assert "no-store" in kept or "no-cache" in kept or kept == "private, max-age=300", pattern.name
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_addresses_too_large_for_the_database_are_not_there(school: SchoolFixture) -> None:
    client = school.client("owner")
    for name, count in (("course", 1), ("session", 1), ("student", 1), ("face", 2), ("photo", 1)):
        numbers: list[Any] = [10**30] * count
        address = reverse(f"web:{name}", args=[*numbers, "thumb"] if name == "photo" else numbers)
        assert client.get(address).status_code == 404


def test_a_form_with_a_nul_is_answered_with_a_sentence_and_stores_nothing(school: SchoolFixture) -> None:
    client = school.client("administrator")
    asked = client.post(reverse("web:school-set"), {"name": "Our\0School"}, follow=True)
    assert "characters that are no text" in asked.content.decode()
    beside = client.post(reverse("web:school-set"), {"name": "Our\0School"}, headers={"HX-Request": "true"})
    assert (beside.status_code, "no text" in beside.headers["HX-Trigger"]) == (422, True)
    assert client.get(reverse("web:desk-elsewhere"), {"session": 1, "q": "a\0"}).status_code == 400


@pytest.mark.parametrize(
    "host", ["evil.example", "testserver.evil.example", "testserver:80@evil.example", "[::1"]
)
def test_another_host_is_refused(school: SchoolFixture, settings: Any, host: str) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    assert school.client("owner").get("/", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize(
    "there",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:evil.example",
    ],
)
def test_nothing_leads_to_another_site(school: SchoolFixture, there: str) -> None:
    client = school.client("owner")
    answers = [
        client.post("/i18n/setlang/", {"language": "es", "next": there}),
        client.get(f"/sign-in/?next={there}"),
        client.post(reverse("web:excuse-decide", args=[1, "approve"]), headers={"Referer": there}),
        client.post(reverse("web:report-save"), {"name": "", "query": there}, headers={"Referer": there}),
    ]
    for answer in answers:
        assert "evil" not in answer.headers.get("Location", "")
        assert not answer.headers.get("Location", "").startswith("javascript")
