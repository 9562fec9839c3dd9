"""Class lists as schools send them: bytes -> rows of plain values. No database; bounded before it is believed."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from attendance.errors import RosterFileRefused

MAX_BYTES = 2 * 1024 * 1024
MAX_ROWS = 5000
MAX_COLUMNS = 200

COLUMNS = ("number", "given_name", "family_name", "name", "email")
"""What a column can mean; ``name`` is a whole name, split at a comma or at the last space."""

_HEADERS: Mapping[str, str] = {
    **dict.fromkeys(
        ("number", "student number", "student no", "student id", "id", "id number", "idnumber", "no", "numero",
         "número", "matrícula", "matricula", "número de estudiante", "sis user id", "upn", "admission number"),
        "number",
    ),
    **dict.fromkeys(
        ("given name", "given names", "first name", "firstname", "forename", "nombre", "nombres", "given_name",
         "first_name"),
        "given_name",
    ),
    **dict.fromkeys(
        ("family name", "last name", "lastname", "surname", "apellido", "apellidos", "family_name", "last_name"),
        "family_name",
    ),
    **dict.fromkeys(("name", "full name", "student", "student name", "alumno", "nombre completo", "alumna"), "name"),
    **dict.fromkeys(
        ("email", "e-mail", "email address", "mail", "correo", "correo electrónico", "e mail"), "email"
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ClassList:
    """What a file says, before anybody is looked up."""

    columns: tuple[str | None, ...]
    """What each column was taken for."""
    headers: tuple[str, ...]
    rows: tuple[tuple[int, dict[str, str]], ...]
    """(line in the file, from 1; number, given_name, family_name and email)."""


def parse(data: bytes, columns: Sequence[str | None] | None = None) -> ClassList:
    """Read a class list: UTF-8 with or without BOM, UTF-16, Latin-1; commas, semicolons, tabs; any line ends.

    ``columns`` corrects what the columns mean. Raises RosterFileRefused with a sentence that says why.
    """
    table = read_table(data)
    if not table:
        raise RosterFileRefused(_("The file is empty."))
    guessed, has_header = guess_columns(table[0])
    chosen = tuple(columns) if columns is not None else guessed
    if "number" not in chosen or not {"given_name", "name"} & set(chosen):
        raise RosterFileRefused(
            _("The first line must name the columns; a student number and a name are needed.")
        )
    first = 1 if has_header or columns is not None else 0
    body = table[first:]
    return ClassList(
        chosen, tuple(table[0]), tuple((first + 1 + i, _pick(chosen, cells)) for i, cells in enumerate(body))
    )


def read_table(data: bytes) -> list[list[str]]:
    """Cells of a CSV file, blank lines left out, within the bounds. Raises RosterFileRefused."""
    if len(data) > MAX_BYTES:
        raise RosterFileRefused(_("The file is larger than 2 MB; a class list is much smaller."))
    text = _decode(data)
    if "\x00" in text:
        raise RosterFileRefused(_("This is not a text file. Save the class list as CSV."))
    sample = text[:5000].lstrip("\r\n").splitlines()[:1]
    delimiter = max(",;\t|", key=sample[0].count) if sample else ","
    # Any line ends, also mixed ones; strict, as a quotation mark that is never closed would swallow the rest.
    reader = csv.reader(io.StringIO(text.rstrip("\r\n"), newline=None), delimiter=delimiter, strict=True)
    table: list[list[str]] = []
    rows = 0
    try:
        for cells in reader:
            if len(cells) > MAX_COLUMNS:
                raise RosterFileRefused(
                    _("The file has more than %(limit)d columns.") % {"limit": MAX_COLUMNS}
                )
            if any(cell.strip() for cell in cells):
                rows += 1
                if rows <= MAX_ROWS + 1:  # the first may be the header; what is over is only counted
                    table.append([cell.strip() for cell in cells])
    except csv.Error as error:
        raise RosterFileRefused(
            _("This file cannot be read as CSV; look at line %(line)d.") % {"line": reader.line_num}
        ) from error
    students = rows - int(bool(table) and guess_columns(table[0])[1])
    if students > MAX_ROWS:
        raise RosterFileRefused(
            _("The file has %(rows)d rows; at most %(limit)d can be imported at once.")
            % {"rows": students, "limit": MAX_ROWS}
        )
    return table


def guess_columns(header: Sequence[str]) -> tuple[tuple[str | None, ...], bool]:
    """What each column means, and whether the line is a header at all."""
    names = [_HEADERS.get(re.sub(r"[\s_]+", " ", cell.strip().lower()).strip(" .:*")) for cell in header]
    taken: set[str] = set()
    meanings: list[str | None] = []
    for name in names:
        meanings.append(name if name and name not in taken else None)
        taken.add(name or "")
    return tuple(meanings), any(meanings)


def split_name(name: str) -> tuple[str, str]:
    """``Adams, Ruth`` or ``Ruth Adams`` -> (given, family); one word is a given name."""
    if "," in name:
        family, given = name.split(",", 1)
        if not given.strip():
            return family.strip(), ""
        return given.strip(), family.strip()
    given, _space, family = name.strip().rpartition(" ")
    return (given.strip(), family.strip()) if given else (family.strip(), "")


def _decode(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "cp1252", "latin-1")
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise RosterFileRefused(_("This is not a text file. Save the class list as CSV."))


def _pick(columns: Sequence[str | None], cells: Sequence[str]) -> dict[str, str]:
    values = {meaning: cells[i] for i, meaning in enumerate(columns) if meaning and i < len(cells)}
    if not values.get("given_name") and values.get("name"):
        values["given_name"], family = split_name(values["name"])
        values.setdefault("family_name", family)
    return {
        key: " ".join(values.get(key, "").split()) for key in ("number", "given_name", "family_name", "email")
    }


def words_of(name: str) -> list[str]:
    """The words of a name in small letters and without accents, in the order of the alphabet: for comparing."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return sorted(letters.replace(",", " ").split())


def problems_of(values: Mapping[str, str]) -> list[str | Promise]:
    """What is wrong with a row, in sentences."""
    problems: list[str | Promise] = []
    if not values["number"]:
        problems.append(_("The student number is missing."))
    elif len(values["number"]) > 40:
        problems.append(_("The student number is longer than 40 characters."))
    if not values["given_name"]:
        problems.append(_("The name is missing."))
    if max(len(values["given_name"]), len(values["family_name"])) > 120:
        problems.append(_("The name is longer than 120 characters."))
    if any(not character.isprintable() for value in values.values() for character in value):
        problems.append(_("There are characters in this row that cannot be printed."))
    if values["email"]:
        try:
            validate_email(values["email"])
        except ValidationError:
            problems.append(_("%(email)s is not an e-mail address.") % {"email": values["email"]})
    return problems
