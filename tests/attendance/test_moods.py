"""Mood: off unless switched on, impossible where prohibited, of groups only, and never in attendance's way."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

import emotion
from attendance import cameras, errors, mood_switches, moods, pipeline, places, rosters, schooltime
from attendance.demo import school as demo_school
from attendance.demo.logins import Logins
from attendance.demo.service import BUILT_IN
from attendance.models import Camera, ClassSession, Course, School, Snapshot, SnapshotMood
from tests import factories as make
from tests.attendance.conftest import FakeEngine, face

pytestmark = pytest.mark.django_db

VERSION = "rollcall-emotion-4"


class FakeClassifier:
    version = VERSION

    def read(self, photo: np.ndarray, boxes: Any, *, framing_of: object) -> np.ndarray:
        return np.tile(np.array([0, 0, 0, 0.5, 0, 0, 0.5], np.float32), (len(boxes), 1))


@pytest.fixture
def classifier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emotion, "load_classifier", FakeClassifier)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise AssertionError("the network was loaded")

    monkeypatch.setattr(moods, "_read", lambda *_args: refuse())


def switched_on(country: str = "NZ") -> Course:
    places.set_place(country)
    admin = make.teacher()
    mood_switches.switch_site(True, admin, notice_read=True)
    course = make.course(make.teacher())
    mood_switches.switch_course(course, True, admin, notice_read=True)
    return course


def photo_of(
    session: ClassSession, engine: FakeEngine, faces: int, minute: int = 5, camera: Camera | None = None
) -> Snapshot:
    engine.faces = [face(make.encoding(n), left=n * 10) for n in range(faces)]
    shot = make.snapshot(session, minute, state="queued", camera=camera)
    assert pipeline.process(shot.pk) is pipeline.Outcome.DONE
    return shot


def kept(session: ClassSession, faces: int, minute: int = 5, version: str = VERSION) -> SnapshotMood:
    read = [0.1 * faces, 0, 0, 0.3 * faces, 0, 0, 0.6 * faces]
    shot = make.snapshot(session, minute)
    return SnapshotMood.objects.create(snapshot=shot, faces=faces, read=read, classifier_version=version)


def the_demo() -> tuple[Course, Camera]:
    """The built-in class as the demo makes it, with its students, without a photo."""
    people = Logins(make.teacher(), make.teacher(), make.administrator())
    made = demo_school.make_class(BUILT_IN, people)
    demo_school.add_students(made, [("Ada", "One"), ("Ben", "Two")], consent=False)
    made.course.refresh_from_db()
    return made.course, made.camera


def test_a_new_course_has_it_off_and_no_emotion_network_is_loaded(
    engine: FakeEngine, no_network: None
) -> None:
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
    stored = SnapshotMood.objects.first()
    assert (stored.faces, stored.read, stored.classifier_version) == (8, [0, 0, 0, 4, 0, 0, 4], VERSION)
    moments = moods.of_session(session)
    assert [moment.mood.n for moment in moments] == [8, 8]
    assert 0.4 < moments[-1].mood.shares["Happy"].value < 0.8


def test_a_group_that_is_too_small_is_not_read(engine: FakeEngine, classifier: None) -> None:
    session = make.session(switched_on())
    photo_of(session, engine, 4)
    assert not SnapshotMood.objects.exists()
    photo_of(session, engine, 5, minute=6)
    assert SnapshotMood.objects.count() == 1


# --- the switches ---------------------------------------------------------------------------------------
def test_each_switch_alone_is_off(engine: FakeEngine, no_network: None) -> None:
    course = switched_on()
    admin = make.teacher()
    mood_switches.switch_course(course, False, admin, notice_read=False)
    photo_of(make.session(course), engine, 9)
    mood_switches.switch_course(course, True, admin, notice_read=True)
    mood_switches.switch_site(False, admin, notice_read=False)
    course.refresh_from_db()
    assert course.mood_enabled
    session = make.session(course)
    photo_of(session, engine, 9)
    assert moods.of_session(session) == []
    assert not SnapshotMood.objects.exists()


def test_who_switched_the_site_is_kept() -> None:
    places.set_place("NZ")
    admin = make.teacher()
    mood_switches.switch_site(True, admin, notice_read=True)
    school = schooltime.get_school()
    assert (school.mood_enabled, school.mood_switched_by) == (True, admin)
    assert school.mood_switched_at


def test_switching_off_deletes_what_was_stored_of_those_it_is_switched_off_for() -> None:
    course, other = switched_on(), make.course()
    demo, _camera = the_demo()
    admin = make.teacher()
    mood_switches.switch_course(other, True, admin, notice_read=True)
    for of in (course, other, demo):
        kept(make.session(of), 9)

    def left() -> set[int]:
        return set(SnapshotMood.objects.values_list("snapshot__session__course", flat=True))

    mood_switches.switch_course(course, False, admin, notice_read=False)
    assert left() == {other.pk, demo.pk}
    mood_switches.switch_site(False, admin, notice_read=False)
    assert left() == {demo.pk}, "the made-up class needs no switch of the site"
    places.set_place("FR")
    assert left() == set()


def test_what_was_switched_off_while_a_photo_was_looked_at_is_not_stored(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = switched_on()

    class SwitchedOffMeanwhile(FakeClassifier):
        def read(self, photo: np.ndarray, boxes: Any, *, framing_of: object) -> np.ndarray:
            mood_switches.switch_course(
                Course.objects.get(pk=course.pk), False, make.teacher(), notice_read=False
            )
            return super().read(photo, boxes, framing_of=framing_of)

    monkeypatch.setattr(emotion, "load_classifier", SwitchedOffMeanwhile)
    photo_of(make.session(course), engine, 8)
    assert not SnapshotMood.objects.exists()


def test_without_the_notice_nothing_is_switched_on() -> None:
    places.set_place("NZ")
    admin = make.teacher()
    with pytest.raises(errors.NoticeUnread):
        mood_switches.switch_site(True, admin, notice_read=False)
    mood_switches.switch_site(True, admin, notice_read=True)
    with pytest.raises(errors.NoticeUnread):
        mood_switches.switch_course(make.course(), True, admin, notice_read=False)


def test_a_course_waits_for_the_site() -> None:
    places.set_place("NZ")
    with pytest.raises(errors.MoodOffForSite):
        mood_switches.switch_course(make.course(), True, make.teacher(), notice_read=True)


# --- how large a group is -------------------------------------------------------------------------------
def test_a_larger_group_hides_what_was_stored_of_smaller_ones(engine: FakeEngine, no_network: None) -> None:
    course = switched_on()
    session = make.session(course)
    kept(session, 6, 2)
    kept(session, 9, 8)
    assert len(moods.of_session(session)) == 2
    assert moods.by_session(course, [session.pk])[session.pk].n == 8
    mood_switches.set_minimum_group(9)
    assert [moment.mood.n for moment in moods.of_session(session)] == [9]
    assert moods.by_session(course, [session.pk])[session.pk].n == 9
    photo_of(session, engine, 8, 12)
    mood_switches.set_minimum_group(10)
    assert moods.of_session(session) == []
    assert moods.by_session(course, [session.pk]) == {}


@pytest.mark.parametrize("faces", [4, 0, -1, 101, 10**9])
def test_a_group_has_its_bounds(faces: int) -> None:
    with pytest.raises(errors.MoodGroupOutOfBounds):
        mood_switches.set_minimum_group(faces)
    assert schooltime.get_school().mood_minimum_group == 5


# --- the law --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("country", ["DE", "es", "IE", "NO", "el", "RE", ""])
def test_where_the_law_prohibits_it_it_cannot_be_switched_on(country: str) -> None:
    if country:
        places.set_place(country)
    with pytest.raises(errors.MoodProhibited):
        mood_switches.switch_site(True, make.teacher(), notice_read=True)
    with pytest.raises(errors.MoodProhibited):
        mood_switches.switch_course(make.course(), True, make.teacher(), notice_read=True)


def test_moving_to_such_a_country_switches_it_off_everywhere() -> None:
    course = switched_on("CL")
    demo, _camera = the_demo()
    assert mood_switches.is_on(course)
    assert mood_switches.is_on(demo)
    places.set_place("FR")
    for each in (course, demo):
        each.refresh_from_db()
        assert not each.mood_enabled
        assert not mood_switches.is_on(each)
    assert not schooltime.get_school().mood_enabled


@pytest.mark.parametrize("country", ["Germany", "1", "D3", "ÄÖ", "ZZ", "EU"])
def test_a_country_is_one_there_is(country: str) -> None:
    with pytest.raises(errors.UnknownCountry, match="No country has this code"):
        places.set_place(country)


def test_a_code_stored_before_that_no_country_has_is_no_permission() -> None:
    School.objects.update_or_create(pk=1, defaults={"country": "ZZ", "mood_enabled": True})
    course = make.course()
    with pytest.raises(errors.MoodProhibited):
        mood_switches.switch_course(course, True, make.teacher(), notice_read=True)
    course.mood_enabled = True
    assert not mood_switches.is_on(course)
    assert (places.set_place("uk").country, places.set_place("el").country) == ("GB", "GR")


# --- the demo -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("country", ["", "NZ"])
def test_the_demo_shows_it_from_three_faces_in_its_own_photos(
    engine: FakeEngine, classifier: None, country: str
) -> None:
    if country:
        places.set_place(country)
    course, camera = the_demo()
    session = make.session(course)
    photo_of(session, engine, 2, 1, camera)
    assert not SnapshotMood.objects.exists()
    photo_of(session, engine, 3, 2, camera)
    assert [moment.mood.n for moment in moods.of_session(session)] == [3]


def test_where_the_law_prohibits_it_the_demo_reads_nothing_either(
    engine: FakeEngine, no_network: None
) -> None:
    places.set_place("DE")
    course, camera = the_demo()
    with pytest.raises(errors.MoodProhibited):
        mood_switches.switch_course(course, True, make.teacher(), notice_read=True)
    Course.objects.filter(pk=course.pk).update(
        mood_enabled=True, mood_switched_by=make.teacher(), mood_switched_at=timezone.now()
    )
    course.refresh_from_db()
    session = make.session(course)
    photo_of(session, engine, 9, camera=camera)
    kept(session, 9, 8)
    assert moods.of_session(session) == []


def test_a_photo_that_the_demo_did_not_send_is_not_read(engine: FakeEngine, no_network: None) -> None:
    course, camera = the_demo()
    session = make.session(course)
    own, _key = cameras.create("Wall", make.room(), make.teacher())
    photo_of(session, engine, 9, 1, own)
    photo_of(session, engine, 9, 2)
    cameras.rotate(camera)
    photo_of(session, engine, 9, 3, camera)
    assert not SnapshotMood.objects.exists()


def test_with_a_real_student_the_demo_is_a_course_like_any_other(
    engine: FakeEngine, classifier: None
) -> None:
    course, camera = the_demo()
    session = make.session(course)
    rosters.add_student(course, number="S77", given_name="Real")
    photo_of(session, engine, 9, 1, camera)
    assert not SnapshotMood.objects.exists()
    places.set_place("NZ")
    mood_switches.switch_site(True, make.teacher(), notice_read=True)
    photo_of(session, engine, 4, 2, camera)
    assert not SnapshotMood.objects.exists()
    photo_of(session, engine, 5, 3, camera)
    assert SnapshotMood.objects.count() == 1


def test_a_demo_of_somebodys_own_photos_is_a_course_like_any_other() -> None:
    people = Logins(make.teacher(), make.teacher(), make.administrator())
    made = demo_school.make_class(demo_school.ClassSpec("FACES-x", "Faces", "about"), people)
    assert not made.course.mood_enabled
    with pytest.raises(errors.MoodProhibited):
        mood_switches.switch_course(made.course, True, people.admin, notice_read=True)


# --- attendance goes on ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "problem",
    [
        emotion.WeightsMissing("no weights"),
        ImportError("libtorch_cpu.so"),
        OSError("disk"),
        RuntimeError("the box (17.25, 33.5, 20, 20) went wrong"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"),
        MemoryError(),
    ],
    ids=lambda problem: type(problem).__name__,
)
def test_whatever_fails_attendance_goes_on(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, problem: Exception
) -> None:
    def fail() -> None:
        raise problem

    monkeypatch.setattr(emotion, "load_classifier", fail)
    session = make.session(switched_on())
    with caplog.at_level(logging.WARNING):
        shot = photo_of(session, engine, 8)
    assert shot.sightings.count() == 8
    assert not SnapshotMood.objects.exists()
    assert f"was not read: {type(problem).__name__} at test_moods.py" in caplog.text
    assert "33.5" not in caplog.text


def test_without_torch_attendance_goes_on(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    session = make.session(switched_on())
    monkeypatch.setitem(sys.modules, "emotion.classifier", None)
    assert photo_of(session, engine, 8).sightings.count() == 8
    assert not SnapshotMood.objects.exists()


def test_answers_that_are_no_probabilities_are_not_stored(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(FakeClassifier):
        def read(self, photo: np.ndarray, boxes: Any, *, framing_of: object) -> np.ndarray:
            return np.full((len(boxes), 7), np.nan, np.float32)

    monkeypatch.setattr(emotion, "load_classifier", Broken)
    assert photo_of(make.session(switched_on()), engine, 8).sightings.count() == 8
    assert not SnapshotMood.objects.exists()


@pytest.mark.parametrize(("there", "read"), [(5, True), (4, False)])
def test_a_face_beyond_the_edge_is_left_out_and_the_rest_is_read_if_it_is_a_group(
    engine: FakeEngine, classifier: None, there: int, read: bool
) -> None:
    session = make.session(switched_on())
    inside = [face(make.encoding(n), left=n * 10) for n in range(there)]
    engine.faces = [*inside, face(make.encoding(90), left=5000)]
    shot = make.snapshot(session, 5, state="queued")
    assert pipeline.process(shot.pk) is pipeline.Outcome.DONE
    assert shot.sightings.count() == there + 1
    assert list(SnapshotMood.objects.values_list("faces", flat=True)) == ([there] if read else [])


# --- which network read it ------------------------------------------------------------------------------
def test_each_photo_is_adjusted_for_the_network_that_read_it() -> None:
    course = switched_on()
    versions = ("rollcall-emotion-1", "rollcall-emotion-4")
    alone = {}
    for version in versions:
        session = make.session(course)
        kept(session, 9, 2, version)
        alone[version] = moods.of_session(session)[0].mood
    assert alone[versions[0]].shares != alone[versions[1]].shares
    both = make.session(course)
    for minute, version in enumerate(versions):
        kept(both, 9, minute + 1, version)
    assert [moment.mood for moment in moods.of_session(both)] == [alone[version] for version in versions]
    kept(both, 9, 9, versions[1])
    assert moods.by_session(course, [both.pk])[both.pk] == alone[versions[1]]


def test_what_an_unknown_network_read_is_left_out_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    moods.calibration_of.cache_clear()
    course = switched_on()
    session = make.session(course)
    kept(session, 9, 1, "another-9")
    kept(session, 9, 2)
    with caplog.at_level(logging.WARNING):
        for _again in range(2):
            assert len(moods.of_session(session)) == 1
            assert list(moods.by_session(course, [session.pk])) == [session.pk]
    assert caplog.text.count("another-9") == 1


def test_history_is_there_without_torch_and_without_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    moods.calibration_of.cache_clear()
    session = make.session(switched_on())
    kept(session, 9)
    for module in ("torch", "emotion.classifier"):
        monkeypatch.setitem(sys.modules, module, None)
    assert len(moods.of_session(session)) == 1
    assert moods.by_session(session.course, [session.pk])


def test_the_database_refuses_a_mood_of_one_person_and_a_switch_without_a_person() -> None:
    shot = make.snapshot(make.session(make.course()))
    with pytest.raises(IntegrityError), transaction.atomic():
        SnapshotMood.objects.create(snapshot=shot, faces=1, read=[0] * 7, classifier_version="x")
    with pytest.raises(IntegrityError), transaction.atomic():
        Course.objects.update(mood_enabled=True)


def test_importing_the_pipeline_and_the_pages_loads_no_emotion_network() -> None:
    code = (
        "import os, sys, django; os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config.settings'); django.setup();"
        "from attendance import moods, pipeline; from attendance.web import mood_screen, urls;"
        "assert moods.calibration_of('rollcall-emotion-4'); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False", "a web process must not pay for models it does not use"
