"""A stolen database or media folder alone shows no face."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from attendance import intake, key_rotation, sealed_files, sealing
from attendance.engines import to_bytes
from attendance.models import FaceTemplate, MailMessage, ReportJob, Sighting, Snapshot
from tests import factories as make

OLD, NEW = sealing.new_key(), sealing.new_key()
RING = sealing.make_keyring([NEW, OLD])


@given(st.binary(max_size=2000), st.text(max_size=20))
def test_what_is_sealed_opens_again_and_is_not_readable(plain: bytes, place: str) -> None:
    stored = RING.seal(plain, place)
    assert RING.open(stored, place) == plain
    assert len(plain) < 8 or plain not in stored
    assert stored != RING.seal(plain, place)


def test_a_changed_moved_or_foreign_value_is_refused() -> None:
    stored = RING.seal(b"an encoding", "template.encoding")
    with pytest.raises(sealing.SealBroken, match="belongs elsewhere"):
        RING.open(stored, "sighting.encoding")
    with pytest.raises(sealing.SealBroken, match="was changed"):
        RING.open(stored[:-1] + bytes([stored[-1] ^ 1]), "template.encoding")
    with pytest.raises(sealing.SealBroken, match="not in ROLLCALL_KEYS"):
        sealing.make_keyring([sealing.new_key()]).open(stored, "template.encoding")


@pytest.mark.parametrize("key", ["not base64 !", "c2hvcnQ=", ""])
def test_a_bad_key_is_said_by_its_place(key: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="Key 2 of ROLLCALL_KEYS"):
        sealing.make_keyring([NEW, key])


@pytest.mark.parametrize(
    "size",
    [0, 1, sealed_files.PIECE - 1, sealed_files.PIECE, sealed_files.PIECE + 1, 3 * sealed_files.PIECE + 5],
)
def test_files_of_any_size_are_read_as_they_were_written(size: int) -> None:
    plain = bytes(i % 251 for i in range(size))
    stored = b"".join(sealed_files.seal_pieces([plain[:700_000], plain[700_000:]], RING, "photos/a.jpg"))
    assert sealed_files.plain_size(len(stored)) == size
    reader = io.BufferedReader(sealed_files.SealedReader(io.BytesIO(stored), RING, "photos/a.jpg"))
    assert reader.read() == plain
    assert reader.seek(size // 2) == size // 2
    assert reader.read(10) == plain[size // 2 : size // 2 + 10]


def test_a_file_that_was_cut_off_or_whose_pieces_moved_is_refused() -> None:
    plain = bytes(range(256)) * 12_000
    stored = b"".join(sealed_files.seal_pieces([plain], RING, "photos/a.jpg"))
    piece, head = sealed_files.PIECE + sealed_files.TAG_BYTES, sealed_files.HEADER_BYTES
    swapped = (
        stored[:head]
        + stored[head + piece : head + 2 * piece]
        + stored[head : head + piece]
        + stored[head + 2 * piece :]
    )
    for broken in (stored[: head + piece], stored[:-1], swapped):
        with pytest.raises(sealing.SealBroken):
            io.BufferedReader(sealed_files.SealedReader(io.BytesIO(broken), RING, "photos/a.jpg")).read()


@pytest.mark.django_db
def test_a_photo_and_its_encoding_lie_sealed_on_disk_and_in_the_database(settings: Any) -> None:
    session = make.session(make.course(make.teacher(), students=1))
    receipt = intake.receive(session, make.jpeg(3))
    vector = to_bytes(make.encoding(5))
    face = make.sighting(receipt.snapshot, encoding=vector)
    lying = Path(default_storage.path(str(receipt.snapshot.image))).read_bytes()
    assert b"JFIF" not in lying
    with default_storage.open(str(receipt.snapshot.image)) as photo:
        assert photo.read()[:2] == b"\xff\xd8"
    with connection.cursor() as cursor:
        cursor.execute("SELECT encoding FROM attendance_sighting WHERE id = %s", [face.pk])
        assert vector not in bytes(cursor.fetchone()[0])
    assert Sighting.objects.get(pk=face.pk).encoding == vector
    settings.ROLLCALL_KEYS = [NEW]
    with pytest.raises(sealing.SealBroken):
        Sighting.objects.get(pk=face.pk)
    with pytest.raises(sealing.SealBroken):
        default_storage.open(str(receipt.snapshot.image))


@pytest.mark.django_db
def test_rotation_seals_everything_anew_and_goes_on_where_it_was_stopped(settings: Any) -> None:
    settings.ROLLCALL_KEYS = [OLD]
    session = make.session(make.course(make.teacher(), students=2))
    student = session.course.students.first()
    template = make.template(student, make.encoding(1))
    shots = [intake.receive(session, make.jpeg(seed)).snapshot for seed in range(4)]
    vector = to_bytes(make.encoding(2))
    for shot in shots:
        make.sighting(shot, encoding=vector)
    settings.ROLLCALL_KEYS = [NEW, OLD]
    stopped = key_rotation.rotate()
    next(stopped)
    stopped.close()
    call_command("keys", "rotate")
    settings.ROLLCALL_KEYS = [NEW]
    assert [bytes(face.encoding or b"") for face in Sighting.objects.all()] == [vector] * 4
    assert FaceTemplate.objects.get(pk=template.pk).encoding == to_bytes(make.encoding(1))
    for shot in Snapshot.objects.all():
        with default_storage.open(str(shot.image)) as photo:
            assert photo.read()[:2] == b"\xff\xd8"
    call_command("keys", "check")


@pytest.mark.django_db
def test_reports_and_what_waits_to_be_mailed_are_rotated_too(settings: Any) -> None:
    settings.ROLLCALL_KEYS = [OLD]
    names = [default_storage.save(f"reports/{name}.csv", ContentFile(b"a,b")) for name in "ab"]
    now = timezone.now()
    ReportJob.objects.create(
        asked_by=make.teacher(), what="course", kind="matrix", first_day=now.date(), last_day=now.date(),
        created_at=now, expires_at=now, state="done", file=names[0],
    )  # fmt: skip
    content = {"files": [["b.csv", "text/csv", names[1]]]}
    MailMessage.objects.create(template="report", to="a@school.example", created_at=now, content=content)
    settings.ROLLCALL_KEYS = [NEW, OLD]
    call_command("keys", "rotate")
    settings.ROLLCALL_KEYS = [NEW]
    for name in names:
        with default_storage.open(name) as file:
            assert file.read() == b"a,b"


@pytest.mark.django_db
def test_a_missing_older_key_is_told_and_nothing_is_overwritten(settings: Any) -> None:
    settings.ROLLCALL_KEYS = [OLD]
    session = make.session(make.course(make.teacher(), students=1))
    shot = intake.receive(session, make.jpeg(1)).snapshot
    settings.ROLLCALL_KEYS = [NEW]
    with pytest.raises(CommandError, match="older key is missing"):
        call_command("keys", "rotate")
    settings.ROLLCALL_KEYS = [OLD]
    with default_storage.open(str(shot.image)) as photo:
        assert photo.read()[:2] == b"\xff\xd8"


@pytest.mark.django_db
def test_without_keys_everything_works_unsealed_and_can_be_sealed_later(settings: Any) -> None:
    settings.ROLLCALL_KEYS = []
    session = make.session(make.course(make.teacher(), students=1))
    shot = intake.receive(session, make.jpeg(1)).snapshot
    assert Path(default_storage.path(str(shot.image))).read_bytes()[:2] == b"\xff\xd8"
    settings.ROLLCALL_KEYS = [NEW]
    call_command("keys", "rotate")
    assert Path(default_storage.path(str(shot.image))).read_bytes()[:4] == sealed_files.MAGIC


def test_a_stored_file_is_never_opened_for_writing(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    name = default_storage.save("a/b.bin", ContentFile(b"x" * 3_000_000))
    with default_storage.open(name) as file:
        assert isinstance(file, File)
        assert file.size == 3_000_000
    with pytest.raises(ValueError, match="written once"):
        default_storage.open(name, "wb")
