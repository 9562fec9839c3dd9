"""Make the file that ships from a run.

``python -m recognition.lfw_cnn.export --run runs/lfw_cnn/second --data lfw.zip``: the averaged weights, followed by a
linear map fitted on the people they were learned from. The constants in ``opinion.json`` belong to one version of the
weights; fit them anew after this with ``python -m recognition.evaluate fit-opinion --data lfw.zip``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from recognition.errors import RecognitionError, TrainingError
from recognition.evaluate.lfw_data import DataSetError, Lfw
from recognition.lfw_cnn import WEIGHTS, configs, splits, weight_files
from recognition.lfw_cnn.encode import quick_bf16
from recognition.lfw_cnn.frames import frames_of
from recognition.lfw_cnn.projection import within_class
from recognition.lfw_cnn.training import CHECKPOINT, encoder_of


def export(
    run: Path, out: Path, number: int, frames: NDArray[np.uint8], labels: NDArray[np.int64]
) -> dict[str, object]:
    """Write the averaged weights of a run (float16 kernels, float32 statistics) to ``out`` and its line to
    ``SHA256SUMS``; returns the details kept in the file.

    ``frames`` (n, 80, 80, 3) and ``labels`` (n,): what was learned from, for the linear map. Raises TrainingError
    when the run has no checkpoint or learned from other people.
    """
    checkpoint = run / CHECKPOINT
    if not checkpoint.is_file():
        raise TrainingError(f"there is no {checkpoint}: train first")
    state = torch.load(checkpoint, weights_only=True)
    config = configs.get(state["config"])
    if state["people"] != labels.max() + 1:
        raise TrainingError(f"{checkpoint} learned from {state['people']} people, not {labels.max() + 1}")
    encoder = encoder_of(config, state["average"], bf16=quick_bf16())
    weight, bias = within_class(encoder.encode_frames(frames), labels)
    details: dict[str, object] = {
        "version": f"lfwcnn{number}",
        "network": config.network,
        "dimensions": config.dimensions,
        "mirror": True,
        "configuration": config.name,
        "epochs": len(state["history"]),
        "people": state["people"],
    }
    tensors = {
        name: (value.half() if value.dim() > 1 else value).contiguous()
        for name, value in state["average"].items()
    } | {"projection.weight": torch.from_numpy(weight), "projection.bias": torch.from_numpy(bias)}
    out.parent.mkdir(parents=True, exist_ok=True)
    beside = out.with_suffix(".part")
    save_file(tensors, beside, metadata={"format": "pt", "second_opinion": json.dumps(details)})
    beside.chmod(0o644)  # safetensors keeps its files to their owner; a worker is another user
    beside.replace(out)
    weight_files.write_sums(out.parent)
    return details


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    made = argparse.ArgumentParser(prog="python -m recognition.lfw_cnn.export", description=__doc__)
    made.add_argument("--run", type=Path, required=True, help="folder of a training run")
    made.add_argument("--data", type=Path, default=Path("lfw.zip"), help="lfw.zip, or the folder it lies in")
    made.add_argument("--cache", type=Path, default=Path("runs/lfw_cnn/chips"), help="kept chips")
    made.add_argument("--out", type=Path, default=WEIGHTS)
    made.add_argument("--number", type=int, default=1, help="version number of these weights")
    given = made.parse_args(arguments)
    try:
        data = Lfw(given.data)
        frames, found = frames_of(data, given.cache)
        rows, labels = splits.training_rows(data, splits.held_out(data), found)
        details = export(given.run, given.out, given.number, frames[rows], labels)
    except (DataSetError, RecognitionError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    for name, value in details.items():
        print(f"{name}: {value}")
    print(f"megabytes: {given.out.stat().st_size / 1e6:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
