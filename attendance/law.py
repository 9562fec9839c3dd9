"""Where the school is, and what the law there decides for it. Pure. Not legal advice: the lawful way is the easy way.

Each rule names its source and the day it came into force, and what follows here. Looked up on 2026-11-21.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from emotion.law import prohibited_in


class Institution(StrEnum):
    """What kind of institution of education it is; the values are stored."""

    SCHOOL = "school"
    COLLEGE = "college"
    UNIVERSITY = "university"
    OTHER = "other"


INSTITUTIONS: dict[str, str | Promise] = {
    Institution.SCHOOL: _("a school (pupils under 18)"),
    Institution.COLLEGE: _("a college or further education"),
    Institution.UNIVERSITY: _("a university"),
    Institution.OTHER: _("something else"),
}

REGIONS: dict[str, dict[str, str | Promise]] = {
    "GB": {"ENG": _("England"), "WLS": _("Wales"), "SCT": _("Scotland"), "NIR": _("Northern Ireland")},
    "US": {"NY": _("New York State"), "IL": _("Illinois"), "XX": _("another state")},
}
"""Parts of a country whose law differs; nothing is asked elsewhere."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a site stands. Blank fields are not known yet."""

    country: str = ""
    region: str = ""
    institution: str = ""


class Effect(StrEnum):
    NO_MOOD = "no_mood"
    NO_RECOGNITION = "no_recognition"
    PARENTS_TOLD = "parents_told"
    """Both parents are told, one consents in writing, the pupil's own no is final."""
    PUBLIC_POLICY = "public_policy"


@dataclass(frozen=True, slots=True)
class Rule:
    """One law, where it holds, what it does here."""

    code: str
    effect: Effect
    says: str | Promise
    follows: str | Promise
    source: str
    since: dt.date


AI_ACT = Rule(
    "ai_act_5_1_f",
    Effect.NO_MOOD,
    _(
        "Inferring emotions of persons in institutions of education is prohibited. A figure for a whole "
        "class is inferred from faces too and is treated as covered."
    ),
    _("The mood of a class cannot be switched on."),
    "Regulation (EU) 2024/1689, Article 5(1)(f)",
    dt.date(2025, 2, 2),
)
NEW_YORK = Rule(
    "new_york_schools",
    Effect.NO_RECOGNITION,
    _("Schools in New York State may not buy or use facial recognition."),
    _(
        "Recognition stays off: no portrait and no photo is taken in. Rolls are taken by hand or with the"
        " code on the projector."
    ),
    "New York State Education Department, determination under State Technology Law § 106-b",
    dt.date(2023, 9, 27),
)
FREEDOMS_ACT = Rule(
    "protection_of_freedoms_act",
    Effect.PARENTS_TOLD,
    _(
        "Each parent of a pupil under 18 is told, at least one consents in writing, none objects in "
        "writing, and the pupil may refuse. A reasonable other way must be there."
    ),
    _(
        "Consent is recorded with a parent's name and how it was given; students without it are marked by"
        " hand or with the code, and look no different on the roll."
    ),
    "Protection of Freedoms Act 2012, sections 26 to 28",
    dt.date(2013, 9, 1),
)
GDPR = Rule(
    "gdpr_9",
    Effect.PARENTS_TOLD,
    _(
        "Face templates are biometric data: explicit and free consent, and an assessment of the risk "
        "(DPIA) before the first use. A school's pupils are rarely free to refuse unless the other way is"
        " as easy."
    ),
    _(
        "No template exists without recorded consent; a DPIA is prepared in docs/privacy.md. Ask your "
        "data protection officer before the first enrolment."
    ),
    "Regulation (EU) 2016/679 and UK GDPR, Articles 9 and 35",
    dt.date(2018, 5, 25),
)
BIPA = Rule(
    "illinois_bipa",
    Effect.PUBLIC_POLICY,
    _(
        "Private bodies publish how long biometric data is kept, get a written release first, and destroy"
        " it within three years."
    ),
    _("Templates go with the term; publish the retention page as your policy."),
    "Biometric Information Privacy Act, 740 ILCS 14",
    dt.date(2008, 10, 3),
)
_EEA_NOT_EU = ("IS", "LI", "NO")


def rules_for(place: Place) -> list[Rule]:
    """The rules that hold at a place, those that forbid something first. None where the country is not known."""
    if not place.country:
        return []
    found = []
    if place.country == "US" and place.region == "NY" and place.institution in (Institution.SCHOOL, ""):
        found.append(NEW_YORK)
    european = prohibited_in(place.country)
    if european:
        found.append(AI_ACT)
    if (
        place.country == "GB"
        and place.region in ("ENG", "WLS", "")
        and place.institution != Institution.UNIVERSITY
    ):
        found.append(FREEDOMS_ACT)
    if european or place.country == "GB":
        found.append(GDPR)
    if place.country == "US" and place.region == "IL":
        found.append(BIPA)
    return found


ASKS_AGAIN = frozenset({GDPR.code, BIPA.code})
"""Rules by which consent holds for what its text said: Article 4(11), consent is informed (and EDPB Guidelines
05/2020, paragraph 110: where processing changes, new consent is needed); 740 ILCS 14/15(b), a release in writing for
the purpose and time that were named."""


def parents_decide(place: Place) -> Rule | None:
    """The rule by which a parent consents in writing, nobody's no is overruled, and the pupil's own no is final."""
    return FREEDOMS_ACT if FREEDOMS_ACT in rules_for(place) else None


def asks_again(place: Place) -> Rule | None:
    """The rule by which a new text has to be asked about again; None where an earlier yes goes on."""
    return next((rule for rule in rules_for(place) if rule.code in ASKS_AGAIN), None)


def forbids(place: Place, effect: Effect) -> Rule | None:
    """The rule that has this effect at a place, if there is one."""
    return next((rule for rule in rules_for(place) if rule.effect is effect), None)


def is_region(country: str, region: str) -> bool:
    """Whether the region is one of the country's that are told apart; blank always is."""
    return not region or region in REGIONS.get(country, {})
