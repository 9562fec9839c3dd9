"""From distances to scores, thresholds and probabilities: the measured constants and their use.

A threshold belongs to one engine version and one size of gallery. With n people a stranger has n chances to
look like somebody, so FPIR is about n times FMR; in the tail log10 FMR falls linearly with the score, so the
threshold rises by a fixed step for each factor of ten in n.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from recognition.gallery import FloatArray, Gallery


@dataclass(frozen=True, slots=True)
class Calibration:
    """Log-odds = ``slope`` * score + ``intercept``, for a gallery of the policy's size."""

    slope: float
    intercept: float


@dataclass(frozen=True, slots=True)
class MatchPolicy:
    """How scores become decisions, for one engine version.

    ``accept``: a name is given from this score on; ``review``: from this score on a person is asked. Both
    hold for ``gallery_size`` people and move by ``step_per_decade`` for each factor of ten. ``margin``: the
    lead needed over the next person, and over another face of the photo. ``min_quality``: poorer faces never
    decide. ``calibration``: None where no probability was fitted.
    """

    engine_version: str
    accept: float
    review: float
    margin: float
    min_quality: float
    gallery_size: int
    step_per_decade: float
    calibration: Calibration | None = None

    def __post_init__(self) -> None:
        if not self.review <= self.accept:
            raise ValueError(f"review threshold {self.review} lies above accept threshold {self.accept}")
        if self.margin < 0 or self.gallery_size < 1 or not 0.0 <= self.min_quality <= 1.0:
            raise ValueError("margin must not be negative, gallery_size at least 1, min_quality in 0..1")

    @classmethod
    def default_for(cls, engine_version: str) -> MatchPolicy:
        """The measured policy of an engine version; for a version never measured, a cautious one on the plain
        distance (dlib's networks: different people are rarely under 0.5)."""
        return cls(
            engine_version,
            accept=-0.47,
            review=-0.60,
            margin=0.06,
            min_quality=0.2,
            gallery_size=30,
            step_per_decade=0.05,
        )

    def thresholds(self, gallery_size: int) -> tuple[float, float]:
        """(accept, review) for a gallery of ``gallery_size`` people."""
        shift = self.step_per_decade * math.log10(max(gallery_size, 1) / self.gallery_size)
        return self.accept + shift, self.review + shift

    def compare(
        self, encodings: FloatArray, face_pixels: FloatArray, gallery: Gallery
    ) -> tuple[FloatArray, FloatArray]:
        """Distances and scores, both (k, n), of (k, 128) probes with (k,) face widths in pixels."""
        distances = gallery.distances(encodings)
        return distances, np.asarray(-distances)

    def probability(self, score: float, gallery_size: int) -> float | None:
        """Calibrated chance in 0..1 that a face with this score is that person; None without calibration."""
        if self.calibration is None:
            return None
        shift = self.step_per_decade * math.log10(max(gallery_size, 1) / self.gallery_size)
        log_odds = self.calibration.slope * (score - shift) + self.calibration.intercept
        return 1.0 / (1.0 + math.exp(-max(min(log_odds, 500.0), -500.0)))
