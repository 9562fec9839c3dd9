"""Turn a training run into the file that ships: ``python -m emotion.export --run runs/emotion/rollcall ...``.

The temperature and the confusion matrix that class mood needs are measured on the run's own validation part, never
on PublicTest or PrivateTest.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from emotion import metrics, shipped
from emotion.arguments import count
from emotion.data import Samples
from emotion.errors import DataProblem, EmotionError
from emotion.labels import CHALLENGE
from emotion.predict import ZOOMED, Run, cooled, load_run
from emotion.refit import refit
from emotion.train import fer_parts
from emotion.training import BEST, CHECKPOINT


def calibrate(probabilities: torch.Tensor, validation: Samples) -> tuple[float, list[list[float]]]:
    """Temperature, and the mean probabilities at that temperature of the faces of every emotion, (7, 7)."""
    labels = validation.targets["challenge"].argmax(1)
    logits = probabilities.clamp_min(1e-8).log()
    temperature = metrics.fit_temperature(logits.numpy(), labels.numpy().astype(np.int64))
    stated = cooled(probabilities, temperature).double()
    even = torch.full((len(CHALLENGE),), 1 / len(CHALLENGE), dtype=torch.float64)
    rows = [
        (stated[labels == at].sum(dim=0) + even) / (int((labels == at).sum()) + 1)
        for at in range(len(CHALLENGE))
    ]
    return temperature, torch.stack(rows).tolist()


def load_shippable(checkpoint: Path, *, averaged: bool = True) -> Run:
    """A training run whose network can be read for class mood; its averaged weights, else the last ones.

    Raises:
        WeightsMissing, WeightsDamaged: as :func:`emotion.predict.load_run`.
        DataProblem: the network does not read the challenge's seven emotions.
    """
    run = load_run(checkpoint, averaged=averaged, views=ZOOMED)
    if "challenge" not in run.heads:
        raise DataProblem(f"{checkpoint} reads {', '.join(run.heads)}, not the challenge's seven emotions")
    return run


def export(
    run: Run,
    validation: Samples,
    out: Path,
    number: int,
    *,
    image_size: int | None = None,
    training: Samples | None = None,
) -> dict[str, object]:
    """Write ``out`` (float16 kernels, float32 statistics), how it reads and its check sum; returns its details.

    Args:
        run: from :func:`load_shippable`.
        validation: the run's own validation part, for the temperature and the matrix of class mood.
        out: the safetensors file.
        number: version number of these weights.
        image_size: the size faces are read at, if not the configuration's. A network learned at one size often reads
            best at a slightly larger one (Touvron et al., arXiv 1906.06423).
        training: fit the heads again on these (:mod:`emotion.refit`).

    Raises:
        DataProblem: the heads of this network cannot be fitted again.
        WeightsDamaged: what lies beside ``out`` cannot be read.
    """
    reader = run.reader if image_size is None else replace(run.reader, image_size=image_size)
    fits = refit(reader, training) if training is not None else []
    answers = reader.probabilities(validation.images)["challenge"]
    right = answers.argmax(1) == validation.targets["challenge"].argmax(1)
    temperature, confusion = calibrate(answers, validation)
    details: dict[str, object] = {
        "name": f"{run.config.name}-emotion",
        "number": number,
        "network": run.network,
        "channels": reader.channels,
        "heads": run.heads,
        "image_size": reader.image_size,
        "normalisation": reader.normalisation,
        "views": [(view.zoom, view.mirrored) for view in reader.views],
        "temperature": temperature,
        "confusion": confusion,
        "configuration": run.config.name,
        "epochs": run.epochs,
        "refitted": [fit.head for fit in fits],
        "validation_pictures": len(validation),
        "validation_accuracy": float(right.float().mean()),
    }
    tensors = {
        name: (value.half() if value.dim() > 1 else value).contiguous()
        for name, value in reader.network.state_dict().items()
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    beside = out.with_suffix(".part")
    save_file(tensors, beside, metadata={"format": "pt", "rollcall": json.dumps(details)})
    beside.replace(out)
    shipped.describe(out, f"{details['name']}-{number}", confusion)
    return details


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    made = argparse.ArgumentParser(prog="python -m emotion.export", description=__doc__)
    made.add_argument("--run", type=Path, required=True, help="folder of a training run")
    made.add_argument("--data", type=Path, required=True, help="the npz it was trained on")
    made.add_argument("--out", type=Path, default=shipped.WEIGHTS, help="default: instead of those that ship")
    made.add_argument("--number", type=count, required=True, help="version number of these weights")
    made.add_argument("--image-size", type=count, help="size faces are read at, if not the configuration's")
    made.add_argument(
        "--last-weights", action="store_true", help="the last weights instead of the averaged ones"
    )
    made.add_argument(
        "--refit", action="store_true", help="fit the heads again on the training part as it is"
    )
    made.add_argument("--best", action="store_true", help=f"{BEST} instead of {CHECKPOINT}")
    given = made.parse_args(arguments)
    checkpoint = given.run / (BEST if given.best else CHECKPOINT)
    try:
        run = load_shippable(checkpoint, averaged=not given.last_weights)
        training, validation = fer_parts(run.config, given.data, run.chosen.limit)
        details = export(
            run,
            validation,
            given.out,
            given.number,
            image_size=given.image_size,
            training=training if given.refit else None,
        )
    except (EmotionError, OSError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    print(f"wrote {given.out} ({given.out.stat().st_size / 1e6:.1f} MB)")
    print(f"epochs: {details['epochs']}")
    print(f"temperature: {details['temperature']:.3f}")
    print(f"validation_accuracy: {details['validation_accuracy']:.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
