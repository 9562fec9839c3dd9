"""Excuses entered, approved, declined and withdrawn; marks follow, but never over a person's word."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from attendance import errors, excuses, intake, marks, photos, schooltime
from attendance.models import ClassSession, Course, Excuse, Student

MOST_DAYS = 366
MOST_BYTES = 8 * 1024 * 1024
MOST_PIXELS = 50_000_000
PDF, JPEG = "application/pdf", "image/jpeg"


class ExcuseRefused(errors.RollcallError):
    code = "excuse_refused"
    status = 422
    message = _("An excuse needs a reason and days or sessions.")


class AttachmentRefused(errors.RollcallError):
    code = "attachment_refused"
    status = 422
    message = _("Only a PDF or a photo (JPEG or PNG) can be attached.")


class AlreadyDecided(errors.RollcallError):
    code = "excuse_decided"
    status = 409
    message = _("Somebody has decided on this excuse already.")


@dataclass(frozen=True, slots=True)
class When:
    """Whole days, both included, or ``sessions`` alone."""

    first_day: dt.date
    last_day: dt.date
    sessions: tuple[ClassSession, ...] = ()

    @classmethod
    def of_sessions(cls, sessions: Collection[ClassSession]) -> When:
        """Raises ExcuseRefused where there are none."""
        if not sessions:
            raise ExcuseRefused
        days = [schooltime.school_day(one.starts_at) for one in sessions]
        return cls(min(days), max(days), tuple(sessions))


def enter(
    student: Student, course: Course | None, when: When, reason: str, by: User, *, note: str = "",
    attachment: bytes = b"", approve: bool = False,
) -> Excuse:  # fmt: skip
    """Record an excuse, for one course or for all (None). With ``approve`` it holds at once.

    Raises ExcuseRefused, AttachmentRefused, PhotoRefused, StorageFull, NotOnRoster.
    """
    _check(student, course, when, reason)
    kind, content = clean_attachment(attachment) if attachment else ("", b"")
    name = intake.store("excuses", content) if content else ""
    try:
        with transaction.atomic():
            excuse = Excuse.objects.create(
                student=student, course=course, first_day=when.first_day, last_day=when.last_day,
                by_session=bool(when.sessions), reason=reason, note=" ".join(note.split())[:300],
                attachment=name, attachment_type=kind, entered_by=by, entered_at=timezone.now(),
            )  # fmt: skip
            excuse.sessions.set(when.sessions)
            return approve_excuse(excuse, by) if approve else excuse
    except BaseException:
        if name:
            default_storage.delete(name)
        raise


def approve_excuse(excuse: Excuse, by: User) -> Excuse:
    """From now on it holds. Raises AlreadyDecided unless it waits or was declined."""
    return _decide(excuse, Excuse.State.APPROVED, by)


def decline(excuse: Excuse, by: User) -> Excuse:
    """It does not hold. Raises AlreadyDecided unless it waits or was approved."""
    return _decide(excuse, Excuse.State.DECLINED, by)


def withdraw(excuse: Excuse, by: User) -> Excuse:
    """Taken back: marks are again what they were without it. Raises AlreadyDecided where it is withdrawn already."""
    with transaction.atomic():
        changed = (
            Excuse.objects.filter(pk=excuse.pk)
            .exclude(state=Excuse.State.WITHDRAWN)
            .update(state=Excuse.State.WITHDRAWN, withdrawn_by=by, withdrawn_at=timezone.now())
        )
        if not changed:
            raise AlreadyDecided
        return _follow(excuse)


def ask_again(excuse: Excuse) -> Excuse:
    """The way back from a withdrawal: it waits for approval once more. Raises NothingToUndo."""
    with transaction.atomic():
        found = Excuse.objects.select_for_update().get(pk=excuse.pk)
        if found.state != Excuse.State.WITHDRAWN:
            raise errors.NothingToUndo
        Excuse.objects.filter(pk=found.pk).update(
            state=Excuse.State.ASKED, withdrawn_by=None, withdrawn_at=None, decided_by=None, decided_at=None
        )
        return _follow(excuse)


def clean_attachment(data: bytes) -> tuple[str, bytes]:
    """(type, bytes as they are kept): a photo is re-encoded without metadata, a PDF is kept as it is.

    Raises AttachmentRefused, or what ``photos.clean`` raises for a damaged photo.
    """
    if len(data) > MOST_BYTES:
        raise AttachmentRefused(_("The attachment is larger than 8 MB."))
    if data.startswith(b"%PDF-"):
        if b"%%EOF" not in data[-2048:]:
            raise AttachmentRefused(_("The PDF is damaged or was cut off on the way."))
        return PDF, data
    if not data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")):
        raise AttachmentRefused
    return JPEG, photos.clean(data, max_bytes=MOST_BYTES, max_pixels=MOST_PIXELS).jpeg


def _check(student: Student, course: Course | None, when: When, reason: str) -> None:
    if reason not in Excuse.Reason.values:
        raise ExcuseRefused(_("Please choose a reason."))
    if when.last_day < when.first_day:
        raise ExcuseRefused(_("The last day lies before the first."))
    if (when.last_day - when.first_day).days >= MOST_DAYS:
        raise ExcuseRefused(_("An excuse can cover a year at most; please check the days."))
    if course is not None and not course.roster_entries.filter(student=student).exists():
        raise errors.NotOnRoster
    if any(course is not None and one.course_id != course.pk for one in when.sessions):
        raise ExcuseRefused(_("These sessions belong to another course."))


def _decide(excuse: Excuse, state: str, by: User) -> Excuse:
    possible = {Excuse.State.APPROVED: ["asked", "declined"], Excuse.State.DECLINED: ["asked", "approved"]}
    with transaction.atomic():
        changed = Excuse.objects.filter(pk=excuse.pk, state__in=possible[Excuse.State(state)]).update(
            state=state, decided_by=by, decided_at=timezone.now()
        )
        if not changed:
            raise AlreadyDecided
        return _follow(excuse)


def _follow(excuse: Excuse) -> Excuse:
    """The student's marks of the covered sessions, as they are with the excuse in its new state."""
    begun = excuses.sessions_covered(excuse).filter(marks__student=excuse.student_id)
    for session_id in begun.order_by("pk").values_list("pk", flat=True):
        if not marks.lay_excuse(session_id, excuse.student_id):
            marks.touch(session_id)  # the hint beside a mark that stays
    excuse.refresh_from_db()
    return excuse
