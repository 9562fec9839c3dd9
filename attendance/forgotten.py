"""A list of who withdrew or was deleted, kept outside the database: a backup made before must not bring them back.

One line a person in ``ROLLCALL_FORGOTTEN_FILE``: when, what, and a SHA-256 over row number, student number and the
microsecond the row was made, by which a restored row is known again and nobody else is. No name, no number, no face.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from attendance import permissions
from attendance.models import Consent, Student

WITHDRAWN, DELETED = "withdrawn", "deleted"


class ListDamaged(Exception):
    """A line cannot be read; the message says which."""


@dataclass(frozen=True, slots=True)
class Line:
    at: dt.datetime
    what: str
    who: str
    by: int | None
    """The user who answers for the marks."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many withdrew, and were deleted, once more."""

    withdrawn: int
    deleted: int


def write_down(student: Student, what: str, by: User | None = None) -> None:
    """Add a line, on the disk before this returns. Within the transaction: a line too many asks for what was asked."""
    line = {
        "at": timezone.now().isoformat(),
        "what": what,
        "who": _known_by(student),
        "by": by.pk if by else None,
    }
    path = Path(settings.ROLLCALL_FORGOTTEN_FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, (json.dumps(line) + "\n").encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def lines(path: Path) -> list[Line]:
    """Raises ListDamaged, OSError."""
    return list(_read(path))


def replay(path: Path) -> Replayed:
    """Withdraw and delete again, in a restored database, whoever stands on the list and is back.

    A consent recorded after the withdrawal stands. Raises ListDamaged, OSError.
    """
    from attendance import privacy  # it writes lines in its turn

    said = lines(path)
    students = {_known_by(student): student for student in Student.objects.iterator()}
    counts = {WITHDRAWN: 0, DELETED: 0}
    for line in said:
        student = students.get(line.who)
        if student is None:
            continue
        if line.what == DELETED:
            privacy.delete_student(student)
            del students[line.who]
        elif _stands_from_before(student, line.at):
            privacy.withdraw_consent(student, _answering(line))
        else:
            continue
        counts[line.what] += 1
    return Replayed(counts[WITHDRAWN], counts[DELETED])


def _read(path: Path) -> Iterator[Line]:
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            found = json.loads(text)
            yield Line(dt.datetime.fromisoformat(found["at"]), found["what"], found["who"], found["by"])
        except (ValueError, KeyError, TypeError) as error:
            raise ListDamaged(f"line {number} of {path} cannot be read") from error


def _known_by(student: Student) -> str:
    made = student.created_at.astimezone(dt.UTC).isoformat(timespec="microseconds")
    return hashlib.sha256(f"{student.pk}|{student.number}|{made}".encode()).hexdigest()


def _stands_from_before(student: Student, withdrawn_at: dt.datetime) -> bool:
    if not Consent.objects.filter(student=student, state=Consent.State.GIVEN).exists():
        return False
    return not student.consent_events.filter(state="given", recorded_at__gt=withdrawn_at).exists()


def _answering(line: Line) -> User:
    """Who withdrew them then; where that log-in is gone, an administrator. Raises User.DoesNotExist where none is."""
    found = (
        User.objects.filter(pk=line.by or 0).first() or permissions.administrators().order_by("pk").first()
    )
    if found is None:
        raise User.DoesNotExist("there is no administrator to answer for the marks")
    return found
