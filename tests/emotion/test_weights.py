"""The weights that ship: whole, small enough, described, and better than a coin with seven sides."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from emotion import load_classifier
from emotion.classifier import WEIGHTS, check_sum
from emotion.data import load_fer2013
from emotion.labels import CHALLENGE
from emotion.shipped import CALIBRATIONS, calibrations


def test_the_shipped_file_is_the_one_its_checksum_names() -> None:
    check_sum(WEIGHTS)
    assert sum(file.stat().st_size for file in WEIGHTS.parent.iterdir()) <= 20 * 2**20


def test_it_loads_and_answers() -> None:
    classifier = load_classifier()
    assert classifier.version in (WEIGHTS.parent / "README.md").read_text()
    answers = classifier.probabilities(np.random.default_rng(0).integers(0, 255, (3, 48, 48), dtype=np.uint8))
    assert answers.shape == (3, len(CHALLENGE))
    diagonal = np.diag(classifier.calibration.confusion)
    assert diagonal[CHALLENGE.index("Happy")] > 0.6


def test_every_version_that_shipped_is_known_and_this_one_reads_as_its_own_file_says() -> None:
    known = calibrations()
    classifier = load_classifier()
    np.testing.assert_array_equal(
        known[classifier.version].confusion, classifier.calibration.confusion, strict=True
    )
    assert {"rollcall-emotion-1", "rollcall-emotion-3", "rollcall-emotion-4"} <= set(known)
    check_sum(WEIGHTS.with_name(CALIBRATIONS))


def test_it_reads_pictures_it_has_never_seen(shared_data: Path) -> None:
    part = load_fer2013(shared_data / "fer2013_PublicTest.npz")
    rows = np.arange(0, len(part), 12)
    read = load_classifier().probabilities(part.images[rows]).argmax(axis=1)
    assert float((read == part.labels[rows]).mean()) > 0.55
