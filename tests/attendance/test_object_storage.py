"""Files in an S3-compatible store: the same promises as on a disk, against a server that speaks the protocol."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.retries.standard import ExponentialBackoff
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from attendance import (
    backups,
    doctor,
    enrolment,
    errors,
    health,
    intake,
    key_rotation,
    pipeline,
    privacy,
    sealed_files,
    stored_files,
)
from attendance.models import ClassSession, DoomedFile, Portrait, Snapshot
from attendance.object_storage import ObjectStorage
from attendance.sealing import new_key
from attendance.storage import media, unguessable_name
from tests import factories as make
from tests.attendance.conftest import FakeEngine, face
from tests.s3_server import KEY, S3, SECRET, s3_server

pytestmark = pytest.mark.django_db
BROKEN = (500, "InternalError")


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch, sent: object) -> None:
    """Between tries, and for a queue."""
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda self, context: 0.0)


@pytest.fixture(scope="module")
def server() -> Iterator[S3]:
    with s3_server() as running:
        yield running


def options(server: S3, **more: Any) -> dict[str, Any]:
    return {
        "bucket_name": server.bucket, "endpoint_url": server.url, "region_name": "us-east-1",
        "access_key": KEY, "secret_key": SECRET, "seconds": 1.0, **more,
    }  # fmt: skip


def use(settings: Any, server: S3, **more: Any) -> ObjectStorage:
    settings.ROLLCALL_S3_BUCKET = server.bucket
    backend = "attendance.object_storage.ObjectStorage"
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": backend, "OPTIONS": options(server, **more)},
    }
    storage = storages["default"]
    assert isinstance(storage, ObjectStorage)
    return storage


@pytest.fixture
def s3(server: S3, settings: Any) -> Iterator[S3]:
    """The site's files lie in this store, without waits between tries."""
    use(settings, server)
    for key in server.all_keys():
        server.client.delete_object(Bucket=server.bucket, Key=key)
    server.requests = 0
    yield server
    server.works_again()


@pytest.fixture
def session() -> ClassSession:
    return make.session(make.course(make.teacher(), students=2))


def away(s3: S3) -> None:
    s3.fault = lambda number: BROKEN


def test_a_photo_lies_sealed_under_a_name_nobody_guesses_and_is_read_as_it_came(
    s3: S3, session: ClassSession
) -> None:
    shot = intake.receive(session, make.jpeg(3)).snapshot
    assert s3.all_keys() == {str(shot.image)}
    lying = s3.content(str(shot.image))
    assert lying.startswith(sealed_files.MAGIC)
    assert b"JFIF" not in lying
    with default_storage.open(str(shot.image)) as photo:
        plain = photo.read()
    assert plain[:2] == b"\xff\xd8"
    assert default_storage.size(str(shot.image)) == len(plain)


@pytest.mark.parametrize("size", [0, 1, 9 * 1024 * 1024])
def test_files_of_any_size_pass_through(s3: S3, size: int) -> None:
    plain = bytes(size)
    name = default_storage.save(unguessable_name("reports", "csv"), ContentFile(plain))
    with default_storage.open(name) as file:
        assert file.read() == plain
    assert default_storage.size(name) == size
    default_storage.delete(name)
    default_storage.delete(name)
    with pytest.raises(FileNotFoundError):
        default_storage.open(name)


def test_a_site_can_have_a_part_of_a_bucket(s3: S3, settings: Any) -> None:
    storage = use(settings, s3, location="schools/north")
    name = storage.save("photos/aa/b.jpg", ContentFile(b"a photo"))
    assert s3.all_keys() == {"schools/north/photos/aa/b.jpg"}
    assert list(storage.names(timezone.now() + dt.timedelta(minutes=5))) == [name]
    assert list(storage.names(timezone.now() - dt.timedelta(minutes=5))) == []


def test_a_store_that_fails_for_a_third_of_calls_costs_nothing_but_time(
    s3: S3, session: ClassSession
) -> None:
    s3.fault = lambda number: BROKEN if number % 3 == 0 else None
    shots = [intake.receive(session, make.jpeg(seed)).snapshot for seed in range(4)]
    for shot in shots:
        with default_storage.open(str(shot.image)) as photo:
            assert photo.read()[:2] == b"\xff\xd8"
    assert len(s3.all_keys()) == 4


@pytest.mark.parametrize("how", ["errors", "silence", "nobody", "stranger", "no bucket"])
def test_an_upload_to_a_store_that_is_away_is_a_503_and_leaves_nothing(
    s3: S3, session: ClassSession, settings: Any, client: Client, how: str
) -> None:
    if how == "errors":
        use(settings, s3, tries=1)
        away(s3)
    elif how == "silence":
        use(settings, s3, seconds=0.2, tries=1)
        s3.delay = 1.0
    elif how == "nobody":
        use(settings, s3, endpoint_url="http://127.0.0.1:1", tries=1)
    elif how == "stranger":
        use(settings, s3)
        s3.fault = lambda number: (403, "InvalidAccessKeyId")
    else:
        use(settings, s3, bucket_name="nothing-here")
    teacher = session.course.teachers.first()
    assert teacher is not None
    client.force_login(teacher)
    answer = client.post(f"/api/sessions/{session.pk}/snapshots/", make.jpeg(1), content_type="image/jpeg")
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:rollcall:problem:storage-away")
    assert "Nothing was lost" in answer.json()["detail"]
    assert not Snapshot.objects.exists()
    s3.works_again()
    ready = client.get("/readyz")
    if how in ("nobody", "no bucket"):
        assert ready.status_code == 503
        expected = {"nobody": "does not answer", "no bucket": "does not exist"}[how]
        assert expected in ready.json()["parts"]["storage"]


def test_after_silence_the_next_calls_fail_at_once(s3: S3, settings: Any) -> None:
    storage = use(settings, s3, seconds=0.2, tries=1)
    s3.delay = 1.0
    with pytest.raises(errors.StorageAway):
        storage.head("photos/aa/a.jpg")
    before = s3.requests
    for _again in range(50):
        with pytest.raises(errors.StorageAway, match="try again"):
            storage.head("photos/aa/a.jpg")
    assert s3.requests == before


def test_a_page_without_its_store_says_so_and_is_no_fault_of_the_server(
    s3: S3, session: ClassSession, settings: Any, client: Client
) -> None:
    shot = intake.receive(session, make.jpeg(1)).snapshot
    use(settings, s3, tries=1)
    away(s3)
    client.force_login(session.course.teachers.get())
    for address in (reverse("web:photo", args=[shot.pk, "view"]), f"/api/snapshots/{shot.pk}/image/"):
        assert client.get(address).status_code == 503, address
    s3.works_again()
    use(settings, s3)
    assert client.get(reverse("web:photo", args=[shot.pk, "view"])).status_code == 200


def test_a_worker_without_its_store_hands_the_photo_back_and_burns_no_attempt(
    s3: S3, session: ClassSession, settings: Any, engine: FakeEngine
) -> None:
    shot = intake.receive(session, make.jpeg(1)).snapshot
    use(settings, s3, tries=1)
    away(s3)
    for _again in range(5):
        assert pipeline.process(shot.pk) == pipeline.Outcome.RETRY
    shot.refresh_from_db()
    assert (shot.state, shot.attempts, shot.token) == ("received", 0, None)
    s3.works_again()
    use(settings, s3)
    assert pipeline.process(shot.pk) == pipeline.Outcome.DONE


def test_chips_that_cannot_be_stored_are_no_fault_of_the_photo(
    s3: S3, session: ClassSession, settings: Any, engine: FakeEngine
) -> None:
    engine.faces = [face(make.encoding(seed), left=90.0 * seed) for seed in range(3)]
    shot = intake.receive(session, make.jpeg(1)).snapshot
    use(settings, s3, tries=1)
    puts = iter(range(100))
    s3.fault = lambda number: BROKEN if next(puts) >= 2 else None  # the photo is read, one chip stored
    assert pipeline.process(shot.pk) == pipeline.Outcome.RETRY
    s3.works_again()
    use(settings, s3)
    assert stored_files.sweep(timezone.now() + dt.timedelta(minutes=5)) == 1, "the chip that was stored goes"
    assert s3.all_keys() == {str(shot.image)}


def test_an_object_that_is_gone_is_the_photos_own_fault_and_ends_in_quarantine(
    s3: S3, session: ClassSession, engine: FakeEngine
) -> None:
    shot = intake.receive(session, make.jpeg(1)).snapshot
    s3.client.delete_object(Bucket=s3.bucket, Key=str(shot.image))
    outcomes = [pipeline.process(shot.pk) for _again in range(3)]
    assert outcomes[-1] == pipeline.Outcome.FAILED
    shot.refresh_from_db()
    assert "FileNotFoundError" in shot.error


def test_a_portrait_waits_for_its_store(
    s3: S3, session: ClassSession, settings: Any, engine: FakeEngine
) -> None:
    student = session.course.students.first()
    assert student is not None
    make.consent(student)
    portrait = enrolment.receive_portrait(student, make.jpeg(1), make.teacher("grace"))
    use(settings, s3, tries=1)
    away(s3)
    for _again in range(5):
        assert enrolment.check_portrait(portrait.pk) is None
    portrait.refresh_from_db()
    assert (portrait.state, portrait.attempts) == (Portrait.State.RECEIVED, 0)


def test_withdrawn_while_the_store_is_away_is_deleted_as_soon_as_it_answers(
    s3: S3, session: ClassSession, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    teacher = session.course.teachers.get()
    student = session.course.students.first()
    assert student is not None
    make.consent(student)
    name = intake.store("portraits", make.jpeg(1))
    Portrait.objects.create(
        student=student, image=name, sha256="0" * 64, uploaded_by=teacher, uploaded_at=timezone.now()
    )
    use(settings, s3, tries=1)
    away(s3)
    with django_capture_on_commit_callbacks(execute=True):
        privacy.withdraw_consent(student, teacher)
    assert not student.portraits.exists()
    assert name in set(DoomedFile.objects.values_list("name", flat=True))
    soon = timezone.now() + dt.timedelta(minutes=1)
    assert stored_files.sweep(soon) == 0, "it is still away"
    s3.works_again()
    use(settings, s3)
    assert stored_files.sweep(soon) >= 1
    assert not DoomedFile.objects.exists()
    assert name not in s3.all_keys()


def test_keys_are_rotated_in_the_store(s3: S3, session: ClassSession, settings: Any) -> None:
    old, new = new_key(), new_key()
    settings.ROLLCALL_KEYS = [old]
    shot = intake.receive(session, make.jpeg(1)).snapshot
    before = s3.content(str(shot.image))
    settings.ROLLCALL_KEYS = [new, old]
    *_, found = key_rotation.rotate()
    assert found.resealed >= 1
    assert s3.content(str(shot.image)) != before
    settings.ROLLCALL_KEYS = [new]
    with default_storage.open(str(shot.image)) as photo:
        assert photo.read()[:2] == b"\xff\xd8"


def test_a_backup_without_its_store_is_refused_and_names_what_is_wrong(
    s3: S3, session: ClassSession, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake.receive(session, make.jpeg(1))
    monkeypatch.setattr(backups, "_dump", lambda target: target.write_bytes(b"a database"))
    use(settings, s3, tries=1)
    away(s3)
    with pytest.raises(CommandError, match="does not answer"):
        call_command("backup", str(tmp_path / "backup"))
    assert not (tmp_path / "backup" / "manifest.json").exists()


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ((403, "SignatureDoesNotMatch"), "refuses our secret key"),
        ((403, "InvalidAccessKeyId"), "does not know our key"),
        ((403, "AccessDenied"), "refuses us"),
        ((403, "RequestTimeTooSkewed"), "clock is wrong"),
        ((503, "SlowDown"), "does not answer"),
    ],
)
def test_what_is_wrong_with_the_store_is_said(s3: S3, code: tuple[int, str], sentence: str) -> None:
    s3.fault = lambda number: code
    (part,) = (part for part in health.check() if part.name == "storage")
    assert (part.ok, part.needed_to_accept) == (False, True)
    assert sentence in str(part.message)
    s3.works_again()
    assert media().works() == (True, "works")


def test_the_doctor_sees_that_a_bucket_keeps_what_is_deleted(s3: S3) -> None:
    assert not [each for each in doctor.examine() if each.part == "files" and "versions" in each.sentence]
    s3.client.put_bucket_versioning(Bucket=s3.bucket, VersioningConfiguration={"Status": "Enabled"})
    try:
        (found,) = (each for each in doctor.examine() if each.part == "files")
    finally:
        s3.client.put_bucket_versioning(Bucket=s3.bucket, VersioningConfiguration={"Status": "Suspended"})
    assert not found.ok
    assert "old versions" in found.sentence


def test_a_store_that_is_away_hides_nothing_else_from_the_doctor(s3: S3, settings: Any) -> None:
    use(settings, s3, tries=1)
    away(s3)
    found = {each.part: each for each in doctor.examine()}
    assert not found["storage"].ok
    assert not found["files"].ok
    assert found["tables"].ok


def test_the_library_of_the_store_is_loaded_only_where_it_is_used() -> None:
    code = "import django, sys; django.setup(); import attendance.tasks; print('boto3' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"DJANGO_SETTINGS_MODULE": "config.settings", "PATH": "/usr/bin:/bin"},
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"
