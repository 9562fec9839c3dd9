"""Pages of consent: the overview, slips for paper, answers with a few keys, the school's text."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from attendance import consent_slips, consent_texts, consents, permissions, places
from attendance.models import (
    Consent,
    ConsentEvent,
    ConsentScan,
    ConsentSlip,
    Portrait,
    School,
    Student,
    StudentContact,
)
from tests import factories as make

from .conftest import SchoolFixture

HTMX = {"HX-Request": "true"}
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"


def at(name: str, school: SchoolFixture, *more: object) -> str:
    return reverse(f"web:{name}", args=[school.course.pk, *more])


def answers(school: SchoolFixture, **form: object) -> object:
    form = {"student": school.without_consent.pk, "answer": "yes", "name": "Maria Adams"} | form
    return school.client().post(at("consent-answers", school), form, headers=HTMX)


def standing(student: Student) -> str:
    consent = Consent.objects.filter(student=student).first()
    return consent.standing if consent else ""


# --- the overview ---------------------------------------------------------------------------------------
def test_the_overview_counts_who_said_what(school: SchoolFixture) -> None:
    page = school.client().get(at("consents", school)).text
    given = Consent.objects.filter(student__courses=school.course, state="given").count()
    assert re.search(rf"<dt>Given</dt><dd><b>{given}</b>", page)
    assert "not asked" in page
    consents.record(school.without_consent, consents.Answer(False, "guardian", "Maria"), school.owner)
    assert re.search(r"<dt>Refused</dt><dd><b>1</b>", school.client().get(at("consents", school)).text)


def test_pages_of_consent_cost_the_same_for_a_large_class(school: SchoolFixture) -> None:
    def cost() -> list[int]:
        client, found = school.client(), []
        for name in ("consents", "consent-slips", "consent-return", "consent-ask"):
            client.get(at(name, school))
            with CaptureQueriesContext(connection) as queries:
                assert client.get(at(name, school)).status_code == 200
            found.append(len(queries))
        return found

    before = cost()
    for _ in range(8):
        student = make.student(school.course)
        StudentContact.objects.create(student=student, email=f"{student.pk}@home.example")
    consent_slips.prepare(list(school.course.students.all()), school.owner)
    assert cost() == before


# --- slips ------------------------------------------------------------------------------------------------
def test_slips_are_printed_for_those_who_have_not_answered(school: SchoolFixture) -> None:
    made = school.client().post(at("consent-slips-make", school), {"language": "both", "per": "1"})
    page = school.client().get(made["Location"]).text
    slip = ConsentSlip.objects.get(student=school.without_consent)
    assert consent_slips.as_printed(slip.code) in page
    assert school.without_consent.full_name in page
    assert school.student.full_name not in page, "consent is given already"
    assert 'lang="es"' in page
    assert 'lang="en"' in page
    assert "Sí" in page or "¿" in page
    assert standing(school.without_consent) == "asked"


def test_a_long_text_or_two_languages_take_a_page_each(school: SchoolFixture) -> None:
    school.client().post(at("consent-slips-make", school))
    assert "slip--half" in school.client().get(at("consent-slips", school) + "?per=2").text
    assert "slip--half" not in school.client().get(at("consent-slips", school) + "?per=2&language=both").text
    consent_texts.change_text({"en": "word " * 400}, school.owner)
    school.client().post(at("consent-slips-make", school))
    assert "slip--half" not in school.client().get(at("consent-slips", school) + "?per=2").text


def test_england_and_wales_see_the_steps_of_their_law(school: SchoolFixture) -> None:
    school.client().post(at("consent-slips-make", school))
    page = at("consent-slips", school)
    assert "Every parent is told" not in school.client().get(page).text
    places.set_place("GB", "ENG", "school")
    assert "Every parent is told" in school.client().get(page).text
    assert "Protection of Freedoms Act" in school.client().get(at("consents", school)).text


def test_where_the_law_forbids_recognition_nobody_is_asked(school: SchoolFixture) -> None:
    places.set_place("US", "NY", "school")
    for name in ("consent-slips-make", "consent-send"):
        response = school.client().post(at(name, school), headers=HTMX)
        assert response.status_code == 409
        assert "does not allow" in response["HX-Trigger"]
    assert not ConsentSlip.objects.exists()


def test_the_picture_on_a_slip_leads_its_own_teachers_on(school: SchoolFixture) -> None:
    slip = consent_slips.prepare([school.without_consent], school.owner)[0]
    path = reverse("web:consent-slip", args=[slip.code])
    assert school.client().get(path)["Location"] == f"{at('consent-return', school)}?slip={slip.code}"
    assert (
        school.client("registrar").get(path)["Location"] == f"{at('consent-return', school)}?slip={slip.code}"
    )
    assert school.client("stranger").get(path).status_code == 404
    assert school.client("pupil").get(path).status_code == 404
    assert school.client("nobody").get(path)["Location"].startswith(reverse("web:login"))
    assert school.client().get(reverse("web:consent-slip", args=["ZZZZZZ"])).status_code == 404


# --- the office ---------------------------------------------------------------------------------
def test_a_registrar_records_what_came_back_and_takes_no_roll(school: SchoolFixture) -> None:
    """Slips come back to the office: printed, recorded, taken back and withdrawn there; the class is not theirs."""
    office = school.client("registrar")
    overview = office.get(at("consents", school)).text
    assert "Record returned slips" in overview
    returned = office.get(at("consent-return", school)).text
    assert school.without_consent.full_name in returned
    for page in (overview, returned, office.get(at("consent-ask", school)).text):
        assert "Take a roll now" not in page
    form = {"student": school.without_consent.pk, "answer": "yes", "name": "Maria Adams"}
    assert office.post(at("consent-answers", school), form, headers=HTMX).status_code == 200
    event = ConsentEvent.objects.get(student=school.without_consent, state="given")
    assert permissions.role_of(event.recorded_by) == permissions.Role.REGISTRAR
    office.post(at("consent-undo", school, event.pk), headers=HTMX)
    assert standing(school.without_consent) == "asked"
    student = reverse("web:student", args=[school.student.pk])
    page = office.get(student).text
    assert "Withdraw consent" in page
    assert "Add photos" not in page
    office.post(reverse("web:consent-withdraw", args=[school.student.pk]), {"number": school.student.number})
    assert standing(school.student) == "withdrawn"


# --- answers ----------------------------------------------------------------------------------------------
def test_an_answer_is_recorded_and_taken_back(school: SchoolFixture) -> None:
    response = answers(school, relation="mother", signed_on=str(timezone.localdate()))
    event = ConsentEvent.objects.get(student=school.without_consent, state="given")
    assert response.status_code == 200  # type: ignore[attr-defined]
    undo = at("consent-undo", school, event.pk)
    assert undo in response["HX-Trigger"]  # type: ignore[index]
    assert (event.relation, event.recorded_by) == ("mother", school.owner)
    school.client().post(undo, headers=HTMX)
    assert standing(school.without_consent) == "asked"
    assert school.client().post(undo, headers=HTMX).status_code == 409


def test_an_answer_carries_the_slip_it_came_on(school: SchoolFixture) -> None:
    old = consent_slips.prepare([school.without_consent], school.owner)[0]
    consent_texts.change_text({"en": "New words."}, school.owner)
    new = consent_slips.prepare([school.without_consent], school.owner)[0]
    answers(school, slip=old.code)
    event = ConsentEvent.objects.get(student=school.without_consent, state="given")
    assert (event.slip, event.text_version) == (old, "2026-1")
    assert new.text_version != "2026-1"


def test_sent_twice_it_is_recorded_once(school: SchoolFixture) -> None:
    answers(school)
    answers(school)
    assert ConsentEvent.objects.filter(student=school.without_consent, state="given").count() == 1


def test_many_at_once_and_what_is_missing_is_said_by_name(school: SchoolFixture) -> None:
    others = [make.student(school.course) for _ in range(3)]
    ids = [school.without_consent.pk, *(one.pk for one in others)]
    form: dict[str, object] = {"student": ids, "answer": "no"}
    form |= {f"name-{pk}": "A Parent" for pk in ids[:3]} | {f"name-{ids[3]}": ""}
    response = school.client().post(at("consent-answers", school), form, headers=HTMX)
    assert [standing(Student.objects.get(pk=pk)) for pk in ids] == ["refused", "refused", "refused", ""]
    assert others[2].sort_name in response.text
    assert "Who signed?" in response.text


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"answer": "perhaps"}, 422),
        ({"name": " "}, 422),
        ({"student": ""}, 422),
        ({"student": "9" * 30}, 422),
        ({"signed_on": "yesterday"}, 422),
        ({"signed_on": "2999-01-01"}, 422),
        ({"given_by": "dog"}, 422),
    ],
)
def test_what_cannot_be_recorded_is_said(school: SchoolFixture, form: dict[str, str], status: int) -> None:
    response = answers(school, **form)
    assert response.status_code == status  # type: ignore[attr-defined]
    assert "toast" in response["HX-Trigger"]  # type: ignore[index]
    assert standing(school.without_consent) == ""


def test_a_student_of_another_course_is_not_touched(school: SchoolFixture) -> None:
    elsewhere = make.student(make.course(make.teacher()))
    assert answers(school, student=elsewhere.pk).status_code == 422  # type: ignore[attr-defined]
    assert standing(elsewhere) == ""
    event = consents.record(elsewhere, consents.Answer(True, "guardian", "M"), make.teacher())
    assert school.client().post(at("consent-undo", school, event.pk), headers=HTMX).status_code == 404


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("scan.pdf", PDF, 200),
        ("scan.pdf", b"", 422),
        ("scan.pdf", b"<html><script>alert(1)</script></html>", 422),
        ("scan.jpg", b"\xff\xd8\xff" + b"0" * 64, 415),
    ],
)
def test_a_scan_is_known_by_its_content(
    school: SchoolFixture, name: str, content: bytes, status: int
) -> None:
    response = answers(school, scan=SimpleUploadedFile(name, content, "application/pdf"))
    assert response.status_code in ({status} if status < 400 else {status, 422})  # type: ignore[attr-defined]
    assert ConsentScan.objects.count() == (status == 200)
    assert standing(school.without_consent) == ("given" if status == 200 else "")


def test_a_scan_is_a_download_and_nothing_else(school: SchoolFixture) -> None:
    answers(school, scan=SimpleUploadedFile("x.pdf", PDF + b"<script>alert(1)</script>"))
    path = reverse("web:consent-scan", args=[ConsentScan.objects.get().event_id])
    response = school.client().get(path)
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"].startswith("attachment")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert school.client("stranger").get(path).status_code == 404


def test_names_of_any_kind_are_shown_as_they_are(school: SchoolFixture) -> None:
    for given, family in (("محمد", "عبد الله"), ("Max", "W" * 110), ("<b>Eve</b>", 'O"Neil')):
        student = make.student(school.course, given_name=given, family_name=family)
        answers(school, student=student.pk, name=f"{given} {family}")
    consent_slips.prepare(
        [make.student(school.course, given_name="<i>Ann</i>", family_name="ش" * 100)], school.owner
    )
    for name in ("consents", "consent-slips", "consent-return", "consent-ask"):
        page = school.client().get(at(name, school)).text
        assert "<b>Eve" not in page
        assert "<i>Ann" not in page
    assert "محمد" in school.client().get(at("consents", school)).text


# --- the student's page -----------------------------------------------------------------------------------
def test_a_no_is_recorded_on_the_students_page_too(school: SchoolFixture) -> None:
    student = school.without_consent
    form = {"given_by": "student", "given_by_name": student.full_name, "method": "form", "answer": "no"}
    school.client().post(reverse("web:consent-record", args=[student.pk]), form)
    assert standing(student) == "refused"
    page = school.client().get(reverse("web:student", args=[student.pk])).text
    assert "refused" in page
    assert "Record consent first" in page, "they may change their mind"


def test_old_photos_and_an_earlier_text_are_said_on_the_students_page(school: SchoolFixture) -> None:
    path = reverse("web:student", args=[school.student.pk])
    assert "Faces change" not in school.client().get(path).text
    Portrait.objects.filter(student=school.student).update(
        uploaded_at=timezone.now() - dt.timedelta(days=400)
    )
    consent_texts.change_text({"en": "New words."}, school.owner)
    page = school.client().get(path).text
    assert "please take new ones" in page
    assert "They agreed to an earlier text. That goes on." in page
    places.set_place("ES")
    assert "has to be asked about again" in school.client().get(path).text
    assert "The photos of 1 student are old" in school.client().get(at("course", school)).text


def test_on_the_roll_nobody_sees_who_agreed(school: SchoolFixture) -> None:
    page = school.client().get(reverse("web:session", args=[school.session.pk])).text
    assert "consent" not in page.lower().replace("consent_", "")


# --- settings ---------------------------------------------------------------------------------------------
def test_an_administrator_changes_text_and_months(school: SchoolFixture) -> None:
    client, path = school.client("administrator"), reverse("web:consent-settings")
    client.post(path, {"renew_after_months": "24", "link_days": "7", "ask_whom": "Ms Grant, room 12"})
    kept = consent_texts.school_settings()
    assert (kept.renew_after_months, kept.link_days, kept.ask_whom) == (24, 7, "Ms Grant, room 12")
    client.post(path, {"text": "1", "text-en": "New words.", "text-es": "Otras palabras."})
    version = School.objects.get().consent_text_version
    assert version != "2026-1"
    assert consent_texts.paragraphs(version, "es") == ["Otras palabras."]
    for bad in (
        {"renew_after_months": "x", "link_days": "7"},
        {"text": "1"},
        {"text": "1", "text-en": "x" * 5000},
    ):
        assert client.post(path, bad).status_code == 422
