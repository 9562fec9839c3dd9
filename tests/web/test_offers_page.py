"""Offered faces on the student's page: accepted, declined, undone."""

from __future__ import annotations

import numpy as np
import pytest
from django.urls import reverse

from attendance import reviews
from attendance.engines import from_bytes, to_bytes
from attendance.models import DeclinedOffer, Sighting
from tests import factories as make

from .conftest import SchoolFixture


@pytest.fixture
def offered(school: SchoolFixture) -> Sighting:
    """A face of the enrolled student that recognition was unsure of and the teacher settled."""
    way = np.random.default_rng(3).normal(size=128)
    vector = from_bytes(school.template.encoding) + 0.45 * way / np.linalg.norm(way)
    sighting = make.sighting(
        school.snapshot, school.student, "uncertain", 5, encoding=to_bytes(vector.astype(np.float32))
    )
    reviews.decide(sighting, "is", school.owner, school.student)
    return sighting


def post(school: SchoolFixture, name: str, sighting: Sighting) -> int:
    path = reverse(f"web:{name}", args=[school.student.pk, sighting.pk])
    return int(school.client("owner").post(path).status_code)


def page(school: SchoolFixture, person: str = "owner") -> str:
    return school.client(person).get(reverse("web:student", args=[school.student.pk])).text


def test_accepted_it_stands_among_the_enrolled_photos(school: SchoolFixture, offered: Sighting) -> None:
    assert "Faces offered" in page(school)
    assert "looks different from the enrolled photos" in page(school)
    assert post(school, "offer-accept", offered) == 302
    text = page(school)
    assert "from a lesson" in text
    assert "Use as template" not in text
    assert school.student.templates.count() == 2


def test_declined_and_undone(school: SchoolFixture, offered: Sighting) -> None:
    assert post(school, "offer-decline", offered) == 302
    assert "is not wanted" in page(school)
    assert "Use as template" not in page(school)
    assert post(school, "offer-again", offered) == 302
    assert "Use as template" in page(school)
    assert not DeclinedOffer.objects.exists()


def test_a_registrar_is_not_asked(school: SchoolFixture, offered: Sighting) -> None:
    assert "Faces offered" not in page(school, "registrar")


def test_what_is_gone_says_so(school: SchoolFixture, offered: Sighting) -> None:
    path = reverse("web:offer-accept", args=[school.student.pk, school.unsure.pk])
    answer = school.client("owner").post(path, follow=True)
    assert "not offered any more" in answer.text
