"""The gallery: what it takes, what it refuses, and that counting templates cannot change it."""

from __future__ import annotations

import numpy as np
import pytest

from recognition.gallery import Gallery, Template, TemplateError

RNG = np.random.default_rng(7)


def encoding(offset: float = 0.0) -> np.ndarray:
    values = np.zeros(128, dtype=np.float32)
    values[0] = offset
    return values


def test_people_are_sorted_and_counted_once() -> None:
    gallery = Gallery.build(
        [Template(9, encoding(), 1.0), Template(2, encoding(), 1.0), Template(9, encoding(0.2), 1.0)],
        version="v",
    )
    assert gallery.subject_ids == (2, 9)
    assert len(gallery) == 2
    assert gallery.counts.tolist() == [1, 2]
    assert gallery.version == "v"


def test_distance_is_the_root_mean_square_over_a_persons_templates() -> None:
    templates = RNG.normal(size=(4, 128))
    probe = RNG.normal(size=(1, 128))
    gallery = Gallery.build([Template(1, t.astype(np.float32), 1.0) for t in templates], version="v")
    expected = np.sqrt(np.square(templates.astype(np.float32) - probe).sum(axis=1).mean())
    assert gallery.distances(probe)[0, 0] == pytest.approx(expected, rel=1e-6)
    nearest = np.sqrt(np.square(templates.astype(np.float32) - probe).sum(axis=1)).min()
    assert gallery.nearest_distances(probe)[0, 0] == pytest.approx(nearest, rel=1e-6)


def test_repeating_templates_or_changing_their_order_changes_nothing() -> None:
    templates = [Template(i % 3, RNG.normal(size=128).astype(np.float32), 1.0) for i in range(9)]
    probe = RNG.normal(size=(2, 128))
    once = Gallery.build(templates, version="v").distances(probe)
    again = Gallery.build(templates[::-1], version="v").distances(probe)
    twice = Gallery.build(templates * 2, version="v").distances(probe)
    assert np.array_equal(once, again)
    assert np.allclose(once, twice, rtol=1e-12)


def test_an_empty_gallery_has_nobody() -> None:
    gallery = Gallery.build([], version="v")
    assert len(gallery) == 0
    assert gallery.distances(np.zeros((3, 128))).shape == (3, 0)
    assert gallery.nearest_distances(np.zeros((3, 128))).shape == (3, 0)


@pytest.mark.parametrize(
    "bad",
    [np.zeros(127), np.zeros((1, 128)), np.full(128, np.nan), np.array([]), np.full(128, np.inf)],
    ids=["short", "two-dimensional", "nan", "empty", "infinite"],
)
def test_an_encoding_that_cannot_be_compared_is_refused_by_name(bad: np.ndarray) -> None:
    with pytest.raises(TemplateError, match="subject 41"):
        Gallery.build([Template(41, bad, 1.0)], version="v")


@pytest.mark.parametrize("quality", [-0.1, 1.1, float("nan")])
def test_a_quality_outside_its_range_is_refused(quality: float) -> None:
    with pytest.raises(TemplateError, match="quality"):
        Gallery.build([Template(1, encoding(), quality)], version="v")


def test_a_built_gallery_cannot_be_changed() -> None:
    gallery = Gallery.build([Template(1, encoding(), 1.0)], version="v")
    with pytest.raises(ValueError, match="read-only"):
        gallery.means[0, 0] = 1.0


def test_some_of_a_gallery_are_what_their_templates_alone_would_make() -> None:
    rng = np.random.default_rng(5)
    templates = [Template(subject, rng.normal(size=128), 1.0) for subject in (3, 1, 2, 1, 5, 3)]
    everybody = Gallery.build(templates, version="v")
    for wanted in ({1, 3}, {2, 9}, set(), {1, 2, 3, 5}):
        some = everybody.only(wanted)
        alone = Gallery.build([each for each in templates if each.subject_id in wanted], version="v")
        assert some.subject_ids == alone.subject_ids
        for name in ("means", "scatters", "counts", "encodings", "owners"):
            assert np.array_equal(getattr(some, name), getattr(alone, name))
            assert not getattr(some, name).flags.writeable
