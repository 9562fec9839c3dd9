"""Class lists from files: bytes -> a preview with every row's verdict -> rows, only if the user says so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from attendance import audit, class_lists, errors, galleries, marks, permissions, schooltime
from attendance.models import AuditEntry, ClassSession, Course, RosterEntry, Student
from attendance.permissions import Viewer

_BATCH = 500


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


def preview(
    course: Course, data: bytes, columns: Sequence[str | None] | None = None, *, by: Viewer | None = None
) -> Preview:
    """Read a class list and say what each row would do. Nothing is stored.

    ``columns`` corrects what the columns mean. ``by``: who gives it; of a student whom they may not see, a row
    says nothing but whether number and name belong together (None: the school itself). Raises RosterFileRefused
    with a sentence that says why.
    """
    read = class_lists.parse(data, columns)
    return Preview(read.columns, read.headers, tuple(_judge(course, read.rows, by)))


def import_rows(course: Course, seen: Preview, *, by: Viewer | None = None) -> ImportResult:
    """Store the importable rows of a preview in one transaction; rows with errors are left out.

    Written in bulk: a long list must not hold the database while photos come in. Students who change are those the
    preview said would. ``by`` as in ``preview``.
    """
    rows = seen.importable
    with transaction.atomic():
        Course.objects.select_for_update().get(
            pk=course.pk
        )  # a button pressed twice comes one after the other
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
            if row.verdict is Verdict.CHANGED:
                student.given_name, student.family_name = row.given_name, row.family_name
                student.email = row.email or student.email
                changed.append(student)
        Student.objects.bulk_create(new, batch_size=_BATCH)
        Student.objects.bulk_update(changed, ["given_name", "family_name", "email"], batch_size=_BATCH)
        students = Student.objects.filter(number__in=[row.number for row in rows])
        _note_newcomers(course, known.values(), by)
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
    course: Course,
    *,
    number: str,
    given_name: str,
    family_name: str = "",
    email: str = "",
    by: Viewer | None = None,
) -> Student:
    """One student by hand; a number the school knows is that student. ``by`` as in ``preview``.

    Raises DuplicateStudent when the number is on this roster already, NumberOfAnother where it belongs to a student
    whom ``by`` may not see and who is called something else.
    """
    with transaction.atomic():
        student, created = Student.objects.get_or_create(
            number=number.strip(),
            defaults={
                "given_name": given_name.strip(),
                "family_name": family_name.strip(),
                "email": email.strip(),
            },
        )
        if not created:
            if student.number not in numbers_seen(by, [student.number]) and not _same_name(
                student, given_name, family_name
            ):
                raise errors.NumberOfAnother
            _note_newcomers(course, [student], by)
        entry = course.roster_entries.filter(student=student).first()
        if entry is not None and entry.left_on is None:
            raise errors.DuplicateStudent
        add_to_roster(course, student)
        _follow(course)
    return student


def numbers_seen(by: Viewer | None, numbers: Collection[str]) -> set[str]:
    """Those of these student numbers that ``by`` may know the students of; all of them for the school itself."""
    if by is None or permissions.sees_all_courses(by):
        return set(numbers)
    return set(permissions.students_for(by).filter(number__in=numbers).values_list("number", flat=True))


def _same_name(student: Student, given_name: str, family_name: str) -> bool:
    """However it is split, written large or small, with accents or without."""
    typed, known = (
        class_lists.words_of(f"{given} {family}")
        for given, family in ((given_name, family_name), (student.given_name, student.family_name))
    )
    return typed == known


def _note_newcomers(course: Course, students: Iterable[Student], by: Viewer | None) -> None:
    """Who brings somebody from another class onto a roster sees them from then on: that is written down."""
    if not isinstance(by, User):
        return
    found = {student.number: student for student in students}
    for number in sorted(found.keys() - numbers_seen(by, found)):
        about = {"course": course.pk, "student": found[number].pk}
        audit.record(AuditEntry.Verb.CHANGED, "roster:from-another-class", about, by=by)


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


def _judge(course: Course, rows: Sequence[tuple[int, dict[str, str]]], by: Viewer | None) -> Iterator[Row]:
    numbers = {values["number"] for _line, values in rows}
    known = {student.number: student for student in Student.objects.filter(number__in=numbers)}
    seen = numbers_seen(by, known)
    on_roster = set(
        course.roster_entries.filter(left_on__isnull=True).values_list("student__number", flat=True)
    )
    first_line: dict[str, int] = {}
    for line, values in rows:
        problems = class_lists.problems_of(values)
        number = values["number"]
        if number and number in first_line:
            problems.append(
                _("The number %(number)s stands in line %(line)d already.")
                % {"number": number, "line": first_line[number]}
            )
        first_line.setdefault(number, line)
        student = known.get(number)
        verdict, changes = _verdict(values, student, number in on_roster)
        if student is not None and number not in seen:
            verdict, changes = Verdict.ADDED, ()
            if not _same_name(student, values["given_name"], values["family_name"]):
                problems.append(errors.NumberOfAnother.message)
        if problems:
            verdict, changes = Verdict.ERROR, ()
        yield Row(line, **values, verdict=verdict, problems=tuple(problems), changes=changes)


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
