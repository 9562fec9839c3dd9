"""Class lists from files: bytes -> a preview with every row's verdict -> rows, only if the user says so."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from attendance import errors, galleries, marks, schooltime
from attendance.models import ClassSession, Course, RosterEntry, Student

MAX_BYTES = 2 * 1024 * 1024
MAX_ROWS = 5000
_BATCH = 500

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


class Verdict(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    ADDED = "added"
    """Known at the school, new on this roster."""
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Row:
    line: int
    """In the file, from 1, the header being line 1."""
    number: str
    given_name: str
    family_name: str
    email: str
    verdict: Verdict
    problems: tuple[str | Promise, ...] = ()
    changes: tuple[str, ...] = ()
    """Fields that would change."""


@dataclass(frozen=True, slots=True)
class Preview:
    columns: tuple[str | None, ...]
    """What each column of the file was taken for."""
    headers: tuple[str, ...]
    rows: tuple[Row, ...] = field(default_factory=tuple)

    def count(self, verdict: str) -> int:
        return sum(row.verdict == verdict for row in self.rows)

    @property
    def importable(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.verdict is not Verdict.ERROR)

    @property
    def errors(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.verdict is Verdict.ERROR)


@dataclass(frozen=True, slots=True)
class ImportResult:
    created: int
    changed: int
    added: int
    skipped: int


def preview(course: Course, data: bytes, columns: Sequence[str | None] | None = None) -> Preview:
    """Read a class list and say what each row would do. Nothing is stored.

    UTF-8 with or without BOM, UTF-16, Latin-1; commas, semicolons, tabs. ``columns`` corrects what the columns
    mean. Raises RosterFileRefused with a sentence that says why.
    """
    table = read_table(data)
    if not table:
        raise errors.RosterFileRefused(_("The file is empty."))
    guessed, has_header = guess_columns(table[0])
    chosen = tuple(columns) if columns is not None else guessed
    if "number" not in chosen or not {"given_name", "name"} & set(chosen):
        raise errors.RosterFileRefused(
            _("The first line must name the columns; a student number and a name are needed.")
        )
    body = table[1:] if has_header or columns is not None else table
    if len(body) > MAX_ROWS:
        raise errors.RosterFileRefused(
            _("The file has %(rows)d rows; at most %(limit)d can be imported at once.")
            % {"rows": len(body), "limit": MAX_ROWS}
        )
    first_line = 2 if has_header or columns is not None else 1
    rows = _judge(course, [(first_line + i, _pick(chosen, cells)) for i, cells in enumerate(body)])
    return Preview(chosen, tuple(table[0]), tuple(rows))


def import_rows(course: Course, seen: Preview) -> ImportResult:
    """Store the importable rows of a preview in one transaction; rows with errors are left out.

    Written in bulk: a long list must not hold the database while photos come in.
    """
    rows = seen.importable
    with transaction.atomic():
        known = Student.objects.in_bulk([row.number for row in rows], field_name="number")
        new, changed = [], []
        for row in rows:
            student = known.get(row.number)
            if student is None:
                new.append(
                    Student(
                        number=row.number,
                        given_name=row.given_name,
                        family_name=row.family_name,
                        email=row.email,
                    )
                )
                continue
            student.given_name, student.family_name = row.given_name, row.family_name
            student.email = row.email or student.email
            changed.append(student)
        Student.objects.bulk_create(new, batch_size=_BATCH)
        Student.objects.bulk_update(changed, ["given_name", "family_name", "email"], batch_size=_BATCH)
        students = Student.objects.filter(number__in=[row.number for row in rows])
        day = _first_day(course)
        RosterEntry.objects.bulk_create(
            (RosterEntry(course=course, student=student, enrolled_on=day) for student in students),
            batch_size=_BATCH,
            ignore_conflicts=True,
        )
        course.roster_entries.filter(student__in=students, left_on__isnull=False).update(left_on=None)
        _follow(course)
    return ImportResult(
        seen.count(Verdict.NEW), seen.count(Verdict.CHANGED), seen.count(Verdict.ADDED), len(seen.errors)
    )


def add_student(
    course: Course, *, number: str, given_name: str, family_name: str = "", email: str = ""
) -> Student:
    """One student by hand. Raises DuplicateStudent when the number is on this roster already."""
    with transaction.atomic():
        student, _created = Student.objects.get_or_create(
            number=number.strip(),
            defaults={
                "given_name": given_name.strip(),
                "family_name": family_name.strip(),
                "email": email.strip(),
            },
        )
        entry = course.roster_entries.filter(student=student).first()
        if entry is not None and entry.left_on is None:
            raise errors.DuplicateStudent
        add_to_roster(course, student)
        _follow(course)
    return student


def add_to_roster(course: Course, student: Student, since: dt.date | None = None) -> RosterEntry:
    """On the roster from ``since`` (today; the term's first day if that is still to come)."""
    entry, created = RosterEntry.objects.get_or_create(
        course=course, student=student, defaults={"enrolled_on": since or _first_day(course)}
    )
    if not created and entry.left_on is not None:
        entry.left_on = None
        entry.save(update_fields=["left_on"])
    return entry


def _follow(course: Course) -> None:
    """Workers' galleries and the rolls of open sessions follow a change of the roster."""
    galleries.raise_version(course)
    for session_id in course.sessions.filter(state=ClassSession.State.OPEN).values_list("pk", flat=True):
        marks.recompute(session_id)


def _first_day(course: Course) -> dt.date:
    """From when somebody added now is on the roster: from the beginning while nobody has missed a lesson yet."""
    day = max(schooltime.today(), course.term.starts_on)
    begun = ClassSession.objects.filter(course=course, starts_at__lt=schooltime.day_bounds(day)[1]).exists()
    return day if begun else course.term.starts_on


def remove_from_roster(course: Course, student: Student) -> None:
    """Leaves today; what was marked before stays."""
    with transaction.atomic():
        for entry in course.roster_entries.filter(student=student, left_on__isnull=True):
            entry.left_on = max(schooltime.today(), entry.enrolled_on)
            entry.save(update_fields=["left_on"])
        _follow(course)


def read_table(data: bytes) -> list[list[str]]:
    """Cells of a CSV file, blank lines left out. Raises RosterFileRefused."""
    if len(data) > MAX_BYTES:
        raise errors.RosterFileRefused(_("The file is larger than 2 MB; a class list is much smaller."))
    text = _decode(data)
    if "\x00" in text:
        raise errors.RosterFileRefused(_("This is not a text file. Save the class list as CSV."))
    sample = text[:5000].split("\n", 1)[0]
    delimiter = max(",;\t|", key=sample.count)
    try:
        table = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), delimiter=delimiter)]
    except csv.Error as error:
        raise errors.RosterFileRefused(_("This file cannot be read as CSV.")) from error
    return [row for row in table if any(row)]


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
    raise errors.RosterFileRefused(_("This is not a text file. Save the class list as CSV."))


def _pick(columns: Sequence[str | None], cells: Sequence[str]) -> dict[str, str]:
    values = {meaning: cells[i] for i, meaning in enumerate(columns) if meaning and i < len(cells)}
    if not values.get("given_name") and values.get("name"):
        values["given_name"], family = split_name(values["name"])
        values.setdefault("family_name", family)
    return {
        key: " ".join(values.get(key, "").split()) for key in ("number", "given_name", "family_name", "email")
    }


def _judge(course: Course, rows: list[tuple[int, dict[str, str]]]) -> list[Row]:
    numbers = [values["number"] for _line, values in rows]
    known = {student.number: student for student in Student.objects.filter(number__in=set(numbers))}
    on_roster = set(
        course.roster_entries.filter(left_on__isnull=True).values_list("student__number", flat=True)
    )
    first_line: dict[str, int] = {}
    answer = []
    for line, values in rows:
        problems = _problems(values)
        number = values["number"]
        if number and number in first_line:
            problems.append(
                _("The number %(number)s stands in line %(line)d already.")
                % {"number": number, "line": first_line[number]}
            )
        first_line.setdefault(number, line)
        verdict, changes = _verdict(values, known.get(number), number in on_roster)
        if problems:
            verdict, changes = Verdict.ERROR, ()
        answer.append(Row(line, **values, verdict=verdict, problems=tuple(problems), changes=changes))
    return answer


def _problems(values: dict[str, str]) -> list[str | Promise]:
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


def _verdict(
    values: dict[str, str], student: Student | None, on_roster: bool
) -> tuple[Verdict, tuple[str, ...]]:
    if student is None:
        return Verdict.NEW, ()
    changes = tuple(
        name
        for name in ("given_name", "family_name", "email")
        if values[name] != getattr(student, name) and (name != "email" or values[name])
    )
    if changes:
        return Verdict.CHANGED, changes
    return (Verdict.SAME if on_roster else Verdict.ADDED), ()
