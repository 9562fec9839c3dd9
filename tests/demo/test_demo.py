"""The demo from end to end: real photos, the real engine, the API, the roll against the truth."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from pytest_django.live_server_helper import LiveServer

from attendance import moods, schooltime
from attendance.demo import service
from attendance.models import (
    Camera,
    ClassSession,
    Consent,
    Course,
    FaceTemplate,
    Mark,
    Room,
    Snapshot,
    Student,
    Term,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _taken_back(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Photos that were fetched stay for other tests; rows go the way of the program, as the database's guards of
    consent do not let a bare flush pass."""
    monkeypatch.setattr("attendance.demo.removal.shutil.rmtree", lambda *args, **kwargs: None)
    yield
    service.remove_demo(with_logins=True)


def stored_files() -> list[Path]:
    return [path for path in Path(default_storage.location).rglob("*") if path.is_file()]


def test_the_demo_sent_through_the_api_comes_out_right_and_leaves_without_a_trace(
    demo_photos: dict[str, Path], live_server: LiveServer, tasks_at_once: None
) -> None:
    said = io.StringIO()
    try:
        call_command("demo", "--check", "--server", live_server.url, stdout=said)
    except CommandError as error:
        pytest.fail(f"{error}\n{said.getvalue()}")

    course = Course.objects.get(is_demo=True)
    session = course.sessions.get(pk__in=Snapshot.objects.values("session"))
    marks = {mark.student.family_name: mark for mark in session.marks.select_related("student")}
    assert {name: marks[name].status for name in ("Obama", "Biden", "Collins", "Einstein")} == {
        "Obama": "present",
        "Biden": "late",
        "Collins": "left_early",
        "Einstein": "absent",
    }
    assert [name for name, mark in marks.items() if mark.to_check] == ["Hopper"]
    assert {marks[name].source for name in ("Obama", "Biden", "Collins", "Einstein")} == {"recognised"}
    assert {mark.source for mark in marks.values() if not Consent.objects.filter(student=mark.student)} == {
        "manual"
    }
    assert not Student.objects.filter(family_name="Lamarr").exists(), "the visitor is on no roster"
    assert "roll: 10 of 10 lines right" in said.getvalue()
    assert "0 wrong" in said.getvalue()

    assert len(moods.of_session(session)) >= 2, "the demo shows the mood of its class"
    assert set(session.snapshots.values_list("camera__name", flat=True)) == {"Demo camera DEMO"}
    assert not session.snapshots.filter(clock_suspect=True).exists()
    assert all(session.starts_at <= photo.taken_at <= session.ends_at for photo in session.snapshots.all())
    assert schooltime.school_day(session.ends_at) == schooltime.today()
    assert set(FaceTemplate.objects.values_list("student__family_name", flat=True)) == {
        "Obama", "Biden", "Collins", "Einstein", "Hopper"
    }  # fmt: skip
    for source in ("face_recognition", "scikit-image", "matplotlib", "Mathics3"):
        assert source in course.about
    earlier = course.sessions.filter(state=ClassSession.State.CLOSED, ends_at__lt=session.starts_at)
    assert earlier.count() >= 5
    assert set(Mark.objects.filter(session__in=earlier).values_list("note", flat=True)) == {
        "made up for the demo"
    }

    with pytest.raises(CommandError, match="is here already"):
        call_command("demo", "--in-process")
    call_command("demo", "--remove", stdout=said)
    left = [model.objects.count() for model in (Course, Student, Snapshot, Camera, Room, Term, User)]
    assert left == [0] * len(left)
    assert stored_files() == []


def test_a_demo_that_fails_half_way_is_taken_back(
    demo_photos: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise service.DemoError("The camera fell off the wall.")

    monkeypatch.setattr("attendance.enrolment.receive_portrait", fail)
    with pytest.raises(CommandError, match="fell off the wall"):
        call_command("demo", "--in-process", stdout=io.StringIO())
    assert not Course.objects.exists()
    assert not User.objects.exists()
    assert stored_files() == []


def test_all_known_people_are_named_and_no_stranger(shared_data: Path) -> None:
    folder = shared_data / "known_people"
    outcome = service.load_folder(
        service.Request(server=None),
        service.FolderRequest(folder / "train", class_photos=folder / "test"),
        lambda line: None,
    )
    faces = outcome.built.verdict.faces
    assert Student.objects.count() == 5
    assert dict(faces.students) == {"right": 7}
    assert faces.elsewhere["named"] == 0
    assert outcome.right


@pytest.mark.slow
def test_in_a_class_from_lfw_nobody_gets_a_wrong_name(shared_data: Path, tmp_path: Path) -> None:
    people = (
        "Jacques_Chirac",
        "Angela_Bassett",
        "John_Ashcroft",
        "Andy_Roddick",
        "Jean_Charest",
        "Vaclav_Havel",
    )
    with zipfile.ZipFile(shared_data / "lfw.zip") as archive:
        for name in archive.namelist():
            person, _, number = Path(name).stem.rpartition("_")
            if person in people and int(number) <= 5:
                archive.extract(name, tmp_path)
    outcome = service.load_folder(
        service.Request(server=None),
        service.FolderRequest(tmp_path / "lfw", students=4, strangers=1, photos=3),
        lambda line: None,
    )
    faces = outcome.built.verdict.faces
    assert faces.wrong == 0
    assert faces.students["right"] >= 0.5 * faces.students.total()
    assert faces.students["not found"] == 0
