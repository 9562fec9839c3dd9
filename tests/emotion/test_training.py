"""Every configuration trains; runs resume exactly; a loss that is no number keeps the last good one."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from emotion import configs, networks, optimisation, predict, train
from emotion.augment import Augmentation
from emotion.configs import Config
from emotion.data import Samples, fer_samples
from emotion.errors import (
    CheckpointMismatch,
    DataProblem,
    EmotionError,
    TrainingDiverged,
    UnknownName,
    WeightsDamaged,
    WeightsMissing,
)
from emotion.training import BEST, CHECKPOINT, HISTORY, Options, Trainer, heads_of

from .conftest import made_part, write_part

SMALL = replace(configs.get("three_convolutions"), batch_size=35, epochs=2)


def made_samples(config: Config, count: int) -> Samples:
    """Noise with the heads a configuration wants, of its channels and a size its network can take."""
    classes = {"challenge": 7, "ferplus": 8, "gender": 2, "age": 4, "folder": 8}
    random = torch.Generator().manual_seed(0)
    images = torch.randint(
        0, 256, (count, config.channels, config.image_size, config.image_size), generator=random
    )
    targets = {head: torch.eye(classes[head])[torch.arange(count) % classes[head]] for head in config.heads}
    return Samples(images.to(torch.uint8), targets, {head: torch.ones(count) for head in config.heads})


@pytest.fixture(scope="module")
def three_pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Three made-up pictures in every form that a configuration learns from."""
    folder, part = tmp_path_factory.mktemp("three"), made_part(3)
    for at, pixels in enumerate(part.images):
        for name in (f"crops/{10 + 15 * at}_{at % 2}_c.png", f"classes/{at % 2}/{at}.png"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(folder / name)
    npz = write_part(folder / "three.npz", part)
    return {
        "fer2013": npz,
        "ferplus": npz,
        "gender_age": folder / "crops",
        "folder": folder / "classes",
    }


@pytest.mark.parametrize("name", configs.names())
def test_every_configuration_trains(
    name: str, three_pictures: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(configs.get(name), warmup=0.0)  # whose first step, the only one here, learns nothing
    monkeypatch.setattr(configs, "get", lambda _: config)
    given = ["--config", name, "--data", str(three_pictures[config.task]), "--out", str(tmp_path)]
    assert train.main([*given, "--epochs", "1", "--threads", "1", "--device", "cpu"]) == 0
    with (tmp_path / HISTORY).open() as file:
        (line,) = csv.DictReader(file)
    assert all(math.isfinite(float(line[loss])) for loss in ("train_loss", "validation_loss"))
    state = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    torch.manual_seed(config.seed)
    fresh = networks.create(config.network, channels=config.channels, heads=state["heads"]).state_dict()
    changed = {key for key, value in state["weights"].items() if not torch.equal(value, fresh[key])}
    assert any(key.startswith("heads.") for key in changed)
    assert config.frozen == all(key.startswith("heads.") for key in changed)
    images = torch.zeros(1, config.channels, config.image_size, config.image_size, dtype=torch.uint8)
    reader = predict.from_checkpoint(tmp_path / CHECKPOINT)
    assert set(reader.probabilities(images)) == set(config.heads)


def test_transfer_learns_and_reads_in_the_range_of_imagenets_weights(tmp_path: Path) -> None:
    config = replace(
        configs.get("resnet50_frozen"), network="wide_kernels", augmentation=Augmentation(), epochs=1
    )
    samples = made_samples(config, 4)
    samples.images.fill_(255)
    trainer = Trainer(config, samples, samples, Options(tmp_path, progress=False))
    learned, _, _ = next(trainer._batches())
    assert float(learned.max()) == pytest.approx((1 - 0.406) / 0.225)
    torch.testing.assert_close(learned, trainer.reader().prepare(samples.images))


@pytest.mark.parametrize("name", networks.names())
def test_every_network_answers_every_head(name: str) -> None:
    entry = networks.entry(name)
    network = networks.create(name, channels=1, heads={"a": 3, "b": 5}).eval()
    with torch.inference_mode():
        answers = network(torch.rand(2, 1, entry.image_size, entry.image_size))
    assert {head: tuple(logits.shape) for head, logits in answers.items()} == {"a": (2, 3), "b": (2, 5)}


def test_rollcalls_own_network_is_small() -> None:
    network = networks.create("rollcall", channels=1, heads={"challenge": 7, "ferplus": 8})
    assert sum(parameter.numel() for parameter in network.parameters()) <= 5_000_000


def test_names_that_are_not_there_are_refused() -> None:
    with pytest.raises(UnknownName, match="no network"):
        networks.create("vgg", channels=1, heads={"a": 2})
    with pytest.raises(UnknownName, match="no configuration"):
        configs.get("best")


def test_it_learns_what_can_be_learned(trained: Path) -> None:
    with (trained / HISTORY).open() as file:
        lines = list(csv.DictReader(file))
    assert [int(line["epoch"]) for line in lines] == [1, 2]
    part = made_part(140)
    config = replace(SMALL, epochs=6)
    samples = fer_samples(part).only(config.heads)
    history = Trainer(config, samples, samples, Options(trained / "learn", progress=False)).run()
    assert history[-1].validation_accuracy > 0.9


def test_a_resumed_run_equals_one_that_never_stopped(tmp_path: Path) -> None:
    samples = fer_samples(made_part(70)).only(("challenge",))
    config = replace(configs.get("cifar_mixup"), batch_size=35, epochs=3)
    whole = Trainer(config, samples, samples, Options(tmp_path / "whole", progress=False))
    whole.run()
    first = Trainer(replace(config, epochs=1), samples, samples, Options(tmp_path / "parts", progress=False))
    first.run()
    second = Trainer(config, samples, samples, Options(tmp_path / "parts", progress=False, resume=True))
    assert [epoch.epoch for epoch in second.history] == [1]
    second.run()
    for name, value in whole.network.state_dict().items():
        torch.testing.assert_close(second.network.state_dict()[name], value)


def test_a_checkpoint_of_another_configuration_is_not_resumed(trained: Path) -> None:
    samples = fer_samples(made_part(70)).only(("challenge",))
    with pytest.raises(CheckpointMismatch):
        Trainer(SMALL, samples, samples, Options(trained, resume=True))


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    samples = fer_samples(made_part(70)).only(("challenge",))
    options = Options(tmp_path, progress=False)
    Trainer(replace(SMALL, epochs=1), samples, samples, options).run()
    good = (tmp_path / CHECKPOINT).read_bytes()
    again = Trainer(SMALL, samples, samples, replace(options, resume=True))
    with torch.no_grad():
        next(again.network.parameters()).fill_(float("nan"))
    with pytest.raises(TrainingDiverged, match=r"epoch 2.*last\.pt"):
        again.run()
    assert (tmp_path / CHECKPOINT).read_bytes() == good
    assert (tmp_path / BEST).exists()


@pytest.mark.parametrize("what", ["validation loss", "a weight"])
def test_a_blow_up_in_the_last_step_of_an_epoch_is_not_saved(
    tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = fer_samples(made_part(14)).only(("challenge",))
    options = Options(tmp_path, progress=False)
    wild = replace(SMALL, rate=1e30 if what == "validation loss" else 1e39)
    if what == "a weight":
        monkeypatch.setattr(Trainer, "validate", lambda _: (1.0, 0.5))
    with pytest.raises(TrainingDiverged, match=f"^{what}.*no checkpoint yet"):
        Trainer(wild, samples, samples, options).run()
    assert not (tmp_path / CHECKPOINT).exists()
    Trainer(replace(SMALL, epochs=1), samples, samples, options).run()
    good = {name: (tmp_path / name).read_bytes() for name in (CHECKPOINT, BEST, HISTORY)}
    with pytest.raises(TrainingDiverged, match=rf"^{what}.*epoch 2.*last\.pt \(epoch 1\)"):
        Trainer(wild, samples, samples, replace(options, resume=True)).run()
    assert {name: (tmp_path / name).read_bytes() for name in good} == good


def test_of_a_run_that_diverged_what_there_is_is_drawn(
    fer_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--config", "three_convolutions", "--data", str(fer_file), "--out", str(tmp_path), "--resume"]
    assert train.main([*given, "--threads", "1", "--epochs", "1"]) == 0
    assert f"no checkpoint in {tmp_path}: the run starts anew" in capsys.readouterr().out
    (tmp_path / "history.png").unlink()

    def diverge(*_: object) -> float:
        raise TrainingDiverged("loss nan")

    monkeypatch.setattr(Trainer, "_one_epoch", diverge)
    assert train.main([*given, "--threads", "1", "--epochs", "2"]) == 1
    printed = capsys.readouterr()
    assert "starts anew" not in printed.out
    assert "error: loss nan" in printed.err
    assert (tmp_path / "history.png").stat().st_size > 1000


def damaged_files(folder: Path) -> dict[str, Path]:
    """Files that are no weights, each in its own way."""
    torch.save({"config": "three_convolutions", "weights": torch.zeros(1000)}, folder / "half.pt")
    torch.save([torch.zeros(3)], folder / "list.pt")
    (folder / "garbage.pt").write_bytes(b"garbage")
    (folder / "empty.pt").write_bytes(b"")
    (folder / "cut.pt").write_bytes((folder / "half.pt").read_bytes()[:2000])
    return {name: folder / f"{name}.pt" for name in ("half", "list", "garbage", "empty", "cut")}


@pytest.mark.parametrize("kind", ["half", "list", "garbage", "empty", "cut"])
def test_a_file_that_is_no_checkpoint_is_named(kind: str, tmp_path: Path) -> None:
    path = damaged_files(tmp_path)[kind]
    samples = fer_samples(made_part(14)).only(("challenge",))
    (tmp_path / "run").mkdir()
    path_of_run = tmp_path / "run" / CHECKPOINT
    path_of_run.write_bytes(path.read_bytes())
    for attempt in (
        lambda: Trainer(SMALL, samples, samples, Options(tmp_path / "run", resume=True)),
        lambda: Trainer(SMALL, samples, samples, Options(tmp_path / "new", initial=path_of_run)),
        lambda: predict.from_checkpoint(path_of_run),
    ):
        with pytest.raises(EmotionError, match=r"last\.pt") as caught:
            attempt()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--limit", "0"),
        ("--max-images", "-1"),
        ("--epochs", "0"),
        ("--epochs", "two"),
        ("--threads", "0"),
        ("--minutes", "0"),
        ("--minutes", "-3"),
        ("--minutes", "nan"),
        ("--device", "nowhere"),
    ],
)
def test_values_that_make_no_sense_are_refused(
    option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        train.main(["--config", "rollcall", "--data", "any.npz", option, value])
    complaint = capsys.readouterr().err.splitlines()[-1]
    assert f"argument {option}: " in complaint
    assert repr(value) in complaint


def test_a_time_limit_ends_the_schedule(tmp_path: Path) -> None:
    samples = fer_samples(made_part(70)).only(("challenge",))
    config = replace(SMALL, epochs=500, schedule="cosine")
    history = Trainer(config, samples, samples, Options(tmp_path, minutes=0.005, progress=False)).run()
    assert 1 <= len(history) < 500


def test_the_rate_falls_on_a_plateau(tmp_path: Path) -> None:
    samples = fer_samples(made_part(70)).only(("challenge",))
    config = replace(SMALL, epochs=4, schedule="plateau", rate=1e-12, patience=1, lowest_rate=1e-13)
    history = Trainer(config, samples, samples, Options(tmp_path, progress=False)).run()
    assert history[-1].rate < history[0].rate
    assert history[-1].rate >= 1e-13


def test_heads_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    samples = fer_samples(made_part(14))
    with pytest.raises(DataProblem, match="heads"):
        Trainer(SMALL, samples, samples, Options(tmp_path))
    assert heads_of(samples) == {"challenge": 7, "ferplus": 8}


def test_the_loss_is_that_of_a_distribution() -> None:
    logits = torch.tensor([[2.0, 0.0, -1.0]])
    target = torch.tensor([[0.7, 0.2, 0.1]])
    wanted = -(target * torch.log_softmax(logits, dim=1)).sum()
    found = optimisation.cross_entropy({"a": logits}, {"a": target}, {"a": torch.ones(1)})
    torch.testing.assert_close(found, wanted)
    unknown = optimisation.cross_entropy({"a": logits}, {"a": target}, {"a": torch.zeros(1)})
    assert float(unknown) == 0


def test_initial_weights_are_taken_where_they_fit(tmp_path: Path) -> None:
    donor = networks.create("three_convolutions", channels=1, heads={"other": 3})
    torch.save(donor.state_dict(), tmp_path / "donor.pt")
    network = networks.create("three_convolutions", channels=1, heads={"challenge": 7})
    taken = optimisation.load_initial(network, tmp_path / "donor.pt")
    assert taken == sum(not name.startswith("heads.") for name in donor.state_dict())
    torch.testing.assert_close(network.state_dict()["maps.0.weight"], donor.state_dict()["maps.0.weight"])
    torch.save({"strange": torch.zeros(2)}, tmp_path / "strange.pt")
    with pytest.raises(DataProblem, match="none of its"):
        optimisation.load_initial(network, tmp_path / "strange.pt")
    (tmp_path / "broken.safetensors").write_bytes(b"not weights")
    with pytest.raises(DataProblem, match="not a file of weights"):
        optimisation.load_initial(network, tmp_path / "broken.safetensors")


def test_a_checkpoint_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing):
        predict.from_checkpoint(tmp_path / "nothing.pt")
    torch.save({"config": "rollcall"}, tmp_path / "half.pt")
    with pytest.raises(WeightsDamaged):
        predict.from_checkpoint(tmp_path / "half.pt")


def test_the_command_line_trains_and_reports(
    fer_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = train.main(
        [
            "--config",
            "rollcall",
            "--data",
            str(fer_file),
            "--out",
            str(tmp_path),
            "--epochs",
            "1",
            "--threads",
            "1",
        ]
    )
    assert status == 0
    assert "epochs: 1" in capsys.readouterr().out
    assert (tmp_path / "history.png").stat().st_size > 1000


def test_the_command_line_names_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train.main(["--config", "rollcall", "--data", str(tmp_path / "none.npz"), "--threads", "1"]) == 1
    assert "cannot be read" in capsys.readouterr().err
    part = made_part(7)
    part.images[:] = 9
    flat = write_part(tmp_path / "flat.npz", part)
    assert train.main(["--config", "rollcall", "--data", str(flat), "--threads", "1"]) == 1
    assert "no picture shows a face" in capsys.readouterr().err
    (tmp_path / "taken").write_text("a file where the run's folder should be")
    given = ["--data", str(write_part(tmp_path / "good.npz", made_part(14))), "--threads", "1"]
    assert train.main(["--config", "three_blocks", "--out", str(tmp_path / "taken"), *given]) == 1
    assert "taken" in capsys.readouterr().err
