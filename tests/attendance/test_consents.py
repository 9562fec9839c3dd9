"""Consent in bulk: answers, mistakes taken back, slips, texts, renewal, and the look for what nobody agreed to."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from attendance import (
    consent_events,
    consent_overview,
    consent_scans,
    consent_slips,
    consent_sweep,
    consent_texts,
    consents,
    doctor,
    enrolment,
    errors,
    places,
    privacy,
    renewals,
    reviews,
    rosters,
    schooltime,
)
from attendance.consents import Answer
from attendance.models import (
    Consent,
    ConsentEvent,
    ConsentScan,
    ConsentSlip,
    Course,
    FaceTemplate,
    Portrait,
    Student,
)
from tests import factories as make

pytestmark = pytest.mark.django_db
YES = Answer(yes=True, given_by="guardian", name="Maria Adams", relation="mother")
NO = Answer(yes=False, given_by="guardian", name="Maria Adams", relation="mother")
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"


@pytest.fixture
def course() -> Course:
    return make.course(make.teacher(), students=3)


@pytest.fixture
def student(course: Course) -> Student:
    return course.students.order_by("pk")[0]


def standing(student: Student) -> str:
    return Consent.objects.get(student=student).standing


# --- answers ------------------------------------------------------------------------------------------
def test_a_yes_and_a_no_say_who_how_when_and_which_text(student: Student) -> None:
    by, day = make.teacher(), schooltime.today() - dt.timedelta(days=2)
    event = consents.record(
        student, Answer(True, "guardian", " Maria  Adams ", relation="mother", signed_on=day), by
    )
    assert (event.state, event.given_by_name, event.relation, event.signed_on, event.method) == (
        "given", "Maria Adams", "mother", day, "paper",
    )  # fmt: skip
    assert (event.purpose, event.text_version, event.recorded_by) == ("recognition", "2026-1", by)
    other = make.student()
    no = consents.record(other, NO, by)
    assert (no.state, standing(other)) == ("refused", "refused")
    assert not Consent.objects.filter(student=other, state="given").exists()


def test_the_same_answer_twice_is_one(student: Student) -> None:
    by = make.teacher()
    assert consents.record(student, YES, by) == consents.record(student, YES, by)
    assert student.consent_events.count() == 1


def test_a_student_signs_with_their_own_name(student: Student) -> None:
    event = consents.record(student, Answer(True, "student"), make.teacher())
    assert event.given_by_name == student.full_name


@pytest.mark.parametrize(
    "answer",
    [
        Answer(True, "guardian", " "),
        Answer(True, "dog", "Maria"),
        Answer(True, "guardian", "Maria", relation="dog"),
        Answer(True, "guardian", "Maria", method="smoke"),
        Answer(True, "guardian", "Maria", signed_on=dt.date(2999, 1, 1)),
        Answer(True, "guardian", "Maria", signed_on=dt.date(1999, 1, 1)),
    ],
)
def test_an_answer_that_says_too_little_is_refused(student: Student, answer: Answer) -> None:
    with pytest.raises(consents.AnswerRefused):
        consents.record(student, answer, make.teacher())
    assert not student.consent_events.exists()


def test_a_slip_of_somebody_else_is_refused(course: Course) -> None:
    by = make.teacher()
    mine, yours = course.students.order_by("pk")[:2]
    slip = consent_slips.prepare([yours], by)[0]
    with pytest.raises(consents.AnswerRefused, match="somebody else"):
        consents.record(mine, Answer(True, "guardian", "Maria", slip=slip), by)


def test_a_no_in_passing_does_not_delete(student: Student) -> None:
    template = make.template(student)
    with pytest.raises(consents.ConsentStands):
        consents.record(student, NO, make.teacher())
    assert FaceTemplate.objects.filter(pk=template.pk).exists()
    assert standing(student) == "given"


def test_who_refused_can_agree_later_and_the_history_says_both(student: Student) -> None:
    by = make.teacher()
    consents.record(student, NO, by)
    consents.record(student, YES, by)
    assert standing(student) == "given"
    assert [one.state for one in student.consent_events.order_by("pk")] == ["refused", "given"]


# --- mistakes -----------------------------------------------------------------------------------------
def test_a_mistake_is_taken_back_step_by_step(student: Student) -> None:
    by = make.teacher()
    no = consents.record(student, NO, by)
    yes = consents.record(student, YES, by)
    with pytest.raises(errors.NothingToUndo):
        consents.undo(no, by)
    consents.undo(yes, by)
    assert standing(student) == "refused"
    consents.undo(no, by)
    assert standing(student) == "asked"
    with pytest.raises(errors.NothingToUndo):
        consents.undo(no, by)
    assert [one.state for one in student.consent_events.order_by("pk")] == [
        "refused", "given", "undone", "undone",
    ]  # fmt: skip
    assert consent_events.last_answer(student) is None


def test_a_yes_with_photos_is_not_taken_back_in_passing(student: Student) -> None:
    by = make.teacher()
    yes = consents.record(student, YES, by)
    make.template(student)
    with pytest.raises(consents.PhotosSince):
        consents.undo(yes, by)
    assert standing(student) == "given"


def test_a_mistake_is_taken_back_within_a_day(student: Student) -> None:
    yes = consents.record(student, YES, make.teacher())
    ConsentEvent.objects.update(recorded_at=timezone.now() - dt.timedelta(hours=25))
    yes.refresh_from_db()
    with pytest.raises(errors.NothingToUndo):
        consents.undo(yes, make.teacher())


def test_a_withdrawal_cannot_be_taken_back(student: Student) -> None:
    by = make.teacher()
    consents.record(student, YES, by)
    privacy.withdraw_consent(student, by)
    with pytest.raises(errors.NothingToUndo):
        consents.undo(student.consent_events.order_by("-pk")[0], by)


# --- England and Wales ----------------------------------------------------------------------------------
def test_where_parents_decide_nobodys_no_is_overruled(student: Student) -> None:
    by = make.teacher()
    places.set_place("GB", "ENG", "school")
    consents.record(student, Answer(False, "student"), by)
    with pytest.raises(consent_events.SomebodySaidNo, match=student.full_name):
        consents.record(student, YES, by)
    with pytest.raises(consent_events.SomebodySaidNo):
        make.consent(student)  # every way of recording a yes goes by the same rule
    consents.record(student, Answer(True, "student"), by)
    consents.record(student, YES, by)
    assert standing(student) == "given"


def test_elsewhere_a_later_yes_counts(student: Student) -> None:
    by = make.teacher()
    places.set_place("CL")
    consents.record(student, Answer(False, "student"), by)
    consents.record(student, YES, by)
    assert standing(student) == "given"


# --- scans --------------------------------------------------------------------------------------------
def test_a_scan_lies_sealed_and_goes_with_the_student(
    student: Student, django_capture_on_commit_callbacks: Any
) -> None:
    consents.record(student, YES, make.teacher(), PDF)
    scan = ConsentScan.objects.get()
    path = Path(default_storage.path(scan.file.name))
    assert (scan.content_type, PDF in path.read_bytes()) == ("application/pdf", False)
    with default_storage.open(scan.file.name) as file:
        assert file.read() == PDF
    with django_capture_on_commit_callbacks(execute=True):
        privacy.delete_student(student)
    assert not path.exists()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "0 bytes"),
        (b"<!doctype html><script>alert(1)</script>", "Only a PDF"),
        (b"<html>%PDF-1.7 %%EOF", "Only a PDF"),
        (b"%PDF-1.7 cut off", "damaged"),
        (b"%PDF-1.7" + b"0" * (consent_scans.MOST_BYTES + 1), "8 MB"),
        (b"GIF89a" + b"0" * 100, "Only a PDF"),
    ],
)
def test_what_is_no_scan_is_refused_and_nothing_is_recorded(student: Student, data: bytes, says: str) -> None:
    with pytest.raises(errors.RollcallError, match=says):
        consents.record(student, YES, make.teacher(), data)
    assert not student.consent_events.exists()


def test_a_scan_without_its_answer_leaves_no_file(student: Student) -> None:
    make.template(student)
    with pytest.raises(consents.ConsentStands):
        consents.record(student, NO, make.teacher(), PDF)
    folder = Path(default_storage.path("consents"))
    assert not [path for path in folder.rglob("*") if path.is_file()]


def test_an_undone_answer_takes_its_scan_along(
    student: Student, django_capture_on_commit_callbacks: Any
) -> None:
    by = make.teacher()
    event = consents.record(student, YES, by, PDF)
    path = Path(default_storage.path(event.scan.file.name))
    with django_capture_on_commit_callbacks(execute=True):
        consents.undo(event, by)
    assert not path.exists()


# --- slips --------------------------------------------------------------------------------------------
def test_slips_keep_their_codes_and_ask_once(course: Course) -> None:
    by = make.teacher()
    students = list(course.students.order_by("pk"))
    first = consent_slips.prepare(students, by)
    again = consent_slips.prepare(students, by)
    assert [slip.code for slip in first] == [slip.code for slip in again]
    assert len({slip.code for slip in first}) == 3
    assert all(set(slip.code) <= set(consent_slips.ALPHABET) for slip in first)
    assert ConsentEvent.objects.filter(state="asked").count() == 3
    assert {row.state for row in consent_overview.standings(course)} == {"asked"}


def test_a_new_text_makes_a_new_slip(student: Student) -> None:
    by = make.teacher()
    old = consent_slips.prepare([student], by)[0]
    consent_texts.change_text({"en": "Another text."}, by)
    new = consent_slips.prepare([student], by)[0]
    assert (old.code != new.code, new.text_version) == (True, consent_texts.current_version())
    event = consents.record(student, Answer(True, "guardian", "Maria", slip=old), by)
    assert event.text_version == "2026-1", "who signed the earlier paper agreed to the earlier text"


@pytest.mark.parametrize("typed", ["7K4M2Q", "7k4-m2q", " 7K4 M2Q ", "https://school.example/slips/7K4M2Q/"])
def test_a_code_is_read_however_it_comes(typed: str) -> None:
    assert consent_slips.as_kept(typed) == "7K4M2Q"
    assert consent_slips.as_printed("7K4M2Q") == "7K4-M2Q"


def test_making_slips_and_the_overview_cost_the_same_for_many() -> None:
    def cost(students: int) -> tuple[int, int]:
        course = make.course(students=students)
        everybody = list(course.students.all())
        with CaptureQueriesContext(connection) as made:
            consent_slips.prepare(everybody, by)
        with CaptureQueriesContext(connection) as looked:
            consent_overview.standings(course)
        return len(made), len(looked)

    by = make.teacher()
    schooltime.get_school()
    assert cost(3) == cost(12)


# --- the text and renewal -----------------------------------------------------------------------------
def test_the_text_that_was_agreed_to_can_be_read_again(student: Student) -> None:
    by = make.teacher()
    standard = consent_texts.paragraphs("2026-1", "en")
    assert len(standard) == 2
    assert consent_texts.paragraphs("2026-1", "es") != standard
    version = consent_texts.change_text({"en": "First.\r\n\r\nSecond <b>.", "es": ""}, by)
    assert consent_texts.paragraphs(version, "es") == ["First.", "Second <b>."]
    assert consent_texts.change_text({"en": "First.\n\nSecond <b>."}, by) == version
    assert consent_texts.paragraphs("2026-1", "en") == standard
    for bad in ({}, {"en": "  "}, {"en": "x" * 4001}):
        with pytest.raises(consent_texts.TextRefused):
            consent_texts.change_text(bad, by)


@pytest.mark.parametrize(("country", "asks"), [("DE", True), ("GB", True), ("CL", False)])
def test_a_new_text_is_asked_about_where_the_law_says_so(course: Course, country: str, asks: bool) -> None:
    by = make.teacher()
    places.set_place(country)
    student = course.students.order_by("pk")[0]
    consents.record(student, YES, by)
    consent_texts.change_text({"en": "New words."}, by)
    row = next(row for row in consent_overview.standings(course) if row.student == student)
    assert (row.is_earlier_text, row.asks_again, row.is_to_ask) == (True, asks, asks)
    assert consent_overview.counts([row]).earlier_text == 1


def due_both_ways(student: Student) -> bool:
    """Whether a new portrait is asked for, as the database and the portraits at hand say alike."""
    found = renewals.due([student.pk]).get(student.pk)
    assert renewals.due_of(student.portraits.all(), renewals.older_than()) == found
    return found is not None


def test_old_portraits_ask_for_renewal_and_nothing_is_deleted(course: Course) -> None:
    student = make.template(course.students.order_by("pk")[0]).student
    assert not due_both_ways(student)
    Portrait.objects.update(uploaded_at=timezone.now() - dt.timedelta(days=400))
    assert due_both_ways(student)
    assert consent_overview.counts(consent_overview.standings(course)).portraits == 1
    consent_texts.change_settings(24, 14, "")
    assert not due_both_ways(student)
    consent_texts.change_settings(0, 14, "")
    assert not due_both_ways(student)
    consent_texts.change_settings(12, 14, "")
    make.template(student)
    assert not due_both_ways(student), "a newer one is there"
    assert student.templates.count() == 2


@pytest.mark.parametrize(("months", "days"), [(121, 14), (12, 0), (12, 91)])
def test_settings_out_of_bounds_are_refused(months: int, days: int) -> None:
    with pytest.raises(consent_texts.SettingRefused):
        consent_texts.change_settings(months, days, "")


# --- no consent, no face ------------------------------------------------------------------------------
def test_an_imported_roster_implies_no_consent(course: Course) -> None:
    table = b"number,name,consent\nX1,Ruth Adams,yes\nX2,Li Brown,given\n"
    rosters.import_rows(course, rosters.preview(course, table))
    imported = course.students.filter(number__in=["X1", "X2"])
    assert imported.count() == 2
    assert not Consent.objects.exists()
    with pytest.raises(errors.ConsentMissing):
        enrolment.receive_portrait(imported[0], make.jpeg(1), make.teacher())


def test_the_sweep_looks_at_everything_and_finds_nothing(course: Course) -> None:
    make.template(course.students.order_by("pk")[0])
    swept = consent_sweep.sweep()
    assert (swept.clean, swept.rows >= 2, swept.files) == (True, True, 2)


def test_the_sweep_finds_a_face_of_somebody_without_consent(course: Course) -> None:
    student = course.students.order_by("pk")[0]
    session = make.session(course)
    make.sighting(make.snapshot(session), student)
    found = {left.what for left in consent_sweep.sweep().left}
    assert found == {"recognised faces"}
    finding = next(one for one in doctor.examine() if one.part == "consent")
    assert not finding.ok
    assert "recognised faces" in finding.sentence


def test_a_face_named_as_somebody_without_consent_is_not_kept(
    course: Course, django_capture_on_commit_callbacks: Any
) -> None:
    by, session = course.teachers.get(), make.session(course, min_sightings=1)
    agreed, declined = course.students.order_by("pk")[:2]
    make.template(agreed)
    faces = [make.sighting(make.snapshot(session, n), None, "unknown") for n in (2, 9)]
    path = Path(default_storage.path(faces[0].chip.name))
    with django_capture_on_commit_callbacks(execute=True):
        word = reviews.decide(faces[0], "is", by, declined)
        reviews.decide(faces[1], "is", by, agreed)
    for face in faces:
        face.refresh_from_db()
    assert (faces[0].chip.name, faces[0].encoding, path.exists()) == ("", None, False)
    assert faces[1].chip.name, "who agreed keeps theirs"
    assert session.marks.get(student=declined).status == "present"
    assert consent_sweep.sweep().clean
    reviews.undo(word, by)
    assert session.marks.get(student=declined).status != "present"


def test_the_sweep_finds_a_file_that_belongs_to_nobody(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.stored("templates", make.jpeg(1))
    assert consent_sweep.sweep().clean, "a file is written before its row: what is new is on its way"
    monkeypatch.setattr(consent_sweep, "ON_THE_WAY", dt.timedelta(seconds=-1))
    assert [left.what for left in consent_sweep.sweep().left] == ["files that belong to no portrait"]


def test_codes_of_slips_say_nothing_about_students(course: Course) -> None:
    slips = consent_slips.prepare(list(course.students.all()), make.teacher())
    for slip in slips:
        assert slip.student.number not in slip.code
    assert ConsentSlip.objects.count() == 3
