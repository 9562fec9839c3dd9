"""Consent, its withdrawal and deletion: what may exist about a person. How long: ``retention``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from attendance import accounts, consent_events, erasing, errors, forgotten, galleries, marks, report_jobs
from attendance.desk import forget
from attendance.models import (
    Candidate,
    ClassSession,
    Consent,
    ConsentScan,
    Contest,
    Course,
    DeclinedOffer,
    FaceTemplate,
    Mark,
    Portrait,
    Review,
    SecondOpinion,
    Sighting,
    Snapshot,
    Student,
)
from attendance.own_data import files as own_files


def record_consent(
    student: Student,
    *,
    given_by: str,
    given_by_name: str,
    method: str,
    text_version: str,
    by: User | None,
    at: dt.datetime | None = None,
    more: consent_events.Particulars = consent_events.NOTHING_MORE,
) -> Consent:
    """Consent is given: who, how, when and on which text. ``by`` is None only where ``more`` names a link.

    Raises ConsentIncomplete; SomebodySaidNo where the law lets no yes overrule another's no.
    """
    if given_by not in Consent.GivenBy.values or method not in Consent.Method.values:
        raise errors.ConsentIncomplete
    if not text_version or not given_by_name.strip():
        raise errors.ConsentIncomplete
    name = given_by_name.strip()[:200]
    with transaction.atomic():
        # Taken first, as a withdrawal does: the two wait for each other and do not hold each other up.
        galleries.lock_courses_of([student.pk])
        consent_events.check_nobody_else_said_no(student, given_by, name)
        consent, _created = Consent.objects.update_or_create(
            student=student,
            defaults={
                "state": Consent.State.GIVEN,
                "given_by": given_by,
                "given_by_name": name,
                "method": method,
                "text_version": text_version,
                "given_at": at or timezone.now(),
                "refused_at": None,
            },
        )
        consent_events.add(
            student, consent.state, by, given_by=given_by, given_by_name=name, method=method,
            text_version=text_version, more=more,
        )  # fmt: skip
        galleries.raise_version_for(student)
    return consent


def withdraw_consent(
    student: Student,
    by: User,
    *,
    given_by: str = "",
    given_by_name: str = "",
    method: str = "",
    more: consent_events.Particulars = consent_events.NOTHING_MORE,
) -> None:
    """Templates, portraits, chips, encodings and names on faces go at once; marks stay as a person's.

    ``by`` answers for the marks; who said it, and how, is kept where it is known.

    The courses' rows are locked first, as a worker does before it writes: a photo in flight is identified
    either before, and emptied here, or after, against a gallery without this student.
    """
    with transaction.atomic():
        _lock_for(student)
        sessions = _keep_marks_as_given_by(student, by)
        files = _empty_biometrics(student)
        consent, _created = Consent.objects.get_or_create(student=student)
        consent.state = Consent.State.WITHDRAWN
        consent.save(update_fields=["state"])
        consent_events.add(
            student, consent.state, None if more.link else by, given_by=given_by, given_by_name=given_by_name,
            method=method, text_version=consent.text_version, more=more,
        )  # fmt: skip
        galleries.raise_version_for(student)
        for session_id in sessions:
            marks.recompute(session_id)
        own_files.forget(student)
        forgotten.write_down(student, forgotten.WITHDRAWN, by)
        transaction.on_commit(lambda: delete_files(files))
        transaction.on_commit(erasing.settle_log, robust=True)


def _lock_for(student: Student) -> None:
    """Courses, then sessions, each in order: whoever takes a roll or settles a face holds one of them and waits."""
    list(Course.objects.select_for_update().filter(roster_entries__student=student).order_by("pk"))
    marked = ClassSession.objects.filter(marks__student=student).values("pk")
    list(ClassSession.objects.select_for_update().filter(pk__in=marked).order_by("pk"))


def delete_student(student: Student) -> None:
    """Everything about a person, marks included."""
    with transaction.atomic():
        _lock_for(student)
        files = _empty_biometrics(student)
        files += student.excuses.exclude(attachment="").values_list("attachment", flat=True)
        files += ConsentScan.objects.filter(event__student=student).values_list("file", flat=True)
        galleries.raise_version_for(student)
        forget.forget_row_number(student)
        own_files.forget_everything(student)
        accounts.forget_login(student)
        forgotten.write_down(student, forgotten.DELETED)
        ClassSession.objects.filter(marks__student=student).update(roll_version=F("roll_version") + 1)
        student.delete()
        report_jobs.forget_files()
        transaction.on_commit(report_jobs.forget_files)  # what was begun while this was not yet seen
        transaction.on_commit(lambda: delete_files(files))
        transaction.on_commit(erasing.settle_log, robust=True)


def delete_course(course: Course) -> None:
    """A course with its sessions and photos. Students that are on no other roster go with it."""
    with transaction.atomic():
        files = [name for name in _files_of_sessions(course.sessions.all()) if name]
        files += course.excuses.exclude(attachment="").values_list("attachment", flat=True)
        only_here = [
            student
            for student in Student.objects.filter(roster_entries__course=course).prefetch_related(
                "roster_entries"
            )
            if len(student.roster_entries.all()) == 1
        ]
        course.delete()
        for student in only_here:
            delete_student(student)
        transaction.on_commit(lambda: delete_files(files))


def delete_files(names: Iterable[str]) -> None:
    for name in names:
        if name:
            default_storage.delete(name)


def _keep_marks_as_given_by(student: Student, by: User) -> set[int]:
    """What a camera said becomes what a person answers for; the sessions whose faces named the student."""
    # Nobody answers for what an excuse says: it can still be withdrawn.
    not_the_cameras = (Mark.Status.NOT_EVALUATED, Mark.Status.EXCUSED)
    student.marks.exclude(source=Mark.Source.MANUAL).exclude(status__in=not_the_cameras).update(
        source=Mark.Source.MANUAL, decided_by=by, decided_at=timezone.now(), reason=""
    )
    student.marks.update(first_seen_at=None, last_seen_at=None, seen_in=0)
    return set(
        ClassSession.objects.filter(snapshots__sightings__in=_sightings_of(student)).values_list(
            "pk", flat=True
        )
    )


def _sightings_of(student: Student) -> list[int]:
    """Faces that were, or may have been, this student."""
    named = Sighting.objects.filter(student=student).values_list("pk", flat=True)
    confirmed = Review.objects.filter(student=student, verdict=Review.Verdict.IS).values_list(
        "sighting_id", flat=True
    )
    return list({*named, *confirmed, *forget.faces_named(student)})


def _empty_biometrics(student: Student) -> list[str]:
    """Rows emptied now; the names of the files that go once this is committed."""
    sightings = Sighting.objects.filter(pk__in=_sightings_of(student))
    files = [
        *sightings.values_list("chip", flat=True),
        *FaceTemplate.objects.filter(student=student).values_list("chip", flat=True),
        *Portrait.objects.filter(student=student).values_list("image", flat=True),
    ]
    SecondOpinion.objects.filter(Q(sighting__in=_sightings_of(student)) | Q(student=student)).delete()
    sightings.update(
        student=None, encoding=None, chip="", decision=Sighting.Decision.UNKNOWN, reason="consent_withdrawn"
    )
    Candidate.objects.filter(student=student).delete()
    Contest.objects.filter(student=student, sighting__isnull=False).delete()
    DeclinedOffer.objects.filter(student=student).delete()
    Review.objects.filter(student=student).delete()
    forget.forget_student(student)
    FaceTemplate.objects.filter(student=student).delete()
    Portrait.objects.filter(student=student).delete()
    return files


def _files_of_sessions(sessions: Iterable[ClassSession]) -> list[str]:
    snapshots = Snapshot.objects.filter(session__in=sessions)
    return [
        *snapshots.values_list("image", flat=True),
        *Sighting.objects.filter(snapshot__in=snapshots).values_list("chip", flat=True),
    ]
