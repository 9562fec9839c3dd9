"""The parts pages are made of, as template tags: icon, mark, face, dots, times."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext_lazy

from attendance.models import Mark, Student
from attendance.web.words import LETTERS, SITE_PARTS, in_words, status_word

register = template.Library()

TINTS = 6
PIXELS = {"s": 40, "": 64, "m": 80, "l": 160}
DAYS = {
    "long": pgettext_lazy("date", "l j F"),
    "full": pgettext_lazy("date", "j F Y"),
    "short_year": pgettext_lazy("date", "D j M Y"),
    "short_time": pgettext_lazy("date", "D j M, H:i"),
    "brief_time": pgettext_lazy("date", "j M, H:i"),
    "brief_year_time": pgettext_lazy("date", "j M Y, H:i"),
}
"""Forms of a date, in the order of each language."""
SELECTED = SafeString(" selected")
SIGNS = {"recognised": "camera", "reviewed": "checks", "manual": "user"}


def _sprite() -> str:
    return static("vendor/tabler-icons/sprite.svg")


@register.inclusion_tag("components/icon.html")
def icon(name: str, extra: str = "") -> dict[str, str]:
    """An icon of the sprite. Decoration only: the words beside it say what it means."""
    return {"sprite": _sprite(), "name": name, "extra": extra}


@register.simple_tag
def options(things: Iterable[Any], chosen: int | None) -> SafeString:
    """An option for each of these rows, by its name. A school has hundreds of courses: a loop in a template is slow."""
    return format_html_join(
        "",
        '<option value="{}"{}>{}</option>',
        ((thing.pk, SELECTED if thing.pk == chosen else "", thing.name) for thing in things),
    )


@register.inclusion_tag("components/mark.html")
def mark(status: str, source: str = "", minutes: int | None = None) -> dict[str, Any]:
    """A mark as letter, word and shape, with a small sign for who says so. ``status`` may be ``check``."""
    # Where nothing was evaluated, nobody has said anything yet.
    nobody = status == Mark.Status.NOT_EVALUATED and source != Mark.Source.MANUAL
    sign = "" if nobody else SIGNS.get(source, "")
    return {
        "status": status,
        "letter": LETTERS[status],
        "word": status_word(status),
        "minutes": minutes,
        "sign": sign,
        "sign_word": Mark.Source(source).label if sign else "",
        "sprite": _sprite(),
    }


@register.inclusion_tag("components/face.html")
def face(student: Student | None, url: str = "", size: str = "", alt: str = "") -> dict[str, Any]:
    """A face crop, or the student's initials on a tint where there is no photo to show."""
    known = student is not None
    return {
        "url": url,
        "size": size or "n",
        "pixels": PIXELS[size],
        "alt": alt or (student.full_name if known and student else _("Unknown face")),
        "initials": student.initials if known and student else "?",
        "tint": (student.pk or 0) % TINTS + 1 if known and student else 1,
    }


@register.inclusion_tag("components/dots.html")
def dots(seen: Iterable[str]) -> dict[str, Any]:
    """One dot a usable photo: ``on`` seen, ``maybe`` to be checked, empty not seen."""
    marks = list(seen)
    return {
        "dots": marks,
        "words": ngettext(
            "seen in %(seen)d of %(all)d photo", "seen in %(seen)d of %(all)d photos", len(marks)
        )
        % {"seen": marks.count("on"), "all": len(marks)},
    }


@register.simple_tag
def clock(instant: dt.datetime | None) -> SafeString | str:
    """``09:04`` in the school's zone, with date, second and zone on hover."""
    if instant is None:
        return ""
    local = timezone.localtime(instant)
    exact = f"{date_format(local, 'DATE_FORMAT')}, {local:%H:%M:%S} {local.tzname()}"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', local.isoformat(), exact, time_format(local, "H:i")
    )


@register.simple_tag
def ago(instant: dt.datetime | None) -> SafeString | str:
    """``4 minutes ago``, ``yesterday, 09:04``, ``12 March``: as a person would say it."""
    if instant is None:
        return _("never")
    local, now = timezone.localtime(instant), timezone.localtime()
    seconds = (now - local).total_seconds()
    days = (now.date() - local.date()).days
    if seconds < 60:
        words = _("just now")
    elif seconds < 3600:
        words = ngettext("%d minute ago", "%d minutes ago", int(seconds // 60)) % (seconds // 60)
    elif days == 0:
        words = _("today, %s") % f"{local:%H:%M}"
    elif days == 1:
        words = _("yesterday, %s") % f"{local:%H:%M}"
    else:
        words = date_format(local, "DATE_FORMAT")
    exact = f"{date_format(local, 'DATE_FORMAT')}, {local:%H:%M:%S} {local.tzname()}"
    return format_html('<time datetime="{}" title="{}">{}</time>', local.isoformat(), exact, words)


@register.filter(name="status_word")
def status_word_filter(status: str) -> str:
    return status_word(status)


@register.filter
def part_word(name: str) -> str:
    """A part of the site by the name people know it by."""
    return in_words(SITE_PARTS, name)


@register.filter
def day(when: dt.date | None, form: str) -> str:
    """A day, or a day and time, in the form the language writes it: ``{{ session.starts_at|day:"long" }}``."""
    if when is None:
        return ""
    return date_format(timezone.localtime(when) if isinstance(when, dt.datetime) else when, str(DAYS[form]))
