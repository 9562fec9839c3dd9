"""A student's page: consent before anything else, portraits with answers, withdrawal that deletes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from attendance import consent_texts
from attendance.engines import from_bytes
from attendance.models import Consent, Portrait
from tests import factories as make

from .conftest import SchoolFixture

JSON = {"Accept": "application/json"}
CONSENT = {"given_by": "guardian", "given_by_name": "Maria Adams", "method": "paper", "read": "on"}


def add(school: SchoolFixture, student_id: int, content: bytes) -> object:
    return school.client().post(
        reverse("web:portraits-add", args=[student_id]),
        {"photo": SimpleUploadedFile("me.jpg", content)},
        headers=JSON,
    )


def page(school: SchoolFixture, student_id: int) -> str:
    return school.client().get(reverse("web:student", args=[student_id])).text


def test_without_consent_there_is_no_way_to_add_a_photo(school: SchoolFixture) -> None:
    student = school.without_consent
    text = page(school, student.pk)
    assert "Record consent first" in text
    assert "portrait-form" not in text
    answer = add(school, student.pk, make.jpeg(3))
    assert answer.status_code == 409  # type: ignore[attr-defined]
    assert "onsent" in answer.json()["message"]  # type: ignore[attr-defined]
    assert not student.portraits.exists()


def test_consent_is_recorded_with_who_how_and_which_text(school: SchoolFixture) -> None:
    school.client().post(reverse("web:consent-record", args=[school.without_consent.pk]), CONSENT)
    consent = Consent.objects.get(student=school.without_consent)
    assert (consent.state, consent.given_by_name, consent.method) == ("given", "Maria Adams", "paper")
    assert consent.text_version
    text = page(school, school.without_consent.pk)
    assert "portrait-form" in text
    assert "Maria Adams" in text


@pytest.mark.parametrize("missing", CONSENT)
def test_consent_that_says_too_little_is_not_recorded(missing: str, school: SchoolFixture) -> None:
    form = {name: value for name, value in CONSENT.items() if name != missing}
    answer = school.client().post(reverse("web:consent-record", args=[school.without_consent.pk]), form)
    assert answer.status_code == 422
    assert not Consent.objects.filter(student=school.without_consent, state="given").exists()


def test_a_portrait_is_accepted_at_once_and_shown_as_being_looked_at(school: SchoolFixture) -> None:
    answer = add(school, school.student.pk, make.jpeg(4))
    assert answer.status_code == 202  # type: ignore[attr-defined]
    assert "being looked at" in page(school, school.student.pk)


def test_each_portrait_says_what_is_wrong_with_it(school: SchoolFixture) -> None:
    Portrait.objects.filter(pk=school.held.pk).update(state="rejected", problems=["blurred", "too_dark"])
    text = page(school, school.held.student_id)
    assert "The face is blurred." in text
    assert "The face is too dark." in text


def test_a_duplicate_face_shows_both_students(school: SchoolFixture) -> None:
    text = page(school, school.held.student_id)
    assert f"This face looks like {school.student.full_name}" in text
    assert reverse("web:template-crop", args=[school.template.pk]) in text


def test_the_part_that_changes_is_a_304_until_it_does(school: SchoolFixture) -> None:
    address = reverse("web:portraits", args=[school.held.student_id])
    first = school.client().get(address)
    assert school.client().get(address, headers={"If-None-Match": first["ETag"]}).status_code == 304
    Portrait.objects.filter(pk=school.held.pk).update(state="accepted")
    assert school.client().get(address, headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_a_portrait_is_deleted_with_its_files(
    school: SchoolFixture, django_capture_on_commit_callbacks: object
) -> None:
    portrait, chip = school.template.portrait, school.template.chip.name
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        school.client().post(reverse("web:portrait-remove", args=[portrait.pk]))
    assert not school.student.templates.exists()
    assert not default_storage.exists(portrait.image.name)
    assert not default_storage.exists(chip)


def test_withdrawal_needs_the_student_number(school: SchoolFixture) -> None:
    address = reverse("web:consent-withdraw", args=[school.student.pk])
    told = school.client().post(address, {"number": "something else"}, follow=True).text
    assert "Nothing was deleted" in told
    assert school.student.templates.exists()
    school.client().post(address, {"number": school.student.number})
    assert not school.student.templates.exists()
    assert Consent.objects.get(student=school.student).state == "withdrawn"
    assert "marked by hand" in page(school, school.student.pk)


def test_a_portrait_unlike_the_others_is_pointed_out(school: SchoolFixture) -> None:
    assert "unlike the others" not in page(school, school.student.pk)
    own = from_bytes(school.template.encoding or b"")
    make.template(school.student, own + 0.01)
    make.template(school.student, own - 0.01)
    assert "unlike the others" not in page(school, school.student.pk)
    stranger = make.template(school.student)
    text = page(school, school.student.pk)
    assert "One of these photos may show somebody else" in text
    (figure,) = [part for part in text.split("<figure")[1:] if "unlike the others" in part]
    assert f'id="template-{stranger.portrait_id}"' in figure


@pytest.mark.parametrize(
    ("months", "days", "old"), [(12, 360, False), (12, 370, True), (6, 200, True), (0, 4000, False)]
)
def test_a_portrait_is_said_to_be_old_when_the_school_asks_for_new_ones(
    months: int, days: int, old: bool, school: SchoolFixture
) -> None:
    """By the same setting as the note above the portraits, the roster and the course's consent."""
    consent_texts.change_settings(renew_after_months=months, link_days=14, ask_whom="")
    assert "time for a new photo" not in page(school, school.student.pk)
    taken = timezone.now() - timedelta(days=days)
    Portrait.objects.filter(student=school.student).update(uploaded_at=taken)
    text = page(school, school.student.pk)
    assert ("time for a new photo" in text) is old
    assert ("Faces change: please take new ones" in text) is old
