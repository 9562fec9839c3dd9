"""The review desk as a page: one face after the other."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from attendance import contests, marks
from attendance.models import Candidate, ClassSession, DeskFact, Review, Sighting, Student
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


# --- filters, links, and the acts that are not about one face --------------------------------------
def test_filters_stand_in_the_address_and_narrow_the_desk(owner: Client, session: ClassSession) -> None:
    empty = make.course(session.course.teachers.get(), name="Empty course")
    room = make.room("Attic")
    desk = reverse("web:desk")
    assert "Nothing waits in what is shown here." in owner.get(f"{desk}?course={empty.pk}").content.decode()
    assert "Nothing waits" in owner.get(f"{desk}?room={room.pk}").content.decode()
    assert "Nothing waits" in owner.get(f"{desk}?kind=report").content.decode()
    page = owner.get(f"{desk}?course={session.course_id}&kind=uncertain").content.decode()
    assert "2 to check" in page
    assert f"?course={session.course_id}&amp;kind=uncertain" in page, "the forms keep the filter"
    assert "2 to check" in owner.get(f"{desk}?kind=dance").content.decode(), "a kind there is not is left out"


def test_an_item_has_an_address_of_its_own(owner: Client, session: ClassSession) -> None:
    second = faces()[1]
    page = owner.get(f"{reverse('web:desk')}?item={session.pk}-face-{second.pk}").content.decode()
    assert page.index(second.student.full_name) < page.index(faces()[0].student.full_name)
    press(owner, second, student=second.student_id)
    page = owner.get(f"{reverse('web:desk')}?item={session.pk}-face-{second.pk}").content.decode()
    assert "has been settled" in page


def test_not_this_person_is_a_button_and_keeps_what_was_shown(owner: Client, session: ClassSession) -> None:
    first = faces()[0]
    press(owner, first, reject=first.student_id, key=f"{session.pk}-face-{first.pk}")
    review = Review.objects.get()
    assert (review.verdict, review.student_id) == ("is_not", first.student_id)
    assert review.shown["candidates"] == [[first.student_id, 0.5, 0.9]]


def test_the_evidence_card_says_why_in_words(owner: Client) -> None:
    page = owner.get(reverse("web:desk")).content.decode()
    for words in (
        "Best match",
        "distance 0.50",
        "pixels wide",
        "Not counted. Alike, but not enough to be sure.",
    ):
        assert words in page


def test_many_are_confirmed_after_a_look(owner: Client, session: ClassSession) -> None:
    address = f"{reverse('web:desk-bulk')}?at=80"
    page = owner.get(address).content.decode()
    values = [f"{session.pk}-face-{each.pk}|{each.student_id}|{each.pk}" for each in faces()]
    assert all(value in page for value in values)
    answer = owner.post(address, {"offer": [values[0], "nonsense", f"{values[1]}99"]}, follow=True)
    page = answer.content.decode()
    assert "1 face confirmed" in page
    assert "they were left alone" in page
    assert session.marks.get(student=faces()[0].student).status == "present"
    assert "1 to check" in page
    owner.post(reverse("web:desk-undo", args=[Review.objects.get().batch]), **HTMX)
    assert session.marks.get(student=faces()[0].student).to_check


def test_nobody_confirms_many_of_somebody_elses(session: ClassSession) -> None:
    value = f"{session.pk}-face-{faces()[0].pk}|{faces()[0].student_id}|{faces()[0].pk}"
    for who in (make.teacher(), make.registrar()):
        visitor = Client()
        visitor.force_login(who)
        visitor.post(reverse("web:desk-bulk"), {"offer": [value]})
    assert not Review.objects.exists()


def test_a_report_is_answered_and_taken_back(owner: Client, session: ClassSession) -> None:
    third = session.course.students.order_by("pk").last()
    make.template(third)
    seen = [make.sighting(make.snapshot(session, minute), third) for minute in (10, 20)]
    marks.recompute(session.pk)
    contest = contests.say_not_me(seen[0], third, "I was ill")
    page = owner.get(reverse("web:desk")).content.decode()
    assert "that wasn&#x27;t me" in page
    assert "I was ill" in page
    press(owner, seen[0], verdict="uphold", report=contest.pk)
    contest.refresh_from_db()
    assert contest.state == "upheld"
    answer = owner.post(reverse("web:desk-report-undo", args=[contest.pk]), **HTMX)
    assert answer.status_code == 200
    contest.refresh_from_db()
    assert contest.state == "open"
    press(owner, seen[0], verdict="decline", report=contest.pk)
    data = {"session": session.pk, "verdict": "decline", "report": contest.pk}
    assert owner.post(reverse("web:desk-settle"), data, **HTMX).status_code == 409


def test_students_of_other_courses_are_found_and_named_by_administrators_only(
    owner: Client, session: ClassSession
) -> None:
    guest = make.student(make.course(name="Chess"), given_name="Zacharias")
    search = f"{reverse('web:desk-elsewhere')}?session={session.pk}&q=zach"
    assert owner.get(search).status_code == 404
    admin = Client()
    admin.force_login(make.administrator())
    assert "Zacharias" in admin.get(search).content.decode()
    assert "Chess" in admin.get(search).content.decode()
    first = faces()[0]
    data = {"session": session.pk, "face": first.pk, "whole_group": "1", "guest": guest.pk}
    assert owner.post(reverse("web:desk-settle"), data, **HTMX).status_code == 404
    assert admin.post(reverse("web:desk-settle"), data, **HTMX).status_code == 200
    assert Review.objects.get().verdict == "not_in_class"


def test_really_absent_split_and_merge_are_forms_too(owner: Client, session: ClassSession) -> None:
    one, two = faces()
    third = session.course.students.order_by("pk").last()
    press(owner, one, absent=third.pk)
    assert session.marks.get(student=third).source == "manual"
    data = {"session": session.pk, "face": [one.pk], "merge": f"{two.pk}"}
    assert owner.post(reverse("web:desk-settle"), data, **HTMX).status_code == 200
    data = {"session": session.pk, "face": [one.pk, two.pk], "split": "1", "off": [two.pk]}
    assert owner.post(reverse("web:desk-settle"), data, **HTMX).status_code == 200
    assert sorted(DeskFact.objects.values_list("kind", flat=True)) == ["absent", "apart", "together"]
    for wrong in ({"verdict": "dance"}, {"verdict": "absent"}, {"split": "1"}):
        data = {"session": session.pk, "face": one.pk, **wrong}
        assert owner.post(reverse("web:desk-settle"), data, **HTMX).status_code == 422


def test_another_teacher_takes_nothing_back(owner: Client, session: ClassSession) -> None:
    press(owner, faces()[0], student=faces()[0].student_id)
    batch = Review.objects.get().batch
    visitor = Client()
    visitor.force_login(make.teacher())
    assert visitor.post(reverse("web:desk-undo", args=[batch]), **HTMX).status_code == 404
    assert Review.objects.get().undone_at is None
