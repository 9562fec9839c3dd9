"""Heads fitted again: better on what they are fitted on, everything below them untouched."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from emotion import export, predict, refit
from emotion.classifier import Classifier
from emotion.data import fer_samples
from emotion.errors import DataProblem
from emotion.training import CHECKPOINT

from .conftest import made_part


def test_the_loss_falls_and_only_the_heads_move(trained: Path) -> None:
    reader = predict.from_checkpoint(trained / CHECKPOINT)
    before = {name: value.clone() for name, value in reader.network.state_dict().items()}
    fits = refit.refit(reader, fer_samples(made_part(70)))
    assert [fit.head for fit in fits] == ["challenge", "ferplus"]
    assert all(fit.after < fit.before for fit in fits)
    moved = {
        name for name, value in reader.network.state_dict().items() if not torch.equal(value, before[name])
    }
    assert moved
    assert all(name.startswith("heads.") for name in moved)


def test_another_network_is_refused(tmp_path: Path) -> None:
    reader = predict.Reader(torch.nn.Identity(), 48, 1, "picture", torch.device("cpu"))
    with pytest.raises(DataProblem, match="own network"):
        refit.refit(reader, fer_samples(made_part(7)))


def test_an_export_can_refit_and_read_at_another_size(trained: Path, tmp_path: Path) -> None:
    out = tmp_path / "again.safetensors"
    part = fer_samples(made_part(70))
    details = export.export(
        export.load_shippable(trained / CHECKPOINT, averaged=False),
        part,
        out,
        2,
        image_size=40,
        training=fer_samples(made_part(70, seed=2)),
    )
    assert details["refitted"] == ["challenge", "ferplus"]
    classifier = Classifier.from_file(out)
    assert classifier.reader.image_size == 40
    assert classifier.probabilities(made_part(5).images).shape == (5, 7)
