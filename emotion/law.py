"""Where reading emotions in a school is prohibited.

Article 5(1)(f) of the European Union's AI Act (Regulation (EU) 2024/1689), in force for this since 2 February 2025,
prohibits inferring emotions of persons in institutions of education. A figure for a whole class is inferred from
faces too and is treated as covered. The countries are the EU's members and the EEA's others (Iceland, Liechtenstein,
Norway), to which the regulation is meant to apply.
"""

from __future__ import annotations

from typing import Final

PROHIBITED: Final = frozenset((
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV",
    "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK", "IS", "LI", "NO",
))  # fmt: skip
"""ISO 3166-1 codes of two letters."""


def prohibited_in(country: str) -> bool:
    """Whether mood can not be switched on for a site in this country.

    Args:
        country: ISO 3166-1 code of two letters, in either case; ``EL`` is understood as Greece.

    Raises:
        ValueError: not two letters. A site whose country is not known must be asked, not guessed.
    """
    code = country.strip().upper()
    if len(code) != 2 or not code.isascii() or not code.isalpha():
        raise ValueError(f"a country is an ISO 3166-1 code of two letters, got {country!r}")
    return code in PROHIBITED or code == "EL"
