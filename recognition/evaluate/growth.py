"""What crops of classroom photos do to a gallery, and what the drift guard lets through (``recognition.growth``).

Classes of thirty test people of LFW with one to three portraits each. Every other picture of them is a face of a
classroom photo; people with one picture are strangers. Measured: how many unsure faces of the right person are
offered, how many faces of strangers and classmates would pass if somebody confirmed them wrongly, and what one offered
crop changes in naming the person and in naming strangers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from recognition import growth
from recognition.evaluate.encoded import Encoded
from recognition.evaluate.lfw_data import Lfw
from recognition.gallery import Gallery, Template
from recognition.growth import Verdict
from recognition.identification import Probe
from recognition.policy import MatchPolicy

CLASS, CLASSES, PICTURES, STRANGERS = 30, 30, 8, 300
Rows = dict[int, NDArray[np.int64]]


def report(data: Lfw, kept: Encoded, version: str, *, seed: int) -> dict[str, float]:
    """Named figures, shares in 0..1; ``kept``: every picture of LFW by the engine ``version``."""
    policy = MatchPolicy.default_for(version)
    rng = np.random.default_rng(seed)
    _, test = data.halves
    found = {person: data.rows_of[person][kept.found[data.rows_of[person]]] for person in sorted(test)}
    many = [person for person, rows in found.items() if len(rows) >= PICTURES]
    alone = np.array([rows[0] for rows in found.values() if len(rows) == 1])
    tally: dict[str, list[float]] = defaultdict(list)
    for number in range(CLASSES):
        portraits, probes = {}, {}
        for subject, person in enumerate(rng.choice(many, CLASS, replace=False)):
            rows = rng.permutation(found[str(person)])
            portraits[subject], probes[subject] = rows[: 1 + number % 3], rows[3:15]
        _one_class(kept, policy, portraits, probes, rng.permutation(alone)[:STRANGERS], tally)
    return {name: float(np.mean(values)) for name, values in sorted(tally.items())}


def _one_class(
    kept: Encoded,
    policy: MatchPolicy,
    portraits: Rows,
    probes: Rows,
    strangers: NDArray[np.int64],
    tally: dict[str, list[float]],
) -> None:
    gallery = _gallery(kept, policy, portraits.items())
    others = {
        subject: _gallery(kept, policy, (pair for pair in portraits.items() if pair[0] != subject))
        for subject in portraits
    }
    accept, review = policy.thresholds(len(gallery))

    def judged(subject: int, row: int) -> Verdict:
        probe = Probe(kept.encodings[row].astype(np.float32), kept.quality[row], kept.face_pixels[row])
        own = [kept.encodings[each].astype(np.float32) for each in portraits[subject]]
        return growth.judge(probe, own, [], others[subject], policy).verdict

    offered: dict[int, NDArray[np.int64]] = {}
    for subject, rows in probes.items():
        scores = _scores(kept, policy, rows, gallery)
        own, rival = scores[:, subject], np.delete(scores, subject, axis=1)
        sure = (own >= accept) & (own - rival.max(axis=1) >= policy.margin)
        for row in rows[~sure & (own >= review)]:
            adds = judged(subject, row) is Verdict.ADDS
            tally["unsure_faces_offered"].append(adds)
            if adds and subject not in offered:
                offered[subject] = np.array([row])
        for row, best in zip(rows, rival.argmax(axis=1), strict=True):
            wrong = int(best) + int(best >= subject)
            tally["classmates_confirmed_wrongly_that_pass"].append(judged(wrong, row) is Verdict.ADDS)
    for row, best in zip(strangers, _scores(kept, policy, strangers, gallery).argmax(axis=1), strict=True):
        tally["strangers_confirmed_wrongly_that_pass"].append(judged(int(best), row) is Verdict.ADDS)

    count = len(next(iter(portraits.values())))
    grown = _gallery(kept, policy, [*portraits.items(), *offered.items()])
    for name, one in (("before", gallery), ("after", grown)):
        named, wrong_names = _named(kept, policy, one, probes, offered, strangers)
        tally[f"named_{count}_portraits_{name}"].append(named)
        tally[f"strangers_named_{count}_portraits_{name}"].append(wrong_names)
    tally[f"students_with_an_offer_{count}_portraits"].append(len(offered))


def _gallery(kept: Encoded, policy: MatchPolicy, rows: Iterable[tuple[int, NDArray[np.int64]]]) -> Gallery:
    return Gallery.build(
        (
            Template(subject, kept.encodings[row].astype(np.float32), min(1.0, kept.quality[row]))
            for subject, own in rows
            for row in own
        ),
        version=policy.engine_version,
    )


def _scores(
    kept: Encoded, policy: MatchPolicy, rows: NDArray[np.int64], gallery: Gallery
) -> NDArray[np.float64]:
    return policy.compare(kept.encodings[rows], kept.face_pixels[rows], gallery)[1]


def _named(
    kept: Encoded,
    policy: MatchPolicy,
    gallery: Gallery,
    probes: Rows,
    without: Rows,
    strangers: NDArray[np.int64],
) -> tuple[float, float]:
    """Shares of the students' faces that get their name and of the strangers' that get one. Faces that became
    templates are left out, before as well as after."""
    accept, _ = policy.thresholds(len(gallery))
    named = []
    for subject, rows in probes.items():
        rest = np.setdiff1d(rows, without.get(subject, np.array([], dtype=np.int64)))
        scores = _scores(kept, policy, rest, gallery)
        rival = np.delete(scores, subject, axis=1).max(axis=1)
        named.append((scores[:, subject] >= accept) & (scores[:, subject] - rival >= policy.margin))
    best = np.sort(_scores(kept, policy, strangers, gallery), axis=1)
    given = (best[:, -1] >= accept) & (best[:, -1] - best[:, -2] >= policy.margin)
    return float(np.concatenate(named).mean()), float(given.mean())
