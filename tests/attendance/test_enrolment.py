"""Portraits: consent first, then an answer about quality, then a template."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.utils import timezone

from attendance import enrolment, errors, pipeline
from attendance.models import Consent, ConsentEvent, Course, FaceTemplate, Portrait, Student
from tests import factories as make
from tests.attendance.conftest import FakeEngine, face, near

pytestmark = pytest.mark.django_db

Sent = list[tuple[str, tuple[Any, ...]]]


@pytest.fixture
def student() -> Student:
    return make.student(make.course())


def files(kind: str) -> int:
    return sum(1 for path in Path(default_storage.path(kind)).rglob("*.jpg"))


def good(seed: int = 1) -> Any:
    found = face(make.encoding(seed))
    found.chip[:] = np.random.default_rng(seed).integers(60, 200, found.chip.shape)
    return found


@pytest.fixture
def accepts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Problems that the quality check will report; none to begin with."""
    problems: list[str] = []
    monkeypatch.setattr(enrolment, "portrait_problems", lambda image, faces: list(problems))
    return problems


def received(student: Student, seed: int = 1) -> Portrait:
    make.consent(student)
    return enrolment.receive_portrait(student, make.jpeg(seed), make.teacher(), "me.jpg")


def test_without_consent_nothing_is_stored(student: Student, sent: Sent) -> None:
    with pytest.raises(errors.ConsentMissing):
        enrolment.receive_portrait(student, make.jpeg(), make.teacher())
    assert files("portraits") == 0


def test_consent_says_who_when_and_on_which_text(student: Student) -> None:
    by = make.teacher()
    make.consent(student, by)
    consent = Consent.objects.get(student=student)
    assert (consent.given_by, consent.given_by_name, consent.text_version) == (
        "guardian",
        "A Parent",
        "2026-1",
    )
    assert ConsentEvent.objects.get().recorded_by == by


def test_a_good_portrait_becomes_a_template(
    student: Student, engine: FakeEngine, accepts: list[str], sent: Sent
) -> None:
    portrait = received(student)
    engine.faces = [good()]
    before = Course.objects.get().gallery_version
    enrolment.check_portrait(portrait.pk)
    portrait.refresh_from_db()
    assert (portrait.state, portrait.problems, student.templates.count()) == ("accepted", [], 1)
    assert Course.objects.get().gallery_version > before, "warm workers must notice"
    assert enrolment.check_portrait(portrait.pk) is None, "twice is once"


def test_what_is_wrong_is_said_and_nobody_is_enrolled(
    student: Student, engine: FakeEngine, accepts: list[str], sent: Sent
) -> None:
    portrait = received(student)
    engine.faces = [good()]
    accepts += ["too_small", "blurred"]
    enrolment.check_portrait(portrait.pk)
    portrait.refresh_from_db()
    assert (portrait.state, portrait.problems) == ("rejected", ["too_small", "blurred"])
    assert not FaceTemplate.objects.exists()


def test_a_face_that_is_enrolled_as_somebody_else_is_held_for_a_person(
    student: Student, engine: FakeEngine, accepts: list[str], sent: Sent
) -> None:
    twin = make.student(student.courses.get())
    make.template(twin, make.encoding(1))
    portrait = received(student)
    engine.faces = [face(near(make.encoding(1), 0.2))]
    enrolment.check_portrait(portrait.pk)
    portrait.refresh_from_db()
    assert (portrait.state, portrait.looks_like) == ("held", twin)
    assert not student.templates.exists()
    enrolment.accept_held(portrait)
    assert portrait.state == "received"
    with pytest.raises(errors.NothingToUndo):
        enrolment.accept_held(portrait)
    enrolment.check_portrait(portrait.pk)
    portrait.refresh_from_db()
    assert portrait.state == "accepted"
    assert student.templates.count() == 1


def test_consent_withdrawn_while_a_portrait_is_looked_at_leaves_no_template(
    student: Student, engine: FakeEngine, accepts: list[str], sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    from attendance import privacy

    portrait = received(student)

    def slow(image: Any) -> Any:
        privacy.withdraw_consent(student, make.teacher())
        return [good()]

    monkeypatch.setattr(engine, "analyse", slow)
    with pytest.raises(errors.ConsentMissing):
        enrolment.check_portrait(portrait.pk)
    assert not FaceTemplate.objects.exists()
    assert files("templates") == 0


def test_the_same_file_twice_is_one_portrait(student: Student, sent: Sent) -> None:
    first = received(student)
    assert enrolment.receive_portrait(student, make.jpeg(1), make.teacher()) == first


def test_removing_a_portrait_removes_its_template_and_files(
    student: Student,
    engine: FakeEngine,
    accepts: list[str],
    sent: Sent,
    django_capture_on_commit_callbacks: Any,
) -> None:
    portrait = received(student)
    engine.faces = [good()]
    enrolment.check_portrait(portrait.pk)
    portrait.refresh_from_db()
    with django_capture_on_commit_callbacks(execute=True):
        enrolment.remove_portrait(portrait)
    assert (files("portraits"), files("templates"), FaceTemplate.objects.count()) == (0, 0, 0)


def test_the_sweeper_looks_again_gives_up_in_the_end_and_forgets_refused_portraits(
    student: Student, sent: Sent
) -> None:
    portrait = received(student)
    later = timezone.now() + dt.timedelta(minutes=3)
    sent.clear()
    assert enrolment.sweep(later) == 1
    assert sent == [("check_portrait", (portrait.pk,))]
    Portrait.objects.update(attempts=3)
    enrolment.sweep(later)
    portrait.refresh_from_db()
    assert (portrait.state, portrait.problems) == ("rejected", ["could_not_be_read"])
    enrolment.sweep(later + dt.timedelta(days=2))
    assert not Portrait.objects.exists()


def test_a_new_engine_gets_its_own_template_beside_the_old(
    student: Student,
    engine: FakeEngine,
    accepts: list[str],
    sent: Sent,
    django_capture_on_commit_callbacks: Any,
) -> None:
    portrait = received(student)
    engine.faces = [good()]
    enrolment.check_portrait(portrait.pk)
    assert not enrolment.outdated_portraits(engine.version).exists()
    old, engine.version = engine.version, "newer"
    assert list(enrolment.outdated_portraits("newer")) == [portrait]
    assert enrolment.reencode(portrait)
    assert set(student.templates.values_list("encoder_version", flat=True)) == {old, "newer"}
    assert not enrolment.outdated_portraits("newer").exists()
    assert enrolment.reencode(portrait), "twice, or in two processes, is once"
    assert student.templates.count() == 2
    with django_capture_on_commit_callbacks(execute=True):
        assert enrolment.remove_outdated("newer") == 1
    assert [template.encoder_version for template in student.templates.all()] == ["newer"]
    assert files("templates") == 1


def test_the_first_photo_after_an_upgrade_brings_the_class_up_to_date(
    student: Student, engine: FakeEngine, accepts: list[str], sent: Sent
) -> None:
    session = make.session(student.courses.get())
    make.template(student, make.encoding(1), engine="older")
    engine.faces = [face(make.encoding(1))]
    shot = make.snapshot(session, state="queued")
    assert pipeline.process(shot.pk) is pipeline.Outcome.DONE
    assert shot.sightings.get().student == student
    assert student.templates.filter(encoder_version=engine.version).count() == 1


def test_the_reencode_command_can_be_stopped_and_started_again(
    student: Student, engine: FakeEngine, accepts: list[str], sent: Sent, capsys: pytest.CaptureFixture[str]
) -> None:
    for n in range(3):
        make.template(student, make.encoding(n), engine="older")
    engine.faces = [good()]
    call_command("reencode", limit=1)
    assert student.templates.filter(encoder_version=engine.version).count() == 1
    call_command("reencode", remove_old=True)
    assert student.templates.count() == 3
    assert not student.templates.exclude(encoder_version=engine.version).exists()
    engine.faces = []
    make.template(student, make.encoding(9), engine="older")
    call_command("reencode", remove_old=True)
    assert "1 portrait" in capsys.readouterr().out
    assert student.templates.filter(encoder_version="older").exists(), "what cannot be replaced stays"
