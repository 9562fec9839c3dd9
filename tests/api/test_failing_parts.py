"""When a part is missing an upload says so, or does without it; what was accepted stays."""

from __future__ import annotations

import contextlib
import errno
import shutil
import time
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.handlers.wsgi import WSGIRequest
from django.db import IntegrityError, OperationalError
from django.db.models.query import QuerySet
from django.test.client import Client, RequestFactory
from django.urls import resolve

from attendance import intake, tasks
from attendance.models import Snapshot
from tests import factories as make
from tests.api.conftest import World

Upload = Callable[..., Any]


class CountingStream:
    """A body without end; knows how much of it was read."""

    def __init__(self) -> None:
        self.bytes_read = 0

    def read(self, size: int = -1) -> bytes:
        assert size > 0, "an upload was read without a bound"
        self.bytes_read += size
        return b"\xff" * size

    def readline(self, size: int = -1) -> bytes:
        return self.read(size)


def request_with(world: World, stated_length: int, stream: CountingStream, kind: str) -> WSGIRequest:
    """A camera's upload as the web server hands it over."""
    address = f"/api/sessions/{world.session.pk}/snapshots/"
    request = RequestFactory().generic(
        "POST", address, headers={"Authorization": f"Camera {world.camera_key}"}
    )
    environ = {
        **request.environ,
        "CONTENT_LENGTH": str(stated_length),
        "CONTENT_TYPE": kind,
        "wsgi.input": stream,
    }
    return WSGIRequest(environ)


def answer_to(request: WSGIRequest) -> Any:
    view, arguments, named = resolve(request.path)
    return view(request, *arguments, **named).render()


@pytest.mark.parametrize(
    "kind", ["image/jpeg", "multipart/form-data; boundary=x", "application/octet-stream"]
)
@pytest.mark.parametrize("stated_length", [26 * 1024 * 1024, 2**40])
def test_a_body_that_says_it_is_too_large_is_refused_unread(
    world: World, kind: str, stated_length: int
) -> None:
    stream = CountingStream()
    answer = answer_to(request_with(world, stated_length, stream, kind))
    assert answer.status_code == 413
    assert answer["Content-Type"] == "application/problem+json"
    assert stream.bytes_read == 0


def test_a_raw_body_just_over_the_bound_is_not_read_to_its_end(world: World, settings: Any) -> None:
    settings.ROLLCALL_MAX_UPLOAD_BYTES = 100_000
    stream = CountingStream()
    answer = answer_to(request_with(world, 150_000, stream, "image/jpeg"))
    assert answer.status_code == 413
    assert stream.bytes_read <= 100_001


def test_a_form_with_a_file_just_over_the_bound_is_a_413(world: World, settings: Any) -> None:
    settings.ROLLCALL_MAX_UPLOAD_BYTES = 10_000
    from django.core.files.uploadedfile import SimpleUploadedFile

    answer = world.client("owner").post(
        f"/api/sessions/{world.session.pk}/snapshots/",
        {"image": SimpleUploadedFile("a.jpg", b"\xff" * 10_001, "image/jpeg")},
        format="multipart",
    )
    assert answer.status_code == 413


def test_a_body_of_unstated_length_is_refused_and_not_taken_for_an_empty_one(
    world: World, upload: Upload
) -> None:
    answer = upload(
        world.client("camera"), world.session.pk, make.jpeg(1), **{"Transfer-Encoding": "chunked"}
    )
    assert (answer.status_code, answer.json()["type"]) == (411, "urn:rollcall:problem:length-required")


def test_a_nearly_full_disk_is_a_507_and_nothing_is_stored(
    world: World, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9, 0))
    answer = upload(world.client("camera"), world.session.pk, make.jpeg(1))
    assert (answer.status_code, answer.json()["type"]) == (507, "urn:rollcall:problem:storage-full")
    assert world.session.snapshots.count() == 1


def test_a_full_queue_is_a_429_that_says_when_to_come_again(
    world: World, upload: Upload, settings: Any
) -> None:
    """For a camera and for a person's upload on the page; nothing is stored, and repeats are still known."""
    camera = world.client("camera")
    assert upload(camera, world.session.pk, make.jpeg(1)).status_code == 202
    stored = set(Path(default_storage.path("")).rglob("*.*"))
    cache.clear()  # as after the few seconds one count serves
    settings.ROLLCALL_MAX_WAITING = 1
    answer = upload(camera, world.session.pk, make.jpeg(2))
    assert (answer.status_code, answer.json()["type"]) == (429, "urn:rollcall:problem:queue-full")
    assert "no more are taken in just now" in answer.json()["detail"]
    assert 30 <= int(answer["Retry-After"]) <= 90
    browser = Client()
    browser.force_login(world.owner, backend="django.contrib.auth.backends.ModelBackend")
    page = browser.post(
        f"/sessions/{world.session.pk}/photos/",
        {"photo": SimpleUploadedFile("class.jpg", make.jpeg(3))},
        headers={"Accept": "application/json"},
    )
    assert (page.status_code, page.json()["code"]) == (429, "queue_full")
    assert "Retry-After" in page
    assert set(Path(default_storage.path("")).rglob("*.*")) == stored
    assert upload(camera, world.session.pk, make.jpeg(1)).json()["created"] is False


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_while_writing_is_a_507_and_leaves_no_half_file(
    world: World, upload: Upload, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    before = set(Path(default_storage.path("")).rglob("*.*"))

    def full(*args: Any) -> None:
        raise OSError(number, "no room")

    monkeypatch.setattr("os.fsync", full)
    assert upload(world.client("camera"), world.session.pk, make.jpeg(1)).status_code == 507
    assert set(Path(default_storage.path("")).rglob("*.*")) == before
    assert world.session.snapshots.count() == 1


def test_without_a_queue_an_upload_is_accepted_quickly_and_waits(
    world: World,
    upload: Upload,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    monkeypatch.setattr(intake, "publish", PUBLISH)
    app = tasks.process_snapshot.app
    monkeypatch.setitem(app.conf, "broker_url", "redis://127.0.0.1:1/0")
    monkeypatch.setattr(app, "_pool", None)
    monkeypatch.setattr(app.amqp, "_producer_pool", None)
    upload(world.client("camera"), world.session.pk, make.jpeg(1))
    began = time.monotonic()
    with django_capture_on_commit_callbacks(execute=True):
        answer = upload(world.client("camera"), world.session.pk, make.jpeg(2))
    seconds = time.monotonic() - began
    assert (answer.status_code, answer.json()["state"]) == (202, "received")
    assert Snapshot.objects.get(pk=answer.json()["id"]).state == "received"
    assert seconds < 5


PUBLISH = intake.publish


@pytest.mark.parametrize("fault", [ImportError("no such module"), OperationalError("database is locked")])
def test_whatever_goes_wrong_when_queueing_the_accepted_photo_stays(
    world: World,
    upload: Upload,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
    fault: Exception,
) -> None:
    def broken(*args: Any, **kwargs: Any) -> bool:
        raise fault

    monkeypatch.setattr(intake, "publish", broken)
    with django_capture_on_commit_callbacks() as callbacks:
        answer = upload(world.client("camera"), world.session.pk, make.jpeg(1))
    for callback in callbacks:
        with contextlib.suppress(type(fault)):
            callback()
    assert answer.status_code == 202
    kept = Snapshot.objects.get(pk=answer.json()["id"])
    assert kept.state == "received"
    assert default_storage.exists(str(kept.image))


@pytest.mark.django_db(transaction=True)
def test_a_fault_right_after_the_commit_takes_no_photo_with_it(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    def broken(*args: Any, **kwargs: Any) -> bool:
        raise RuntimeError("the queue's library fell over")

    monkeypatch.setattr(intake, "enqueue", broken)
    session = make.session(make.course())
    snapshot = intake.receive(session, make.jpeg(1)).snapshot
    assert default_storage.exists(str(snapshot.image))
    again = intake.receive(session, make.jpeg(1))
    assert (again.snapshot, again.created) == (snapshot, False)


def test_a_commit_that_fails_on_its_way_back_leaves_the_file_of_a_row_that_is_there(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = Snapshot.objects.create

    def create_and_fall(**fields: Any) -> None:
        create(**fields)
        raise KeyboardInterrupt

    monkeypatch.setattr(Snapshot.objects, "create", create_and_fall)
    monkeypatch.setattr(intake.transaction, "atomic", contextlib.nullcontext)
    with pytest.raises(KeyboardInterrupt):
        intake.receive(world.session, make.jpeg(1))
    kept = world.session.snapshots.exclude(pk=world.snapshot.pk).get()
    assert default_storage.exists(str(kept.image))


def test_a_database_that_does_not_answer_is_a_503_problem(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = world.client("owner")

    def gone(self: Any) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(QuerySet, "first", gone)
    answer = client.get(f"/api/sessions/{world.session.pk}/")
    assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")
    assert "locked" not in answer.json()["detail"]


def test_a_picture_that_is_gone_from_the_disk_is_a_404(world: World) -> None:
    default_storage.delete(str(world.snapshot.image))
    assert world.client("owner").get(f"/api/snapshots/{world.snapshot.pk}/image/").status_code == 404


def test_two_changes_that_do_not_fit_are_a_409_and_no_crash(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from attendance import rosters

    def meet(*args: Any, **kwargs: Any) -> None:
        raise IntegrityError("UNIQUE constraint failed")

    monkeypatch.setattr(rosters, "add_student", meet)
    answer = world.client("owner").post(
        f"/api/courses/{world.course.pk}/roster/", {"number": "Z1", "given_name": "Ada"}, format="json"
    )
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:rollcall:problem:changes-met")
    assert "UNIQUE" not in answer.content.decode()


@pytest.mark.parametrize(
    ("path", "kind"), [("/api/courses/", "application/problem+json"), ("/courses/", "text/html")]
)
def test_a_fault_of_the_server_is_told_in_the_form_that_was_asked_for(
    world: World, monkeypatch: pytest.MonkeyPatch, path: str, kind: str
) -> None:
    from attendance import permissions

    def broken(*args: Any) -> None:
        raise RuntimeError("secret of the house")

    client = Client(raise_request_exception=False)
    client.force_login(world.owner)
    monkeypatch.setattr(permissions, "courses_for", broken)
    answer = client.get(path)
    assert answer.status_code == 500
    assert answer["Content-Type"].startswith(kind)
    assert b"secret" not in answer.content
