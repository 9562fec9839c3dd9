"""From distances to scores, thresholds and probabilities: the measured constants and their use.

A threshold belongs to one engine version and one size of gallery. With n people a stranger has n chances to
look like somebody, so FPIR is about n times FMR; in the tail log10 FMR falls linearly with the score, so the
threshold rises by a fixed step for each factor of ten in n.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from recognition.errors import PolicyFileDamaged
from recognition.gallery import Gallery
from recognition.normalisation import Normaliser

FloatArray = NDArray[np.float64]
WEIGHTS = Path(__file__).with_name("weights")
SCATTER_LIMIT = 0.10
"""Mean squared distance of a person's templates to their mean; 1 % of real people with three templates are over
it. What is more is added to the squared distance, so that a loose heap of templates is near to nobody."""
NEAREST = 0.05
"""Smaller distances count as this one: two pictures of a face are hardly ever nearer, and logarithms end."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Log-odds = ``slope`` * score + ``intercept``, for a gallery of the policy's size."""

    slope: float
    intercept: float


@dataclass(frozen=True, slots=True)
class EvidencePolicy:
    """How the sightings of a session become one probability (``evidence.presence``).

    ``correlation``: of the log-odds of two sightings of one person, 0 (independent) .. 1 (the same picture
    twice). ``slope`` and ``intercept``: calibration of the summed evidence. ``present_from``: a student is
    marked from this probability on; ``review_from``: a person is asked from this one on.
    """

    correlation: float = 0.5
    slope: float = 1.0
    intercept: float = 0.0
    present_from: float = 0.999
    review_from: float = 0.02


@dataclass(frozen=True, slots=True)
class MatchPolicy:
    """How scores become decisions, for one engine version.

    ``accept``: a name is given from this score on; ``review``: from this score on a person is asked. Both
    hold for ``gallery_size`` people and move by ``step_per_decade`` for each factor of ten. ``margin``: the
    lead needed over the next person, and over another face of the photo. ``min_quality``: poorer faces never
    decide. ``count_offset``: what a mean of many templates scores more than one template does, for strangers.
    ``calibration``: None where no probability was fitted. ``normaliser``: None for scores that are
    minus the distance. ``same_person_distance``: for grouping unknown faces.
    """

    engine_version: str
    accept: float
    review: float
    margin: float
    min_quality: float
    gallery_size: int
    step_per_decade: float
    calibration: Calibration | None = None
    normaliser: Normaliser | None = None
    evidence: EvidencePolicy = EvidencePolicy()
    same_person_distance: float = 0.6
    count_offset: float = 0.0

    def __post_init__(self) -> None:
        if not self.review <= self.accept:
            raise ValueError(f"review threshold {self.review} lies above accept threshold {self.accept}")
        if self.margin < 0 or self.gallery_size < 1 or not 0.0 <= self.min_quality <= 1.0:
            raise ValueError("margin must not be negative, gallery_size at least 1, min_quality in 0..1")

    @classmethod
    def default_for(cls, engine_version: str) -> MatchPolicy:
        """The measured policy of the version's recipe (its last part, after a dot); for a recipe never measured, a
        cautious one on the plain distance (dlib's networks: different people are rarely under 0.5)."""
        path = WEIGHTS / f"decisions-{engine_version.rsplit('.', 1)[-1]}.safetensors"
        if path.is_file():
            return replace(read_policy(path), engine_version=engine_version)
        return cls(
            engine_version,
            accept=-0.40,
            review=-0.55,
            margin=0.06,
            min_quality=0.2,
            gallery_size=30,
            step_per_decade=0.05,
            calibration=Calibration(30.0, 14.0),
        )

    def thresholds(self, gallery_size: int) -> tuple[float, float]:
        """(accept, review) for a gallery of ``gallery_size`` people."""
        shift = self._shift(gallery_size)
        return self.accept + shift, self.review + shift

    def compare(
        self, encodings: FloatArray, face_pixels: FloatArray, gallery: Gallery
    ) -> tuple[FloatArray, FloatArray]:
        """Distances and scores, both (k, n), of (k, 128) probes with (k,) face widths in pixels.

        Without a normaliser the score is minus the root mean square distance to a person's templates. With
        one it is -log d + (N(probe) + N(mean)) / 2, d being the distance to the mean of the templates and N
        the logarithm of the distance from the nearest strangers: how much nearer the two are to each other
        than strangers are to either. It does not grow with the number of templates, and small faces, which
        draw everybody near, are measured by their own N.
        """
        distances = gallery.distances(encodings)
        if self.normaliser is None:
            return distances, np.asarray(-distances)
        return distances, self.scores(encodings, gallery.means, gallery.scatters, gallery.counts)

    def scores(
        self, encodings: FloatArray, means: FloatArray, scatters: FloatArray, counts: NDArray[np.int64]
    ) -> FloatArray:
        """(k, n) normalised scores of (k, 128) probes against people with such templates (see ``Gallery``).

        ``count_offset`` times (1 - 1 / count) is taken off, so that a stranger is as unlikely to reach a threshold
        whether a person has one template or many.
        """
        assert self.normaliser is not None
        squared = np.square(encodings[:, None, :] - means[None, :, :]).sum(axis=2)
        squared += np.maximum(scatters - SCATTER_LIMIT, 0.0)[None, :]
        near = 0.5 * np.log(np.maximum(squared, NEAREST**2))
        strangers = self.normaliser(encodings)[:, None] + self.normaliser(means)[None, :]
        return np.asarray(0.5 * strangers - near - self.count_offset * (1 - 1 / counts)[None, :])

    def probability(self, score: float, gallery_size: int) -> float | None:
        """Calibrated chance in 0..1 that a face with this score is that person; None without calibration."""
        if self.calibration is None:
            return None
        log_odds = self.calibration.slope * (score - self._shift(gallery_size)) + self.calibration.intercept
        return 1.0 / (1.0 + math.exp(-max(min(log_odds, 500.0), -500.0)))

    def _shift(self, gallery_size: int) -> float:
        return self.step_per_decade * math.log10(max(gallery_size, 1) / self.gallery_size)


@cache
def read_policy(path: Path) -> MatchPolicy:
    """The policy in a file of ``recognition/weights`` (tensors of the normaliser, the rest as JSON metadata).

    Raises PolicyFileDamaged for a file that is missing, cut short, or of another kind.
    """
    try:
        with safe_open(str(path), framework="numpy") as file:
            constants: dict[str, Any] = json.loads(file.metadata()["policy"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        calibration = Calibration(**constants.pop("calibration"))
        evidence = EvidencePolicy(**constants.pop("evidence"))
        return MatchPolicy(
            path.stem,
            **constants,
            calibration=calibration,
            evidence=evidence,
            normaliser=Normaliser.from_tensors(tensors),
        )
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise PolicyFileDamaged(f"{path} is not a policy that can be read: {error!r}") from error
