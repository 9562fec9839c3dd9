"""FER2013's files: what is believed, what is refused, and that copies never sit on both sides."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion import data
from emotion.data import Fer2013
from emotion.errors import DataProblem
from emotion.labels import VOTES, majority, vote_distributions

from .conftest import made_part, write_part


def test_a_part_is_read_as_it_was_written(fer_file: Path) -> None:
    part = data.load_fer2013(fer_file)
    assert part.images.shape == (70, 48, 48)
    assert part.labels.dtype == np.int64
    np.testing.assert_array_equal(part.votes, made_part(70).votes)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"images": np.zeros((3, 48, 48, 3), np.uint8)}, "images must be"),
        ({"images": np.zeros((3, 48, 48), np.float32)}, "images must be"),
        ({"images": np.zeros((0, 48, 48), np.uint8)}, "images must be"),
        ({"labels": np.zeros(2, np.uint8)}, "labels for 3 images"),
        ({"labels": np.full(3, 7, np.uint8)}, "labels run from"),
        ({"votes": np.zeros((3, 8), np.uint8)}, "votes must be"),
        ({"names": np.array(sorted(VOTES))}, "another order"),
        ({"votes": None}, "lacks votes"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(
    tmp_path: Path, change: dict[str, object], complaint: str
) -> None:
    good = {
        "images": np.zeros((3, 48, 48), np.uint8),
        "labels": np.zeros(3, np.uint8),
        "votes": np.zeros((3, 10), np.uint8),
    }
    arrays = {key: value for key, value in {**good, **change}.items() if value is not None}
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(DataProblem, match=complaint):
        data.load_fer2013(tmp_path / "bad.npz")


@pytest.mark.parametrize("content", [b"", b"no zip at all", b"PK\x03\x04 cut short"])
def test_a_file_that_is_no_npz_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.npz").write_bytes(content)
    with pytest.raises(DataProblem):
        data.load_fer2013(tmp_path / "bad.npz")
    with pytest.raises(DataProblem):
        data.load_fer2013(tmp_path / "missing.npz")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_a_damaged_npz_is_refused_wherever_it_is_damaged(tmp_path: Path, method: int) -> None:
    path = tmp_path / "packed.npz"
    plain_file = write_part(tmp_path / "plain.npz", made_part(7))
    with zipfile.ZipFile(plain_file) as plain, zipfile.ZipFile(path, "w", method) as packed:
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
    good = path.read_bytes()
    assert len(data.load_fer2013(path)) == 7
    random = np.random.default_rng(method)
    complaints: list[str] = []
    for _ in range(60):
        bad = bytearray(good)
        for at in random.integers(0, len(bad), 4):
            bad[at] ^= 0x55
        path.write_bytes(bad[: random.integers(len(bad) // 2, len(bad) + 1)])
        try:
            data.load_fer2013(path)
        except DataProblem as problem:
            complaints.append(str(problem))
    assert len(complaints) > 30
    assert not any("\n" in complaint for complaint in complaints)


def test_one_array_or_a_list_of_bytes_is_no_part(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", made_part(7).images)
    with pytest.raises(DataProblem, match="holds one array"):
        data.load_fer2013(tmp_path / "one.npy")
    with zipfile.ZipFile(tmp_path / "raw.npz", "w") as raw:
        for name in ("images", "labels", "votes"):
            raw.writestr(name, b"bytes")
    with pytest.raises(DataProblem, match="images must be"):
        data.load_fer2013(tmp_path / "raw.npz")


def test_flat_pictures_and_those_nobody_calls_a_face_are_left_out() -> None:
    part = made_part(4)
    part.images[1] = 17
    part.votes[2] = 0
    part.votes[2, VOTES.index("NF")] = 10
    assert data.usable(part).tolist() == [True, False, False, True]


def test_exact_near_and_mirrored_copies_are_one_group() -> None:
    images = made_part(6).images.copy()
    noise = np.random.default_rng(1).integers(-3, 4, images[0].shape)
    images = np.concatenate(
        [
            images,
            images[:1],
            images[1:2, :, ::-1],
            np.clip(images[2:3].astype(int) + noise, 0, 255).astype(np.uint8),
        ]
    )
    groups = data.copy_groups(np.ascontiguousarray(images), threshold=0.97)
    assert groups[6] == groups[0]
    assert groups[7] == groups[1]
    assert groups[8] == groups[2]
    assert len(set(groups[:6].tolist())) == 6
    exact = data.exact_groups(images)
    assert exact[6] == exact[0]
    assert exact[7] != exact[1]


@settings(deadline=None)
@given(st.lists(st.integers(0, 30), min_size=2, max_size=120), st.floats(0.05, 0.6), st.integers(0, 99))
def test_no_group_is_on_both_sides(numbers: list[int], share: float, seed: int) -> None:
    groups = np.array(numbers, dtype=np.int64)
    try:
        training, validation = data.split_by_group(groups, share, seed)
    except DataProblem:
        return
    assert not set(groups[training].tolist()) & set(groups[validation].tolist())
    assert sorted([*training.tolist(), *validation.tolist()]) == list(range(len(groups)))
    assert 0 < len(validation) <= max(share * len(groups), np.bincount(groups).max())


def test_one_group_alone_cannot_be_split() -> None:
    with pytest.raises(DataProblem):
        data.split_by_group(np.zeros(5, np.int64), 0.2, 0)


def test_copies_become_one_sample_with_their_mean_label() -> None:
    part = made_part(3)
    twice = Fer2013(
        np.concatenate([part.images, part.images[:1]]), np.append(part.labels, 5), part.votes[[0, 1, 2, 0]]
    )
    samples = data.fer_samples(twice)
    assert len(samples) == 3
    halves = samples.targets["challenge"][(samples.targets["challenge"] == 0.5).any(dim=1)]
    assert halves.tolist() == [[0.5, 0, 0, 0, 0, 0.5, 0]]
    assert len(data.fer_samples(twice, merge_copies=False)) == 4


def test_votes_move_part_of_the_label() -> None:
    samples = data.fer_samples(made_part(70), vote_share=0.4)
    challenge = samples.targets["challenge"]
    assert challenge.sum(dim=1).numpy() == pytest.approx(1, abs=1e-5)
    assert float(challenge.max(dim=1).values.min()) >= 0.6
    assert float(challenge.max()) < 1.0001


def test_votes_become_distributions_without_unknown_and_not_a_face() -> None:
    votes = np.zeros((3, 10), np.uint8)
    votes[0, :2] = (6, 2)
    votes[0, 8] = 2
    votes[1, 9] = 10
    votes[2, 7] = 10
    shares, weight = vote_distributions(votes)
    assert shares[0, :2].tolist() == [0.75, 0.25]
    assert weight.tolist() == pytest.approx([0.8, 0.0, 1.0])
    assert shares.sum(axis=1) == pytest.approx(1)
    assert majority(votes).tolist() == [0, -1, 7]


def test_a_tie_has_no_majority() -> None:
    votes = np.zeros((2, 10), np.uint8)
    votes[0, [1, 3]] = 5
    votes[1, [1, 8]] = (4, 6)
    assert majority(votes).tolist() == [-1, -1]


def test_the_real_parts_are_as_described(shared_data: Path) -> None:
    part = data.load_fer2013(shared_data / "fer2013_PublicTest.npz")
    assert np.bincount(part.labels).tolist() == [467, 56, 496, 895, 653, 415, 607]
    assert len(part) - int(data.usable(part).sum()) == 10
    assert len(np.unique(data.exact_groups(part.images))) == 3589 - 26


def test_writing_and_reading_keep_the_votes(tmp_path: Path) -> None:
    part = made_part(14, seed=3)
    again = data.load_fer2013(write_part(tmp_path / "again.npz", part))
    np.testing.assert_array_equal(again.votes, part.votes)
