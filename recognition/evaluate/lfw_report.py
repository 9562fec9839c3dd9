"""What ``lfw`` prints and draws: the official pairs, by recipe, by detector, and with one picture made small."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognition.engine import Engine
from recognition.evaluate import figures, lfw
from recognition.evaluate.encoded import Encoded, encode_lfw
from recognition.evaluate.lfw_data import Lfw, Pairs

FloatArray = NDArray[np.float64]


def report(data: Lfw, loaded: Sequence[Engine], out: Path, sizes: Sequence[int]) -> dict[str, float]:
    """All figures by name, those of the first engine's calibrated score under the plain ones; curves are drawn."""
    pairs, cache = data.pairs, out / "cache"
    lines: dict[str, float] = {}
    whole = encode_lfw(data, loaded, cache)
    by_size: dict[str, FloatArray] = {}
    for engine, encoded in list(zip(loaded, whole, strict=True))[::-1]:
        scores = lfw.distance_scores(encoded.rows(pairs.first), encoded.rows(pairs.second))
        lines |= _pair_lines(scores, pairs, f"_{engine.recipe.name}_distance")
        by_size["distance"] = scores
    lines["faces_not_found"] = float((~whole[0].found).sum())
    lines |= _sizes(data, loaded[0], whole[0], pairs, cache, sizes, by_size)
    terms = lfw.normalised_terms(data, whole[0], pairs)
    calibrated = terms.calibrated(pairs.same)
    figures.error_curves({"calibrated score": calibrated, **by_size}, pairs.same, out / "lfw-errors.png")
    lines |= _pair_lines(terms.normalised, pairs, "_normalised")
    return lines | _pair_lines(calibrated, pairs, "", threshold=0.0)


def _pair_lines(
    scores: FloatArray, pairs: Pairs, suffix: str, *, threshold: float | None = None
) -> dict[str, float]:
    """The figures of one kind of score."""
    found = lfw.verification(scores, pairs, threshold)
    return {
        f"fnmr_at_fmr_1pct{suffix}": lfw.fnmr_at(scores, pairs.same, 0.01),
        f"fnmr_at_fmr_0.1pct{suffix}": lfw.fnmr_at(scores, pairs.same, 0.001),
        f"lfw_accuracy_standard_error{suffix}": found.accuracy_error,
        f"lfw_accuracy{suffix}": found.accuracy,
        f"fmr_at_threshold{suffix}": found.fmr,
        f"fnmr_at_threshold{suffix}": found.fnmr,
    }


def _sizes(
    data: Lfw,
    engine: Engine,
    full: Encoded,
    pairs: Pairs,
    cache: Path,
    sizes: Sequence[int],
    by_size: dict[str, FloatArray],
) -> dict[str, float]:
    """Distances with the second picture reduced; scores are added to ``by_size``, where "distance" is full size."""
    lines: dict[str, float] = {}
    at_one_percent = lfw.threshold_at(by_size["distance"], pairs.same, 0.01)
    for width in sizes:
        (small,) = encode_lfw(data, [engine], cache, rows=pairs.second, width=width, full=full)
        place = np.searchsorted(np.unique(pairs.second), pairs.second)
        scores = lfw.distance_scores(full.rows(pairs.first), small.rows(place))
        by_size[f"{width} px"] = scores
        found = _pair_lines(scores, pairs, f"_{width}px")
        lines |= {name: value for name, value in found.items() if "0.1pct" not in name}
        lines[f"fmr_at_full_size_1pct_{width}px"] = lfw.fmr_at(scores, pairs.same, at_one_percent)
        lines[f"not_found_{width}px"] = float((~small.found).mean())
    return lines


def some_folds(
    data: Lfw, loaded: Sequence[Engine], cache: Path, folds: int, sizes: Sequence[int]
) -> dict[str, float]:
    """The pairs of the first ``folds`` folds by distance: what a detector is worth, without encoding all pictures."""
    pairs, cache = data.pairs.first_folds(folds), cache / f"folds-{folds}"
    wanted = np.unique(np.concatenate([pairs.first, pairs.second]))
    lines: dict[str, float] = {}
    for engine, some in list(zip(loaded, encode_lfw(data, loaded, cache, rows=wanted), strict=True))[::-1]:
        whole = some.spread_over(wanted, len(data.names))
        scores = lfw.distance_scores(whole.rows(pairs.first), whole.rows(pairs.second))
        lines |= _pair_lines(scores, pairs, f"_{engine.detector.name}_{engine.recipe.name}")
        lines[f"faces_not_found_{engine.detector.name}"] = float((~some.found).sum())
    lines |= _sizes(data, loaded[0], whole, pairs, cache, sizes, {"distance": scores})
    return lines | {"pairs": float(len(pairs.same)), "pictures": float(len(wanted))}
