"""Doors that no table of pages names: camera keys at pages, addresses beside pages and API, files and their headers."""

from __future__ import annotations

import pytest
from django.urls import URLResolver, get_resolver, reverse

from attendance import cameras
from attendance.models import Camera
from tests import factories as make

from .conftest import SchoolFixture
from .test_who_sees_what import CHANGES, FOR_CHANGERS, OWN, PAGES, SITE_CHANGES, SITE_PAGES, address

EVERY = PAGES | FOR_CHANGERS | CHANGES | OWN | SITE_PAGES | SITE_CHANGES
FILES = ("photo", "face-crop", "template-crop", "portrait", "roll-csv", "report-file")


@pytest.fixture
def keys(school: SchoolFixture) -> dict[str, str]:
    """A key of the session's room, of another, and one that was taken back."""
    assert school.session.room is not None
    _here, right = cameras.create("here", school.session.room, school.owner)
    _far, other = cameras.create("far", make.room(), school.owner)
    gone, revoked = cameras.create("gone", school.session.room, school.owner)
    cameras.revoke(gone)
    return {"right room": right, "other room": other, "revoked": revoked}


def test_a_cameras_key_opens_no_page_and_changes_nothing(school: SchoolFixture, keys: dict[str, str]) -> None:
    client, before = school.client("nobody"), Camera.objects.count()
    for name, arguments in EVERY.items():
        path = address(name, arguments, school)
        for room, key in keys.items():
            for ask in (client.get, client.post):
                answer = ask(path, headers={"Authorization": f"Camera {key}"})
                refused = answer.status_code == 302 and answer["Location"].startswith(reverse("web:login"))
                assert refused or answer.status_code == 405, (name, room, answer.status_code)
    assert Camera.objects.count() == before


def test_there_is_no_other_address() -> None:
    """What is added beside pages and API is added here as well, with who may ask for it."""
    beside = {"healthz", "readyz", "metrics", "set_language"}
    found: set[str] = set()
    for pattern in get_resolver().url_patterns:
        if not isinstance(pattern, URLResolver) or pattern.namespace not in ("web", "api"):
            inner = pattern.url_patterns if isinstance(pattern, URLResolver) else [pattern]
            found |= {str(each.name) for each in inner}
    assert found == beside


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_inert_wherever_it_comes_from(name: str, school: SchoolFixture) -> None:
    answer = school.client("owner").get(address(name, PAGES[name], school))
    assert answer.status_code == 200
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert (
        answer["Content-Type"].split(";")[0] in ("image/jpeg", "text/csv")
        or "sheet" in answer["Content-Type"]
    )
    policy = answer["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'self'" in policy or "default-src 'none'" in policy
    if not answer["Content-Type"].startswith("image/"):
        assert answer["Content-Disposition"].startswith("attachment")


def test_a_stored_files_name_cannot_be_guessed_and_says_nothing(school: SchoolFixture) -> None:
    from attendance.storage import unguessable_name

    names = {unguessable_name("photos") for _ in range(1000)}
    assert len(names) == 1000
    assert all(len(name.rpartition("/")[2]) == 32 + len(".jpg") for name in names)
