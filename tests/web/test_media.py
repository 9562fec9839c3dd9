"""Photos and crops: through the permission check, inert, and no longer than they exist."""

from __future__ import annotations

import io

import pytest
from django.core.files.storage import default_storage
from django.urls import reverse
from PIL import Image

from attendance.models import Snapshot
from tests import factories as make

from .conftest import SchoolFixture


@pytest.mark.parametrize(("size", "width"), [("thumb", 240), ("view", 1600), ("full", 2000)])
def test_a_photo_comes_in_the_size_asked_for(size: str, width: int, school: SchoolFixture) -> None:
    name = make.stored("photos", make.jpeg(1, (2000, 1500)))
    Snapshot.objects.filter(pk=school.snapshot.pk).update(image=name, width=2000, height=1500)
    answer = school.client().get(reverse("web:photo", args=[school.snapshot.pk, size]))
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.size == (width, width * 3 // 4)


def test_headers_keep_a_photo_private_and_inert(school: SchoolFixture) -> None:
    address = reverse("web:photo", args=[school.snapshot.pk, "view"])
    answer = school.client().get(address)
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"].startswith("private")
    assert school.client().get(address, headers={"If-None-Match": answer["ETag"]}).status_code == 304
    assert (
        school.client("stranger").get(address, headers={"If-None-Match": answer["ETag"]}).status_code == 404
    )


def test_an_expired_photo_is_not_found(school: SchoolFixture) -> None:
    address = reverse("web:photo", args=[school.snapshot.pk, "view"])
    default_storage.delete(school.snapshot.image.name)
    assert school.client().get(address).status_code == 404
    Snapshot.objects.filter(pk=school.snapshot.pk).update(image="")
    assert school.client().get(address).status_code == 404


def test_stored_files_have_no_address_of_their_own(school: SchoolFixture) -> None:
    name = school.snapshot.image.name
    for path in (f"/{name}", f"/media/{name}", f"/not-served/{name}"):
        assert school.client().get(path).status_code == 404
