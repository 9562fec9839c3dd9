"""The students a face may be compared with: templates gathered by person, nothing else.

A person's templates are kept as their mean and their scatter. The root mean square distance of a probe
to all of a person's templates is ``sqrt(|probe - mean|^2 + scatter)``, so one person costs one comparison
however many templates there are, and repeating templates changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recognition.errors import RecognitionError

ENCODING_SIZE = 128
_ROUNDING = 1e-6

FloatArray = NDArray[np.float64]


class TemplateError(RecognitionError, ValueError):
    """A template that cannot be compared: wrong shape, not finite, or a quality outside 0..1."""


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """One enrolled encoding of one person.

    ``subject_id``: the caller's key of the person. ``encoding``: (128,) float, as the encoder gave it (not
    scaled to length 1). ``quality``: 0..1, the overall quality of the portrait.
    """

    subject_id: int
    encoding: NDArray[np.float32]
    quality: float


def checked_encoding(values: object, what: str) -> FloatArray:
    """``values`` as a finite float64 (128,) array, or ``TemplateError`` naming ``what``."""
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (ENCODING_SIZE,):
        raise TemplateError(f"{what}: an encoding has shape ({ENCODING_SIZE},), this one has {array.shape}")
    if not np.isfinite(array).all():
        raise TemplateError(f"{what}: the encoding holds values that are not finite")
    return array


@dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """Templates of some people, made by one engine version; immutable.

    ``version``: the engine version of every template. ``subject_ids``: sorted, each person once.
    ``means``: (n, 128) mean of each person's templates. ``scatters``: (n,) mean squared distance of the
    templates to their mean (0 for one template). ``counts``: (n,) distinct templates a person has.
    ``encodings`` (m, 128) and ``owners`` (m,), the row of ``means`` each belongs to: all templates.
    """

    version: str
    subject_ids: tuple[int, ...]
    means: FloatArray
    scatters: FloatArray
    counts: NDArray[np.int64]
    encodings: FloatArray = field(repr=False)
    owners: NDArray[np.int64] = field(repr=False)

    @classmethod
    def build(cls, templates: Iterable[Template], *, version: str) -> Gallery:
        """Gather ``templates`` by person; their order does not matter.

        Raises ``TemplateError`` for an encoding that is not 128 finite numbers or a quality outside 0..1.
        """
        by_subject: dict[int, list[FloatArray]] = {}
        for template in templates:
            what = f"template of subject {template.subject_id}"
            if not -_ROUNDING <= template.quality <= 1.0 + _ROUNDING:
                raise TemplateError(f"{what}: quality {template.quality} is outside 0..1")
            by_subject.setdefault(template.subject_id, []).append(checked_encoding(template.encoding, what))
        subject_ids = tuple(sorted(by_subject))
        size = len(subject_ids)
        means = np.zeros((size, ENCODING_SIZE))
        scatters = np.zeros(size)
        for row, subject_id in enumerate(subject_ids):
            # Distinct and sorted: neither repetition nor the order of arrival can move a bit of a sum.
            own = np.array(sorted({tuple(encoding.tolist()) for encoding in by_subject[subject_id]}))
            by_subject[subject_id] = list(own)
            means[row] = own.mean(axis=0)
            scatters[row] = np.square(own - means[row]).sum(axis=1).mean()
        counts = np.array([len(by_subject[subject_id]) for subject_id in subject_ids], dtype=np.int64)
        encodings = [encoding for subject_id in subject_ids for encoding in by_subject[subject_id]]
        stacked = np.array(encodings) if encodings else np.zeros((0, ENCODING_SIZE))
        owners = np.repeat(np.arange(size, dtype=np.int64), counts)
        for array in (means, scatters, counts, stacked, owners):
            array.flags.writeable = False
        return cls(version, subject_ids, means, scatters, counts, stacked, owners)

    def only(self, subject_ids: Collection[int]) -> Gallery:
        """The gallery of those among these people who are in it; as if built from their templates, and much quicker."""
        wanted = set(subject_ids)
        rows = np.array(
            [row for row, known in enumerate(self.subject_ids) if known in wanted], dtype=np.int64
        )
        mine = np.isin(self.owners, rows)
        arrays = (
            self.means[rows], self.scatters[rows], self.counts[rows], self.encodings[mine],
            np.searchsorted(rows, self.owners[mine]).astype(np.int64),
        )  # fmt: skip
        for array in arrays:
            array.flags.writeable = False
        return Gallery(self.version, tuple(self.subject_ids[row] for row in rows), *arrays)

    def __len__(self) -> int:
        """How many people are in the gallery."""
        return len(self.subject_ids)

    def distances(self, probes: FloatArray) -> FloatArray:
        """(k, n) root mean square Euclidean distance of (k, 128) probes to each person's templates.

        For a person with one template this is the plain distance. Its expectation does not depend on the
        number of templates: with scatter s^2 within a person it is 2 s^2 for that person's own probes.
        """
        difference = probes[:, None, :] - self.means[None, :, :]
        return np.asarray(np.sqrt(np.square(difference).sum(axis=2) + self.scatters[None, :]))

    def nearest_distances(self, probes: FloatArray) -> FloatArray:
        """(k, n) Euclidean distance of each probe to the nearest single template of each person."""
        nearest = np.full((len(probes), len(self)), np.inf)
        for row, encoding in zip(self.owners, self.encodings, strict=True):
            distance = np.sqrt(np.square(probes - encoding).sum(axis=1))
            nearest[:, row] = np.minimum(nearest[:, row], distance)
        return nearest
