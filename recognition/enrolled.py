"""What one person's templates say together: whether one of them shows somebody else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recognition.gallery import checked_encoding

APART = 0.58
"""Distance of a template to the mean of the person's others from which it is doubted. On LFW (recipe accurate, 2 to 5
templates, 4,000 draws each) 0.9 to 0.3 % of people's own pictures go beyond it, and 99.5 to 97.7 % of sets of which
one picture shows somebody else; docs/accuracy.md."""


def unlike_the_others(encodings: Sequence[NDArray[np.floating]]) -> tuple[int, ...]:
    """Which of one person's templates, (128,) each and of one engine version, may show somebody else.

    Nothing where they agree; both of two that do not, as nobody can say which; otherwise the one farthest from the
    mean of the others. Raises TemplateError for what is not 128 finite numbers.
    """
    rows = np.array([checked_encoding(one, f"template {row}") for row, one in enumerate(encodings)])
    if len(rows) < 2:
        return ()
    others = (rows.sum(axis=0) - rows) / (len(rows) - 1)
    distances = np.sqrt(np.square(rows - others).sum(axis=1))
    if distances.max() <= APART:
        return ()
    return (0, 1) if len(rows) == 2 else (int(distances.argmax()),)
