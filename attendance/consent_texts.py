"""The text people agree to, version by version, and what the school says about asking."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.html import strip_tags
from django.utils.translation import gettext_lazy as _

from attendance import errors, law, places, schooltime
from attendance.models import Consent, ConsentSettings, ConsentText, School

MOST_CHARACTERS = 4000
HALF_A_PAGE = 950
"""Characters of a text that fit on half a sheet of A4 with everything else of a slip."""


class TextRefused(errors.RollcallError):
    code = "consent_text_refused"
    status = 422
    message = _("Write the text in at least one language, in no more than 4000 characters.")


class SettingRefused(errors.RollcallError):
    code = "consent_setting_refused"
    status = 422
    message = _("Months are between 0 and 120, days between 1 and 90.")


def school_settings() -> ConsentSettings:
    """What the school says about asking; the standard where it has said nothing. Never writes."""
    return ConsentSettings.objects.filter(pk=1).first() or ConsentSettings(pk=1)


def change_settings(renew_after_months: int, link_days: int, ask_whom: str) -> ConsentSettings:
    """Raises SettingRefused."""
    if not (0 <= renew_after_months <= 120 and 1 <= link_days <= 90):
        raise SettingRefused
    row, _created = ConsentSettings.objects.update_or_create(
        pk=1,
        defaults={
            "renew_after_months": renew_after_months, "link_days": link_days,
            "ask_whom": " ".join(ask_whom.split())[:200],
        },
    )  # fmt: skip
    return row


def current_version() -> str:
    return schooltime.get_school().consent_text_version


def paragraphs(version: str, language: str) -> list[str]:
    """The text of a version, in a language where it was written in it, else in the one it was written in."""
    own = dict(ConsentText.objects.filter(version=version).values_list("language", "body"))
    if own:
        body = own.get(language) or next(iter(own.values()))
        return [part.strip() for part in re.split(r"\n\s*\n", body) if part.strip()]
    with translation.override(language):
        html = render_to_string("components/consent_text.html")
    return [unescape(strip_tags(part)).strip() for part in html.split("</p>") if strip_tags(part).strip()]


def own_texts(version: str) -> dict[str, str]:
    """The school's words of a version by language; empty where the text that comes with Rollcall is used."""
    return dict(ConsentText.objects.filter(version=version).values_list("language", "body"))


def change_text(bodies: Mapping[str, str], by: User) -> str:
    """A new version with these words; who agreed before agreed to the earlier one. The version.

    The same words again change nothing. Raises TextRefused.
    """
    kept = {code: bodies.get(code, "").replace("\r\n", "\n").strip() for code, _name in settings.LANGUAGES}
    kept = {code: body for code, body in kept.items() if body}
    if not kept or any(len(body) > MOST_CHARACTERS for body in kept.values()):
        raise TextRefused
    try:
        with transaction.atomic():
            school = School.objects.select_for_update().get(pk=schooltime.get_school().pk)
            if own_texts(school.consent_text_version) == kept:
                return school.consent_text_version
            version = _next_version(school.consent_text_version)
            ConsentText.objects.bulk_create(
                ConsentText(
                    version=version, language=code, body=body, changed_by=by, changed_at=timezone.now()
                )
                for code, body in kept.items()
            )
            school.consent_text_version = version
            school.save(update_fields=["consent_text_version"])
    except IntegrityError as error:
        raise TextRefused(_("Somebody stored another text a moment ago. Please look again.")) from error
    return version


def is_earlier(consent: Consent | None, version: str) -> bool:
    """Whether they agreed to another text than the one in force."""
    return consent is not None and consent.state == Consent.State.GIVEN and consent.text_version != version


def renewal_rule() -> law.Rule | None:
    """The rule of this place by which an earlier text is not enough; None where it is."""
    return law.asks_again(places.place_of(schooltime.get_school()))


def _next_version(current: str) -> str:
    """``2026-3`` after ``2026-2``: the year and the number of the text in it."""
    year = timezone.localdate().year
    taken = {current, *ConsentText.objects.values_list("version", flat=True)}
    taken |= set(Consent.objects.order_by().values_list("text_version", flat=True).distinct())
    number = 1
    while f"{year}-{number}" in taken:
        number += 1
    return f"{year}-{number}"
