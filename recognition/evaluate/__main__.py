"""``python -m recognition.evaluate lfw|open-set|fit|growth|detect|lfw-cnn|compare|fit-opinion --data FOLDER``.

See docs/accuracy.md, and docs/accuracy-second-opinion.md for the last three.

Each prints what it found as ``name: value`` lines last. The first run of ``lfw``, ``open-set`` or ``fit`` encodes
the 13,233 pictures of LFW, half an hour on two cores; what is kept in ``--out`` is read again by the others.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from recognition import evaluate
from recognition.engine import Engine, load_engine
from recognition.errors import RecognitionError
from recognition.evaluate import detect
from recognition.evaluate.encoded import Encoded
from recognition.evaluate.lfw_data import DataSetError, Lfw

if TYPE_CHECKING:
    from recognition.evaluate.two_encoders import Both
    from recognition.lfw_cnn.encode import SecondEncoder

RECIPES = ("accurate", "fast", "plain")
WEIGHTS = Path(evaluate.__file__).parent.parent / "weights"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one protocol; 2 for data that is not there or an engine that cannot be loaded."""
    chosen = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        if chosen.protocol == "detect":
            return detect.run(chosen)
        lines = PROTOCOLS[chosen.protocol](chosen)
    except (DataSetError, RecognitionError) as error:
        print(error, file=sys.stderr)
        return 2
    for name, value in lines.items():
        print(f"{name}: {value:.5g}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m recognition.evaluate", description=__doc__)
    protocols = parser.add_subparsers(dest="protocol", required=True)
    detect.add_arguments(protocols.add_parser("detect", help="detectors against boxes.csv"))
    for name, what in (
        ("lfw", "official pairs"),
        ("open-set", "classes and sessions"),
        ("fit", "the weights"),
        ("growth", "crops of classroom photos as templates"),
    ):
        one = protocols.add_parser(name, help=what)
        one.add_argument("--data", type=Path, required=True, help="folder with lfw.zip")
        one.add_argument("--out", type=Path, default=Path("runs/evaluate"), help="kept encodings and plots")
        one.add_argument("--seed", type=int, default=0, help="of the drawn classes and sessions")
        one.add_argument("--detector", help="default: the engine's")
        one.add_argument("--recipe", default="accurate", help="recipe reported under the plain names")
        one.add_argument("--recipes", nargs="*", default=list(RECIPES), help="recipes measured in one pass")
        one.add_argument(
            "--sizes",
            nargs="*",
            type=int,
            default=[],
            help="also with one picture (the probe) of so few pixels",
        )
        one.add_argument("--seeds", type=int, default=1, help="open-set: the mean over so many seeds")
        one.add_argument(
            "--swapped", action="store_true", help="open-set: fit on the test people, report the others"
        )
        one.add_argument("--folds", type=int, help="lfw: distances of the pairs of the first folds alone")
    for name, what in (
        ("lfw-cnn", "the second network by itself"),
        ("compare", "both encoders on the same faces"),
        ("fit-opinion", "the constants of the second opinion"),
    ):
        _second_arguments(protocols.add_parser(name, help=what))
    return parser


def _second_arguments(one: argparse.ArgumentParser) -> None:
    one.add_argument("--data", type=Path, required=True, help="lfw.zip, or the folder it lies in")
    one.add_argument("--weights", type=Path, help="default: those that ship")
    one.add_argument("--out", type=Path, default=Path("runs/evaluate"), help="kept encodings and plots")
    one.add_argument("--chips", type=Path, default=Path("runs/lfw_cnn/chips"), help="kept chips")
    one.add_argument("--seed", type=int, default=0, help="of the drawn classes")


def engines(chosen: argparse.Namespace) -> list[Engine]:
    """One engine a recipe, the one reported first."""
    names = [chosen.recipe, *(name for name in chosen.recipes if name != chosen.recipe)]
    return [load_engine(detector=chosen.detector, recipe=name) for name in names]


def run_lfw(chosen: argparse.Namespace) -> dict[str, float]:
    """LFW's pairs: the recipe asked for under the plain names, every recipe under its own."""
    from recognition.evaluate import lfw_report

    data, loaded = Lfw(chosen.data), engines(chosen)
    if chosen.folds:
        return lfw_report.some_folds(data, loaded, chosen.out / "cache", chosen.folds, chosen.sizes)
    return lfw_report.report(data, loaded, chosen.out, chosen.sizes)


def run_open_set(chosen: argparse.Namespace) -> dict[str, float]:
    """Classes and sessions of the test people with the policy that ships; or, swapped, of the calibration people with
    a policy fitted here on the test people, which is not kept."""
    from recognition.evaluate import fit, open_set_report
    from recognition.evaluate.encoded import encode_lfw
    from recognition.policy import MatchPolicy

    data = Lfw(chosen.data).with_halves_swapped() if chosen.swapped else Lfw(chosen.data)
    loaded = engines(chosen)
    encoded = encode_lfw(data, loaded, chosen.out / "cache")
    out = chosen.out / "swapped" if chosen.swapped else chosen.out
    out.mkdir(parents=True, exist_ok=True)
    lines: dict[str, float] = {}
    for engine, kept in list(zip(loaded, encoded, strict=True))[::-1]:
        policy = (
            fit.fit_policy(data, kept, engine.version)
            if chosen.swapped
            else MatchPolicy.default_for(engine.version)
        )
        suffix = "" if engine is loaded[0] else f"_{engine.recipe.name}"
        seeds = range(chosen.seed, chosen.seed + chosen.seeds)
        found = open_set_report.over_seeds(data, kept, policy, seeds=seeds, out=out)
        lines |= {name + suffix: value for name, value in found.items()}
    return small_probe_lines(data, loaded[0], encoded[0], chosen) | lines


def small_probe_lines(
    data: Lfw, engine: Engine, full: Encoded, chosen: argparse.Namespace
) -> dict[str, float]:
    """The same draws with small faces before full-size templates, at the threshold that ships."""
    from recognition.evaluate import small_probes
    from recognition.evaluate.encoded import encode_lfw
    from recognition.policy import MatchPolicy

    rows, policy = np.unique(data.pairs.second), MatchPolicy.default_for(engine.version)
    lines: dict[str, float] = {}
    for width in chosen.sizes:
        (small,) = encode_lfw(data, [engine], chosen.out / "cache", rows=rows, width=width)
        for templates in (1, 3):
            found = small_probes.at_accept(
                data, full, small, rows, policy, templates=templates, seed=chosen.seed
            )
            lines |= {f"{name}_{width}px_{templates}_templates": value for name, value in found.items()}
    return lines


def run_fit(chosen: argparse.Namespace) -> dict[str, float]:
    """Fit what ``recognition/weights`` ships, for every recipe."""
    from recognition.evaluate import fit
    from recognition.evaluate.encoded import encode_lfw

    data = Lfw(chosen.data)
    loaded = engines(chosen)
    lines: dict[str, float] = {}
    for engine, encoded in zip(loaded, encode_lfw(data, loaded, chosen.out / "cache"), strict=True):
        policy = fit.fit_policy(data, encoded, engine.version)
        fit.save_policy(policy, WEIGHTS / f"decisions-{engine.recipe.name}.safetensors")
        lines[f"accept_{engine.recipe.name}"] = policy.accept
        lines[f"review_{engine.recipe.name}"] = policy.review
    return lines


def run_growth(chosen: argparse.Namespace) -> dict[str, float]:
    """What offered crops add to galleries, and what the drift guard lets through."""
    from recognition.evaluate import growth
    from recognition.evaluate.encoded import encode_lfw

    data = Lfw(chosen.data)
    loaded = engines(chosen)
    encoded = encode_lfw(data, loaded, chosen.out / "cache")
    return growth.report(data, encoded[0], loaded[0].version, seed=chosen.seed)


def run_lfw_cnn(chosen: argparse.Namespace) -> dict[str, float]:
    """Closed set, unseen pairs and time of the second network."""
    from recognition.evaluate import lfw_cnn

    data, encoder, both = _both(chosen)
    chosen.out.mkdir(parents=True, exist_ok=True)
    return lfw_cnn.report(data, encoder, both.first, both.second, chosen.out)


def run_compare(chosen: argparse.Namespace) -> dict[str, float]:
    """Both encoders beside each other and fused."""
    from recognition.evaluate import compare
    from recognition.lfw_cnn import OPINION, opinion

    policy = opinion.load_policy(chosen.weights.with_name(OPINION.name) if chosen.weights else OPINION)
    data, _, both = _both(chosen)
    chosen.out.mkdir(parents=True, exist_ok=True)
    return compare.report(data, both, policy, seed=chosen.seed, out=chosen.out)


def run_fit_opinion(chosen: argparse.Namespace) -> dict[str, float]:
    """Fit ``opinion.json`` beside the weights."""
    from recognition.evaluate import fit_opinion
    from recognition.lfw_cnn import OPINION
    from recognition.lfw_cnn import WEIGHTS as SECOND

    data, encoder, both = _both(chosen)
    policy, counts = fit_opinion.fit_opinion(data, both, encoder.version, seed=chosen.seed)
    fit_opinion.save_opinion(policy, counts, (chosen.weights or SECOND).with_name(OPINION.name))
    return {"threshold": policy.threshold, "step": policy.step} | dict(policy.weights)


def _both(chosen: argparse.Namespace) -> tuple[Lfw, SecondEncoder, Both]:
    from recognition.evaluate import lfw_cnn, two_encoders
    from recognition.lfw_cnn import load_second_encoder

    encoder = load_second_encoder(chosen.weights)
    data = Lfw(chosen.data)
    rows = lfw_cnn.needed_rows(data)
    return (
        data,
        encoder,
        two_encoders.encode_both(data, encoder, rows, kept=chosen.out / "cache", chips=chosen.chips),
    )


PROTOCOLS = {
    "lfw": run_lfw,
    "open-set": run_open_set,
    "fit": run_fit,
    "growth": run_growth,
    "lfw-cnn": run_lfw_cnn,
    "compare": run_compare,
    "fit-opinion": run_fit_opinion,
}


if __name__ == "__main__":
    sys.exit(main())
