"""Spanish is complete: what a page says is translated, and the compiled file is the written one.

After a change of words: ``./run manage makemessages -l es --no-wrap --no-location``, translate what is new in
``locale/es/LC_MESSAGES/django.po``, ``./run manage compilemessages`` (both need gettext).
"""

from __future__ import annotations

import ast
import gettext
import re
from pathlib import Path

from django.conf import settings
from django.utils import translation

FOLDER = Path(settings.LOCALE_PATHS[0]) / "es" / "LC_MESSAGES"
ENTRY = re.compile(r'^(msgctxt .+\n)?msgid ("(?:[^"\\]|\\.)+")\nmsgstr ("(?:[^"\\]|\\.)*")$', re.M)
PLACE = re.compile(r"%\(\w+\)|%[sd]")


def written() -> dict[str, str]:
    """Entries without plural or context, as they stand in the text file."""
    text = (FOLDER / "django.po").read_text(encoding="utf-8")
    return {
        ast.literal_eval(english): ast.literal_eval(spanish)
        for context, english, spanish in ENTRY.findall(text)
        if not context
    }


def test_everything_is_translated_with_its_place_holders() -> None:
    entries = written()
    assert len(entries) > 300
    for english, spanish in entries.items():
        assert spanish, english
        assert sorted(PLACE.findall(english)) == sorted(PLACE.findall(spanish)), english


def test_the_compiled_file_is_the_written_one() -> None:
    with (FOLDER / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for english, spanish in written().items():
        assert compiled.gettext(english) == spanish


def test_dates_are_in_the_order_of_the_language() -> None:
    import datetime as dt

    from attendance.templatetags.rollcall_ui import day

    assert day(dt.date(2026, 3, 12), "long") == "Thursday 12 March"
    with translation.override("es"):
        assert day(dt.date(2026, 3, 12), "long").lower() == "jueves 12 de marzo"
