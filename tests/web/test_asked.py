"""Whatever stands in an address where a number should: it is no number, and never an error."""

from __future__ import annotations

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from attendance.web.asked import number, numbers

from .conftest import SchoolFixture

LONG = "9" * 5000
"""Python itself refuses to read more than 4,300 digits."""


@given(st.integers(0, 10**18 - 1))
def test_a_number_is_read(value: int) -> None:
    assert number(str(value)) == value


@pytest.mark.parametrize("text", ["", None, "-1", "1.5", "²", "٣", " 4", "x", "1" * 19, LONG])
def test_anything_else_is_none(text: str | None) -> None:
    assert number(text) is None
    assert numbers([text or "", "7"]) == [7]


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["models", "desk"])
def test_pages_bear_a_number_that_is_none(page: str, school: SchoolFixture) -> None:
    query = {"course": LONG, "session": LONG}
    assert school.client("administrator").get(reverse(f"web:{page}"), query).status_code in (200, 404)
