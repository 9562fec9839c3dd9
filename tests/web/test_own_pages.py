"""Students' log-ins from the link to the answer: made, used once, seeing their own and nothing else."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from attendance import accounts, permissions, privacy, reviews
from attendance.models import ClassSession, Contest, Student, StudentAccount
from attendance.retention import purge
from tests import factories as make

from .conftest import SchoolFixture

LONG = "correct horse battery"


def link_of(school: SchoolFixture, student: Student) -> str:
    answer = school.client("administrator").post(reverse("web:login-give", args=[student.pk]))
    assert answer["Cache-Control"] == "no-store"
    found = re.search(r"http://testserver(/first-sign-in/[^<]+)", answer.text)
    assert found
    return found[1]


def choose(client: Client, link: str, password: str = LONG) -> str:
    shown = client.get(link, follow=True)
    action = shown.redirect_chain[-1][0] if shown.redirect_chain else link
    answer = client.post(action, {"new_password1": password, "new_password2": password}, follow=True)
    return str(answer.content.decode())


def test_a_link_works_once_and_signs_in(school: SchoolFixture) -> None:
    student = school.without_consent
    link, client = link_of(school, student), Client()
    assert "My lessons" in choose(client, link)
    user = StudentAccount.objects.get(student=student).user
    assert (user.username, permissions.role_of(user)) == (student.number, permissions.Role.STUDENT)
    assert "This link has ended" in Client().get(link, follow=True).text
    signed_in = Client().post(
        reverse("web:login"), {"username": student.number, "password": LONG}, follow=True
    )
    assert "My lessons" in signed_in.text


def test_a_cancelled_lesson_is_struck_for_its_students_too(school: SchoolFixture) -> None:
    pages = (reverse("web:mine"), reverse("web:my-lesson", args=[school.session.pk]))
    assert all('class="struck"' not in school.client("pupil").get(page).text for page in pages)
    school.session.cancelled_at, school.session.cancelled_by = timezone.now(), school.owner
    school.session.cancel_reason = "The heating broke"
    school.session.save()
    for page in pages:
        text = school.client("pupil").get(page).text
        assert 'class="struck"' in text
        assert '<span class="pill">cancelled</span>' in text
        styles = [
            Path(settings.BASE_DIR, "static", name)
            for name in re.findall(r'href="/static/([^"?]+\.css)', text)
        ]
        assert any(".struck {" in style.read_text() for style in styles), "the page does not draw the line"
    assert "The heating broke" in text
    assert "It counts nowhere" in text


def test_nobody_objects_to_a_mark_that_counts_nowhere(school: SchoolFixture) -> None:
    pupil, lesson = school.client("pupil"), reverse("web:my-lesson", args=[school.session.pk])
    school.session.marks.filter(student=school.student).update(status="absent", to_check=False)
    assert "I was there" in pupil.get(lesson).text
    school.session.cancelled_at, school.session.cancelled_by = timezone.now(), school.owner
    school.session.save()
    assert "I was there" not in pupil.get(lesson).text
    before = Contest.objects.count()
    answer = pupil.post(reverse("web:my-contest", args=[school.session.pk]), follow=True)
    assert "nothing to object to" in answer.text
    assert Contest.objects.count() == before


def test_a_new_link_ends_the_old_one_and_the_browsers(school: SchoolFixture) -> None:
    first, client = link_of(school, school.without_consent), Client()
    choose(client, first)
    second = link_of(school, school.without_consent)
    assert client.get(reverse("web:mine")).status_code == 302
    third = link_of(school, school.without_consent)
    assert "This link has ended" in Client().get(second, follow=True).text
    assert "My lessons" in choose(Client(), third)


def test_a_weak_password_is_refused_in_words(school: SchoolFixture) -> None:
    text = choose(Client(), link_of(school, school.without_consent), "12345678")
    assert "too short" in text


def test_a_number_somebody_has_as_user_name_already(school: SchoolFixture) -> None:
    User.objects.create_user(school.without_consent.number)
    account = accounts.give_login(school.without_consent, school.owner)
    assert account.user.username == f"{school.without_consent.number}-2"
    assert accounts.give_login(school.without_consent, school.owner) == account


def test_the_log_in_goes_with_the_student_and_when_it_is_taken(school: SchoolFixture) -> None:
    path = reverse("web:login-take", args=[school.student.pk])
    school.client("administrator").post(path)
    assert not StudentAccount.objects.exists()
    assert school.client("pupil").get(reverse("web:mine")).status_code == 302
    link_of(school, school.student)
    privacy.delete_student(school.student)
    assert not StudentAccount.objects.exists()
    assert not User.objects.filter(username=school.student.number).exists()


def test_a_student_sees_the_own_face_and_no_other(school: SchoolFixture) -> None:
    pupil = school.client("pupil")
    assert pupil.get(reverse("web:my-face", args=[school.sighting.pk])).status_code == 200
    others = make.sighting(school.snapshot, make.student(school.course), "recognised", 7)
    unsure = make.sighting(school.snapshot, school.student, "uncertain", 8)
    for face in (others, unsure, school.unsure):
        assert pupil.get(reverse("web:my-face", args=[face.pk])).status_code == 404
        assert pupil.get(reverse("web:face-crop", args=[face.pk])).status_code == 404
    assert pupil.get(reverse("web:photo", args=[school.snapshot.pk, "view"])).status_code == 404
    reviews.decide(unsure, "is", school.owner, school.student)
    assert pupil.get(reverse("web:my-face", args=[unsure.pk])).status_code == 200
    reviews.decide(school.sighting, "not_in_class", school.owner)
    assert pupil.get(reverse("web:my-face", args=[school.sighting.pk])).status_code == 404


def test_objecting_and_being_answered(school: SchoolFixture) -> None:
    pupil, lesson = school.client("pupil"), reverse("web:my-lesson", args=[school.session.pk])
    path = reverse("web:my-contest", args=[school.session.pk])
    text = pupil.post(path, {"sighting": school.sighting.pk, "note": "I was ill"}, follow=True).text
    assert "waiting for an answer" in text
    contest = Contest.objects.get(student=school.student)
    shown = school.client("owner").get(reverse("web:session", args=[school.session.pk])).text
    assert "That wasn&#x27;t me" in shown or "That wasn't me" in shown
    assert "I was ill" in shown
    settle = reverse("web:contest-settle", args=[contest.pk])
    school.client("owner").post(settle, {"verdict": "uphold", "answer": "You are right"})
    text = pupil.get(lesson).text
    assert "that face no longer counts as yours" in text
    assert "You are right" in text
    school.client("owner").post(reverse("web:contest-reopen", args=[contest.pk]))
    assert "waiting for an answer" in pupil.get(lesson).text
    assert pupil.post(reverse("web:my-contest-back", args=[contest.pk])).status_code == 302
    contest.refresh_from_db()
    assert contest.state == "taken_back"


def test_nobody_objects_for_somebody_else(school: SchoolFixture) -> None:
    pupil, path = school.client("pupil"), reverse("web:my-contest", args=[school.session.pk])
    for sighting in (school.unsure.pk, "x", "9" * 30, -1):
        assert pupil.post(path, {"sighting": sighting}).status_code == 404
    assert pupil.post(reverse("web:my-contest-back", args=[school.contest.pk])).status_code == 404
    other = make.session(make.course(students=1))
    assert pupil.post(reverse("web:my-contest", args=[other.pk])).status_code == 404


def test_a_present_mark_cannot_be_called_wrong_and_a_settled_one_says_so(school: SchoolFixture) -> None:
    school.session.marks.filter(student=school.student).update(status="present")
    pupil = school.client("pupil")
    text = pupil.post(reverse("web:my-contest", args=[school.session.pk]), follow=True).text
    assert "nothing to object to" in text
    settle = reverse("web:contest-settle", args=[school.contest.pk])
    owner = school.client("owner")
    owner.post(settle, {"verdict": "decline"})
    assert "answered a moment ago" in owner.post(settle, {"verdict": "uphold"}, follow=True).text


def test_an_expired_photo_leaves_a_quiet_placeholder(school: SchoolFixture) -> None:
    type(school.snapshot).objects.update(received_at=timezone.now() - dt.timedelta(days=40))
    purge.purge_expired()
    text = school.client("pupil").get(reverse("web:my-lesson", args=[school.session.pk])).text
    assert "the picture has expired" in text
    assert reverse("web:my-face", args=[school.sighting.pk]) not in text


@pytest.mark.parametrize("count", [1, 6])
def test_the_list_costs_the_same_for_every_term(
    school: SchoolFixture, count: int, django_assert_max_num_queries: object
) -> None:
    for _ in range(count):
        session = make.session(school.course, "closed", timezone.now() - dt.timedelta(hours=3))
        make.sighting(make.snapshot(session, 5), school.student)
        session.marks.create(student=school.student, decided_at=timezone.now())
    pupil = school.client("pupil")
    with django_assert_max_num_queries(9):  # type: ignore[operator]
        assert pupil.get(reverse("web:mine")).status_code == 200
    assert ClassSession.objects.count() == count + 1
