"""The desk when things have changed under it: gone, expired, closed, very many."""

from __future__ import annotations

import time

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from attendance import classes, errors, marks, pipeline, privacy
from attendance.desk import acts, queue
from attendance.desk.settle import settle
from attendance.desk.undo import undo
from attendance.engines import to_bytes
from attendance.models import Candidate, ClassSession, Review, Sighting, Snapshot, Student
from tests import factories as make
from tests.attendance.conftest import FakeEngine, face, near
from tests.attendance.test_desk import unsure_faces, waiting

pytestmark = pytest.mark.django_db
MANY = 500


@pytest.fixture
def session() -> ClassSession:
    return make.session(make.course(make.teacher(), students=3))


@pytest.fixture
def student(session: ClassSession) -> Student:
    return session.course.students.order_by("pk").first()


def owner(session: ClassSession) -> User:
    return session.course.teachers.get()


def page(session: ClassSession) -> str:
    client = Client()
    client.force_login(owner(session))
    answer = client.get(reverse("web:desk"))
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_student_deleted_while_their_item_is_open(session: ClassSession, student: Student) -> None:
    faces = [each.pk for each in unsure_faces(session, student, 2)]
    assert student.full_name in page(session)
    privacy.delete_student(student)
    assert waiting(session) == []
    assert "Nothing to check" in page(session)
    other = session.course.students.first()
    settle(session, faces, "not_in_class", owner(session))
    with pytest.raises(errors.NotOnRoster):
        acts.decide(session, "is", owner(session), faces=faces, student=make.student())
    assert marks.recompute(session.pk)
    assert session.marks.get(student=other).status == "not_evaluated"


def test_a_decision_of_a_deleted_student_cannot_be_undone_into_being(
    session: ClassSession, student: Student
) -> None:
    faces = [each.pk for each in unsure_faces(session, student, 2)]
    said = settle(session, faces, "is", owner(session), student)
    privacy.delete_student(student)
    with pytest.raises(errors.NothingToUndo):
        undo(said.batch, owner(session))
    assert not Review.objects.exists()


def test_undo_after_somebody_decided_otherwise_leaves_the_later_word(
    session: ClassSession, student: Student
) -> None:
    faces = unsure_faces(session, student, 2)
    said = settle(session, [each.pk for each in faces], "is", owner(session), student)
    from attendance import reviews

    reviews.decide(faces[0], "not_a_face", make.teacher())
    undo(said.batch, owner(session))
    standing = Review.objects.filter(undone_at__isnull=True)
    assert [(word.sighting_id, word.verdict) for word in standing] == [(faces[0].pk, "not_a_face")]


def test_undo_after_a_mark_by_hand_leaves_the_mark(session: ClassSession, student: Student) -> None:
    faces = [each.pk for each in unsure_faces(session, student, 2)]
    said = settle(session, faces, "is", owner(session), student)
    marks.set_by_hand(session, student, "excused", owner(session))
    undo(said.batch, owner(session))
    mark = session.marks.get(student=student)
    assert (mark.status, mark.machine_status) == ("excused", "not_evaluated")


def test_expired_photos_and_crops_can_still_be_decided(session: ClassSession, student: Student) -> None:
    faces = unsure_faces(session, student, 2)
    Sighting.objects.update(encoding=None, chip="")
    Snapshot.objects.update(image="")
    words = page(session)
    assert "The photo has expired." in words
    assert "The crop has expired" in words
    settle(session, [faces[0].pk], "is", owner(session), student)
    assert session.marks.get(student=student).status == "present"


def test_a_closed_session_takes_decisions_and_undo(session: ClassSession, student: Student) -> None:
    faces = [each.pk for each in unsure_faces(session, student, 3)]
    session = classes.close_session(session)
    said = settle(session, faces, "is", owner(session), student)
    assert session.marks.get(student=student).status in ("present", "left_early")
    undo(said.batch, owner(session))
    assert session.marks.get(student=student).to_check


def test_not_this_person_holds_in_a_later_lesson_of_the_course(
    session: ClassSession, student: Student, engine: FakeEngine, sent: object
) -> None:
    known = make.encoding(1)
    make.template(student, known)
    wrong = near(known, 0.4)

    def seen(lesson: ClassSession, vector: object) -> Sighting:
        engine.faces = [face(vector)]
        snapshot = make.snapshot(lesson, 2, state="queued")
        pipeline.process(snapshot.pk)
        return Sighting.objects.get(snapshot=snapshot)

    first = seen(session, wrong)
    assert first.student == student
    said = settle(session, [first.pk], "is_not", owner(session), student)
    later, elsewhere = make.session(session.course), make.session(make.course(make.teacher()))
    make.student(elsewhere.course)
    elsewhere.course.roster_entries.create(student=student, enrolled_on="2026-01-01")
    assert seen(later, near(wrong, 0.1)).student is None
    assert seen(elsewhere, near(wrong, 0.1)).student == student, "another course heard nothing of it"
    assert seen(later, near(known, 0.1)).student == student, "the student is still recognised"
    undo(said.batch, owner(session))
    assert seen(later, near(wrong, 0.1, seed=5)).student == student


def many_items(teacher: User, items: int, lessons: int = 20) -> None:
    """So many unsure people, each of them somebody's only chance to be present."""
    course = make.course(teacher, students=items // lessons)
    people = list(course.students.order_by("pk"))
    for person in people:
        make.template(person)
    for lesson in range(lessons):
        session = make.session(course)
        shot = make.snapshot(session, 3)
        sightings = Sighting.objects.bulk_create(
            Sighting(
                snapshot=shot, index=index, left=10 * index, top=5, width=40, height=40, detector_score=0.9,
                quality=0.8, chip="chips/none.jpg", encoder_version=make.ENGINE, decision="uncertain",
                reason="middle_band", student=person,
                encoding=to_bytes(make.encoding(10_000 + 100 * lesson + index)),
            )
            for index, person in enumerate(people)
        )  # fmt: skip
        Candidate.objects.bulk_create(
            Candidate(sighting=each, student=each.student, rank=0, distance=0.5, score=-0.5, probability=0.8)
            for each in sightings
        )
        marks.recompute(session.pk)


def test_five_hundred_items_take_as_many_queries_as_twenty_and_answer_soon() -> None:
    counts = []
    for items in (20, MANY):
        teacher = make.teacher()
        many_items(teacher, items)
        client = Client()
        client.force_login(teacher)
        client.get(reverse("web:desk"))
        started = time.perf_counter()
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(reverse("web:desk"))
        seconds = time.perf_counter() - started
        counts.append(len(queries))
        assert f"{items} to check" in answer.content.decode()
    assert counts[0] == counts[1]
    assert len(queue.items_for(ClassSession.objects.filter(course__teachers=teacher))) == MANY
    assert seconds < 5, "a busy machine is given time; a query for each item would take longer"
