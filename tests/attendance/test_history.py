"""The history of a mark: everything that led to it, in time order, at a fixed cost."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from attendance import contests, history, marks, privacy, reviews
from attendance.history import Event, FaceFact, Kind, PhotoFact, WordFact
from attendance.models import ClassSession, Sighting, Snapshot
from attendance.retention import purge
from tests import factories as make

START = dt.datetime(2026, 3, 12, 9, tzinfo=dt.UTC)


def at(minute: int) -> dt.datetime:
    return START + dt.timedelta(minutes=minute)


def face(photo: int, minute: int, decision: str = "recognised", about: bool = True) -> FaceFact:
    return FaceFact(photo * 10, photo, at(minute), decision, "clear", about, 0.8, 60, True)


def test_photos_without_the_student_stand_between_those_with() -> None:
    photos = [PhotoFact(1, at(1)), PhotoFact(2, at(2)), PhotoFact(3, at(3), "dark")]
    events = history.timeline(photos, [face(2, 2)], [])
    assert [event.kind for event in events] == [Kind.NOT_SEEN, Kind.RECOGNISED, Kind.UNUSABLE]


def test_an_unsure_face_is_no_absence_and_a_face_of_somebody_else_is() -> None:
    photos = [PhotoFact(1, at(1)), PhotoFact(2, at(2))]
    events = history.timeline(photos, [face(1, 1, "uncertain"), face(2, 2, "unknown", about=False)], [])
    assert [event.kind for event in events] == [Kind.UNSURE, Kind.UNKNOWN, Kind.NOT_SEEN]


def test_a_word_taken_back_is_two_lines() -> None:
    word = WordFact(Kind.SAID, at(9), "Grant", "is", undone_at=at(12), undone_by="Stone")
    assert [(event.at, event.kind) for event in history.timeline([], [], [word])] == [
        (at(9), Kind.SAID),
        (at(12), Kind.TAKEN_BACK),
    ]


@given(st.permutations(range(6)))
def test_the_order_facts_come_in_does_not_matter(order: list[int]) -> None:
    photos = [PhotoFact(number, at(number % 3)) for number in range(6)]
    faces = [face(number, number % 3) for number in range(6)]
    words = [WordFact(Kind.SAID, at(number % 3), "Grant", "is", sighting_id=number) for number in range(6)]

    def kinds(chosen: list[int]) -> list[Event]:
        pick = [[facts[i] for i in chosen] for facts in (photos, faces)]
        return history.timeline(pick[0], pick[1], words)

    assert kinds(order) == kinds(list(range(6)))


@pytest.fixture
def session(db: None) -> ClassSession:
    owner = make.teacher("grant")
    owner.first_name, owner.last_name = "Amelia", "Grant"
    owner.save()
    return make.session(make.course(owner), "closed", min_sightings=1)


def seen(session: ClassSession, **fields: Any) -> Sighting:
    student = make.student(session.course)
    make.template(student)
    sighting = make.sighting(make.snapshot(session, 5), student, **fields)
    sighting.candidates.create(student=student, rank=0, distance=0.4, score=0.3, probability=0.999999)
    marks.recompute(session.pk)
    return sighting


def page_of(session: ClassSession, sighting_student: Any, client: Any) -> str:
    client.force_login(session.course.teachers.get(), backend="django.contrib.auth.backends.ModelBackend")
    path = reverse("web:mark-history", args=[session.pk, sighting_student.pk])
    return str(client.get(path).content.decode())


def test_a_story_from_face_to_mark(session: ClassSession, client: Any) -> None:
    sighting = seen(session)
    student, teacher = sighting.student, session.course.teachers.get()
    assert student is not None
    word = reviews.decide(sighting, "is_not", teacher, student)
    reviews.undo(word, teacher)
    marks.set_by_hand(session, student, "excused", teacher)
    contests.decline(contests.say_was_there(session, student, "I was ill"), teacher, "Noted")

    found = history.of_mark(session, student)
    assert [event.kind for event in found.events] == [
        Kind.RECOGNISED, Kind.SAID, Kind.TAKEN_BACK, Kind.CHANGED, Kind.CONTESTED, Kind.ANSWERED
    ]  # fmt: skip
    text = page_of(session, student, client)
    for words in (
        "Recognised.", "99 % likely", "Amelia Grant said", "took back", "from present to excused",
        "I was ill", "Noted", "recognition would say",
    ):  # fmt: skip
        assert words in text or (words == "present (" and ">present<" in text), words


def test_a_mark_by_hand_that_was_taken_back_stays_in_the_story(session: ClassSession, client: Any) -> None:
    student, teacher, other = seen(session).student, session.course.teachers.get(), make.teacher("stone")
    assert student is not None
    marks.set_by_hand(session, student, "absent", teacher)
    mark = marks.undo(session.marks.get(student=student), other)
    assert (mark.status, mark.source) == ("present", "recognised")
    assert [event.kind for event in history.of_mark(session, student).events] == [
        Kind.RECOGNISED, Kind.CHANGED, Kind.TAKEN_BACK
    ]  # fmt: skip
    text = page_of(session, student, client)
    assert "Amelia Grant changed the mark by hand from present to absent." in text
    assert "stone took back" in text


def test_an_expired_photo_leaves_the_reason(session: ClassSession, client: Any) -> None:
    sighting = seen(session)
    Snapshot.objects.update(received_at=timezone.now() - dt.timedelta(days=60))
    purge.purge_expired()
    text = page_of(session, sighting.student, client)
    assert "99 % likely" in text
    assert "the picture has expired" in text
    assert reverse("web:face-crop", args=[sighting.pk]) not in text


def test_after_withdrawal_the_face_is_gone_and_the_mark_stays(session: ClassSession, client: Any) -> None:
    sighting = seen(session)
    student = sighting.student
    assert student is not None
    privacy.withdraw_consent(student, session.course.teachers.get())
    text = page_of(session, student, client)
    assert "Consent was withdrawn" in text
    assert "99 %" not in text
    assert "present" in text


def test_a_fixed_number_of_queries(session: ClassSession, django_assert_num_queries: Any) -> None:
    sighting = seen(session)
    student, teacher = sighting.student, session.course.teachers.get()
    assert student is not None
    history.of_mark(session, student)
    with django_assert_num_queries(9) as few:
        history.of_mark(session, student)
    for minute in range(6, 14):
        other = make.sighting(make.snapshot(session, minute), student)
        reviews.undo(reviews.decide(other, "is_not", teacher, student), teacher)
    with django_assert_num_queries(len(few)):
        assert len(history.of_mark(session, student).events) > 20
