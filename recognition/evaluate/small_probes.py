"""Small faces at the thresholds that ship: the same draws with the probes' pictures reduced, templates in full size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recognition.evaluate import open_set
from recognition.evaluate.encoded import Encoded
from recognition.evaluate.lfw_data import Lfw
from recognition.policy import MatchPolicy

SEEDS = 3


def at_accept(
    data: Lfw,
    full: Encoded,
    small: Encoded,
    rows: NDArray[np.int64],
    policy: MatchPolicy,
    *,
    templates: int,
    seed: int,
) -> dict[str, float]:
    """FPIR and FNIR at ``policy.accept`` over ``SEEDS`` seeds from ``seed`` on, in full size and reduced.

    ``small``: the pictures ``rows`` of the data set after reduction; only they are probes, and strangers, here.
    Raises ValueError when no small face was found.
    """
    if not small.found.any():
        raise ValueError("no small face was found")
    known = np.zeros(len(data.names), dtype=bool)
    known[rows[small.found]] = True
    probes = full.encodings.copy()
    probes[rows] = small.encodings
    found: dict[str, list[NDArray[np.bool_]]] = {"fpir": [], "fnir": [], "fpir_full": [], "fnir_full": []}
    for number in range(seed, seed + SEEDS):
        for draw in open_set.draw_classes(data, data.halves[1], full.found, templates=templates, seed=number):
            of = full.encodings[draw.templates]
            means = of.mean(axis=1)
            scatters = np.square(of - means[:, None]).sum(axis=2).mean(axis=1)
            counts = np.full(len(means), templates)
            own = np.flatnonzero(known[draw.probes])
            doors = draw.strangers[known[draw.strangers]]
            for suffix, encodings in (("_full", full.encodings), ("", probes)):
                strangers = policy.scores(encodings[doors], means, scatters, counts)
                found[f"fpir{suffix}"].append(strangers.max(axis=1) > policy.accept)
                students = policy.scores(encodings[draw.probes[own]], means, scatters, counts)
                best, right = students.argmax(axis=1) == own, students[np.arange(len(own)), own]
                found[f"fnir{suffix}"].append(~(best & (right > policy.accept)))
    lines = {name: float(np.concatenate(some).mean()) for name, some in found.items()}
    return lines | {
        "probes": float(sum(map(len, found["fnir"]))),
        "strangers": float(sum(map(len, found["fpir"]))),
    }
