"""What ``open-set`` prints and draws: one photo, then sessions, beside face_recognition's own rule."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from recognition.evaluate import figures, groups, open_set, sessions
from recognition.evaluate.encoded import Encoded
from recognition.evaluate.fit_normaliser import stranger_distance
from recognition.evaluate.lfw_data import Lfw
from recognition.evaluate.open_set import ClassDraw, Scores
from recognition.policy import MatchPolicy

FloatArray = NDArray[np.float64]
GROUPED_SESSIONS = 15


def report(data: Lfw, encoded: Encoded, policy: MatchPolicy, *, seed: int, out: Path) -> dict[str, float]:
    """All figures of one policy by name, on the test people; curves are drawn into ``out``."""
    lines: dict[str, float] = {}
    curves: dict[str, Scores] = {}
    for templates in (1, 3):
        found, kept = _one_photo(data, encoded, policy, templates, seed)
        # The plain names are those of three templates; one template carries its own.
        lines |= {name + ("_1_template" if templates == 1 else ""): value for name, value in found.items()}
        curves |= {f"{method}, {templates} template{'s'[: templates - 1]}": s for method, s in kept.items()}
    lines |= _sessions(data, encoded, policy, seed)
    recipe = policy.engine_version.rsplit(".", 1)[-1]
    figures.identification_curves(curves, out / f"open-set-{recipe}.png")
    draws = _draws(data, encoded, 3, seed) + _draws(data, encoded, 1, seed)
    table = np.array([open_set.policy_scores(encoded.encodings, policy)(draw) for draw in draws])
    error = figures.reliability(table, policy, out / f"reliability-{recipe}.png")
    return lines | {"calibration_error": error}


def over_seeds(
    data: Lfw, encoded: Encoded, policy: MatchPolicy, *, seeds: range, out: Path
) -> dict[str, float]:
    """The mean of ``report`` over seeds, and each seed's FNIR where there are several."""
    found = [report(data, encoded, policy, seed=seed, out=out) for seed in seeds]
    lines = {name: float(np.mean([one[name] for one in found])) for name in found[0]}
    if len(found) > 1:
        for seed, one in zip(seeds, found, strict=True):
            each = {name: value for name, value in one.items() if name.startswith("fnir_at_fpir")}
            lines |= {f"{name}_seed_{seed}": value for name, value in each.items()}
    return lines


def _draws(data: Lfw, encoded: Encoded, templates: int, seed: int) -> list[ClassDraw]:
    return open_set.draw_classes(data, data.halves[1], encoded.found, templates=templates, seed=seed)


def _one_photo(
    data: Lfw, encoded: Encoded, policy: MatchPolicy, templates: int, seed: int
) -> tuple[dict[str, float], dict[str, Scores]]:
    draws = _draws(data, encoded, templates, seed)
    methods = {
        "nearest template": open_set.nearest_scores(encoded.encodings),
        "mean of templates": _mean_scores(encoded.encodings),
        "cohort of real people": _cohort_scores(data, encoded),
        "fitted normaliser": open_set.policy_scores(encoded.encodings, policy),
    }
    scored = {name: open_set.scored(draws, compare) for name, compare in methods.items()}
    shipped, nearest = scored["fitted normaliser"], scored["nearest template"]
    lines = {
        "fnir_at_fpir_1pct": shipped.fnir(shipped.threshold(0.01)),
        "fnir_at_fpir_0.1pct": shipped.fnir(shipped.threshold(0.001)),
        "rank1": shipped.rank1,
        "naive_fpir": nearest.fpir(-open_set.NAIVE_TOLERANCE),
        "naive_fnir": nearest.fnir(-open_set.NAIVE_TOLERANCE),
        "fpir_at_accept": shipped.fpir(policy.accept),
        "fnir_at_accept": shipped.fnir(policy.accept),
        "fpir_at_review": shipped.fpir(policy.review),
        "fnir_at_review": shipped.fnir(policy.review),
    }
    for name in ("nearest template", "mean of templates", "cohort of real people"):
        key, scores = name.split()[0], scored[name]
        lines[f"{key}_fnir_at_fpir_1pct"] = scores.fnir(scores.threshold(0.01))
        lines[f"{key}_fnir_at_fpir_0.1pct"] = scores.fnir(scores.threshold(0.001))
    return lines, scored


def _mean_scores(encodings: FloatArray) -> Callable[[ClassDraw], FloatArray]:
    def compare(draw: ClassDraw) -> FloatArray:
        probes = encodings[np.concatenate([draw.probes, draw.strangers])]
        return np.asarray(-cdist(probes, encodings[draw.templates].mean(axis=1)))

    return compare


def _cohort_scores(data: Lfw, encoded: Encoded) -> Callable[[ClassDraw], FloatArray]:
    """What the fitted normaliser stands in for: the calibration people themselves as cohort, one picture each."""
    rows = [data.rows_of[person][encoded.found[data.rows_of[person]]] for person in sorted(data.halves[0])]
    cohort = encoded.encodings[[own[0] for own in rows if len(own)]]

    def near(encodings: FloatArray) -> FloatArray:
        return np.log(stranger_distance(encodings, np.full(len(encodings), -1), cohort))

    whole = np.full(len(encoded.encodings), np.nan)
    whole[encoded.found] = near(encoded.encodings[encoded.found])

    def compare(draw: ClassDraw) -> FloatArray:
        probes = np.concatenate([draw.probes, draw.strangers])
        means = encoded.encodings[draw.templates].mean(axis=1)
        strangers = whole[probes][:, None] + near(means)[None, :]
        return np.asarray(0.5 * strangers - np.log(cdist(encoded.encodings[probes], means)))

    return compare


def _sessions(data: Lfw, encoded: Encoded, policy: MatchPolicy, seed: int) -> dict[str, float]:
    drawn = sessions.draw_sessions(data, data.halves[1], encoded.found, seed=seed)
    students = sessions.seen(drawn, encoded, policy)
    lines = {}
    for photos in sessions.PHOTOS:
        found = sessions.rates(students, photos, policy.evidence)
        lines[f"session_fnir_{photos}"] = found.missed
        lines[f"session_fpir_{photos}"] = found.false_marks
        lines[f"session_present_to_review_{photos}"] = found.present_to_review
        lines[f"session_absent_to_review_{photos}"] = found.absent_to_review
    for name, grouping in (
        ("", groups.average_linkage(policy.same_person_distance)),
        ("_chinese_whispers_0.5", groups.chinese_whispers(0.5)),
    ):
        precision, recall, rows = groups.measure(drawn[:GROUPED_SESSIONS], encoded, grouping)
        lines[f"group_precision{name}"], lines[f"group_recall{name}"] = precision, recall
        lines[f"group_rows_a_person{name}"] = rows
    return lines
