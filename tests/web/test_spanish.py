"""Spanish is complete: what the code says is in the written file, translated, and compiled.

After a change of words: ``./run manage makemessages -l es --no-wrap --no-location -i .venv -i tests``, translate
what is new in ``locale/es/LC_MESSAGES/django.po``, ``./run manage compilemessages``
(both need gettext; the tests do not).
"""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation
from django.utils.translation.template import templatize

ROOT = Path(settings.BASE_DIR)
FOLDER = Path(settings.LOCALE_PATHS[0]) / "es" / "LC_MESSAGES"
SPEAKING = ("attendance", "config", "templates")
PLACE = re.compile(r"%\(\w+\)|%[sd]")

Message = tuple[str | None, str]
"""Context and English text: what gettext finds a translation by (of a plural, by its singular)."""

PLACES = {  # function: which of its arguments are the context and the (singular) text
    "_": (None, 0),
    "gettext": (None, 0),
    "gettext_lazy": (None, 0),
    "gettext_noop": (None, 0),
    "ngettext": (None, 0),
    "ngettext_lazy": (None, 0),
    "pgettext": (0, 1),
    "pgettext_lazy": (0, 1),
    "npgettext": (0, 1),
    "npgettext_lazy": (0, 1),
}
EXTRACTED = (".py", ".html", ".txt")
LITERAL = r"u?(?:'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\")"
CALL = re.compile(rf"(?<!\w)(_|n?p?gettext)\(\s*({LITERAL}(?:\s*,\s*{LITERAL})*)")


@cache
def written() -> dict[Message, list[str]]:
    """Entries of the text file with their forms; those marked as fuzzy are left out, as they are by the compiler."""
    entries: dict[Message, list[str]] = {}
    for block in (FOLDER / "django.po").read_text(encoding="utf-8").split("\n\n"):
        lines = block.splitlines()
        if any(line.startswith("#,") and "fuzzy" in line for line in lines):
            continue
        fields: dict[str, str] = {}
        keyword = ""
        for line in lines:
            if line.startswith("#") or not line.strip():
                continue
            if not line.startswith('"'):
                keyword, line = line.split(" ", 1)
            fields[keyword] = fields.get(keyword, "") + ast.literal_eval(line)
        if fields.get("msgid"):
            forms = [text for name, text in fields.items() if name.startswith("msgstr")]
            entries[fields.get("msgctxt"), fields["msgid"]] = forms
    return entries


def said_in_python(source: str) -> Iterator[Message]:
    """Literal texts given to gettext's functions, under their own names or as ``_``."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
        if name not in PLACES:
            continue
        context, text = PLACES[name]
        words = [argument.value if isinstance(argument, ast.Constant) else None for argument in node.args]
        if len(words) > text and isinstance(words[text], str):
            yield (None if context is None else words[context]), words[text]


def said_in_template(source: str) -> Iterator[Message]:
    """Texts of the tags and of ``_("")`` in a template, as Django hands them to gettext."""
    for name, literals in CALL.findall(templatize(source)):
        words = [ast.literal_eval(literal) for literal in re.findall(LITERAL, literals)]
        context, text = PLACES[name]
        yield (None if context is None else words[context]), words[text]


@cache
def said() -> dict[Message, str]:
    """Every text of the code that is to be translated, with a file that says it."""
    found: dict[Message, str] = {}
    for folder in SPEAKING:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in EXTRACTED:
                extract = said_in_python if path.suffix == ".py" else said_in_template
                for message in extract(path.read_text(encoding="utf-8")):
                    found.setdefault(message, str(path.relative_to(ROOT)))
    return found


def test_everything_the_code_says_is_in_the_file() -> None:
    assert len(said()) > 500
    missing = [f"{where}: {message[1]}" for message, where in said().items() if message not in written()]
    assert not missing, "not extracted, or still fuzzy:\n" + "\n".join(missing)


def test_everything_is_translated_with_its_place_holders() -> None:
    for (_context, english), forms in written().items():
        for spanish in forms:
            assert spanish, english
            assert sorted(PLACE.findall(english)) == sorted(PLACE.findall(spanish)), english


def test_the_compiled_file_is_the_written_one() -> None:
    with (FOLDER / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for (context, english), forms in written().items():
        for count, spanish in zip((1, 2), forms, strict=False):
            if len(forms) > 1:
                assert compiled.ngettext(english, english, count) == spanish
            elif context:
                assert compiled.pgettext(context, english) == spanish
            else:
                assert compiled.gettext(english) == spanish


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('{% translate "Late" %}', (None, "Late")),
        ("{% translate 'It\"s late' %}", (None, 'It"s late')),
        ('{% translate "Under (%)" %}', (None, "Under (%%)")),
        ('{% translate "on" context "switch" %}', ("switch", "on")),
        ("{% blocktranslate with n=a %}{{ n }} of all{% endblocktranslate %}", (None, "%(n)s of all")),
        (
            "{% blocktranslate count n=a %}{{ n }} one{% plural %}{{ n }} all{% endblocktranslate %}",
            (None, "%(n)s one"),
        ),
        ('{% include "a.html" with name=_("Late") %}', (None, "Late")),
    ],
)
def test_texts_of_templates_are_found(source: str, message: Message) -> None:
    assert list(said_in_template(source)) == [message]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('_("Late" " arrivals")', (None, "Late arrivals")),
        ('translation.gettext_lazy("Late")', (None, "Late")),
        ('ngettext("%d face", "%d faces", n) % n', (None, "%d face")),
        ('pgettext_lazy("date", "j F")', ("date", "j F")),
    ],
)
def test_texts_of_python_are_found(source: str, message: Message) -> None:
    assert list(said_in_python(source)) == [message]


def test_dates_are_in_the_order_of_the_language() -> None:
    import datetime as dt

    from attendance.templatetags.rollcall_ui import day

    assert day(dt.date(2026, 3, 12), "long") == "Thursday 12 March"
    with translation.override("es"):
        assert day(dt.date(2026, 3, 12), "long").lower() == "jueves 12 de marzo"
