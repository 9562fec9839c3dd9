"""Augmentation keeps shape and range, is repeatable, and does what its names say."""

from __future__ import annotations

import pytest
import torch

from emotion import augment
from emotion.augment import Augmentation

STRONG = Augmentation(
    rotation=20,
    shear=0.2,
    zoom=0.2,
    shift=0.1,
    flip=True,
    brightness=0.2,
    contrast=0.3,
    gamma=0.4,
    blur=0.5,
    cutout=1,
)


def pictures(count: int = 8) -> torch.Tensor:
    return torch.rand(count, 1, 48, 48, generator=torch.Generator().manual_seed(1))


def seeded(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("size", [32, 48])
def test_size_and_range_hold(size: int) -> None:
    generator = seeded()
    moved = augment.relight(augment.move(pictures(), size, STRONG, generator), STRONG, generator)
    assert moved.shape == (8, 1, size, size)
    assert 0 <= float(moved.min()) <= float(moved.max()) <= 1


def test_the_same_seed_gives_the_same_pictures() -> None:
    one, two = (augment.move(pictures(), 48, STRONG, seeded()) for _ in range(2))
    torch.testing.assert_close(one, two)
    assert not torch.equal(one, augment.move(pictures(), 48, STRONG, seeded(4)))


def test_nothing_asked_nothing_changed() -> None:
    images = pictures()
    torch.testing.assert_close(augment.move(images, 48, augment.NONE, seeded()), images)
    torch.testing.assert_close(augment.relight(images, augment.NONE, seeded()), images)
    torch.testing.assert_close(augment.cut_out(images, augment.NONE, seeded()), images)


def test_mirroring_mirrors_some() -> None:
    images = pictures(32)
    moved = augment.move(images, 48, Augmentation(flip=True), seeded())
    same = [bool(torch.equal(a, b)) for a, b in zip(moved, images, strict=True)]
    mirrored = [bool(torch.equal(a, b.flip(2))) for a, b in zip(moved, images, strict=True)]
    assert any(same)
    assert any(mirrored)
    assert all(a or b for a, b in zip(same, mirrored, strict=True))


def test_a_square_of_eight_pixels_is_cut_out() -> None:
    how = Augmentation(cutout=1.0, cutout_square=8)
    holes = (augment.cut_out(pictures(64) + 1, how, seeded()) == 0).sum(dim=(1, 2, 3))
    assert int(holes.max()) == 64
    assert int(holes.min()) >= 16


def test_standardised_pictures_have_mean_zero_and_deviation_one() -> None:
    done = augment.standardise(pictures() * 0.3 + 0.5)
    torch.testing.assert_close(done.mean(dim=(1, 2, 3)), torch.zeros(8), atol=1e-5, rtol=0)
    torch.testing.assert_close(done.std(dim=(1, 2, 3), unbiased=False), torch.ones(8), atol=1e-3, rtol=0)
    flat = augment.standardise(torch.full((1, 1, 4, 4), 0.7))
    assert float(flat.abs().max()) < 1e-3


def test_imagenets_statistics_are_taken_from_each_channel() -> None:
    grey = torch.tensor(augment.IMAGENET_MEAN).view(1, 3, 1, 1).expand(2, 3, 4, 4)
    assert float(augment.normalise(grey, "imagenet").abs().max()) == 0
    white = augment.normalise(torch.ones(2, 3, 4, 4), "imagenet")
    assert white[0, :, 0, 0].tolist() == pytest.approx([2.2489, 2.4286, 2.64], abs=1e-4)
    assert torch.equal(augment.normalise(pictures(), "none"), pictures())


def test_mixing_keeps_distributions() -> None:
    targets = {"a": torch.eye(8)}
    mixed, labels, weights = augment.mix(pictures(), targets, {"a": torch.ones(8)}, 0.3, seeded())
    torch.testing.assert_close(weights["a"], torch.ones(8))
    torch.testing.assert_close(labels["a"].sum(dim=1), torch.ones(8))
    assert float(labels["a"].max()) <= 1
    assert mixed.shape == (8, 1, 48, 48)
    shares = [augment.mixing_share(0.2, seeded(seed)) for seed in range(50)]
    assert 0 <= min(shares) <= max(shares) <= 0.5


def test_a_picture_that_says_nothing_about_a_head_is_not_mixed_into_its_partners_target() -> None:
    targets = {"a": torch.eye(8), "b": torch.eye(8)}
    known = torch.arange(8) >= 4
    weights = {"a": torch.ones(8), "b": known.float() / 2}
    _, mixed, mixed_weights = augment.mix(pictures(), targets, weights, 0.3, seeded())
    order = torch.randperm(8, generator=seeded())
    assert (known != known[order]).any()
    for row, partner in enumerate(order.tolist()):
        own, theirs = 0.7 * known[row], 0.3 * known[partner]
        assert float(mixed_weights["b"][row]) == pytest.approx(float(own + theirs) / 2)
        wanted = (own * torch.eye(8)[row] + theirs * torch.eye(8)[partner]) / max(float(own + theirs), 1e-12)
        torch.testing.assert_close(mixed["b"][row], wanted)
        torch.testing.assert_close(mixed["a"][row], 0.7 * torch.eye(8)[row] + 0.3 * torch.eye(8)[partner])
