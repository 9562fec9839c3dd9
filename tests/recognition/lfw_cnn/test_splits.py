"""Nobody is learned from and reported on at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recognition.errors import TrainingError
from recognition.evaluate.lfw_data import DataSetError, Lfw
from recognition.lfw_cnn import splits
from tests.recognition.lfw_cnn.conftest import write_set


@pytest.fixture(scope="module")
def data(lfw_zip: Path) -> Lfw:
    return Lfw(lfw_zip)


def everything(data: Lfw) -> np.ndarray:
    return np.ones(len(data.names), bool)


def test_the_closed_set_is_cut_person_by_person(data: Lfw) -> None:
    split = splits.closed_set(data)
    assert split.people == ("P20", "P21")
    assert np.bincount(split.train_labels).tolist() == [32, 32]
    assert np.bincount(split.test_labels).tolist() == [8, 8]
    assert not set(split.train) & set(split.test)
    for rows, labels in ((split.train, split.train_labels), (split.test, split.test_labels)):
        assert [split.people[label] for label in labels] == data.person[rows].tolist()
    assert np.array_equal(split.test, splits.closed_set(data).test)


def test_too_few_photos_are_a_clear_error(data: Lfw) -> None:
    with pytest.raises(TrainingError, match="0 people have 500 photos or more; two are needed"):
        splits.closed_set(data, least=500)
    with pytest.raises(TrainingError, match="at least 5 photos"):
        splits.closed_set(data, least=3)


def test_held_out_people_are_in_no_training_row(data: Lfw) -> None:
    held = splits.held_out(data)
    assert held == {f"P{n:02d}" for n in range(6)}
    rows, labels = splits.training_rows(data, held, everything(data))
    assert not held & set(data.person[rows])
    assert not set(rows) & set(splits.closed_set(data).test)
    assert sorted(set(labels)) == list(range(19))
    assert splits.calibration_people(data) | splits.test_people(data) == held
    assert not splits.calibration_people(data) & splits.test_people(data)


def test_unusable_pictures_are_not_learned_from(data: Lfw) -> None:
    usable = everything(data)
    usable[-3:] = False
    rows, _ = splits.training_rows(data, frozenset(), usable)
    assert rows.max() == len(usable) - 4


def test_with_nobody_left_training_says_so(data: Lfw) -> None:
    with pytest.raises(TrainingError, match="0 people are left to learn from"):
        splits.training_rows(data, frozenset(data.rows_of), everything(data))


def test_made_pairs_are_what_they_say(data: Lfw) -> None:
    pairs = splits.made_pairs(data, splits.held_out(data), everything(data), seed=1)
    assert pairs.same.sum() == 60  # ten of each of six people
    assert len(pairs.same) == 120
    same = data.person[pairs.first] == data.person[pairs.second]
    assert np.array_equal(same, pairs.same)
    assert not (pairs.first == pairs.second).any()


def test_pairs_need_two_photos_of_somebody(tmp_path: Path) -> None:
    data = Lfw(write_set(tmp_path / "lfw.zip", [2] * 20))
    usable = np.zeros(len(data.names), bool)
    usable[::2] = True
    with pytest.raises(TrainingError, match="nobody to compare"):
        splits.made_pairs(data, frozenset({"P00", "P01"}), usable, seed=0)


def test_a_damaged_archive_is_named(tmp_path: Path, lfw_zip: Path) -> None:
    broken = tmp_path / "lfw.zip"
    broken.write_bytes(lfw_zip.read_bytes()[:-200])
    with pytest.raises(DataSetError, match=r"lfw\.zip is damaged or no zip archive"):
        Lfw(broken)
    with pytest.raises(DataSetError, match="there is no"):
        Lfw(tmp_path / "other.zip")


def test_a_damaged_picture_is_named(tmp_path: Path, lfw_zip: Path) -> None:
    raw = bytearray(lfw_zip.read_bytes())
    raw[2000:2400] = bytes(400)  # inside the first picture
    broken = tmp_path / "lfw.zip"
    broken.write_bytes(raw)
    with pytest.raises(DataSetError, match=r"P00_0001\.jpg"):
        Lfw(broken).picture(0)


def test_three_folds_of_the_real_set(shared_data: Path) -> None:
    data = Lfw(shared_data)
    split = splits.closed_set(data)
    assert (len(split.people), len(split.train) + len(split.test)) == (19, 1867)
    assert (len(splits.held_out(data)), len(splits.test_people(data))) == (1241, 605)
