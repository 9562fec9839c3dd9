"""What an export writes: a file that is read as its run was, and nothing by accident."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from emotion import configs, export
from emotion.classifier import CHECKSUMS, Classifier, check_sum
from emotion.configs import Config
from emotion.data import fer_samples
from emotion.errors import DataProblem, WeightsDamaged
from emotion.predict import ZOOMED, from_checkpoint
from emotion.shipped import CALIBRATIONS
from emotion.training import CHECKPOINT, Options, Trainer

from .conftest import made_part


def run_of(config: Config, folder: Path) -> Path:
    samples = fer_samples(made_part(70)).only(config.heads)
    Trainer(replace(config, epochs=1, warmup=0.0), samples, samples, Options(folder, progress=False)).run()
    return folder


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short run of a configuration whose pictures are not standardised."""
    return run_of(configs.get("three_convolutions"), tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def ferplus_only(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = replace(configs.get("resnet18_ferplus"), network="three_convolutions")
    return run_of(config, tmp_path_factory.mktemp("ferplus"))


def test_another_configuration_is_read_as_its_run_was(plain: Path, fer_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "plain.safetensors"
    given = ["--run", str(plain), "--data", str(fer_file), "--out", str(out), "--number", "3"]
    assert export.main(given) == 0
    classifier = Classifier.from_file(out)
    assert classifier.version == "three_convolutions-emotion-3"
    assert classifier.reader.normalisation == "none"
    images = fer_samples(made_part(20)).images
    wanted = from_checkpoint(plain / CHECKPOINT, views=ZOOMED).probabilities(images)["challenge"]
    found = classifier.reader.probabilities(images)["challenge"]
    np.testing.assert_allclose(found.numpy(), wanted.numpy(), atol=0.02)


def test_a_file_that_does_not_say_how_pictures_are_normalised_standardises_them(
    weights_file: Path, tmp_path: Path
) -> None:
    with safe_open(weights_file, framework="pt") as file:
        details = json.loads(file.metadata()["rollcall"])
    assert details.pop("normalisation") == "picture"
    save_file(
        load_file(weights_file), tmp_path / "old.safetensors", metadata={"rollcall": json.dumps(details)}
    )
    assert Classifier.from_file(tmp_path / "old.safetensors").reader.normalisation == "picture"


def test_the_version_number_must_be_given(
    trained: Path, fer_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in ([], ["--number", "0"]):
        with pytest.raises(SystemExit):
            export.main(["--run", str(trained), "--data", str(fer_file), *number])
        assert "--number" in capsys.readouterr().err.splitlines()[-1]


def test_runs_that_cannot_ship_are_named(
    plain: Path, ferplus_only: Path, fer_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "w.safetensors"
    common = ["--data", str(fer_file), "--out", str(out), "--number", "1"]
    for given, complaint in (
        (["--run", str(ferplus_only)], "reads ferplus, not the challenge's seven emotions"),
        (["--run", str(plain), "--refit"], "only Rollcall's own network can be refitted"),
        (["--run", str(tmp_path)], "there is no file"),
        (["--run", str(plain), "--data", str(tmp_path / "no.npz")], "cannot be read as npz"),
    ):
        assert export.main([*common, *given]) == 1
        assert complaint in capsys.readouterr().err
    assert not out.parent.exists()
    with pytest.raises(DataProblem):
        export.load_shippable(ferplus_only / CHECKPOINT)


def test_the_sums_of_other_files_stay(plain: Path, tmp_path: Path) -> None:
    run, validation = export.load_shippable(plain / CHECKPOINT), fer_samples(made_part(14))
    (tmp_path / CHECKSUMS).write_text("0123  another.bin\nffff  w.safetensors\n")
    export.export(run, validation, tmp_path / "w.safetensors", 1)
    lines = (tmp_path / CHECKSUMS).read_text().splitlines()
    assert [line.split()[1] for line in lines] == ["another.bin", CALIBRATIONS, "w.safetensors"]
    assert lines[0] == "0123  another.bin"
    check_sum(tmp_path / "w.safetensors")
    (tmp_path / CHECKSUMS).write_bytes(b"\xff\xfe")
    with pytest.raises(WeightsDamaged, match="SHA256SUMS"):
        export.export(run, validation, tmp_path / "w.safetensors", 2)
