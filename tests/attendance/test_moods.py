"""Mood: off unless switched on, impossible where prohibited, of groups only, and never in attendance's way."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from django.db import IntegrityError, transaction

import emotion
from attendance import errors, moods, pipeline, places, schooltime
from attendance.models import ClassSession, Course, Snapshot, SnapshotMood
from tests import factories as make
from tests.attendance.conftest import FakeEngine, face

pytestmark = pytest.mark.django_db


class FakeClassifier:
    version = "fake-1"
    calibration = emotion.Calibration.perfect()

    def read(self, photo: np.ndarray, boxes: Any, *, framing_of: object) -> np.ndarray:
        return np.tile(np.array([0, 0, 0, 0.5, 0, 0, 0.5], np.float32), (len(boxes), 1))


@pytest.fixture
def classifier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emotion, "load_classifier", FakeClassifier)


def switched_on(country: str = "NZ") -> Course:
    places.set_place(country)
    moods.switch_site(True, notice_read=True)
    course = make.course(make.teacher())
    moods.switch_course(course, True, make.teacher(), notice_read=True)
    return course


def photo_of(session: ClassSession, engine: FakeEngine, faces: int, minute: int = 5) -> Snapshot:
    engine.faces = [face(make.encoding(n), left=n * 10) for n in range(faces)]
    shot = make.snapshot(session, minute, state="queued")
    assert pipeline.process(shot.pk) is pipeline.Outcome.DONE
    return shot


def test_a_new_course_has_it_off_and_no_emotion_network_is_loaded(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise AssertionError("the network was loaded")

    monkeypatch.setattr(emotion, "load_classifier", refuse)
    session = make.session(make.course())
    photo_of(session, engine, 9)
    assert not SnapshotMood.objects.exists()
    assert moods.of_session(session) == []


def test_switched_on_the_sums_of_a_group_are_kept_and_nothing_about_a_person(
    engine: FakeEngine, classifier: None
) -> None:
    session = make.session(switched_on())
    for minute in (2, 14):
        photo_of(session, engine, 8, minute)
    kept = SnapshotMood.objects.first()
    assert (kept.faces, kept.read) == (8, [0, 0, 0, 4, 0, 0, 4])
    moments = moods.of_session(session)
    assert [moment.mood.n for moment in moments] == [8, 8]
    assert moments[-1].mood.shares["Happy"].value == pytest.approx(0.5, abs=0.02)


def test_a_group_that_is_too_small_is_not_read(engine: FakeEngine, classifier: None) -> None:
    session = make.session(switched_on())
    photo_of(session, engine, 4)
    assert not SnapshotMood.objects.exists()
    photo_of(session, engine, 5, minute=6)
    assert SnapshotMood.objects.count() == 1


def test_the_demo_class_shows_it_from_three_faces_wherever_it_runs(
    engine: FakeEngine, classifier: None
) -> None:
    places.set_place("DE")
    course = make.course(is_demo=True)
    moods.switch_course(course, True, make.teacher(), notice_read=True)
    photo_of(make.session(course), engine, 3)
    assert SnapshotMood.objects.count() == 1


@pytest.mark.parametrize("country", ["DE", "es", "IE", "NO", "el", ""])
def test_where_the_law_prohibits_it_it_cannot_be_switched_on(country: str) -> None:
    if country:
        places.set_place(country)
    with pytest.raises(errors.MoodProhibited):
        moods.switch_site(True, notice_read=True)
    with pytest.raises(errors.MoodProhibited):
        moods.switch_course(make.course(), True, make.teacher(), notice_read=True)


def test_moving_to_such_a_country_switches_it_off_everywhere() -> None:
    course = switched_on("CL")
    assert moods.is_on(course)
    places.set_place("FR")
    course.refresh_from_db()
    assert not moods.is_on(course)
    assert not course.mood_enabled
    assert not schooltime.get_school().mood_enabled


def test_without_the_notice_nothing_is_switched_on() -> None:
    places.set_place("NZ")
    with pytest.raises(errors.NoticeUnread):
        moods.switch_site(True, notice_read=False)
    moods.switch_site(True, notice_read=True)
    with pytest.raises(errors.NoticeUnread):
        moods.switch_course(make.course(), True, make.teacher(), notice_read=False)


def test_a_course_waits_for_the_site() -> None:
    places.set_place("NZ")
    with pytest.raises(errors.MoodOffForSite):
        moods.switch_course(make.course(), True, make.teacher(), notice_read=True)


@pytest.mark.parametrize("country", ["Germany", "1", "D3", "ÄÖ"])
def test_a_country_is_two_letters(country: str) -> None:
    with pytest.raises(errors.UnknownPlace):
        places.set_place(country)


def test_without_its_weights_attendance_goes_on(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise emotion.WeightsMissing("no weights")

    monkeypatch.setattr(emotion, "load_classifier", missing)
    session = make.session(switched_on())
    shot = photo_of(session, engine, 8)
    assert shot.sightings.count() == 8
    assert not SnapshotMood.objects.exists()


def test_the_database_refuses_a_mood_of_one_person_and_a_switch_without_a_person() -> None:
    shot = make.snapshot(make.session(make.course()))
    with pytest.raises(IntegrityError), transaction.atomic():
        SnapshotMood.objects.create(snapshot=shot, faces=1, read=[0] * 7, classifier_version="x")
    with pytest.raises(IntegrityError), transaction.atomic():
        Course.objects.update(mood_enabled=True)


def test_importing_the_pipeline_loads_no_emotion_network() -> None:
    import subprocess

    code = (
        "import os, sys, django; os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config.settings'); django.setup();"
        "from attendance import pipeline; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False", "a web process must not pay for models it does not use"
