"""The review desk as a page: one face after the other."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from attendance import marks
from attendance.models import Candidate, ClassSession, Review, Sighting, Student
from tests import factories as make

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def session() -> ClassSession:
    found = make.session(make.course(make.teacher("desk-owner"), students=3))
    for number, student in enumerate(found.course.students.order_by("pk")[:2]):
        make.template(student)
        sighting = make.sighting(
            make.snapshot(found, number), student, decision="uncertain", reason="middle_band"
        )
        Candidate.objects.create(
            sighting=sighting,
            student=student,
            rank=0,
            distance=0.5,
            score=-0.5,
            probability=0.9 - number / 10,
        )
    marks.recompute(found.pk)
    return found


@pytest.fixture
def owner(client: Client, session: ClassSession) -> Client:
    client.force_login(session.course.teachers.get())
    return client


def press(client: Client, sighting: Sighting, **choice: object) -> str:
    data = {"session": sighting.snapshot.session_id, "face": sighting.pk, "whole_group": "1", **choice}
    answer = client.post(reverse("web:desk-settle"), data, **HTMX)
    assert answer.status_code == 200, answer.headers
    return answer.content.decode()


def faces() -> list[Sighting]:
    return list(Sighting.objects.order_by("pk"))


def test_the_desk_shows_the_most_valuable_face_and_what_is_left(owner: Client) -> None:
    page = owner.get(reverse("web:desk")).content.decode()
    assert "2 to check" in page
    assert faces()[0].student.full_name in page
    assert "90 %" in page
    assert reverse("web:face-crop", args=[faces()[1].pk]) in page, "the next one is loaded ahead"


def test_a_whole_run_ends_with_what_was_done(owner: Client, session: ClassSession) -> None:
    owner.get(reverse("web:desk"))
    first, second = faces()
    page = press(owner, first, student=first.student_id)
    assert "1 to check" in page
    page = press(owner, second, verdict="not_in_class")
    assert "2 faces checked in" in page
    assert "1 mark changed" in page or "2 marks changed" in page
    assert session.marks.get(student=first.student).status == "present"
    assert Review.objects.count() == 2


def test_undo_brings_the_item_back(owner: Client, session: ClassSession) -> None:
    owner.get(reverse("web:desk"))
    first = faces()[0]
    press(owner, first, student=first.student_id)
    batch = Review.objects.get().batch
    answer = owner.post(reverse("web:desk-undo", args=[batch]), **HTMX)
    assert "2 to check" in answer.content.decode()
    assert session.marks.get(student=first.student).to_check


def test_a_skipped_item_waits_for_the_next_run(owner: Client, session: ClassSession) -> None:
    owner.get(reverse("web:desk"))
    page = owner.post(
        reverse("web:desk-skip"), {"key": f"{session.pk}-face-{faces()[0].pk}"}, **HTMX
    ).content.decode()
    assert "1 to check" in page
    assert "2 to check" in owner.get(reverse("web:desk")).content.decode()


def test_somebody_else_of_the_class_can_be_chosen(owner: Client, session: ClassSession) -> None:
    third = session.course.students.order_by("pk").last()
    press(owner, faces()[0], student=third.pk)
    assert session.marks.get(student=third).status == "present"


def test_without_scripts_the_desk_works_as_plain_forms(owner: Client) -> None:
    first = faces()[0]
    answer = owner.post(
        reverse("web:desk-settle"),
        {
            "session": first.snapshot.session_id,
            "face": first.pk,
            "student": first.student_id,
            "whole_group": "1",
        },
    )
    assert answer.status_code == 302
    assert Review.objects.count() == 1


def test_the_second_reviewer_is_told(owner: Client, session: ClassSession) -> None:
    first = faces()[0]
    press(owner, first, student=first.student_id)
    colleague = make.teacher()
    session.course.teachers.add(colleague)
    other = Client()
    other.force_login(colleague)
    data = {"session": session.pk, "face": first.pk, "verdict": "not_a_face", "whole_group": "1"}
    answer = other.post(reverse("web:desk-settle"), data, **HTMX)
    assert answer.status_code == 409
    assert "Somebody else decided" in answer.headers["HX-Trigger"]
    assert session.marks.get(student=first.student).status == "present"


def test_the_desk_of_another_teacher_is_empty_and_settles_nothing(session: ClassSession) -> None:
    stranger = Client()
    stranger.force_login(make.teacher())
    assert "Nothing to check" in stranger.get(reverse("web:desk")).content.decode()
    first = faces()[0]
    data = {"session": session.pk, "face": first.pk, "student": first.student_id}
    assert stranger.post(reverse("web:desk-settle"), data, **HTMX).status_code == 404
    assert not Review.objects.exists()


def test_a_registrar_may_look_and_not_decide(session: ClassSession) -> None:
    reader = Client()
    reader.force_login(make.registrar())
    assert "2 to check" in reader.get(reverse("web:desk")).content.decode()
    first = faces()[0]
    data = {"session": session.pk, "face": first.pk, "student": first.student_id}
    assert reader.post(reverse("web:desk-settle"), data, **HTMX).status_code == 400
    assert not Review.objects.exists()


@pytest.mark.parametrize(
    "query", ["?course=abc", "?session=999999", "?course=99999999999999999999", "?session=²"]
)
def test_odd_addresses_are_no_errors(owner: Client, query: str) -> None:
    assert owner.get(reverse("web:desk") + query).status_code == 200


@pytest.mark.parametrize("data", [{}, {"session": "x"}, {"session": "0", "face": "1"}])
def test_odd_posts_are_no_errors(owner: Client, data: dict[str, str]) -> None:
    assert owner.post(reverse("web:desk-settle"), data, **HTMX).status_code == 404


def test_a_student_of_another_class_cannot_be_chosen(owner: Client) -> None:
    first = faces()[0]
    data = {"session": first.snapshot.session_id, "face": first.pk, "student": make.student().pk}
    assert owner.post(reverse("web:desk-settle"), data, **HTMX).status_code == 404
    assert Student.objects.count() == 4
