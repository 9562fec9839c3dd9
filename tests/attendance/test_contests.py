"""What students object to, and what a teacher's answer does."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import IntegrityError
from django.utils import timezone

from attendance import accounts, contests, errors, marks, privacy, reviews
from attendance.models import ClassSession, Contest, Mark, Review, Sighting, Student, StudentAccount
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def session() -> ClassSession:
    owner = make.teacher()
    return make.session(make.course(owner), "closed", timezone.now() - dt.timedelta(hours=2), min_sightings=1)


@pytest.fixture
def seen(session: ClassSession) -> Sighting:
    """A face of the one student, recognised in a photo."""
    student = make.student(session.course)
    make.template(student)
    face = make.sighting(make.snapshot(session, 5), student)
    marks.recompute(session.pk)
    return face


def mark_of(student: Student, session: ClassSession) -> Mark:
    return session.marks.get(student=student)


def absent_student(session: ClassSession) -> Student:
    student = make.student(session.course)
    make.template(student)
    for minute in (5, 10, 15):
        make.snapshot(session, minute)
    marks.recompute(session.pk)
    assert mark_of(student, session).status == "absent"
    return student


def test_that_was_not_me_upheld_takes_the_face_away_and_undone_gives_it_back(seen: Sighting) -> None:
    session, student, teacher = seen.snapshot.session, seen.student, make.teacher()
    assert student is not None
    contest = contests.say_not_me(seen, student, "  I was ill ")
    assert contest.note == "I was ill"
    assert contests.open_contests(ClassSession.objects.all()) == [contest]
    assert mark_of(student, session).status == "present"

    contest = contests.uphold(contest, teacher, "Sorry!")
    assert (contest.state, contest.answer, contest.settled_by) == ("upheld", "Sorry!", teacher)
    assert mark_of(student, session).status != "present"
    assert contests.open_contests(ClassSession.objects.all()) == []

    contest = contests.reopen(contest, teacher)
    assert (contest.state, contest.answer, contest.settled_by) == ("open", "", None)
    assert mark_of(student, session).status == "present"
    assert Review.objects.get().undone_by == teacher


def test_i_was_there_upheld_is_a_mark_by_hand_and_undone_gives_it_back(session: ClassSession) -> None:
    student, teacher = absent_student(session), make.teacher()
    contest = contests.uphold(contests.say_was_there(session, student), teacher, status="late")
    mark = mark_of(student, session)
    assert (mark.status, mark.source, mark.decided_by) == ("late", "manual", teacher)
    contests.reopen(contest, teacher)
    assert (mark_of(student, session).status, mark_of(student, session).source) == ("absent", "recognised")


def test_a_change_made_since_is_not_undone_with_the_answer(session: ClassSession) -> None:
    student, teacher = absent_student(session), make.teacher()
    contest = contests.uphold(contests.say_was_there(session, student), teacher)
    marks.set_by_hand(session, student, "excused", make.teacher())
    contests.reopen(contest, teacher)
    assert mark_of(student, session).status == "excused"


def test_declined_changes_nothing_but_the_answer(seen: Sighting) -> None:
    assert seen.student is not None
    before = mark_of(seen.student, seen.snapshot.session).status
    contest = contests.decline(contests.say_not_me(seen, seen.student), make.teacher(), "It is you")
    assert (contest.state, contest.answer) == ("declined", "It is you")
    assert mark_of(seen.student, seen.snapshot.session).status == before
    assert not Review.objects.exists()


def test_said_twice_it_is_one_and_settled_twice_the_second_is_told(seen: Sighting) -> None:
    assert seen.student is not None
    first, second = (contests.say_not_me(seen, seen.student, note) for note in ("a", "b"))
    assert (first.pk, second.note) == (second.pk, "a")
    contests.decline(first, make.teacher())
    for answer in (contests.uphold, contests.decline):
        with pytest.raises(errors.ContestSettled):
            answer(second, make.teacher())
    with pytest.raises(errors.ContestSettled):
        contests.take_back(second)


def test_taken_back_it_leaves_the_queue(seen: Sighting) -> None:
    assert seen.student is not None
    contest = contests.say_not_me(seen, seen.student)
    contests.take_back(contest)
    assert contests.open_contests(ClassSession.objects.all()) == []
    with pytest.raises(errors.NothingToUndo):
        contests.reopen(contest, make.teacher())
    assert contests.say_not_me(seen, seen.student).pk != contest.pk


def test_there_must_be_something_to_object_to(seen: Sighting) -> None:
    session, student = seen.snapshot.session, seen.student
    assert student is not None
    with pytest.raises(errors.NothingToContest):
        contests.say_was_there(session, student)
    with pytest.raises(errors.NothingToContest):
        contests.say_was_there(session, make.student())
    with pytest.raises(errors.NothingToContest):
        contests.say_not_me(seen, make.student(session.course))
    reviews.decide(seen, "is_not", make.teacher(), student)
    with pytest.raises(errors.NothingToContest):
        contests.say_not_me(seen, student)


def test_an_old_lesson_is_talked_about_instead(session: ClassSession) -> None:
    student = absent_student(session)
    ClassSession.objects.update(
        starts_at=timezone.now() - dt.timedelta(days=32), ends_at=timezone.now() - dt.timedelta(days=31)
    )
    session.refresh_from_db()
    with pytest.raises(errors.TooLateToContest):
        contests.say_was_there(session, student)


def test_a_mark_that_would_deny_it_again_is_no_answer(session: ClassSession) -> None:
    contest = contests.say_was_there(session, absent_student(session))
    with pytest.raises(errors.UnknownStatus):
        contests.uphold(contest, make.teacher(), status="absent")


def test_the_database_refuses_what_makes_no_sense(seen: Sighting) -> None:
    rows = {"session": seen.snapshot.session, "student": seen.student, "at": timezone.now()}
    from django.db import transaction

    for wrong in (
        {"kind": "not_me"},
        {"kind": "was_there", "sighting": seen},
        {"kind": "was_there", "state": "upheld"},
        {"kind": "was_there", "settled_by": make.teacher()},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Contest.objects.create(**rows, **wrong)


def test_one_query_however_many_wait(session: ClassSession, django_assert_num_queries: object) -> None:
    for _ in range(6):
        student = make.student(session.course)
        face = make.sighting(make.snapshot(session, 1), student)
        contests.say_not_me(face, student)
    with django_assert_num_queries(1):  # type: ignore[operator]
        found = contests.open_contests(ClassSession.objects.filter(pk=session.pk))
        assert all(each.sighting and each.sighting.snapshot and each.session.course.name for each in found)
    assert len(found) == 6


def test_a_withdrawal_takes_what_was_said_about_faces_and_leaves_the_rest(seen: Sighting) -> None:
    session, student = seen.snapshot.session, seen.student
    assert student is not None
    contests.say_not_me(seen, student)
    marks.set_by_hand(session, student, "absent", make.teacher())
    contests.say_was_there(session, student)
    privacy.withdraw_consent(student, make.teacher())
    assert [each.kind for each in Contest.objects.all()] == ["was_there"]


def test_a_deleted_student_leaves_nothing_behind(seen: Sighting) -> None:
    student, teacher = seen.student, make.teacher()
    assert student is not None
    accounts.give_login(student, teacher)
    contests.uphold(contests.say_not_me(seen, student), teacher)
    privacy.delete_student(student)
    assert not Contest.objects.exists()
    assert not StudentAccount.objects.exists()


def test_once_declined_it_is_talked_about_until_the_mark_changes(
    seen: Sighting, session: ClassSession
) -> None:
    assert seen.student is not None
    teacher, student = make.teacher(), absent_student(session)
    contests.decline(contests.say_not_me(seen, seen.student), teacher)
    contests.decline(contests.say_was_there(session, student), teacher)
    with pytest.raises(errors.AlreadyAnswered):
        contests.say_not_me(seen, seen.student)
    with pytest.raises(errors.AlreadyAnswered):
        contests.say_was_there(session, student)
    marks.set_by_hand(session, student, "late", teacher)
    assert contests.say_was_there(session, student).state == "open"
