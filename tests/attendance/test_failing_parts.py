"""Each part of the site taken away in turn: a sentence, a word of /readyz, a next step, and no photo lost."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.core.files.storage import default_storage
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from attendance import clock, doctor, enrolment, errors, health, health_parts, intake, pipeline, presence
from attendance.models import CameraStatus, ClassSession, School, Snapshot
from attendance.sealing import new_key
from recognition.errors import ModelFileMissing
from tests import factories as make
from tests.attendance.conftest import FakeEngine

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = "redis://127.0.0.1:1/0"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _only_what_a_test_breaks_is_broken(settings: Any) -> None:
    settings.REDIS_URL = NOWHERE


def part(name: str) -> health.Part:
    return next(part for part in health.check() if part.name == name)


def told_everywhere(name: str, words: str, ready: bool) -> None:
    """The same sentence on the site page and for machines; the doctor adds what to do next."""
    found = part(name)
    assert not found.ok
    assert words in str(found.message)
    answer = Client().get("/readyz")
    assert answer.status_code == (200 if ready else 503)
    assert words in answer.json()["parts"][name]
    assert Client().get("/healthz").status_code == 200
    administrator = Client()
    administrator.force_login(make.administrator(), backend="django.contrib.auth.backends.ModelBackend")
    page = administrator.get(reverse("web:site"))
    assert page.status_code == 200
    assert words in page.text.replace("&#x27;", "'")
    finding = next(finding for finding in doctor.examine() if finding.part == name)
    assert not finding.ok
    assert finding.next_step


@pytest.fixture
def session() -> ClassSession:
    return make.session(make.course(make.teacher(), students=2))


# --- Redis, workers, beat ---------------------------------------------------------------------------
def test_no_redis() -> None:
    told_everywhere("queue", "Redis does not answer. Photos are kept", ready=True)
    assert "They wait for Redis" in str(part("workers").message)
    assert "waits for Redis" in str(part("beat").message)


@pytest.fixture
def heard(real_redis: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[redis.Redis]:
    settings.REDIS_URL = real_redis
    monkeypatch.setattr(presence, "_last", {})
    with redis.Redis.from_url(real_redis) as client:
        yield client
        client.delete(presence.HASH)


def last_word(client: redis.Redis, kind: str, minutes: float) -> None:
    client.hset(presence.HASH, f"{kind}:somewhere", str(client.time()[0] - minutes * 60))


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("workers", "worker", "No worker was heard of for 6 minutes: photos are kept"),
        ("beat", "beat", "stopped 6 minutes ago"),
    ],
)
def test_a_program_that_is_silent_for_five_minutes(
    heard: redis.Redis, name: str, kind: str, words: str
) -> None:
    for living in ("worker", "beat"):
        presence.note(living)
    assert part(name).ok
    heard.delete(presence.HASH)
    last_word(heard, kind, 4)
    assert part(name).ok, "four minutes are not five"
    last_word(heard, kind, 6.5)
    told_everywhere(name, words, ready=True)


@pytest.mark.parametrize(("name", "words"), [("workers", "No worker runs"), ("beat", "by itself")])
def test_a_program_that_never_ran(heard: redis.Redis, name: str, words: str) -> None:
    told_everywhere(name, words, ready=True)


def test_one_of_two_machines_is_enough(heard: redis.Redis) -> None:
    last_word(heard, "worker", 60)
    presence.note("worker")
    assert part("workers").ok
    heard.delete(presence.HASH)
    presence.note("worker")
    assert presence.silence("worker") is None, "a program writes at most every quarter of a minute"


# --- database ---------------------------------------------------------------------------------------
def test_no_database(tmp_path: Path) -> None:
    """A process of its own with an address where nothing listens: pages, API and machines each get a sentence."""
    code = """
import django; django.setup()
from django.test import Client
client = Client(raise_request_exception=False, SERVER_NAME="localhost")
for path in ("/healthz", "/readyz", "/sign-in/", "/api/courses/"):
    answer = client.get(path, headers={"Authorization": "Token x"} if "api" in path else {})
    print(answer.status_code, answer["Content-Type"].partition(";")[0], " ".join(answer.text.split()))
from attendance import doctor
print([f.part for f in doctor.examine() if not f.ok and f.next_step][:1])
"""
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": "postgres://rollcall:x@127.0.0.1:1/rollcall",
        "REDIS_URL": NOWHERE,
        "ROLLCALL_DATA_DIR": str(tmp_path),
        "ALLOWED_HOSTS": "localhost",
        "SECRET_KEY": "no secret of anybody, and long enough to be one for this test",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, cwd=ROOT, capture_output=True, text=True, check=True
    )
    lives, ready, page, api, found = done.stdout.strip().splitlines()[-5:]
    assert lives.startswith("200")
    assert ready.startswith("503 application/json")
    assert "The database does not answer. Nothing can be stored now." in ready
    assert page.startswith("503 text/html")
    assert "The database does not answer. Please try again in a moment." in page
    assert api.startswith("503 application/problem+json")
    assert found == "['database']"


@pytest.mark.parametrize(
    ("said", "status", "words"),
    [
        ("database or disk is full", 507, "disk is full"),
        ("attempt to write a readonly database", 503, "cannot write"),
        ("database is locked", 503, "does not answer"),
    ],
)
def test_a_database_that_cannot_write_says_why(
    session: ClassSession, monkeypatch: pytest.MonkeyPatch, said: str, status: int, words: str
) -> None:
    def fail(*arguments: object, **more: object) -> None:
        raise OperationalError(said)

    client = Client(raise_request_exception=False)
    client.force_login(session.course.teachers.get(), backend="django.contrib.auth.backends.ModelBackend")
    monkeypatch.setattr("attendance.permissions.courses_for", fail)
    for path in ("/courses/", "/api/courses/"):
        answer = client.get(path)
        assert answer.status_code == status
        assert words in answer.text
    assert "X-Request-ID" in answer


# --- the folder of photos ---------------------------------------------------------------------------
@pytest.fixture
def small_disk(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """A file system of 256 KiB for the photos."""
    folder = tmp_path / "small"
    folder.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(folder)], capture_output=True, check=False
    ).returncode:
        pytest.skip("only on machines where a test may mount a file system")
    settings.MEDIA_ROOT, settings.ROLLCALL_MIN_FREE_BYTES = folder, 0
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def upload(session: ClassSession, seed: int) -> Any:
    client = Client()
    client.force_login(session.course.teachers.get(), backend="django.contrib.auth.backends.ModelBackend")
    return client.generic(
        "POST", f"/api/sessions/{session.pk}/snapshots/", make.jpeg(seed), content_type="image/jpeg"
    )


def test_a_disk_that_fills_up(session: ClassSession, small_disk: Path, sent: list[Any]) -> None:
    accepted = 0
    for seed in range(200):
        answer = upload(session, seed)
        if answer.status_code != 202:
            break
        accepted += 1
    assert answer.status_code == 507
    assert "disk is full" in answer.json()["detail"]
    assert accepted > 3
    assert Snapshot.objects.count() == accepted
    for snapshot in Snapshot.objects.all():
        with default_storage.open(str(snapshot.image)) as stored:
            assert stored.read()[:2] == b"\xff\xd8", "what was accepted is whole"
    assert not list(small_disk.rglob("*.part"))
    assert sum(path.is_file() for path in small_disk.rglob("*")) == accepted


def test_as_many_photos_wait_as_may(session: ClassSession, settings: Any) -> None:
    for minute in range(2):
        make.snapshot(session, minute, state=Snapshot.State.RECEIVED)
    settings.ROLLCALL_MAX_WAITING = 2
    told_everywhere("workers", "2 photos wait, as many as may: no more are taken in", ready=True)


def test_a_full_disk_is_told_everywhere(small_disk: Path, settings: Any) -> None:
    settings.ROLLCALL_MIN_FREE_BYTES = 10**15
    told_everywhere("storage", "The disk is full: new photos are refused until there is room.", ready=False)


def test_a_folder_that_became_read_only(session: ClassSession, small_disk: Path, sent: list[Any]) -> None:
    assert upload(session, 1).status_code == 202
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    answer = upload(session, 2)
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:rollcall:problem:storage-read-only")
    assert Snapshot.objects.count() == 1
    told_everywhere("storage", "Its folder cannot be written", ready=False)
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    assert upload(session, 2).status_code == 202


# --- models -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("harm", ["missing", "damaged"])
def test_models_that_are_missing_or_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    def find(file: object) -> Path:
        if harm == "missing":
            raise ModelFileMissing("gone")
        (tmp_path / "weights.dat").write_bytes(b"cut off")
        return tmp_path / "weights.dat"

    assert part("models").ok
    monkeypatch.setattr(health_parts.model_files, "find", find)
    told_everywhere("models", "Files of face recognition are missing or damaged", ready=True)


def test_a_photo_waits_for_its_models_and_is_not_given_up(
    session: ClassSession, engine: FakeEngine, sent: list[Any]
) -> None:
    shot = intake.receive(session, make.jpeg(1)).snapshot
    engine.broken = ModelFileMissing("gone")
    for _try in range(5):
        assert pipeline.process(shot.pk) is pipeline.Outcome.RETRY
    shot.refresh_from_db()
    assert (shot.state, shot.attempts) == ("received", 0)
    engine.broken = None
    assert pipeline.process(shot.pk) is pipeline.Outcome.DONE


def test_the_mood_is_missed_only_where_it_is_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_parts, "EMOTION_WEIGHTS", tmp_path / "gone.safetensors")
    assert "mood" not in {part.name for part in health.check()}
    School.objects.update_or_create(pk=1, defaults={"mood_enabled": True})
    told_everywhere("mood", "the mood of a class is not read. Rolls are.", ready=True)
    monkeypatch.undo()
    assert part("mood").ok


# --- keys -------------------------------------------------------------------------------------------
def test_a_wrong_key_is_a_sentence_on_pages_and_files_and_photos_wait(
    session: ClassSession, engine: FakeEngine, sent: list[Any], settings: Any
) -> None:
    student = session.course.students.first()
    template = make.template(student, make.encoding(1))
    shot = intake.receive(session, make.jpeg(1)).snapshot
    face = make.sighting(shot, student)
    portrait = enrolment.receive_portrait(student, make.jpeg(2, (300, 300)), make.teacher())
    client = Client(raise_request_exception=False)
    client.force_login(session.course.teachers.get(), backend="django.contrib.auth.backends.ModelBackend")
    right = settings.ROLLCALL_KEYS
    settings.ROLLCALL_KEYS = [new_key()]

    told_everywhere("keys", "the key they were sealed with is missing", ready=True)
    paths = [
        reverse("web:photo", args=[shot.pk, "full"]), reverse("web:photo", args=[shot.pk, "thumb"]),
        reverse("web:portrait", args=[portrait.pk]), f"/api/snapshots/{shot.pk}/image/",
    ]  # fmt: skip
    paths += [
        reverse("web:session", args=[session.pk]), reverse("web:student", args=[student.pk]),
        reverse("web:face", args=[session.pk, face.pk]), reverse("web:desk"),
        reverse("web:course", args=[session.course_id]), reverse("web:roll-csv", args=[session.pk]),
        f"/api/sessions/{session.pk}/roll/", f"/api/students/{student.pk}/",
        reverse("web:template-crop", args=[template.pk]), reverse("web:face-crop", args=[face.pk]),
    ]  # fmt: skip
    answers = {path: client.get(path) for path in paths}
    wrong = {
        path: answer.status_code for path, answer in answers.items() if answer.status_code not in (200, 503)
    }
    assert wrong == {}
    for path in paths[:4]:
        assert answers[path].status_code == 503, path
        assert "the server lacks the key they were sealed with" in answers[path].text, path
    assert answers[reverse("web:course", args=[session.course_id])].status_code == 200, "rolls go on by hand"

    for _try in range(5):
        assert pipeline.process(shot.pk) is pipeline.Outcome.RETRY
        assert enrolment.check_portrait(portrait.pk) is None
    settings.ROLLCALL_KEYS = right
    assert pipeline.process(shot.pk) is pipeline.Outcome.DONE


def test_a_damaged_photo_is_set_aside_and_no_500(
    session: ClassSession, engine: FakeEngine, sent: list[Any]
) -> None:
    shot = intake.receive(session, make.jpeg(1)).snapshot
    path = Path(default_storage.path(str(shot.image)))
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    client = Client(raise_request_exception=False)
    client.force_login(session.course.teachers.get(), backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get(reverse("web:photo", args=[shot.pk, "full"]))
    assert answer.status_code == 503
    assert "was damaged or changed on the server" in answer.text
    assert [pipeline.process(shot.pk) for _try in range(3)][-1] is pipeline.Outcome.FAILED


def test_nonsense_for_a_key_is_told(settings: Any) -> None:
    settings.ROLLCALL_KEYS = ["not a key"]
    assert "is not a key" in str(part("keys").message)
    settings.ROLLCALL_KEYS = []
    assert "unsealed" in str(part("keys").message)


# --- the clock --------------------------------------------------------------------------------------
def test_clocks_that_do_not_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    assert part("clock").ok
    monkeypatch.setattr(clock, "now", lambda: timezone.now() - dt.timedelta(seconds=30))
    told_everywhere("clock", "this machine and of the database do not agree", ready=True)


def test_a_clock_that_was_set_back(session: ClassSession) -> None:
    make.snapshot(session, received_at=timezone.now() + dt.timedelta(hours=1))
    assert "set back" in str(part("clock").message)


@pytest.mark.parametrize(
    ("offsets", "ok"),
    [([-600_000, -601_000, -599_500], False), ([-600_000, 0, 100], True), ([-600_000, -600_000], True)],
)
def test_cameras_that_all_say_otherwise(offsets: list[int], ok: bool) -> None:
    from attendance import cameras

    for number, offset in enumerate(offsets):
        camera, _key = cameras.create(f"camera {number}", make.room(), make.administrator())
        CameraStatus.objects.create(camera=camera, heard_at=timezone.now(), clock_offset_ms=offset)
    assert part("clock").ok is ok


def test_redis_on_a_machine_with_another_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "redis_clock", lambda: timezone.now() + dt.timedelta(minutes=3))
    assert "of Redis do not agree" in str(part("clock").message)


def test_named_errors_of_the_store_are_told_as_they_are() -> None:
    from attendance import faults

    assert faults.named(errors.StorageFull()).status == 507  # type: ignore[union-attr]
    assert faults.named(ValueError("a mistake of ours")) is None
    assert faults.named(None) is None
