"""Every odd file gets its answer, and nothing that was accepted before is lost by it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from attendance.models import Portrait, Snapshot
from tests import bad_files
from tests import factories as make
from tests.api.conftest import World

Upload = Callable[..., Any]


def stored_files() -> set[Path]:
    return {path for path in Path(default_storage.path("")).rglob("*") if path.is_file()}


@pytest.mark.parametrize("file", bad_files.refused(), ids=repr)
def test_a_file_that_is_no_usable_photo_is_refused_with_a_sentence(
    world: World, upload: Upload, file: bad_files.OddFile
) -> None:
    client = world.client("camera")
    kept = upload(client, world.session.pk, make.jpeg(1)).json()["id"]
    before = stored_files()
    for answer in (
        upload(client, world.session.pk, file.data, file.content_type),
        upload(client, world.session.pk, file.data, "application/octet-stream"),
        client.post(
            f"/api/sessions/{world.session.pk}/snapshots/",
            {"image": SimpleUploadedFile(file.name, file.data, "image/jpeg")},
            format="multipart",
        ),
    ):
        problem = answer.json()
        assert (answer.status_code, problem["status"]) == (file.status, file.status)
        assert problem["type"] == f"urn:rollcall:problem:{file.code.replace('_', '-')}"
        assert problem["detail"].endswith(".")
        assert answer["Content-Type"] == "application/problem+json"
    assert stored_files() == before
    assert set(world.session.snapshots.values_list("pk", flat=True)) == {world.snapshot.pk, kept}


@pytest.mark.parametrize("file", bad_files.accepted(), ids=repr)
def test_an_unusual_photo_is_taken_in_and_what_is_kept_is_inert(
    world: World, upload: Upload, file: bad_files.OddFile
) -> None:
    answer = upload(world.client("camera"), world.session.pk, file.data, "application/octet-stream")
    assert answer.status_code == file.status == 202
    kept = Snapshot.objects.get(pk=answer.json()["id"])
    assert (kept.width, kept.height) == file.size
    with default_storage.open(str(kept.image)) as stored:
        data = stored.read()
    image = Image.open(io.BytesIO(data))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", file.size)
    assert not image.getexif()
    assert not any(piece in data for piece in (b"<script", b"PK\x03\x04", b"garbage"))
    assert data.endswith(b"\xff\xd9")


@pytest.mark.parametrize("file", [f for f in bad_files.accepted() if "turned" in f.name], ids=repr)
def test_a_phone_held_in_any_way_gives_an_upright_photo(
    world: World, upload: Upload, file: bad_files.OddFile
) -> None:
    answer = upload(world.client("camera"), world.session.pk, file.data)
    picture = world.client("owner").get(f"/api/snapshots/{answer.json()['id']}/image/").content
    got = np.asarray(Image.open(io.BytesIO(picture))).astype(int)
    assert np.abs(got - np.asarray(bad_files.picture()).astype(int)).mean() < 6


@pytest.mark.parametrize("file", bad_files.refused(), ids=repr)
def test_a_portrait_that_is_no_usable_photo_is_refused_the_same_way(
    world: World, file: bad_files.OddFile
) -> None:
    student = world.students[0]
    make.consent(student)
    answer = world.client("owner").generic(
        "POST", f"/api/students/{student.pk}/portraits/", file.data, content_type="image/jpeg"
    )
    assert (answer.status_code, answer.json()["status"]) == (file.status, file.status)
    assert not Portrait.objects.exists()


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "a\x00b.jpg",
        "'\"<img src=x>.jpg",
        "\u202egpj.exe",
        "x" * 3000 + ".jpg",
        "C:\\photo.jpg",
        ".",
        "",
    ],
)
def test_the_name_of_a_file_is_never_believed(world: World, name: str) -> None:
    boundary = "BOUNDARY"
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="{name}"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    ).encode() + make.jpeg(1) + f"\r\n--{boundary}--\r\n".encode()  # fmt: skip
    answer = world.client("owner").generic(
        "POST",
        f"/api/sessions/{world.session.pk}/snapshots/",
        body,
        content_type=f"multipart/form-data; boundary={boundary}",
    )
    assert answer.status_code in (202, 400)
    for path in stored_files():
        assert path.is_relative_to(default_storage.path(""))
        assert path.suffix == ".jpg"
        assert len(path.stem) == 32
