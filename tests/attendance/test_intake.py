"""A photo's way in: bounded, cleaned, on disk before the row, the row before the answer."""

from __future__ import annotations

import datetime as dt
import errno
import io
import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.db import connection, connections
from django.utils import timezone
from kombu.exceptions import OperationalError
from PIL import Image

from attendance import cameras, errors, intake, photos, schooltime, tasks, waiting
from attendance.models import ClassSession, Snapshot
from attendance.storage import DurableStorage
from tests import factories as make

pytestmark = pytest.mark.django_db

Sent = list[tuple[str, tuple[Any, ...]]]


@pytest.fixture
def session() -> ClassSession:
    return make.session(make.course())


def stored_files() -> set[str]:
    return {path.name for path in Path(default_storage.path("")).rglob("*") if path.is_file()}


def test_a_photo_is_kept_and_queued(
    session: ClassSession, sent: Sent, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        receipt = intake.receive(session, make.jpeg(1))
    shot = Snapshot.objects.get()
    assert receipt.created
    assert sent == [("process_snapshot", (shot.pk,))]
    assert (shot.state, shot.width, shot.height) == ("queued", 160, 120)
    assert default_storage.exists(str(shot.image))


def test_the_same_photo_again_is_the_same_snapshot(session: ClassSession, sent: Sent) -> None:
    first = intake.receive(session, make.jpeg(1))
    again = intake.receive(session, make.jpeg(1))
    assert (again.snapshot, again.created) == (first.snapshot, False)
    assert len(stored_files()) == 1


def test_a_key_answers_its_photo_and_refuses_another(session: ClassSession, sent: Sent) -> None:
    user = make.teacher()
    first = intake.receive(session, make.jpeg(1), user=user, idempotency_key="k")
    assert intake.receive(session, make.jpeg(1), user=user, idempotency_key="k").snapshot == first.snapshot
    with pytest.raises(errors.IdempotencyConflict):
        intake.receive(session, make.jpeg(2), user=user, idempotency_key="k")
    assert intake.receive(session, make.jpeg(3), user=make.teacher(), idempotency_key="k").created
    assert len(stored_files()) == 2


def test_with_redis_gone_a_photo_is_accepted_and_waits(
    session: ClassSession, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    def unreachable(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(tasks.process_snapshot, "apply_async", unreachable)
    with django_capture_on_commit_callbacks(execute=True):
        intake.receive(session, make.jpeg(1))
    assert Snapshot.objects.get().state == "received"


def test_when_the_row_cannot_be_written_no_file_stays(
    session: ClassSession, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the database went away")

    monkeypatch.setattr(Snapshot.objects, "create", broken)
    with pytest.raises(RuntimeError):
        intake.receive(session, make.jpeg(1))
    assert stored_files() == set()


def test_a_full_disk_is_said_and_nothing_half_written_stays(
    session: ClassSession, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(errors.StorageFull):
        intake.receive(session, make.jpeg(1))
    assert stored_files() == set()
    assert not Snapshot.objects.exists()


def test_little_room_left_refuses_before_writing(session: ClassSession, sent: Sent, settings: Any) -> None:
    settings.ROLLCALL_MIN_FREE_BYTES = 2**62
    with pytest.raises(errors.StorageFull):
        intake.receive(session, make.jpeg(1))
    assert stored_files() == set()


def test_no_more_photos_are_taken_in_than_may_wait(session: ClassSession, sent: Sent, settings: Any) -> None:
    """What is accepted stays, a repeat of it is known, and there is room again once something is done."""
    settings.ROLLCALL_MAX_WAITING = 2
    first = intake.receive(session, make.jpeg(1)).snapshot
    cache.clear()  # as after the few seconds one count serves
    intake.receive(session, make.jpeg(2))
    cache.clear()
    kept = stored_files()
    with pytest.raises(errors.QueueFull) as refused:
        intake.receive(session, make.jpeg(3))
    assert 30 <= (refused.value.retry_after or 0) <= 90
    assert (stored_files(), Snapshot.objects.count()) == (kept, 2)
    assert intake.receive(session, make.jpeg(1)).snapshot == first
    Snapshot.objects.filter(pk=first.pk).update(state=Snapshot.State.DONE)
    cache.clear()
    assert intake.receive(session, make.jpeg(3)).created


def test_one_count_of_what_waits_serves_many_photos(
    session: ClassSession, sent: Sent, django_assert_num_queries: Any
) -> None:
    intake.receive(session, make.jpeg(1))
    with django_assert_num_queries(0):
        waiting.check_room()
    cache.clear()
    with django_assert_num_queries(1) as asked:
        waiting.check_room()
    with connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN " + ("QUERY PLAN " if connection.vendor == "sqlite" else "") + asked[0]["sql"]
        )
        plan = str(cursor.fetchall())
    assert "USING COVERING INDEX" in plan or connection.vendor != "sqlite", "an index answers, no row is read"


def test_a_reader_sees_the_whole_file_or_none(tmp_path: Path) -> None:
    from django.core.files.base import ContentFile

    store = DurableStorage(location=tmp_path)
    for number in range(200):
        name = f"x/{number}.jpg"
        store.save(name, ContentFile(bytes([number]) * 5000))
        assert store.open(name).read() == bytes([number]) * 5000
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("state", ["planned", "closed"])
def test_a_session_that_is_not_open_takes_no_photos(session: ClassSession, sent: Sent, state: str) -> None:
    session.state = state
    session.closed_at = timezone.now() - dt.timedelta(minutes=16)
    with pytest.raises(errors.SessionNotOpen):
        intake.receive(session, make.jpeg(1))


def test_a_closed_session_takes_late_photos_for_a_grace_time(session: ClassSession, sent: Sent) -> None:
    session.state, session.closed_at = "closed", timezone.now() - dt.timedelta(minutes=14)
    assert intake.receive(session, make.jpeg(1)).created


@pytest.mark.parametrize(
    ("offset_minutes", "believed"),
    [(-20, True), (0, True), (4, True), (6, False), (-600, False), (60 * 24, False)],
)
def test_a_camera_with_a_wrong_clock_is_flagged_and_arrival_counts(
    session: ClassSession, sent: Sent, offset_minutes: int, believed: bool
) -> None:
    said = timezone.now() + dt.timedelta(minutes=offset_minutes)
    shot = intake.receive(session, make.jpeg(offset_minutes % 97), taken_at=said).snapshot
    assert shot.clock_suspect is not believed
    assert (shot.taken_at == said) is believed


def test_a_camera_that_names_no_zone_means_the_schools_clock(session: ClassSession, sent: Sent) -> None:
    schooltime.set_school_zone("Australia/Sydney")
    local = (timezone.now() - dt.timedelta(minutes=3)).astimezone(schooltime.school_zone())
    exif = Image.Exif()
    exif.get_ifd(0x8769)[36867] = local.strftime("%Y:%m:%d %H:%M:%S")
    shot = intake.receive(session, make.jpeg(5, exif=exif)).snapshot
    assert abs(shot.taken_at - local) < dt.timedelta(seconds=1)
    assert not shot.clock_suspect


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_gives_the_same_upright_photo_without_metadata(orientation: int) -> None:
    upright = np.zeros((120, 160, 3), np.uint8)
    upright[:60, :80] = (255, 0, 0)
    turn = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Pillow's transposes that undo what EXIF will do
    stored = Image.fromarray(upright)
    if orientation in turn:
        stored = stored.transpose(Image.Transpose(turn[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Camera of O'Neil"
    out = io.BytesIO()
    stored.save(out, "JPEG", quality=95, exif=exif)
    clean = photos.clean(out.getvalue(), max_bytes=10**7, max_pixels=10**7)
    pixels = photos.load_upright(clean.jpeg)
    assert pixels.shape == (120, 160, 3)
    assert pixels[20, 20, 0] > 240
    assert pixels[20, 140].max() < 20
    assert b"Neil" not in clean.jpeg
    assert not Image.open(io.BytesIO(clean.jpeg)).getexif()


def test_sixteen_bit_and_transparent_pictures_are_read_as_they_look() -> None:
    grey = Image.fromarray(np.full((80, 80), 32768, np.uint16))
    out = io.BytesIO()
    grey.save(out, "PNG")
    pixels = photos.load_upright(photos.clean(out.getvalue(), max_bytes=10**7, max_pixels=10**7).jpeg)
    assert abs(int(pixels.mean()) - 128) <= 1
    out = io.BytesIO()
    Image.new("RGBA", (80, 80), (0, 0, 0, 0)).save(out, "PNG")
    pixels = photos.load_upright(photos.clean(out.getvalue(), max_bytes=10**7, max_pixels=10**7).jpeg)
    assert pixels.min() > 250


def test_a_camera_back_after_a_day_without_network_brings_what_it_shot_in_the_lesson(
    session: ClassSession, sent: Sent
) -> None:
    camera, _key = cameras.create("front", make.room(), make.administrator())
    day = dt.timedelta(days=1)
    session.starts_at, session.ends_at = session.starts_at - day, session.ends_at - day
    session.state, session.closed_at = "closed", session.ends_at
    session.save()
    in_the_lesson = session.starts_at + dt.timedelta(minutes=20)
    late = intake.receive(session, make.jpeg(1), camera=camera, taken_at=in_the_lesson)
    assert (late.created, late.snapshot.taken_at, late.snapshot.clock_suspect) == (True, in_the_lesson, False)
    assert not intake.receive(session, make.jpeg(1), camera=camera, taken_at=in_the_lesson).created
    for sender, taken_at in (
        ({"camera": camera}, session.ends_at + dt.timedelta(minutes=20)),
        ({"camera": camera}, session.starts_at - dt.timedelta(minutes=40)),
        ({"camera": camera}, None),
        ({"user": make.teacher()}, in_the_lesson),
    ):
        with pytest.raises(errors.SessionNotOpen):
            intake.receive(session, make.jpeg(2), taken_at=taken_at, **sender)
    session.closed_at -= 3 * day
    with pytest.raises(errors.SessionNotOpen):
        intake.receive(session, make.jpeg(2), camera=camera, taken_at=in_the_lesson)


@pytest.mark.django_db(transaction=True)
def test_file_before_row_and_row_before_answer(
    session: ClassSession, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a power cut leaves, in whichever moment it comes, is a photo that was not answered or one that is whole."""
    happened: list[str] = []
    sync, rename, commit = os.fsync, Path.rename, type(connections["default"])._commit

    def syncs(descriptor: int) -> None:
        happened.append("folder synced" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file synced")
        sync(descriptor)

    def renames(path: Path, target: Path) -> Path:
        happened.append("file renamed")
        return rename(path, target)

    def commits(self: Any) -> None:
        happened.append("committed")
        commit(self)

    def statement(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith('INSERT INTO "attendance_snapshot"'):
            happened.append("row written")
        return execute(sql, *rest)

    monkeypatch.setattr(os, "fsync", syncs)
    monkeypatch.setattr(Path, "rename", renames)
    monkeypatch.setattr(type(connections["default"]), "_commit", commits)
    monkeypatch.setattr(intake, "enqueue", lambda *_args, **_named: happened.append("queued"))
    with connection.execute_wrapper(statement):
        intake.receive(session, make.jpeg(1))
    happened.append("answered")
    assert happened == [
        "file synced", "file renamed", "folder synced", "row written", "committed", "queued", "answered"
    ]  # fmt: skip


def test_a_commit_on_sqlite_is_on_disk() -> None:
    """``synchronous=FULL``: with a write-ahead log anything less forgets the last commits in a power cut."""
    if connection.vendor != "sqlite":
        pytest.skip("only on SQLite: PostgreSQL syncs by itself")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous")
        assert cursor.fetchone() == (2,)
