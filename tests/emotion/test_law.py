"""Where mood can not be switched on."""

from __future__ import annotations

import pytest

from emotion.law import COUNTRIES, PROHIBITED, iso_code, prohibited_in


def test_the_union_its_regions_and_the_economic_area_are_covered() -> None:
    assert len(PROHIBITED) == 27 + 7 + 3
    assert PROHIBITED < COUNTRIES
    assert all(prohibited_in(code) for code in ("DE", "es", " fr ", "NO", "IS", "LI", "GR", "EL"))
    assert not any(prohibited_in(code) for code in ("GB", "US", "CH", "AU", "MX"))


@pytest.mark.parametrize("region", ["RE", "GP", "MQ", "GF", "YT", "MF", "AX"])
def test_parts_of_the_union_with_a_code_of_their_own_are_covered(region: str) -> None:
    assert prohibited_in(region)


@pytest.mark.parametrize(
    "place", ["BL", "NC", "PF", "PM", "WF", "GL", "FO", "SJ", "GI", "IM", "JE", "GG", "AW", "CW"]
)
def test_what_belongs_to_a_member_and_not_to_the_union_is_not(place: str) -> None:
    assert not prohibited_in(place)


def test_every_code_of_the_standard_is_known_and_none_else() -> None:
    assert len(COUNTRIES) == 249 + 1
    assert all(len(code) == 2 and code.isascii() and code.isupper() for code in COUNTRIES)
    assert [iso_code(code) for code in ("uk", " el", "Cl", "XK")] == ["GB", "GR", "CL", "XK"]


@pytest.mark.parametrize("country", ["", "Spain", "D", "1A", "ÄT", "ZZ", "EU", "AA", "YU"])
def test_an_unknown_country_is_no_permission(country: str) -> None:
    with pytest.raises(ValueError, match="two letters"):
        prohibited_in(country)
