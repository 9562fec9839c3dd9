"""Where reading emotions in a school is prohibited.

Article 5(1)(f) of the European Union's AI Act (Regulation (EU) 2024/1689), in force for this since 2 February 2025,
prohibits inferring emotions of persons in institutions of education. A figure for a whole class is inferred from
faces too and is treated as covered. The countries are the EU's members, the parts of them that have a code of their
own (Articles 349 and 355 of the Treaty on the Functioning of the European Union), and the EEA's others (Iceland,
Liechtenstein, Norway), to which the regulation is meant to apply.
"""

from __future__ import annotations

from typing import Final

_CODES: Final = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ "
    "CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO "
    "FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE "
    "JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO "
    "MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW "
    "PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM "
    "TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW XK"
)
COUNTRIES: Final = frozenset(_CODES.split())
"""ISO 3166-1's 249 codes of two letters, and XK, by which Kosovo goes."""
ALSO_CALLED: Final = {"EL": "GR", "UK": "GB"}
"""Codes of the European Union's own style, and what ISO 3166-1 says."""
PROHIBITED: Final = frozenset((
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV",
    "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
    "AX", "GF", "GP", "MF", "MQ", "RE", "YT",
    "IS", "LI", "NO",
))  # fmt: skip
"""The EU's members; Åland and France's outermost regions; the EEA's others."""


def iso_code(country: str) -> str:
    """The ISO 3166-1 code of a country given in either case; ``EL`` is understood as Greece, ``UK`` as GB.

    Raises:
        ValueError: no country goes by that. A site whose country is not known must be asked, not guessed.
    """
    given = country.strip().upper()
    code = ALSO_CALLED.get(given, given)
    if code not in COUNTRIES:
        raise ValueError(f"a country is an ISO 3166-1 code of two letters, got {country!r}")
    return code


def prohibited_in(country: str) -> bool:
    """Whether mood can not be switched on for a site in this country. Raises ValueError as :func:`iso_code`."""
    return iso_code(country) in PROHIBITED
