"""The desk's queue: what can change a mark, grouped by person, most valuable first."""

from __future__ import annotations

import datetime as dt
import random

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from attendance import classes, errors, marks, privacy, reviews
from attendance.desk import queue
from attendance.desk.items import Item, Kind, Likeness, OpenFace, RollState, SessionFaces, build_items
from attendance.desk.settle import settle
from attendance.engines import to_bytes
from attendance.models import Candidate, ClassSession, Review, Sighting, Student
from tests import factories as make
from tests.attendance.conftest import near

START = dt.datetime(2026, 3, 12, 9, tzinfo=dt.UTC)
OPEN = RollState(1, open=True, to_check=True)
SETTLED = RollState(2, open=False, to_check=False)
ROLL = {1: OPEN, 2: SETTLED, 3: RollState(3, open=True, to_check=False)}


def face(
    sighting_id: int,
    photo_id: int,
    person: int,
    *candidates: tuple[int, float],
    unsure: bool = True,
    named: int | None = None,
    reason: str = "middle_band",
) -> OpenFace:
    """A face of a person (by seed), with (student, probability) candidates."""
    return OpenFace(
        sighting_id,
        photo_id,
        START,
        named,
        unsure,
        reason,
        quality=0.5,
        pixels=40,
        encoding=near(make.encoding(person), 0.2, seed=sighting_id).astype(np.float32),
        candidates=tuple(
            Likeness(student, 0.5, -0.5 + chance / 10, chance) for student, chance in candidates
        ),
    )


def items(*faces: OpenFace, roll: dict[int, RollState] | None = None) -> list[Item]:
    return build_items(SessionFaces(faces, roll or ROLL, 0.55))


def test_faces_of_one_person_are_one_item_and_two_people_are_two() -> None:
    found = items(
        *(face(n, n, 1, (1, 0.8)) for n in range(4)), *(face(10 + n, n, 2, (3, 0.6)) for n in range(3))
    )
    assert [(len(item.faces), item.candidates[0].likeness.student_id) for item in found] == [(4, 1), (3, 3)]


def test_two_faces_of_one_photo_are_never_one_person() -> None:
    assert [len(item.faces) for item in items(face(1, 7, 1, (1, 0.8)), face(2, 7, 1, (1, 0.8)))] == [1, 1]


def test_what_cannot_change_a_mark_is_not_shown() -> None:
    assert items(face(1, 1, 1, (2, 0.9))) == [], "the mark of student 2 stands already"
    assert items(face(1, 1, 1, (99, 0.9))) == [], "nobody of this roll"
    seen = {1: RollState(1, True, True, frozenset({5}))}
    assert items(face(1, 5, 1, (1, 0.9)), roll=seen) == [], "named on another face of the same photo"


def test_the_most_valuable_comes_first() -> None:
    found = items(face(1, 1, 1, (1, 0.55)), face(2, 1, 2, (3, 0.95)))
    assert [item.candidates[0].likeness.student_id for item in found] == [3, 1]


def test_strangers_are_worth_a_look_only_when_seen_again_and_somebody_is_missing() -> None:
    once = face(1, 1, 1, (3, 0.1), unsure=False, reason="too_far")
    again = face(2, 2, 1, (3, 0.1), unsure=False, reason="too_far")
    assert items(once) == []
    (found,) = items(once, again)
    assert (found.kind, found.worth) == (Kind.STRANGER, 0.1)
    assert items(once, again, roll={2: SETTLED}) == []
    nobody = [face(n, n, 1, (3, 0.01), unsure=False, reason="too_far") for n in range(3)]
    assert items(*nobody) == [], "a visitor who looks like nobody costs no time"


def test_kinds_say_why() -> None:
    assert items(face(1, 1, 1, (1, 0.8)))[0].kind is Kind.UNCERTAIN
    assert items(face(1, 1, 1, (1, 0.8), reason="taken_in_photo"))[0].kind is Kind.CLAIMED_TWICE
    assert items(face(1, 1, 1, (1, 0.9), unsure=False, named=1))[0].kind is Kind.SEEN_TOO_SELDOM


def test_the_order_of_faces_does_not_matter() -> None:
    faces = [face(n, n % 4, n % 3, (1 + 2 * (n % 2), 0.5 + n / 100)) for n in range(12)]
    first = [[f.sighting_id for f in item.faces] for item in items(*faces)]
    for seed in range(5):
        random.Random(seed).shuffle(faces)
        assert [[f.sighting_id for f in item.faces] for item in items(*faces)] == first


# --- with the database ----------------------------------------------------------------------------
@pytest.fixture
def session(db: None) -> ClassSession:
    return make.session(make.course(make.teacher(), students=3))


def unsure_faces(
    session: ClassSession, student: Student, photos: int, person: int = 1, chance: float = 0.8
) -> list[Sighting]:
    if not student.templates.exists():
        make.template(student)
    found = []
    for minute in range(photos):
        vector = near(make.encoding(person), 0.2, seed=minute)
        sighting = make.sighting(
            make.snapshot(session, minute), student, decision="uncertain", reason="middle_band",
            encoding=to_bytes(vector),
        )  # fmt: skip
        Candidate.objects.create(
            sighting=sighting, student=student, rank=0, distance=0.5, score=-0.5, probability=chance
        )
        found.append(sighting)
    marks.recompute(session.pk)
    return found


def waiting(session: ClassSession) -> list[queue.DeskItem]:
    return queue.items_for(ClassSession.objects.filter(pk=session.pk))


def test_settling_a_group_settles_all_its_faces_and_the_mark(session: ClassSession) -> None:
    student = session.course.students.first()
    faces = unsure_faces(session, student, 3)
    ((item,), owner) = waiting(session), session.course.teachers.get()
    assert len(item.item.faces) == 3
    assert queue.worth([item]) == 1
    decision = settle(session, [f.pk for f in faces], "is", owner, student, shown={"kind": "uncertain"})
    assert [(m.student_id, m.before, m.after) for m in decision.moved] == [
        (student.pk, "not_evaluated", "present")
    ]
    assert waiting(session) == []
    kept = Review.objects.filter(batch=decision.batch)
    assert kept.count() == 3
    assert kept.order_by("pk").first().changed == [
        {"student": student.pk, "from": "not_evaluated", "to": "present"}
    ]
    assert {review.shown["kind"] for review in kept} == {"uncertain"}


def test_many_faces_that_may_be_one_student_are_worth_one_mark(session: ClassSession) -> None:
    student = session.course.students.first()
    for person in range(4):
        unsure_faces(session, student, 1, person, chance=0.4)
    found = waiting(session)
    assert len(found) == 4
    assert queue.worth(found) == 1


def test_undo_takes_back_the_whole_key_press(session: ClassSession) -> None:
    student = session.course.students.first()
    faces = unsure_faces(session, student, 3)
    owner = session.course.teachers.get()
    decision = settle(session, [f.pk for f in faces], "is", owner, student)
    reviews.undo_batch(decision.batch, owner)
    assert session.marks.get(student=student).to_check
    assert len(waiting(session)) == 1
    with pytest.raises(errors.NothingToUndo):
        reviews.undo_batch(decision.batch, owner)


def test_the_second_of_two_reviewers_is_told_and_changes_nothing(session: ClassSession) -> None:
    student = session.course.students.first()
    faces = [f.pk for f in unsure_faces(session, student, 2)]
    settle(session, faces, "is", session.course.teachers.get(), student)
    with pytest.raises(errors.AlreadyDecided):
        settle(session, faces, "not_in_class", make.teacher())
    assert session.marks.get(student=student).status == "present"


def test_pressing_twice_is_once(session: ClassSession) -> None:
    student = session.course.students.first()
    faces = [f.pk for f in unsure_faces(session, student, 2)]
    owner = session.course.teachers.get()
    settle(session, faces, "is", owner, student)
    settle(session, faces, "is", owner, student)
    assert Review.objects.filter(undone_at__isnull=True).count() == 2


def test_faces_that_are_gone_or_of_another_session_are_refused(session: ClassSession) -> None:
    student = session.course.students.first()
    faces = [f.pk for f in unsure_faces(session, student, 1)]
    owner = session.course.teachers.get()
    other = make.sighting(make.snapshot(make.session(session.course)))
    for ids in ([], [10**9], [*faces, other.pk]):
        with pytest.raises(errors.AlreadyDecided):
            settle(session, ids, "not_a_face", owner)
    assert not Review.objects.exists()


def test_a_student_who_withdrew_leaves_the_desk(session: ClassSession) -> None:
    student = session.course.students.first()
    unsure_faces(session, student, 2)
    privacy.withdraw_consent(student, session.course.teachers.get())
    assert waiting(session) == []


def test_seen_too_seldom_comes_to_the_desk_once_the_session_is_over(session: ClassSession) -> None:
    student = session.course.students.first()
    make.template(student)
    sighting = make.sighting(make.snapshot(session, 2), student)
    make.snapshot(session, 14)
    make.snapshot(session, 30)
    marks.recompute(session.pk)
    assert waiting(session) == []
    classes.close_session(session)
    (item,) = waiting(session)
    assert item.item.kind is Kind.SEEN_TOO_SELDOM
    settle(session, [sighting.pk], "is", session.course.teachers.get(), student)
    assert session.marks.get(student=student).status == "present"


def test_a_mark_by_hand_takes_its_faces_off_the_desk(session: ClassSession) -> None:
    student = session.course.students.first()
    unsure_faces(session, student, 2)
    marks.set_by_hand(session, student, "absent", session.course.teachers.get())
    assert waiting(session) == []


def test_faces_whose_photo_has_expired_can_still_be_settled(session: ClassSession) -> None:
    student = session.course.students.first()
    unsure_faces(session, student, 2)
    Sighting.objects.update(encoding=None, chip="")
    assert [len(each.item.faces) for each in waiting(session)] == [1, 1]


def test_the_queue_takes_as_many_queries_for_one_session_as_for_ten(db: None) -> None:
    course = make.course(make.teacher(), students=3)
    counts = []
    for size in (1, 10):
        for _ in range(size):
            unsure_faces(make.session(course), course.students.first(), 2)
        with CaptureQueriesContext(connection) as queries:
            found = queue.items_for(ClassSession.objects.all())
        counts.append(len(queries))
    assert len(found) == 11
    assert counts[0] == counts[1]
