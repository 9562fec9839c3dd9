"""Thirteen bugs of other attendance systems, each tried here."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from attendance import (
    classes,
    enrolment,
    galleries,
    marks,
    photos,
    pipeline,
    privacy,
    reviews,
    rosters,
    schooltime,
)
from attendance.models import ClassSession, Mark, Sighting, Snapshot
from attendance.reports.tables import attendance_rate
from recognition.gallery import Gallery, Template
from recognition.identification import MatchPolicy, Probe, identify
from recognition.quality import portrait_problems
from tests import factories as make
from tests.attendance.conftest import FakeEngine, face, near

pytestmark = pytest.mark.django_db

Sent = list[tuple[str, tuple[Any, ...]]]
CAREFUL = MatchPolicy(
    make.ENGINE,
    accept=-0.47,
    review=-0.60,
    margin=0.06,
    min_quality=0.2,
    gallery_size=30,
    step_per_decade=0.0,
)


@pytest.fixture
def session() -> ClassSession:
    return make.session(make.course(make.teacher(), students=2))


def gallery(**people: list[np.ndarray]) -> Gallery:
    return Gallery.build(
        (
            Template(ord(name), vector.astype(np.float32), 1.0)
            for name, vectors in people.items()
            for vector in vectors
        ),
        version=make.ENGINE,
    )


def test_01_absent_students_exist_and_one_lesson_of_ten_is_ten_percent() -> None:
    course = make.course(students=1)
    student = course.students.get()
    make.template(student)
    for lesson in range(10):
        session = make.session(course, starts_at=timezone.now() - dt.timedelta(days=20 - lesson))
        for minute in (2, 14, 30):
            shot = make.snapshot(session, minute)
            if lesson == 0:
                make.sighting(shot, student)
        classes.close_session(session)
    statuses = list(Mark.objects.filter(student=student).values_list("status", flat=True))
    assert len(statuses) == 10
    assert attendance_rate(statuses) == pytest.approx(0.1)
    late = make.student(course, since=schooltime.today())
    for session in course.sessions.all():
        marks.recompute(session.pk)
    assert not late.marks.exists(), "lessons before enrolment do not count"


def test_02_a_bad_portrait_is_not_enrolled_and_does_not_stop_the_others(
    session: ClassSession, engine: FakeEngine, sent: Sent
) -> None:
    one, two = session.course.students.order_by("pk")
    blank = np.full((200, 200, 3), 128, np.uint8)
    assert portrait_problems(blank, []) == ["no_face"]
    pair = [face(make.encoding(1)), face(make.encoding(2), left=100)]
    assert "several_faces" in portrait_problems(blank, pair)
    make.consent(one)
    bad = enrolment.receive_portrait(one, make.jpeg(1), make.teacher())
    enrolment.check_portrait(bad.pk)
    bad.refresh_from_db()
    assert (bad.state, one.templates.count()) == ("rejected", 0)
    make.template(two, make.encoding(5))
    engine.faces = [face(near(make.encoding(5), 0.2))]
    assert pipeline.process(make.snapshot(session, state="queued").pk) is pipeline.Outcome.DONE
    assert Sighting.objects.get().student == two


def test_03_strangers_get_no_names() -> None:
    rng = np.random.default_rng(3)
    people = {chr(65 + n): [rng.normal(size=128) * 0.06] for n in range(30)}
    strangers = [Probe((rng.normal(size=128) * 0.06).astype(np.float32)) for _ in range(500)]
    known = gallery(**people)
    named = sum(identify([probe], known, CAREFUL)[0].subject_id is not None for probe in strangers)
    assert named == 0


def test_04_many_templates_just_inside_the_limit_do_not_outvote_one_near_template() -> None:
    probe = make.encoding(1)
    a = [near(probe, 0.30)]
    b = [near(probe, 0.46, seed=n) for n in range(2, 10)]
    (answer,) = identify([Probe(probe)], gallery(A=a, B=b), CAREFUL)
    assert answer.subject_id != ord("B")
    assert answer.candidates[0].subject_id == ord("A")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_05_two_faces_in_one_photo_never_get_one_name(order: tuple[int, int]) -> None:
    known = make.encoding(1)
    faces = [
        Probe(near(known, 0.30, seed=2).astype(np.float32)),
        Probe(near(known, 0.31, seed=3).astype(np.float32)),
    ]
    answers = identify([faces[i] for i in order], gallery(A=[known]), CAREFUL)
    assert sum(answer.subject_id == ord("A") for answer in answers) <= 1


def test_06_names_are_no_keys() -> None:
    course = make.course()
    names = ["Ana Cruz", "Ana Cruz", "../x", "O'Neil", "محمد", "Sukarno", "Ann", "Joanna"]
    rows = "\n".join(f'{n},"{name}"' for n, name in enumerate(names, 1))
    rosters.import_rows(course, rosters.preview(course, f"number,name\n{rows}\n".encode()))
    assert course.students.count() == len(names)
    session = make.session(course)
    for student in course.students.all():
        make.template(student)
    marks.recompute(session.pk)
    assert session.marks.count() == len(names)


def test_07_the_camera_never_overrules_the_teacher(session: ClassSession) -> None:
    one = session.course.students.first()
    owner = session.course.teachers.get()
    make.template(one)
    for status in ("absent", "excused", "late"):
        marks.set_by_hand(session, one, status, owner)
        make.sighting(make.snapshot(session, 2), one)
        make.sighting(make.snapshot(session, 14), one)
        marks.recompute(session.pk)
        assert session.marks.get(student=one).status == status


def test_08_corrections_do_not_come_back(session: ClassSession, engine: FakeEngine, sent: Sent) -> None:
    one = session.course.students.first()
    known = make.encoding(1)
    make.template(one, known)
    engine.faces = [face(near(known, 0.2))]
    pipeline.process(make.snapshot(session, 2, state="queued").pk)
    sighting = Sighting.objects.get()
    reviews.decide(sighting, "is_not", session.course.teachers.get(), one)
    make.template(one, near(known, 0.1))
    galleries.raise_version_for(one)
    marks.recompute(session.pk)
    assert session.marks.get(student=one).status == "not_evaluated"
    pipeline.process(make.snapshot(session, 8, state="queued").pk)
    assert Sighting.objects.last().student is None


def test_09_the_register_is_the_schools_days(session: ClassSession) -> None:
    schooltime.set_school_zone("Australia/Sydney")
    lesson = dt.datetime(2026, 3, 12, 9, 0, tzinfo=schooltime.school_zone())
    course = make.course()
    student = make.student(course, since=dt.date(2026, 3, 12))
    early = make.session(course, starts_at=lesson)
    marks.recompute(early.pk)
    assert early.starts_at.astimezone(dt.UTC).date() == dt.date(2026, 3, 11)
    assert early.marks.filter(student=student).exists(), "the day at the school, not in UTC, decides"


def test_10_two_lessons_a_day_are_two_marks_and_no_lesson_is_no_percentage() -> None:
    course = make.course(make.teacher(), students=1)
    student, owner = course.students.get(), course.teachers.get()
    sessions = [make.session(course, starts_at=timezone.now() - dt.timedelta(hours=h)) for h in (3, 2)]
    for session in sessions:
        marks.recompute(session.pk)
        marks.set_by_hand(session, student, "present", owner)
    marks.set_by_hand(sessions[1], student, "absent", owner)
    assert attendance_rate(Mark.objects.filter(student=student).values_list("status", flat=True)) == 0.5
    assert attendance_rate([]) is None
    assert attendance_rate(["excused", "not_evaluated"]) is None


def test_11_an_unknown_face_first_does_not_move_the_names(
    session: ClassSession, engine: FakeEngine, sent: Sent
) -> None:
    one = session.course.students.first()
    known = make.encoding(1)
    make.template(one, known)
    engine.faces = [face(make.encoding(50), left=0), face(near(known, 0.2), left=200)]
    pipeline.process(make.snapshot(session, state="queued").pk)
    assert {s.left: s.student for s in Sighting.objects.all()} == {0: None, 200: one}
    red = np.zeros((100, 100, 3), np.uint8)
    red[..., 0] = 255
    loaded = photos.load_upright(
        photos.clean(photos.encode_jpeg(red), max_bytes=10**6, max_pixels=10**6).jpeg
    )
    assert loaded[50, 50, 0] > 240 > 15 > loaded[50, 50, 2], "red stays red"


def test_12_the_deleted_do_not_stay_in_a_warm_worker(session: ClassSession) -> None:
    one = session.course.students.first()
    make.template(one)
    galleries.raise_version_for(one)
    assert one.pk in galleries.gallery_for(session, make.ENGINE).subject_ids
    privacy.withdraw_consent(one, make.teacher())
    assert one.pk not in galleries.gallery_for(session, make.ENGINE).subject_ids
    assert not any(one.pk in cached.subject_ids for cached in galleries._galleries._kept.values())


def test_13_the_request_stores_and_queues_and_looks_at_nothing(
    session: ClassSession, engine: FakeEngine, sent: Sent, django_capture_on_commit_callbacks: Any
) -> None:
    from attendance import intake

    with django_capture_on_commit_callbacks(execute=True):
        intake.receive(session, make.jpeg(1))
    assert engine.calls == 0
    assert Snapshot.objects.get().state == "queued"
