"""Warnings: looked at first, sent by a person, once for their reason, in words a school may change."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from attendance import absence_warnings, intake, mailing, privacy
from attendance.models import (
    ClassSession,
    Course,
    CourseWarnings,
    MailMessage,
    Mark,
    Student,
    StudentContact,
    WarningSent,
)
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def set_up(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.EMAIL_HOST, settings.DEFAULT_FROM_EMAIL = "mail.example", "rollcall@school.example"
    settings.ROLLCALL_SITE_URL = "https://rollcall.school.example"
    monkeypatch.setattr(intake, "publish", lambda *_args, **_more: True)


@pytest.fixture
def owner() -> User:
    return make.teacher("owner")


@pytest.fixture
def course(owner: User) -> Course:
    """Three lessons; the first student came to none, the second to all."""
    found = make.course(owner, name="Algebra")
    found.term.starts_on = (timezone.now() - dt.timedelta(days=60)).date()
    found.term.ends_on = (timezone.now() + dt.timedelta(days=60)).date()
    found.term.save()
    away = make.student(found, given_name="Ana", family_name="Cruz", email="ana@school.example")
    here = make.student(found, email="here@school.example")
    for week in (3, 2, 1):
        lesson(found, week, {away: "absent", here: "present"})
    return found


def lesson(course: Course, weeks_ago: int, statuses: dict[Student, str]) -> ClassSession:
    session = make.session(course, "closed", timezone.now() - dt.timedelta(days=7 * weeks_ago))
    for student, status in statuses.items():
        Mark.objects.create(session=session, student=student, status=status, decided_at=timezone.now())
    return session


def away(course: Course) -> Student:
    return course.students.get(given_name="Ana")


def keys(course: Course) -> list[str]:
    return [one.key for one in absence_warnings.due_in(course) if not one.sent]


def test_who_is_due_one_and_why(course: Course) -> None:
    (run,) = absence_warnings.due_in(course)
    assert run.kind == "run"
    assert run.student == away(course)
    assert len(run.dates) == 3
    assert run.to == ("ana@school.example",)
    seen = absence_warnings.preview(course, run, "en")
    assert seen.subject == "Ana Cruz: missed lessons in Algebra"
    assert seen.body.startswith("Ana Cruz has missed 3 lessons of Algebra: ")
    assert f"{run.dates[0]:%-d %b %Y}" in seen.body
    assert not MailMessage.objects.exists()


def test_low_attendance_is_said_when_no_run_stands(course: Course, owner: User) -> None:
    lesson(course, 0, {away(course): "present"})
    (rate,) = absence_warnings.due_in(course)
    assert (rate.kind, rate.reason) == ("rate", "rate:80")
    body = absence_warnings.preview(course, rate, "en").body
    assert "25 % of the lessons of Algebra so far; 80 % are expected" in body
    assert absence_warnings.send(course, None, owner) == 1
    assert absence_warnings.send(course, None, owner) == 0


def test_sent_by_a_person_to_student_and_guardian_once(course: Course, owner: User) -> None:
    absence_warnings.add_contact(away(course), " A  Parent ", "parent@home.example ")
    assert absence_warnings.send(course, ["nobody's"], owner) == 0
    assert absence_warnings.send(course, keys(course), owner) == 1
    sent = WarningSent.objects.get()
    assert (sent.sent_by, sent.to) == (owner, ["ana@school.example", "parent@home.example"])
    assert sorted(sent.messages.values_list("to", flat=True)) == sent.to
    assert "Ana Cruz has missed 3 lessons" in MailMessage.objects.all()[0].content["text"]
    assert absence_warnings.send(course, None, owner) == 0
    lesson(course, 0, {away(course): "absent"})
    assert keys(course) == [], "a run that grows is the same run"


def test_a_new_run_is_a_new_reason(course: Course, owner: User) -> None:
    absence_warnings.send(course, None, owner)
    start = timezone.now()
    statuses = ["present", "absent", "absent", "absent"]
    for day, status in enumerate(statuses):
        session = make.session(course, "closed", start - dt.timedelta(hours=20 - day * 3))
        Mark.objects.create(session=session, student=away(course), status=status, decided_at=start)
    assert [key.split(":")[1] for key in keys(course)] == ["run"]


def test_languages_of_the_readers(course: Course, owner: User) -> None:
    parent = make.teacher("parent")
    parent.email = "parent@home.example"
    parent.save()
    mailing.remember_language(parent, "es")
    absence_warnings.add_contact(away(course), "", parent.email)
    absence_warnings.send(course, keys(course)[:1], owner)
    said = {one.to: one.content["subject"] for one in MailMessage.objects.all()}
    assert said["ana@school.example"] == "Ana Cruz: missed lessons in Algebra"
    assert said["parent@home.example"] == "Ana Cruz: clases perdidas en Algebra"


def test_nothing_by_itself_unless_switched_on(course: Course, owner: User) -> None:
    assert absence_warnings.send_automatic() == 0
    absence_warnings.switch_automatic(course, True, owner)
    assert absence_warnings.send_automatic() == 1
    assert absence_warnings.send_automatic() == 0
    assert {one.sent_by for one in WarningSent.objects.all()} == {None}
    absence_warnings.switch_automatic(course, False, owner)
    WarningSent.objects.all().delete()
    assert absence_warnings.send_automatic() == 0


def test_after_the_term_nothing_goes_by_itself(course: Course, owner: User) -> None:
    absence_warnings.switch_automatic(course, True, owner)
    course.term.ends_on = (timezone.now() - dt.timedelta(days=2)).date()
    course.term.save()
    assert absence_warnings.send_automatic() == 0


def test_without_an_address_nothing_is_recorded_as_sent(course: Course, owner: User) -> None:
    Student.objects.update(email="")
    assert absence_warnings.send(course, None, owner) == 0
    assert not WarningSent.objects.exists()


def test_a_school_changes_the_words(course: Course, owner: User) -> None:
    words = "About {student}", "{absences} x {course}\r\n{school}"
    absence_warnings.change_text("run", "en", *words, owner)
    seen = absence_warnings.preview(course, absence_warnings.due_in(course)[0], "en")
    assert (seen.subject, seen.body) == ("About Ana Cruz", "3 x Algebra\nMy school")
    absence_warnings.change_text("run", "en", "", "", owner)
    assert "missed lessons" in absence_warnings.text_of("run", "en")[0]


@pytest.mark.parametrize(
    ("kind", "language", "subject", "body"),
    [
        ("run", "en", "a", "{student.account.user.password}"), ("run", "en", "{0}", "b"), ("run", "en", "{}", "b"),
        ("run", "en", "a", "{settings}"), ("run", "xx", "a", "b"), ("dove", "en", "a", "b"), ("run", "en", "", "b"),
        ("run", "en", "a", ""),
    ],
)  # fmt: skip
def test_places_are_the_known_ones(kind: str, language: str, subject: str, body: str, owner: User) -> None:
    with pytest.raises(absence_warnings.BadWarningText):
        absence_warnings.change_text(kind, language, subject, body, owner)


def test_what_a_name_holds_is_never_filled_in(course: Course) -> None:
    Student.objects.filter(pk=away(course).pk).update(family_name="{school} <b>\r\nBcc: x@y.example")
    seen = absence_warnings.preview(course, absence_warnings.due_in(course)[0], "en")
    assert "{school} <b>" in seen.subject
    assert "\n" not in seen.subject


def test_a_deleted_student_takes_it_all_along(course: Course, owner: User) -> None:
    absence_warnings.add_contact(away(course), "P", "parent@home.example")
    absence_warnings.send(course, None, owner)
    privacy.delete_student(away(course))
    for table in (WarningSent, MailMessage, StudentContact):
        assert not table.objects.exists()


# --- pages --------------------------------------------------------------------------------------------
def as_user(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_the_page_shows_first_and_sends_what_is_chosen(course: Course, owner: User) -> None:
    client = as_user(owner)
    path = reverse("web:warnings", args=[course.pk])
    page = client.get(path).text
    assert "Ana Cruz has missed 3 lessons of Algebra" in page
    assert "3 absences in a row" in page
    assert not MailMessage.objects.exists()
    client.post(
        reverse("web:contact-add", args=[course.pk, away(course).pk]),
        {"name": "P", "email": "p@home.example"},
    )
    assert "p@home.example" in client.get(path).text
    bad = client.post(
        reverse("web:contact-add", args=[course.pk, away(course).pk]), {"email": "x"}, follow=True
    )
    assert "not an e-mail address" in bad.text
    client.post(reverse("web:contact-remove", args=[course.pk, StudentContact.objects.get().pk]))
    sent = client.post(
        reverse("web:warnings-send", args=[course.pk]), {"warning": keys(course)[:1]}, follow=True
    )
    assert "1 warning is on its way." in sent.text
    assert MailMessage.objects.count() == 1
    client.post(reverse("web:warnings-automatic", args=[course.pk]), {"on": "1"})
    assert CourseWarnings.objects.get().switched_by == owner
    client.post(reverse("web:warnings-automatic", args=[course.pk]))
    assert not CourseWarnings.objects.exists()


def test_without_mail_nothing_is_sent(course: Course, owner: User, settings: Any) -> None:
    settings.EMAIL_HOST = ""
    page = as_user(owner).get(reverse("web:warnings", args=[course.pk])).text
    assert "so nothing can be sent" in page
    answer = as_user(owner).post(
        reverse("web:warnings-send", args=[course.pk]), {"warning": keys(course)}, follow=True
    )
    assert "nothing was sent" in answer.text


def test_the_number_of_queries_does_not_grow(
    course: Course, owner: User, django_assert_max_num_queries: Any
) -> None:
    for _ in range(8):
        student = make.student(course, email="x@school.example")
        for session in course.sessions.all():
            Mark.objects.create(session=session, student=student, status="absent", decided_at=timezone.now())
    client = as_user(owner)
    with django_assert_max_num_queries(30):
        assert client.get(reverse("web:warnings", args=[course.pk])).status_code == 200


def test_the_words_are_the_administrators(owner: User) -> None:
    path = reverse("web:warning-texts")
    given = {"kind": "rate", "language": "en", "subject": "{student}", "body": "{percent} %"}
    assert as_user(owner).get(path).status_code == 404
    assert as_user(owner).post(path, given).status_code == 404
    client = as_user(make.administrator())
    assert "{percent}" in client.get(path).text
    assert "stored" in client.post(path, given, follow=True).text
    wrong = client.post(
        path, {**given, "body": "{x}"}, follow=True, headers={"Referer": f"http://testserver{path}"}
    )
    assert "There is no place called {x}." in wrong.text
    assert absence_warnings.text_of("rate", "en") == ("{student}", "{percent} %")
