"""People and labelled photos from folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from attendance.demo import folders
from attendance.demo.errors import FolderRefused


@pytest.fixture
def school(tmp_path: Path) -> Path:
    for name, count in (("Ana_Maria_Cruz", 5), ("bo", 2), ("Empty_One", 0)):
        (tmp_path / name).mkdir()
        for number in range(count):
            (tmp_path / name / f"{number}.jpg").write_bytes(b"")
    (tmp_path / "bo" / "notes.txt").write_text("no photo")
    return tmp_path


def test_photos_for_the_classroom_are_never_enrolled(school: Path) -> None:
    ana, bo = folders.people_of(school, enrol=1, seen=3, seed=1)
    assert (ana.given_name, ana.family_name, bo.name) == ("Ana Maria", "Cruz", "Bo")
    assert [(len(who.portraits), len(who.seen)) for who in (ana, bo)] == [(1, 3), (1, 1)]
    for who in (ana, bo):
        assert not {photo.path for photo in who.portraits} & {photo.path for photo in who.seen}


def test_the_draw_depends_on_the_seed_alone(school: Path) -> None:
    first = folders.people_of(school, enrol=2, seen=3, seed=1)
    assert folders.people_of(school, enrol=2, seen=3, seed=1) == first
    assert any(folders.people_of(school, enrol=2, seen=3, seed=seed) != first for seed in range(2, 8))


def test_without_composed_photos_everything_is_enrolled(school: Path) -> None:
    assert [len(who.portraits) for who in folders.people_of(school, enrol=1, seen=0, seed=1)] == [5, 2]


def test_a_folder_without_people_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FolderRefused, match="no people"):
        folders.people_of(tmp_path, enrol=3, seen=2, seed=1)
    with pytest.raises(FolderRefused, match="There is no folder"):
        folders.people_of(tmp_path / "nowhere", enrol=3, seen=2, seed=1)


def test_labels_name_photos_and_people(tmp_path: Path) -> None:
    (tmp_path / "one.jpg").write_bytes(b"")
    (tmp_path / "labels.csv").write_text("file,people\none.jpg,ana_cruz; bo\n", encoding="utf-8-sig")
    (photo,) = folders.labelled_photos(tmp_path)
    assert photo.path == tmp_path / "one.jpg"
    assert photo.names == {"Ana Cruz", "Bo"}


@pytest.mark.parametrize(
    "labels", [None, "file,who\none.jpg,bo\n", "file,people\nmissing.jpg,bo\n", "file,people\n"]
)
def test_labels_that_do_not_fit_are_refused(tmp_path: Path, labels: str | None) -> None:
    (tmp_path / "one.jpg").write_bytes(b"")
    if labels is not None:
        (tmp_path / "labels.csv").write_text(labels)
    with pytest.raises(FolderRefused, match=r"labels\.csv"):
        folders.labelled_photos(tmp_path)
