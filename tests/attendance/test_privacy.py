"""No consent, no face; kept no longer than said."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.files.storage import default_storage
from django.db.models import BinaryField
from django.utils import timezone

from attendance import classes, errors, galleries, marks, privacy, reviews
from attendance.engines import to_bytes
from attendance.models import ClassSession, Course, FaceTemplate, Mark, Portrait, Sighting, Snapshot, Student
from attendance.retention import purge
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def session() -> ClassSession:
    return make.session(make.course(make.teacher(), students=2))


def all_files() -> set[str]:
    root = Path(default_storage.path(""))
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def files_named_by_rows() -> set[str]:
    names: set[str] = set()
    for model, field in (
        (Snapshot, "image"),
        (Sighting, "chip"),
        (Portrait, "image"),
        (FaceTemplate, "chip"),
    ):
        names.update(model.objects.values_list(field, flat=True))
    return names - {""}


def bytes_of_every_row() -> bytes:
    """Every binary column of the application's tables, one after the other."""
    parts = []
    for model in apps.get_app_config("attendance").get_models():
        for field in model._meta.get_fields():
            if isinstance(field, BinaryField):
                parts += [bytes(v) for v in model.objects.values_list(field.name, flat=True) if v]
    return b"".join(parts)


def seen_student(session: ClassSession) -> tuple[Student, bytes]:
    """A student with templates, recognised once and unsure once; and the encoding."""
    student = session.course.students.order_by("pk").first()
    vector = make.encoding(99)
    make.template(student, vector)
    make.sighting(make.snapshot(session, 2), student, encoding=to_bytes(vector))
    make.sighting(make.snapshot(session, 14), student, encoding=to_bytes(vector))
    make.sighting(make.snapshot(session, 20), student, decision="uncertain", encoding=to_bytes(vector))
    marks.recompute(session.pk)
    return student, to_bytes(vector)


def test_after_withdrawal_nothing_of_the_face_is_left_anywhere(
    session: ClassSession, django_capture_on_commit_callbacks: Any
) -> None:
    student, vector = seen_student(session)
    owner = session.course.teachers.get()
    reviews.decide(Sighting.objects.last(), "is", owner, student)
    warm = galleries.gallery_for(session, make.ENGINE)
    assert student.pk in warm.subject_ids
    assert vector in bytes_of_every_row()
    with django_capture_on_commit_callbacks(execute=True):
        privacy.withdraw_consent(student, owner)
    assert vector not in bytes_of_every_row()
    assert not student.templates.exists()
    assert not student.portraits.exists()
    assert not student.sightings.exists()
    assert all_files() == files_named_by_rows()
    assert student.pk not in galleries.gallery_for(session, make.ENGINE).subject_ids
    for model in (Sighting, FaceTemplate):
        assert not model.objects.filter(student=student).exists()


def test_after_withdrawal_the_mark_stands_as_a_persons(session: ClassSession) -> None:
    student, _ = seen_student(session)
    assert session.marks.get(student=student).status == "present"
    owner = session.course.teachers.get()
    privacy.withdraw_consent(student, owner)
    classes.close_session(session)
    mark = session.marks.get(student=student)
    assert (mark.status, mark.source, mark.decided_by, mark.seen_in) == ("present", "manual", owner, 0)


def test_without_consent_a_student_is_on_the_roll_and_never_absent_by_camera(session: ClassSession) -> None:
    declined, other = session.course.students.order_by("pk")
    make.template(other)
    for minute in (2, 14, 30):
        make.snapshot(session, minute)
    classes.close_session(session)
    assert session.marks.get(student=declined).status == "not_evaluated"
    assert session.marks.get(student=other).status == "absent"


def test_consent_can_be_given_again(session: ClassSession) -> None:
    student, _ = seen_student(session)
    owner = session.course.teachers.get()
    privacy.withdraw_consent(student, owner)
    make.consent(student, owner)
    make.template(student)
    assert [event.state for event in student.consent_events.all()] == ["given", "withdrawn", "given"]


@pytest.mark.parametrize("missing", ["given_by", "given_by_name", "method", "text_version"])
def test_consent_without_its_particulars_is_refused(session: ClassSession, missing: str) -> None:
    particulars = {"given_by": "student", "given_by_name": "A", "method": "form", "text_version": "1"}
    with pytest.raises(errors.ConsentIncomplete):
        privacy.record_consent(make.student(), by=make.teacher(), **{**particulars, missing: ""})


def test_a_deleted_student_is_gone_with_everything(
    session: ClassSession, django_capture_on_commit_callbacks: Any
) -> None:
    student, vector = seen_student(session)
    with django_capture_on_commit_callbacks(execute=True):
        privacy.delete_student(student)
    assert not Student.objects.filter(number=student.number).exists()
    assert vector not in bytes_of_every_row()
    assert all_files() == files_named_by_rows()
    assert session.marks.count() == 1


def test_a_deleted_course_takes_its_photos_and_its_own_students_along(
    session: ClassSession, django_capture_on_commit_callbacks: Any
) -> None:
    student, _ = seen_student(session)
    shared = session.course.students.exclude(pk=student.pk).get()
    other = make.course()
    other.roster_entries.create(student=shared, enrolled_on=dt.date(2026, 1, 1))
    with django_capture_on_commit_callbacks(execute=True):
        privacy.delete_course(session.course)
    assert list(Student.objects.all()) == [shared]
    assert list(Course.objects.all()) == [other]
    assert all_files() == set()


def test_photos_go_after_thirty_days_and_marks_stay(
    session: ClassSession, django_capture_on_commit_callbacks: Any
) -> None:
    student, _vector = seen_student(session)
    template_file = str(FaceTemplate.objects.get().chip)
    now = timezone.now()
    with django_capture_on_commit_callbacks(execute=True):
        assert purge.purge_expired(now + dt.timedelta(days=29)).photos == 0
        assert purge.purge_expired(now + dt.timedelta(days=31)).photos == 3
    assert set(Snapshot.objects.values_list("image", flat=True)) == {""}
    assert not Sighting.objects.filter(encoding__isnull=False).exists()
    assert all_files() == files_named_by_rows()
    assert template_file in all_files(), "templates live until the end of the term"
    marks.recompute(session.pk)
    assert Mark.objects.get(student=student).status == "present"


def test_unknown_faces_go_after_seven_days_and_known_ones_stay(
    session: ClassSession, django_capture_on_commit_callbacks: Any
) -> None:
    seen_student(session)
    make.sighting(make.snapshot(session, 30), None, decision="unknown")
    with django_capture_on_commit_callbacks(execute=True):
        assert purge.purge_expired(timezone.now() + dt.timedelta(days=8)).unknown_faces == 1
    assert Sighting.objects.filter(encoding__isnull=False).count() == 3
    assert all_files() == files_named_by_rows()


def test_templates_go_thirty_days_after_the_last_term(
    session: ClassSession, django_capture_on_commit_callbacks: Any
) -> None:
    seen_student(session)
    term = session.course.term
    end = dt.datetime.combine(term.ends_on, dt.time(12), tzinfo=dt.UTC)
    with django_capture_on_commit_callbacks(execute=True):
        assert purge.purge_expired(end + dt.timedelta(days=30)).templates == 0
        assert purge.purge_expired(end + dt.timedelta(days=32)).templates == 1
    assert not Portrait.objects.exists()
    assert all_files() == files_named_by_rows()
