"""Warnings about absence: who is due one by the course's rule, what it says, and that it goes once.

A person looks and sends. They go by themselves only in courses where a person switched that on.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from attendance import errors, mailing, schooltime
from attendance.models import (
    Course,
    CourseWarnings,
    Student,
    StudentContact,
    WarningKind,
    WarningSent,
    WarningText,
)
from attendance.reports import files
from attendance.reports.document import percent_text
from attendance.reports.facts import Days
from attendance.reports.matrix import Matrix, StudentLine

PLACES: dict[str, str | Promise] = {
    "student": gettext_lazy("the student's name"),
    "course": gettext_lazy("the course"),
    "absences": gettext_lazy("how many lessons were missed"),
    "dates": gettext_lazy("the days of those lessons"),
    "percent": gettext_lazy("attendance in per cent"),
    "limit": gettext_lazy("the per cent the rule asks for"),
    "school": gettext_lazy("the school's name"),
}
"""What may stand in braces in a text, and what it becomes. Nothing else is ever filled in."""
_PLACE = re.compile(r"\{([^{}]*)\}")
SUBJECTS: dict[str, str | Promise] = {
    "run": gettext_lazy("{student}: missed lessons in {course}"),
    "rate": gettext_lazy("{student}: attendance in {course}"),
}
BODIES: dict[str, str | Promise] = {
    "run": gettext_lazy(
        "{student} has missed {absences} lessons of {course}: {dates}.\n\n"
        "If there is a reason we do not know of, please tell us. If something makes it hard to come, we would "
        "like to help.\n\n{school}"
    ),
    "rate": gettext_lazy(
        "{student} has attended {percent} % of the lessons of {course} so far; {limit} % are expected. "
        "Missed were: {dates}.\n\n"
        "If there is a reason we do not know of, please tell us. If something makes it hard to come, we would "
        "like to help.\n\n{school}"
    ),
}


class BadWarningText(errors.RollcallError):
    code = "bad_warning_text"
    status = 422
    message = gettext_lazy("A text needs a subject and a body, and only known places in braces.")


class BadContact(errors.RollcallError):
    code = "bad_contact"
    status = 422
    message = gettext_lazy("That is not an e-mail address.")


@dataclass(frozen=True, slots=True)
class Due:
    """One warning: to whom about what. ``key`` names it in a form."""

    student: Student
    kind: str
    reason: str
    dates: tuple[dt.date, ...]
    percent: str
    to: tuple[str, ...]
    sent: WarningSent | None

    @property
    def key(self) -> str:
        return f"{self.student.pk}:{self.kind}:{self.reason}"


@dataclass(frozen=True, slots=True)
class Preview:
    due: Due
    subject: str
    body: str


# --- texts --------------------------------------------------------------------------------------------
def text_of(kind: str, language: str) -> tuple[str, str]:
    """(subject, body) with places in braces: the school's own in that language, else ours."""
    own = WarningText.objects.filter(kind=kind, language=language).first()
    if own is not None:
        return own.subject, own.body
    with translation.override(language):
        return str(SUBJECTS[kind]), str(BODIES[kind])


def change_text(kind: str, language: str, subject: str, body: str, by: User) -> None:
    """Store the school's words; both empty goes back to ours. Raises BadWarningText."""
    if kind not in WarningKind.values or language not in dict(settings.LANGUAGES):
        raise BadWarningText
    subject, body = " ".join(subject.split())[:200], body.replace("\r\n", "\n").strip()[:4000]
    if not subject and not body:
        WarningText.objects.filter(kind=kind, language=language).delete()
        return
    unknown = [place for place in _PLACE.findall(subject + body) if place not in PLACES]
    if unknown:
        raise BadWarningText(_("There is no place called {%(place)s}.") % {"place": unknown[0][:40]})
    if not subject or not body:
        raise BadWarningText
    WarningText.objects.update_or_create(
        kind=kind, language=language,
        defaults={"subject": subject, "body": body, "changed_by": by, "changed_at": timezone.now()},
    )  # fmt: skip


def filled(text: str, values: Mapping[str, str]) -> str:
    """Known places become their values; braces around anything else stay as they are. Values are never read again."""
    return _PLACE.sub(lambda found: values.get(found[1], found[0]), text)


# --- who is due one -----------------------------------------------------------------------------------
def due_in(course: Course) -> list[Due]:
    """By the course's rule over its term so far; a fixed number of queries. ``course`` comes with its term."""
    days = Days(
        course.term.starts_on, max(course.term.starts_on, min(course.term.ends_on, schooltime.today()))
    )
    found = files.course_matrix(course, days)
    lines = found.at_risk
    students = Student.objects.prefetch_related("contacts").in_bulk([line.student.id for line in lines])
    sent = {(one.student_id, one.kind, one.reason): one for one in WarningSent.objects.filter(course=course)}
    warnings = []
    for line in lines:
        student = students[line.student.id]
        to = tuple(
            dict.fromkeys(filter(None, [student.email, *(one.email for one in student.contacts.all())]))
        )
        percent = percent_text(line.tally.rate)
        for kind, reason, dates in _reasons(line, found):
            already = sent.get((student.pk, kind, reason))
            warnings.append(Due(student, kind, reason, dates, percent, to, already))
    return warnings


def _reasons(line: StudentLine, found: Matrix) -> Iterable[tuple[str, str, tuple[dt.date, ...]]]:
    """(kind, what it is about, days missed). A run that grows is the same run; while one stands, it alone is said."""
    missed = [
        column.session
        for column, cell in zip(found.columns, line.cells, strict=True)
        if cell is not None and cell.effective == "absent"
    ]
    if line.by_run or line.by_window:
        last = missed[-(line.in_a_row if line.by_run else line.in_window) :]
        yield WarningKind.RUN, f"run:{last[0].id}", tuple(one.starts_at.date() for one in last)
    elif line.by_rate:
        limit = round(found.rule.least_rate * 100)
        yield WarningKind.RATE, f"rate:{limit}", tuple(one.starts_at.date() for one in missed)


def preview(course: Course, due: Due, language: str) -> Preview:
    """What one reader of this language would get."""
    return previews(course, [due], language)[0]


def previews(course: Course, found: Iterable[Due], language: str) -> list[Preview]:
    """The same for several; the texts and the school are read once."""
    texts = {kind: text_of(kind, language) for kind in WarningKind.values}
    school = schooltime.get_school().name
    with translation.override(language):
        return [_preview(course, due, *texts[due.kind], school) for due in found]


def _preview(course: Course, due: Due, subject: str, body: str, school: str) -> Preview:
    values = {
        "student": due.student.full_name, "course": course.name, "absences": str(len(due.dates)),
        "dates": ", ".join(date_format(day, "j M Y") for day in due.dates), "percent": due.percent,
        "limit": due.reason.partition(":")[2] if due.kind == WarningKind.RATE else "", "school": school,
    }  # fmt: skip
    return Preview(due, " ".join(filled(subject, values).split()), filled(body, values))


# --- sending ------------------------------------------------------------------------------------------
def send(course: Course, keys: Collection[str] | None, by: User | None) -> int:
    """Send those that are due and have not gone for their reason; how many. ``keys`` None: all of them.

    Raises MailNotSetUp.
    """
    if not mailing.is_set_up():
        raise errors.MailNotSetUp
    wanted = [one for one in due_in(course) if not one.sent and one.to and (keys is None or one.key in keys)]
    return sum(_send_one(course, one, by) for one in wanted)


def _send_one(course: Course, due: Due, by: User | None) -> bool:
    try:
        with transaction.atomic():
            sent = WarningSent.objects.create(
                course=course, student=due.student, kind=due.kind, reason=due.reason, to=list(due.to), sent_by=by,
                sent_at=timezone.now(),
            )  # fmt: skip
            for address in due.to:
                language = mailing.language_of(address)
                seen = preview(course, due, language)
                context = {"subject": seen.subject, "body": seen.body}
                sent.messages.add(
                    *mailing.post("warning", [address], context, language=language, about=due.student)
                )
    except IntegrityError:
        return False  # somebody else sent it in the same moment
    return True


def switch_automatic(course: Course, on: bool, by: User) -> None:
    if on:
        CourseWarnings.objects.get_or_create(
            course=course, defaults={"switched_by": by, "switched_at": timezone.now()}
        )
    else:
        CourseWarnings.objects.filter(course=course).delete()


def send_automatic() -> int:
    """Of courses where a person switched it on and whose term still runs; how many warnings went."""
    if not mailing.is_set_up():
        return 0
    switched_on = CourseWarnings.objects.filter(course__term__ends_on__gte=schooltime.today())
    return sum(send(one.course, None, None) for one in switched_on.select_related("course__term"))


# --- addresses ----------------------------------------------------------------------------------------
def add_contact(student: Student, name: str, email: str) -> StudentContact:
    """A parent's or guardian's address. Raises BadContact."""
    email = email.strip()
    try:
        validate_email(email)
    except ValidationError:
        raise BadContact from None
    contact, _created = StudentContact.objects.update_or_create(
        student=student, email=email, defaults={"name": " ".join(name.split())[:200]}
    )
    return contact
