"""What must never be cannot be: each tried with raw SQL, past all code, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from attendance import marks, pairing
from attendance.models import (
    Camera,
    Consent,
    FaceTemplate,
    Mark,
    Portrait,
    SecondOpinion,
    Snapshot,
    TemplateEmbedding,
)
from tests import factories as make

pytestmark = pytest.mark.django_db


def copy_row(table: str, pk: int, **changes: object) -> None:
    """Insert a copy of a row with some columns changed, in plain SQL."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} WHERE id = %s", [pk])
        columns = [column[0] for column in cursor.description]
        values = dict(zip(columns, cursor.fetchone(), strict=True)) | changes
        del values["id"]
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join(["%s"] * len(values))
        cursor.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(values.values()))


def run(sql: str, *arguments: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)


def refused(action: Callable[[], object]) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        action()
        if connection.vendor == "sqlite":
            connection.check_constraints()
        else:
            run("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.fixture
def mark() -> Mark:
    course = make.course(students=1)
    return Mark.objects.create(
        session=make.session(course), student=course.students.get(), decided_at=timezone.now()
    )


def test_two_marks_for_one_student_and_session(mark: Mark) -> None:
    refused(lambda: copy_row("attendance_mark", mark.pk))


def test_a_mark_without_a_known_source(mark: Mark) -> None:
    refused(lambda: run("UPDATE attendance_mark SET source = '' WHERE id = %s", mark.pk))
    refused(lambda: run("UPDATE attendance_mark SET source = 'guess' WHERE id = %s", mark.pk))


def test_a_mark_by_hand_without_a_person(mark: Mark) -> None:
    refused(lambda: run("UPDATE attendance_mark SET source = 'manual' WHERE id = %s", mark.pk))


def test_a_machine_that_excuses(mark: Mark) -> None:
    refused(lambda: run("UPDATE attendance_mark SET machine_status = 'excused' WHERE id = %s", mark.pk))


def test_two_snapshots_of_one_session_with_one_hash() -> None:
    shot = make.snapshot(make.session(make.course()))
    refused(lambda: copy_row("attendance_snapshot", shot.pk))
    copy_row("attendance_snapshot", shot.pk, sha256="0" * 64)
    assert Snapshot.objects.count() == 2


def test_two_snapshots_with_one_idempotency_key() -> None:
    shot = make.snapshot(make.session(make.course()), idempotency_key="user:1:k")
    refused(lambda: copy_row("attendance_snapshot", shot.pk, sha256="0" * 64))


def test_a_snapshot_in_processing_without_a_lease() -> None:
    shot = make.snapshot(make.session(make.course()), state="queued")
    refused(lambda: run("UPDATE attendance_snapshot SET state = 'processing' WHERE id = %s", shot.pk))


def test_a_sighting_without_its_snapshot() -> None:
    face = make.sighting(make.snapshot(make.session(make.course())))
    refused(lambda: copy_row("attendance_sighting", face.pk, snapshot_id=999_999, index=1))


def test_one_student_recognised_twice_in_a_photo() -> None:
    course = make.course(students=1)
    face = make.sighting(make.snapshot(make.session(course)), course.students.get())
    refused(lambda: copy_row("attendance_sighting", face.pk, index=1))


def test_a_template_without_consent() -> None:
    template = make.template(make.student())
    stranger = make.student()
    refused(lambda: run("UPDATE attendance_facetemplate SET student_id = %s", stranger.pk))
    refused(
        lambda: copy_row("attendance_facetemplate", template.pk, student_id=stranger.pk, encoder_version="x")
    )
    refused(lambda: copy_row("attendance_portrait", template.portrait_id, student_id=stranger.pk))


def test_a_template_of_somebody_elses_portrait() -> None:
    mine, yours = make.template(make.student()), make.template(make.student())
    refused(
        lambda: copy_row(
            "attendance_facetemplate", mine.pk, portrait_id=yours.portrait_id, encoder_version="other"
        )
    )


def test_consent_that_ends_while_templates_exist() -> None:
    student = make.template(make.student()).student
    for state in ("withdrawn", "asked"):
        refused(
            lambda state=state: run(
                "UPDATE attendance_consent SET state = %s WHERE student_id = %s", state, student.pk
            )
        )
    refused(lambda: run("DELETE FROM attendance_consent WHERE student_id = %s", student.pk))
    assert Portrait.objects.filter(student=student).exists()
    assert FaceTemplate.objects.filter(student=student).exists()


def test_given_consent_that_does_not_say_who_or_which_text() -> None:
    student = make.student()
    make.consent(student)
    for column in ("given_by", "method", "text_version"):
        refused(lambda column=column: run(f"UPDATE attendance_consent SET {column} = ''"))
    refused(lambda: run("UPDATE attendance_consent SET given_at = NULL"))
    assert Consent.objects.get(student=student).state == "given"


def test_a_session_that_ends_before_it_starts_or_closed_without_a_time() -> None:
    session = make.session(make.course())
    refused(lambda: run("UPDATE attendance_classsession SET ends_at = starts_at WHERE id = %s", session.pk))
    refused(lambda: run("UPDATE attendance_classsession SET state = 'closed' WHERE id = %s", session.pk))


def test_the_same_person_twice_on_a_roster_and_a_number_twice_at_the_school() -> None:
    course = make.course(students=1)
    entry = course.roster_entries.get()
    refused(lambda: copy_row("attendance_rosterentry", entry.pk))
    refused(lambda: copy_row("attendance_student", entry.student_id))


def test_two_cameras_with_one_key() -> None:
    user = make.teacher()
    camera = Camera.objects.create(
        name="A", room=make.room(), key_hash="h" * 64, key_prefix="rcam_", created_by=user
    )
    refused(lambda: copy_row("attendance_camera", camera.pk))


def test_a_second_row_of_school_settings() -> None:
    from attendance.schooltime import get_school

    school = get_school()
    refused(lambda: copy_row("attendance_school", school.pk))


def test_an_embedding_without_its_template() -> None:
    """A template is refused without consent; what a second network made of it is refused without the template."""
    template = make.template(make.student())
    embedding = TemplateEmbedding.objects.create(template=template, embedding=b"1", encoder_version="a")
    refused(lambda: copy_row("attendance_templateembedding", embedding.pk))
    refused(
        lambda: copy_row(
            "attendance_templateembedding", embedding.pk, template_id=999_999, encoder_version="b"
        )
    )
    refused(lambda: run("DELETE FROM attendance_facetemplate WHERE id = %s", template.pk))


def test_a_second_opinion_that_says_nothing_sensible() -> None:
    course = make.course(students=1)
    face = make.sighting(make.snapshot(make.session(course)), course.students.get())
    opinion = SecondOpinion.objects.create(
        sighting=face, student=course.students.get(), decision="recognised", agreement="same",
        encoder_version="a", milliseconds=1,
    )  # fmt: skip
    other = make.sighting(face.snapshot, None, "unknown", index=1)
    table = "attendance_secondopinion"
    refused(lambda: copy_row(table, opinion.pk))
    refused(lambda: copy_row(table, opinion.pk, sighting_id=999_999))
    refused(lambda: copy_row(table, opinion.pk, sighting_id=other.pk, agreement="perhaps"))
    refused(lambda: copy_row(table, opinion.pk, sighting_id=other.pk, decision="perhaps"))
    refused(lambda: copy_row(table, opinion.pk, sighting_id=other.pk, student_id=None))
    refused(lambda: copy_row(table, opinion.pk, sighting_id=other.pk, decision="unknown"))
    copy_row(table, opinion.pk, sighting_id=other.pk)


def test_a_pairing_code_that_was_used_for_no_camera_or_never_lived() -> None:
    row, _code = pairing.make_code(make.administrator(), room=make.room())
    update = "UPDATE attendance_pairingcode SET"
    refused(lambda: run(f"{update} used_at = made_at WHERE id = %s", row.pk))
    refused(lambda: run(f"{update} expires_at = made_at WHERE id = %s", row.pk))
    refused(lambda: copy_row("attendance_pairingcode", row.pk))


def test_a_change_of_a_mark_that_was_taken_back_by_nobody(mark: Mark) -> None:
    person = make.teacher()
    marks.set_by_hand(mark.session, mark.student, "late", person)
    refused(lambda: run("UPDATE attendance_markchange SET undone_at = at"))
    refused(lambda: run("UPDATE attendance_markchange SET undone_by_id = by_id"))
    run("UPDATE attendance_markchange SET undone_at = at, undone_by_id = by_id")


def test_a_closed_sessions_mark_without_a_source(mark: Mark) -> None:
    run(
        "UPDATE attendance_classsession SET state = 'closed', closed_at = ends_at WHERE id = %s",
        mark.session_id,
    )
    refused(lambda: run("UPDATE attendance_mark SET source = NULL WHERE id = %s", mark.pk))
    refused(lambda: run("UPDATE attendance_mark SET source = '' WHERE id = %s", mark.pk))
    refused(lambda: copy_row("attendance_mark", mark.pk, student_id=make.student().pk, source=None))
