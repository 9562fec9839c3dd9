"""A question by e-mail: one student, one reader, one answer; attacked by forgers, guessers and the impatient."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from attendance import consent_links, consent_texts, consents, errors, intake, places, privacy
from attendance.consent_links import Reader
from attendance.models import (
    AuditEntry,
    Consent,
    ConsentEvent,
    ConsentLink,
    FaceTemplate,
    MailMessage,
    Student,
    StudentContact,
)
from tests import factories as make

from .conftest import SchoolFixture

MOTHER = Reader("maria@home.example", "guardian", "Maria Adams")
YES = {"answer": "yes", "name": "Maria Adams", "relation": "mother"}
NO = {"answer": "no", "name": "Maria Adams"}


@pytest.fixture(autouse=True)
def mail(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.EMAIL_HOST, settings.ROLLCALL_SITE_URL = "mail.school.example", "https://rollcall.school.example"
    settings.DEFAULT_FROM_EMAIL = "rollcall@school.example"
    monkeypatch.setattr(intake, "publish", lambda *_args, **_more: True)


def sent_to(student: Student, by: Any = None, reader: Reader = MOTHER, language: str = "en") -> str:
    """The path in the e-mail."""
    assert consent_links.send(student, reader, by or make.teacher(), language) is not None
    text = MailMessage.objects.order_by("-pk")[0].content["text"]
    found = re.search(r"https://rollcall\.school\.example(/consent/[\w-]+/)", text)
    assert found
    return found[1]


def expire() -> None:
    now = timezone.now()
    ConsentLink.objects.update(sent_at=now - dt.timedelta(days=30), expires_at=now - dt.timedelta(seconds=1))


@pytest.fixture
def student(school: SchoolFixture) -> Student:
    return school.without_consent


def test_a_reader_says_yes_without_a_log_in(student: Student) -> None:
    path, client = sent_to(student), Client()
    page = client.get(path)
    assert page.status_code == 200
    assert student.full_name in page.text
    assert "A no is fine" in page.text
    assert "no-store" in page["Cache-Control"]
    assert "Thank you" in client.post(path, YES, follow=True).text
    consent = Consent.objects.get(student=student)
    assert (consent.state, consent.given_by, consent.given_by_name, consent.method, consent.text_version) == (
        "given", "guardian", "Maria Adams", "email", "2026-1",
    )  # fmt: skip
    event = student.consent_events.get(state="given")
    assert (event.relation, event.recorded_by, event.language) == ("mother", None, "en")
    assert event.link is not None


def test_a_reader_says_no_and_that_is_fine(student: Student) -> None:
    path = sent_to(student)
    assert "no disadvantage" in Client().post(path, NO, follow=True).text
    assert Consent.objects.get(student=student).standing == "refused"


def test_looking_changes_nothing(student: Student) -> None:
    path = sent_to(student)
    for _ in range(3):
        assert Client().get(path).status_code == 200
        assert Client().head(path).status_code in (200, 405)
    assert ConsentLink.objects.get().answer == ""


def test_the_address_is_kept_nowhere_but_in_the_mail(student: Student) -> None:
    path = sent_to(student)
    token = path.split("/")[2]
    assert len(token) >= 43
    link = ConsentLink.objects.get()
    assert link.token_hash == consent_links.hash_of(token)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM attendance_consentlink")
        assert token not in str(cursor.fetchall())
    Client().post(path, YES)
    assert token not in str(list(AuditEntry.objects.values_list("about", "what")))


def test_staff_who_open_a_link_leave_no_address_in_the_log(school: SchoolFixture, student: Student) -> None:
    path = sent_to(student)
    school.client().get(path)
    school.client().post(path, YES)
    token = path.split("/")[2]
    entries = AuditEntry.objects.filter(what="web:consent-link")
    assert [entry.about["answer"] for entry in entries] == ["given"]
    assert token[:20] not in str(list(AuditEntry.objects.values()))


@pytest.mark.parametrize("token", ["x", "0" * 43, "é" * 20, "a" * 3000])
def test_a_guessed_or_broken_address_is_told_kindly(student: Student, token: str) -> None:
    sent_to(student)
    answer = Client().get(f"/consent/{token}/")
    assert answer.status_code == 404
    assert "does not work" in answer.text
    assert Client().post(f"/consent/{token}/", YES).status_code == 404
    assert not ConsentEvent.objects.filter(state="given", student=student).exists()


def test_guessing_is_slowed_down(student: Student, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consent_links, "OPENED_IN_TEN_MINUTES", 3)
    path = sent_to(student)
    codes = [Client().get("/consent/guess/").status_code for _ in range(4)]
    assert codes == [404, 404, 404, 429]
    assert Client().get(path).status_code == 429


def test_an_expired_link_says_so_and_takes_nothing(student: Student) -> None:
    path = sent_to(student)
    expire()
    page = Client().get(path)
    assert (page.status_code, "has expired" in page.text) == (410, True)
    assert Client().post(path, YES).status_code == 410
    assert not ConsentEvent.objects.filter(state="given", student=student).exists()


def test_a_link_that_expires_while_it_is_read_takes_nothing(student: Student) -> None:
    sent_to(student)
    link = ConsentLink.objects.get()
    expire()
    with pytest.raises(consent_links.LinkExpired):
        consent_links.answer(link, yes=True, name="Maria")
    with pytest.raises(consent_links.LinkUsed):
        consent_links.withdraw(link)


def test_a_link_answers_once(student: Student) -> None:
    path = sent_to(student)
    Client().post(path, YES)
    assert Client().post(path, YES).status_code == 302, "the same once more is the same"
    assert Client().post(path, NO).status_code == 409
    assert student.consent_events.filter(link__isnull=False).exclude(state="asked").count() == 1
    assert Consent.objects.get(student=student).state == "given"


def test_a_newer_link_ends_the_older(student: Student) -> None:
    old, new = sent_to(student), sent_to(student)
    answer = Client().get(old)
    assert (answer.status_code, "newer link" in answer.text) == (410, True)
    assert Client().post(old, YES).status_code == 410
    assert Client().get(new).status_code == 200


def test_a_link_is_for_nobody_else(school: SchoolFixture, student: Student) -> None:
    path = sent_to(student)
    Client().post(path, YES | {"student": school.student.pk, "student_id": school.student.pk})
    assert student.consent_events.filter(state="given").count() == 1
    assert (
        not ConsentEvent.objects.filter(state="given", link__isnull=False).exclude(student=student).exists()
    )


def test_a_yes_is_taken_back_by_the_same_link_and_deletes(student: Student) -> None:
    path = sent_to(student)
    Client().post(path, YES)
    make.template(student)
    assert "Take my yes back" in Client().get(path).text
    assert "taken your yes back" in Client().post(path, {"withdraw": "1"}, follow=True).text
    assert not FaceTemplate.objects.filter(student=student).exists()
    event = student.consent_events.order_by("-pk")[0]
    assert (event.state, event.given_by_name, event.recorded_by) == ("withdrawn", "Maria Adams", None)
    assert Client().post(path, {"withdraw": "1"}).status_code == 302
    assert Client().post(path, YES).status_code == 409


def test_without_a_yes_there_is_nothing_to_take_back(student: Student) -> None:
    path = sent_to(student)
    assert Client().post(path, {"withdraw": "1"}).status_code == 409
    Client().post(path, NO)
    assert Client().post(path, {"withdraw": "1"}).status_code == 409


def test_a_no_where_consent_stands_withdraws_it(student: Student) -> None:
    make.template(student)
    Client().post(sent_to(student), NO)
    assert Consent.objects.get(student=student).state == "withdrawn"
    assert not FaceTemplate.objects.filter(student=student).exists()


@pytest.mark.parametrize(
    "form",
    [
        {"answer": "yes", "name": "  "},
        {"answer": "maybe", "name": "M"},
        {"name": "M"},
        YES | {"relation": "dog"},
    ],
)
def test_an_answer_that_says_too_little_is_asked_again(student: Student, form: dict[str, str]) -> None:
    path = sent_to(student)
    assert Client().post(path, form).status_code == 422
    assert ConsentLink.objects.get().answer == ""


def test_names_are_text_and_nothing_else(student: Student) -> None:
    student.given_name, student.family_name = "محمد", "<b>عبد</b> الله"
    student.save()
    path = sent_to(student)
    Client().post(path, YES | {"name": '"><script>alert(1)</script>' + "x" * 400})
    assert "<script>alert" not in Client().get(path).text
    assert "<b>عبد" not in Client().get(path).text
    assert len(student.consent_events.get(state="given").given_by_name) == 200
    assert (
        "<b>" not in MailMessage.objects.order_by("-pk")[0].content["html"].split("<body")[1].split("<p>")[1]
    )


def test_forms_from_elsewhere_are_refused(student: Student) -> None:
    path = sent_to(student)
    assert Client(enforce_csrf_checks=True).post(path, YES).status_code == 403


def test_the_page_speaks_the_language_it_was_sent_in(student: Student) -> None:
    path = sent_to(student, language="es")
    assert 'lang="es"' in Client().get(path).text
    assert 'lang="en"' in Client().get(f"{path}?language=en").text
    assert Client().get(f"{path}?language=../../etc").status_code == 200


def test_the_text_stays_the_one_that_was_sent(student: Student) -> None:
    path = sent_to(student)
    consent_texts.change_text({"en": "Something else entirely."}, make.teacher())
    assert "Something else" not in Client().get(path).text
    Client().post(path, YES)
    assert Consent.objects.get(student=student).text_version == "2026-1"


def test_where_parents_decide_a_pupils_no_stands_against_a_link(student: Student) -> None:
    places.set_place("GB", "WLS", "school")
    consents.record(student, consents.Answer(False, "student"), make.teacher())
    path = sent_to(student)
    answer = Client().post(path, YES)
    assert (answer.status_code, student.full_name in answer.text) == (409, True)
    assert ConsentLink.objects.get().answer == "", "the link still takes an answer"


def test_nothing_goes_without_mail(student: Student, settings: Any) -> None:
    settings.EMAIL_HOST = ""
    with pytest.raises(errors.MailNotSetUp):
        consent_links.send(student, MOTHER, make.teacher())
    assert not ConsentLink.objects.exists()
    assert not MailMessage.objects.exists()


def test_an_address_gets_three_links_a_day_and_a_sender_has_a_bound(
    student: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    by = make.teacher()
    for _ in range(3):
        sent_to(student, by)
    assert consent_links.send(student, MOTHER, by) is None
    assert MailMessage.objects.count() == 3
    monkeypatch.setattr(consent_links, "SENT_AN_HOUR", 4)
    with pytest.raises(consent_links.TooManyLinks):
        consent_links.send(student, MOTHER, by)


def test_links_go_with_the_student(student: Student) -> None:
    path = sent_to(student)
    Client().post(path, YES)
    privacy.delete_student(student)
    assert not ConsentLink.objects.exists()
    assert Client().get(path).status_code == 404


# --- sending, by staff ---------------------------------------------------------------------------------
def test_links_are_sent_to_whoever_is_ticked(school: SchoolFixture, student: Student) -> None:
    StudentContact.objects.create(student=student, name="Maria Adams", email="maria@home.example")
    address = reverse("web:consent-ask", args=[school.course.pk])
    assert f'value="{student.pk}:0"' in school.client().get(address).text
    send = reverse("web:consent-send", args=[school.course.pk])
    school.client().post(send, {"to": [f"{student.pk}:0", f"{student.pk}:7", "x", f"{school.student.pk}:0"]})
    assert [link.to for link in ConsentLink.objects.all()] == ["maria@home.example"]


def test_a_stranger_sends_nothing(school: SchoolFixture, student: Student) -> None:
    StudentContact.objects.create(student=student, email="maria@home.example")
    send = reverse("web:consent-send", args=[school.course.pk])
    assert school.client("stranger").post(send, {"to": [f"{student.pk}:0"]}).status_code == 404
    assert not ConsentLink.objects.exists()
