"""Marks: written from facts, never over a person's word."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attendance import cameras, classes, errors, marks, reviews, schooltime
from attendance.models import ClassSession, Mark, Review, Sighting, Student
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return make.teacher()


@pytest.fixture
def session(owner: User) -> ClassSession:
    return make.session(make.course(owner, students=3))


def students(session: ClassSession) -> list[Student]:
    return list(session.course.students.order_by("number"))


def enrol(*people: Student) -> None:
    for person in people:
        make.template(person)


def status(session: ClassSession, student: Student) -> str:
    return session.marks.get(student=student).status


def test_opening_gives_everybody_on_the_roster_a_line() -> None:
    session = make.session(make.course(students=4), state="planned")
    classes.open_session(session)
    assert session.marks.count() == 4
    assert set(session.marks.values_list("status", flat=True)) == {"not_evaluated"}


def test_closing_leaves_one_mark_for_every_student_and_the_unseen_are_absent(session: ClassSession) -> None:
    one, two, three = students(session)
    enrol(one, two, three)
    for minute in (2, 14, 30):
        make.sighting(make.snapshot(session, minute), one)
    classes.close_session(session)
    assert [status(session, s) for s in (one, two, three)] == ["present", "absent", "absent"]


@pytest.mark.parametrize("photos", [0, 1, 2])
def test_closing_after_too_few_photos_marks_nobody_absent(session: ClassSession, photos: int) -> None:
    enrol(*students(session))
    for minute in range(photos):
        make.snapshot(session, minute)
    make.snapshot(session, 20, usable=False)
    make.snapshot(session, 21, state="failed")
    classes.close_session(session)
    assert set(session.marks.values_list("status", flat=True)) == {"not_evaluated"}


def test_a_lesson_before_a_student_came_does_not_count(session: ClassSession) -> None:
    newcomer = make.student(session.course, since=dt.date(2026, 12, 30))
    marks.recompute(session.pk)
    assert not session.marks.filter(student=newcomer).exists()


def test_who_left_the_roster_loses_the_machines_mark_and_keeps_a_persons(
    session: ClassSession, owner: User
) -> None:
    one, two, _three = students(session)
    marks.recompute(session.pk)
    marks.set_by_hand(session, one, "present", owner)
    session.course.roster_entries.filter(student__in=[one, two]).delete()
    marks.recompute(session.pk)
    assert session.marks.filter(student=one, status="present").exists()
    assert not session.marks.filter(student=two).exists()


def test_recomputing_twice_writes_nothing_the_second_time(session: ClassSession) -> None:
    one, *_ = students(session)
    enrol(one)
    make.sighting(make.snapshot(session, 2), one)
    marks.recompute(session.pk)
    before = list(session.marks.values())
    again = marks.recompute(session.pk)
    assert (again.created, again.changed, again.removed) == (0, 0, 0)
    assert list(session.marks.values()) == before


def test_what_is_set_by_hand_waits_for_nobody_any_more(session: ClassSession, owner: User) -> None:
    one, *_ = students(session)
    enrol(one)
    make.sighting(make.snapshot(session, 2), one, decision="uncertain")
    marks.recompute(session.pk)
    assert session.marks.get(student=one).to_check
    mark = marks.set_by_hand(session, one, "absent", owner)
    assert not session.marks.get(student=one).to_check
    assert marks.recompute(session.pk).changed == 0
    marks.undo(mark, owner)
    assert session.marks.get(student=one).to_check


def test_the_machine_says_what_it_would_have_said_beside_a_persons_mark(
    session: ClassSession, owner: User
) -> None:
    one, *_ = students(session)
    enrol(one)
    marks.set_by_hand(session, one, "absent", owner, note="went home")
    for minute in (2, 14):
        make.sighting(make.snapshot(session, minute), one)
    marks.recompute(session.pk)
    mark = session.marks.get(student=one)
    assert (mark.status, mark.source, mark.machine_status) == ("absent", "manual", "present")
    assert mark.note == "went home"


@pytest.mark.parametrize("by_hand", ["present", "late", "left_early", "excused", "absent", "not_evaluated"])
def test_undo_brings_back_what_stood_before(session: ClassSession, owner: User, by_hand: str) -> None:
    one, *_ = students(session)
    enrol(one)
    for minute in (2, 14):
        make.sighting(make.snapshot(session, minute), one)
    marks.recompute(session.pk)
    mark = marks.set_by_hand(session, one, "excused", owner)
    mark = marks.set_by_hand(session, one, by_hand, owner)
    mark = marks.undo(mark, owner)
    assert (mark.status, mark.source) == ("excused", "manual")
    mark = marks.undo(mark, owner)
    assert (mark.status, mark.source, mark.decided_by) == ("present", "recognised", None)
    with pytest.raises(errors.NothingToUndo):
        marks.undo(mark, owner)
    kept = mark.changes.values_list("new_status", "undone_by")
    assert list(kept) == [(by_hand, owner.pk), ("excused", owner.pk)], "what was taken back is not forgotten"


def test_the_rest_of_the_class_by_hand_leaves_settled_marks_alone(session: ClassSession, owner: User) -> None:
    one, two, three = students(session)
    marks.recompute(session.pk)
    marks.set_by_hand(session, one, "excused", owner)
    assert marks.set_rest_by_hand(session, "present", owner) == 2
    assert [status(session, s) for s in (one, two, three)] == ["excused", "present", "present"]


def test_a_status_nobody_knows_and_a_student_of_another_class_are_refused(
    session: ClassSession, owner: User
) -> None:
    with pytest.raises(errors.UnknownStatus):
        marks.set_by_hand(session, students(session)[0], "asleep", owner)
    with pytest.raises(errors.NotOnRoster):
        marks.set_by_hand(session, make.student(), "present", owner)


def test_a_confirmed_face_makes_present_and_undoing_takes_it_back(session: ClassSession, owner: User) -> None:
    one, *_ = students(session)
    enrol(one)
    face = make.sighting(make.snapshot(session, 2), one, decision="uncertain")
    marks.recompute(session.pk)
    assert session.marks.get(student=one).to_check
    review = reviews.decide(face, Review.Verdict.IS, owner, one)
    mark = session.marks.get(student=one)
    assert (mark.status, mark.source, mark.to_check) == ("present", "reviewed", False)
    reviews.undo(review, owner)
    assert session.marks.get(student=one).to_check
    with pytest.raises(errors.NothingToUndo):
        reviews.undo(review, owner)


def test_a_rejected_student_is_not_named_again_for_that_face(session: ClassSession, owner: User) -> None:
    one, *_ = students(session)
    enrol(one)
    faces = [make.sighting(make.snapshot(session, minute), one) for minute in (2, 14)]
    marks.recompute(session.pk)
    assert status(session, one) == "present"
    for face in faces:
        reviews.decide(face, Review.Verdict.IS_NOT, owner, one)
    assert status(session, one) == "not_evaluated"
    make.template(one)
    marks.recompute(session.pk)
    assert status(session, one) == "not_evaluated"


def test_a_later_word_about_a_face_takes_the_place_of_the_earlier(session: ClassSession, owner: User) -> None:
    one, two, _ = students(session)
    face = make.sighting(make.snapshot(session, 2), one)
    reviews.decide(face, Review.Verdict.IS, owner, one)
    reviews.decide(face, Review.Verdict.IS, owner, two)
    reviews.decide(face, Review.Verdict.NOT_A_FACE, owner)
    standing = Review.objects.filter(sighting=face, undone_at__isnull=True)
    assert [review.verdict for review in standing] == ["not_a_face"]
    assert Review.objects.filter(sighting=face).count() == 3, "earlier words are kept as facts"


def test_a_face_cannot_be_given_to_somebody_of_another_class(session: ClassSession, owner: User) -> None:
    face = make.sighting(make.snapshot(session, 2))
    with pytest.raises(errors.NotOnRoster):
        reviews.decide(face, Review.Verdict.IS, owner, make.student())


step = st.one_of(
    st.tuples(st.just("photo"), st.integers(0, 2), st.sampled_from(["recognised", "uncertain"])),
    st.tuples(st.just("hand"), st.integers(0, 2), st.sampled_from(["present", "absent", "excused"])),
    st.tuples(st.just("review"), st.integers(0, 2), st.sampled_from(["is", "is_not", "not_in_class"])),
    st.tuples(st.just("recompute"), st.just(0), st.just("")),
    st.tuples(st.just("close"), st.just(0), st.just("")),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(step, max_size=12))
def test_a_persons_word_stands_whatever_comes_in_whatever_order(steps: list[tuple[str, int, str]]) -> None:
    owner = make.teacher()
    session = make.session(make.course(owner, students=3))
    people = students(session)
    enrol(*people)
    said: dict[int, str] = {}
    for minute, (kind, who, what) in enumerate(steps):
        person = people[who]
        if kind == "photo":
            make.sighting(make.snapshot(session, minute), person, decision=what)
            marks.recompute(session.pk)
        elif kind == "hand":
            marks.set_by_hand(session, person, what, owner)
            said[person.pk] = what
        elif kind == "review":
            face = Sighting.objects.filter(snapshot__session=session).first()
            if face is not None:
                reviews.decide(face, what, owner, person if what != "not_in_class" else None)
        elif kind == "close" and session.state == "open":
            session = classes.close_session(session)
        else:
            marks.recompute(session.pk)
        for mark in Mark.objects.filter(session=session):
            if mark.student_id in said:
                assert (mark.status, mark.source) == (said[mark.student_id], "manual")
    again = marks.recompute(session.pk) and marks.recompute(session.pk)
    assert (again.created, again.changed, again.removed) == (0, 0, 0)


def test_recomputing_takes_as_many_queries_for_three_students_as_for_thirty() -> None:
    schooltime.school_zone()
    counts = []
    for size in (3, 30):
        session = make.session(make.course(students=size))
        for minute in range(3):
            shot = make.snapshot(session, minute)
            for index, person in enumerate(students(session)):
                make.sighting(shot, person, index=index)
        with CaptureQueriesContext(connection) as queries:
            marks.recompute(session.pk)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_student_seen_by_two_cameras_at_once_is_one_sighting_of_presence() -> None:
    by, room = make.administrator(), make.room()
    course = make.course(students=1)
    session = make.session(course, room=room, min_sightings=2)
    student = course.students.get()
    front, _key = cameras.create("front", room, by)
    back, _key = cameras.create("back", room, by)
    for camera in (front, back):
        make.sighting(make.snapshot(session, minute=2, camera=camera), student)
    marks.recompute(session.pk)
    mark = session.marks.get()
    assert (mark.status, mark.seen_in) == ("not_evaluated", 1)
    make.sighting(make.snapshot(session, minute=12, camera=back), student)
    marks.recompute(session.pk)
    mark.refresh_from_db()
    assert (mark.status, mark.seen_in) == ("present", 2)
