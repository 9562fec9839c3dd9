"""A course of some weeks, for the pages and files of reports."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from attendance.models import ClassSession, Course, Mark, Student
from tests import factories as make

WEEKS = (
    ("present", "absent", "late", "present", "absent"),
    ("present", "absent", "present", "excused", "absent"),
    ("late", "present", "present", "present", "absent"),
    ("not_evaluated",) * 5,
)
FIRST = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Term:
    owner: User
    stranger: User
    registrar: User
    course: Course
    sessions: list[ClassSession]
    students: list[Student]

    def client(self, user: User | None = None) -> Client:
        client = Client()
        client.force_login(user or self.owner, backend="django.contrib.auth.backends.ModelBackend")
        return client


def add_marks(session: ClassSession, students: list[Student], statuses: tuple[str, ...]) -> None:
    for student, status in zip(students, statuses, strict=True):
        late = status == "late"
        Mark.objects.create(
            session=session,
            student=student,
            status=status,
            minutes_late=7 if late else None,
            first_seen_at=session.starts_at + dt.timedelta(minutes=7 if late else 1)
            if status != "absent"
            else None,
            decided_at=timezone.now(),
        )


@pytest.fixture
def term(db: None) -> Term:
    """Four closed lessons of five students, one planned that nobody held, one of another course."""
    owner, stranger = make.teacher(), make.teacher()
    course = make.course(owner, name="Algebra", code="ALG")
    names = [("Ana", "Cruz"), ("Ana", "Cruz"), ("Sinéad", "O'Neil"), ("محمد", "عبد الله"), ("=1+1", "@x")]
    students = [make.student(course, given_name=given, family_name=family) for given, family in names]
    sessions = []
    for week, statuses in enumerate(WEEKS):
        session = make.session(course, "closed", FIRST + dt.timedelta(days=7 * week))
        add_marks(session, students, statuses)
        sessions.append(session)
    make.session(course, "planned", FIRST + dt.timedelta(days=30))
    other = make.course(stranger, students=1)
    add_marks(make.session(other, "closed", FIRST), [students[0]], ("absent",))
    return Term(owner, stranger, make.registrar(), course, sessions, students)
