"""What is held about a student, as tables of plain values. People of the school appear by what they are, unnamed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q, QuerySet

from attendance import permissions, schooltime
from attendance.engines import from_bytes
from attendance.models import (
    AuditEntry,
    Candidate,
    ClassSession,
    Course,
    FaceTemplate,
    MailMessage,
    Mark,
    MarkChange,
    Portrait,
    Review,
    RosterEntry,
    SecondOpinion,
    Sighting,
    Student,
    TemplateEmbedding,
)
from attendance.models.sealed import SealedField
from attendance.own_data.redaction import Person, Redactor

Value = str | int | float | bool | None | list[float] | list[Any] | dict[str, Any]
Row = dict[str, Value]

LEFT_OUT = frozenset(
    {
        "id", "token", "token_hash", "pin_hash", "code", "device", "lease_until", "batch", "sha256", "content",
        "shown", "changed", "looks_like", "attempts",
    }
)  # fmt: skip
"""Secrets, the machinery's own, and what would tell of other students."""
ADDRESSES = frozenset({"contacts.email", "consent_links.to", "messages.to"})
"""Addresses of parents: enough to know one's own again, not enough to find one that is kept from somebody."""
SAID_AS_IS = frozenset({"profile", "log_in"})
"""The student's own name stands here."""


def rows_about(student: Student) -> dict[str, QuerySet[Any]]:
    """Every table with something about the student: the rows, each table at the cost of one query when read."""
    own = permissions.sightings_that_show(Student.objects.filter(pk=student.pk))
    of_face = "sighting__snapshot__session__course"
    named = Sighting.objects.filter(Q(student=student) | Q(pk__in=own.values("pk")))
    return {
        "profile": Student.objects.filter(pk=student.pk),
        "log_in": _of("StudentAccount", student),
        "consent": _of("Consent", student),
        "consent_history": _of("ConsentEvent", student),
        "consent_slips": _of("ConsentSlip", student),
        "consent_links": _of("ConsentLink", student),
        "consent_scans": _model("ConsentScan").objects.filter(event__student=student),
        "courses": RosterEntry.objects.filter(student=student).select_related("course__term"),
        "contacts": _of("StudentContact", student),
        "marks": Mark.objects.filter(student=student).select_related("session__course"),
        "mark_changes": MarkChange.objects.filter(mark__student=student).select_related("mark__session__course"),
        "sightings": named.select_related("snapshot__session__course"),
        "compared_with": Candidate.objects.filter(student=student).select_related(of_face),
        "second_opinions": SecondOpinion.objects.filter(Q(student=student) | Q(sighting__in=own)).select_related(
            of_face
        ),
        "checked_by_people": Review.objects.filter(student=student).select_related(
            of_face
        ),
        "said_at_the_desk": _of("DeskFact", student).select_related("session__course"),
        "excuses": _of("Excuse", student).select_related("course"),
        "objections": _of("Contest", student).select_related("session__course"),
        "faces_not_used": _of("DeclinedOffer", student).select_related(of_face),
        "warnings": _of("WarningSent", student).select_related("course"),
        "messages": MailMessage.objects.filter(about=student),
        "sign_in_tickets": _of("SignInTicket", student).select_related("session__course"),
        "sign_ins": _of("SignInArrival", student).select_related("session__course"),
        "portraits": Portrait.objects.filter(student=student),
        "face_templates": FaceTemplate.objects.filter(student=student).select_related("portrait"),
        "second_network": TemplateEmbedding.objects.filter(template__student=student).select_related(
            "template__portrait"
        ),
        "who_looked": AuditEntry.objects.filter(student_id=student.pk).order_by("number"),
    }  # fmt: skip


def read(student: Student, names: dict[str, str]) -> dict[str, list[Row]]:
    """The tables. ``names``: for a stored file, what it is called among the student's files."""
    rows = {table: list(found) for table, found in rows_about(student).items()}
    shown = set(
        permissions.sightings_that_show(Student.objects.filter(pk=student.pk)).values_list("pk", flat=True)
    )
    reader = _Reader(redactor_for(student), _roles(rows), names, shown)
    return {table: [reader.row(table, each) for each in found] for table, found in rows.items()}


def redactor_for(student: Student) -> Redactor:
    """Knows everybody but the student; two queries."""
    own = [
        student.given_name,
        student.family_name,
        student.number,
        student.email,
        student.full_name,
        student.sort_name,
    ]
    near = set(
        RosterEntry.objects.filter(course__roster_entries__student=student).values_list("student", flat=True)
    )
    others = Student.objects.exclude(pk=student.pk).order_by("pk")
    fields = others.values_list("given_name", "family_name", "number", "email", "pk")
    people = (
        Person(given, family, number, email, is_near=pk in near)
        for given, family, number, email, pk in fields.iterator(chunk_size=2000)
    )
    return Redactor(frozenset(text.casefold() for text in own if text)).learn(people)


class _Reader:
    def __init__(
        self, redactor: Redactor, roles: dict[int, str], names: dict[str, str], shown: set[int]
    ) -> None:
        self.redactor, self.roles, self.names, self.shown = redactor, roles, names, shown
        self.zone = schooltime.school_zone()

    def row(self, table: str, found: models.Model) -> Row:
        if isinstance(found, AuditEntry):
            return self._look(found)
        row: Row = {}
        for field in found._meta.concrete_fields:
            if field.name in LEFT_OUT:
                continue
            if isinstance(field, models.ForeignKey):
                row |= self._relation(found, field)
            else:
                row[field.name] = self._value(table, found, field)
        if isinstance(found, Portrait):
            row["looks_like_somebody_else"] = found.looks_like_id is not None
        if isinstance(found, Sighting) and found.pk not in self.shown:
            row["encoding"], row["landmarks"] = None, []  # it may be somebody else's face
        return row

    def _look(self, entry: AuditEntry) -> Row:
        return {
            "at": self._time(entry.at),
            "who": self.roles.get(entry.actor_id or 0, "the program"),
            "did": entry.verb,
            "where": entry.what,
        }

    def _relation(self, found: models.Model, field: models.ForeignKey[Any, Any]) -> Row:
        other = field.related_model
        if other is User:
            return {field.name: self.roles.get(getattr(found, field.attname) or 0)}
        if other is Student or getattr(found, field.attname) is None:
            return {}
        described = self._place(getattr(found, field.name))
        return described if described else {}

    def _place(self, other: object) -> Row:
        """Where and when: what a session, a photo or a face says about itself."""
        if isinstance(other, Sighting):
            return self._place(other.snapshot) | {"face": other.index}
        if isinstance(other, Mark):
            return self._place(other.session)
        if isinstance(other, FaceTemplate):
            return self._place(other.portrait)
        if isinstance(other, Portrait):
            return {"portrait": self.names.get(str(other.image), "")}
        if isinstance(other, ClassSession):
            return {"course": other.course.code, "lesson_starts": self._time(other.starts_at)}
        if isinstance(other, Course):
            return {"course": other.code, "course_name": self.redactor.clean(other.name)}
        taken = getattr(other, "taken_at", None)
        return self._place(other.session) | {"photo_taken": self._time(taken)} if taken else {}  # type: ignore[attr-defined]

    def _value(self, table: str, found: models.Model, field: models.Field[Any, Any]) -> Value:
        value = getattr(found, field.name)
        if isinstance(field, SealedField):
            return [round(float(number), 6) for number in from_bytes(value)] if value else None
        if isinstance(field, models.FileField):
            return self.names.get(str(value), "not given out" if value else "no longer kept")
        if isinstance(value, dt.datetime):
            return self._time(value)
        if isinstance(value, dt.date | dt.time):
            return value.isoformat()
        if f"{table}.{field.name}" in ADDRESSES:
            return masked(str(value))
        if isinstance(field, models.JSONField):
            return value if field.name in ("landmarks", "quality_details", "problems") else len(value)
        if isinstance(value, str) and not field.choices and table not in SAID_AS_IS:
            return self.redactor.clean(value)
        return value if isinstance(value, str | int | float | bool) or value is None else str(value)

    def _time(self, instant: dt.datetime) -> str:
        return instant.astimezone(self.zone).isoformat(timespec="seconds")


def masked(address: str) -> str:
    """``m…@example.org``."""
    name, _at, host = address.rpartition("@")
    return f"{name[:1]}…@{host}" if name else ""


def _roles(rows: dict[str, list[Any]]) -> dict[int, str]:
    """What each user was in all this; one query."""
    ids = set(_users(rows))
    found = User.objects.filter(pk__in=ids).prefetch_related("groups").select_related("student_account")
    return {user.pk: _role(user) for user in found}


def _role(user: User) -> str:
    groups = {group.name for group in user.groups.all()}
    if user.is_superuser or permissions.ADMINISTRATORS in groups:
        return "an administrator"
    if permissions.REGISTRARS in groups:
        return "a registrar"
    return "the student" if hasattr(user, "student_account") else "a teacher"


def _users(rows: dict[str, list[Any]]) -> Iterator[int]:
    for found in rows.values():
        for each in found:
            if isinstance(each, AuditEntry):
                yield each.actor_id or 0
                continue
            for field in each._meta.concrete_fields:
                if isinstance(field, models.ForeignKey) and field.related_model is User:
                    yield getattr(each, field.attname) or 0


def _model(name: str) -> Any:
    from django.apps import apps

    return apps.get_model("attendance", name)


def _of(name: str, student: Student) -> QuerySet[Any]:
    rows: QuerySet[Any] = _model(name).objects.filter(student=student)
    return rows
