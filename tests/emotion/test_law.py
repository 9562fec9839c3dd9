"""Where mood can not be switched on."""

from __future__ import annotations

import pytest

from emotion.law import PROHIBITED, prohibited_in


def test_the_union_and_the_economic_area_are_covered() -> None:
    assert len(PROHIBITED) == 27 + 3
    assert all(prohibited_in(code) for code in ("DE", "es", " fr ", "NO", "IS", "LI", "GR", "EL"))
    assert not any(prohibited_in(code) for code in ("GB", "US", "CH", "AU", "MX"))


@pytest.mark.parametrize("country", ["", "Spain", "D", "1A", "ÄT"])
def test_an_unknown_country_is_no_permission(country: str) -> None:
    with pytest.raises(ValueError, match="two letters"):
        prohibited_in(country)
