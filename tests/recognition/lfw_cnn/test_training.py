"""The training loops on made-up pictures: they learn, go on where they stopped, and refuse what cannot work."""

from __future__ import annotations

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from recognition.errors import TrainingError, UnknownName
from recognition.evaluate.lfw_data import Lfw
from recognition.lfw_cnn import augment, configs, export, load_second_encoder, networks, splits, train
from recognition.lfw_cnn.closed import ClosedTrainer, crop
from recognition.lfw_cnn.encode import FRAME, SecondEncoder
from recognition.lfw_cnn.frames import frames_of
from recognition.lfw_cnn.losses import CosineMargin
from recognition.lfw_cnn.projection import within_class
from recognition.lfw_cnn.training import CHECKPOINT, HISTORY, Options, Trainer

CONFIG = replace(configs.get("second"), epochs=2, batch_size=8, rate=0.02)
PEOPLE = 4


def faces(count: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Coloured squares: the colour is the person."""
    labels = np.arange(count) % PEOPLE
    colours = np.array([(220, 40, 40), (40, 220, 40), (40, 40, 220), (200, 200, 40)], np.uint8)
    frames = np.random.default_rng(0).integers(0, 30, (count, FRAME, FRAME, 3), dtype=np.uint8)
    frames[:, 20:60, 20:60] += colours[labels][:, None, None]
    return frames, labels.astype(np.int64)


def trainer(
    folder: Path, *, resume: bool = False, epochs: int = 2, config: configs.Config = CONFIG
) -> Trainer:
    frames, labels = faces()

    def validate(encoder: SecondEncoder) -> float:
        rows = encoder.encode_frames(frames[:8])
        return float(np.isfinite(rows).mean())

    return Trainer(
        replace(config, epochs=epochs), frames, labels, validate, Options(folder, bf16=False, resume=resume)
    )


def test_a_run_is_resumed_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    whole = trainer(tmp_path / "whole", epochs=2)
    whole.run()
    # A run with the same schedule, stopped after one epoch.
    first = trainer(tmp_path / "parts", epochs=2)
    first.config = replace(first.config, epochs=2)
    first._validate = lambda _: (_ for _ in ()).throw(KeyboardInterrupt) if len(first.history) else 1.0
    with pytest.raises(KeyboardInterrupt):
        first.run()
    second = trainer(tmp_path / "parts", resume=True, epochs=2)
    assert len(second.history) == 1
    second.run()
    assert [line.epoch for line in second.history] == [1, 2]
    assert second.history[1].train_loss == pytest.approx(whole.history[1].train_loss, rel=1e-4)
    with (tmp_path / "parts" / HISTORY).open() as file:
        assert len(list(csv.DictReader(file))) == 2


def test_another_runs_checkpoint_is_refused(tmp_path: Path) -> None:
    trainer(tmp_path, epochs=1).run()
    with pytest.raises(TrainingError, match="is a run of 'second'"):
        trainer(tmp_path, resume=True, config=replace(CONFIG, name="other"))


def test_too_few_photos_for_a_batch_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="do not fill one batch"):
        trainer(tmp_path, config=replace(CONFIG, batch_size=64))


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path: Path) -> None:
    one = trainer(tmp_path)
    with torch.no_grad():
        one.loss.directions.fill_(float("nan"))
    with pytest.raises(TrainingError, match="loss nan in epoch 1"):
        one.run()


def test_of_each_person_an_epoch_shows_so_many_photos_at_most(tmp_path: Path) -> None:
    one = trainer(tmp_path, config=replace(CONFIG, cap=3))
    order = one._order()
    assert len(order) == len(set(order.tolist())) == 3 * PEOPLE
    assert np.bincount(one.labels[order].numpy()).tolist() == [3] * PEOPLE


def test_the_margin_makes_the_own_person_harder() -> None:
    torch.manual_seed(0)
    encodings, labels = torch.randn(6, 8), torch.arange(6) % 3
    plain, strict = (CosineMargin(8, 3, scale=10, margin=margin) for margin in (0.0, 0.3))
    strict.load_state_dict(plain.state_dict())
    assert strict(encodings, labels).item() > plain(encodings, labels).item()
    assert plain(encodings, labels).item() == pytest.approx(plain(5 * encodings, labels).item(), rel=1e-5)


def test_augmentation_without_strength_is_the_middle() -> None:
    generator = torch.Generator().manual_seed(0)
    frames = torch.rand(2, 3, 80, 80)
    moved = augment.move(frames, 64, augment.NONE, generator)
    assert torch.allclose(moved, frames[:, :, 8:72, 8:72], atol=1e-5)
    assert torch.equal(augment.relight(moved, augment.NONE, generator), moved)
    assert torch.equal(augment.cut_out(moved, augment.NONE, generator), moved)


def test_strong_augmentation_stays_a_picture_and_is_repeatable() -> None:
    how, frames = configs.get("second").augmentation, torch.rand(16, 3, 80, 80)

    def made() -> torch.Tensor:
        generator = torch.Generator().manual_seed(7)
        return augment.relight(augment.move(frames, 64, how, generator), how, generator)

    one = made()
    assert one.shape == (16, 3, 64, 64)
    assert 0 <= float(one.min()) <= float(one.max()) <= 1
    assert torch.equal(one, made())
    holes = augment.cut_out(torch.ones(64, 1, 32, 32), how, torch.Generator().manual_seed(1))
    share = (holes == 0).flatten(1).any(dim=1).float().mean()
    assert 0.3 < float(share) < 0.7


@pytest.mark.parametrize("name", ["seed-a", "seed-b", "seed-c"])
def test_the_earlier_networks_take_their_crop(name: str) -> None:
    network = networks.create(name, 19).eval()
    assert network(torch.rand(2, 1, 125, 94)).shape == (2, 19)


def test_the_second_network_is_compact() -> None:
    network = networks.create("compact", 128)
    assert sum(parameter.numel() for parameter in network.parameters()) < 5e6


def test_unknown_names_are_told() -> None:
    with pytest.raises(UnknownName, match="there are compact"):
        networks.create("huge", 2)
    with pytest.raises(UnknownName, match="second"):
        configs.get("third")


def test_the_crop_is_where_the_earlier_system_cut() -> None:
    picture = np.zeros((192, 192, 3), np.uint8)
    picture[38:163, 46:140] = 255
    assert crop(picture).shape == (125, 94)
    assert crop(picture).min() == 255
    with pytest.raises(TrainingError, match="needs 192 x 192 pixels, not 100 x 100"):
        crop(np.zeros((100, 100, 3), np.uint8))


def test_the_earlier_system_learns_and_goes_on(lfw_zip: Path, tmp_path: Path) -> None:
    config, data = replace(configs.get("seed-c"), epochs=2), Lfw(lfw_zip)
    first = ClosedTrainer(replace(config, epochs=1), data, tmp_path, bf16=False)
    first.run()
    again = ClosedTrainer(config, data, tmp_path, bf16=False, resume=True)
    assert len(again.history) == 1
    assert again.run() > 0.6  # of the epoch that validated best; two epochs do not settle batch norm
    assert len(again.history) == 2
    assert again.history[1].train_accuracy > 0.9  # two people who differ in every pixel
    with pytest.raises(TrainingError, match="is a run of 'seed-c'"):
        ClosedTrainer(configs.get("seed-a"), data, tmp_path, bf16=False, resume=True)


def kept_frames(data: Lfw, cache: Path) -> None:
    """Frames as the detector would have made them: the made-up pictures hold no face."""
    cache.mkdir()
    frames = np.stack([data.picture(row)[56:136, 56:136] for row in range(len(data.names))])
    np.save(cache / "frames.npy", frames)


def test_the_commands_train_and_export(
    lfw_zip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache, run, out = tmp_path / "cache", tmp_path / "run", tmp_path / "made" / "second.safetensors"
    kept_frames(Lfw(lfw_zip), cache)
    common = ["--data", str(lfw_zip), "--cache", str(cache), "--threads", "1", "--fp32"]
    assert train.main(["--config", "second", "--epochs", "1", "--out", str(run), *common]) == 0
    assert "validation_accuracy:" in capsys.readouterr().out
    assert (run / CHECKPOINT).is_file()
    assert (run / "history.png").stat().st_size > 1000
    more = ["--data", str(lfw_zip), "--cache", str(cache), "--out", str(out)]
    assert export.main(["--run", str(run), "--number", "3", *more]) == 0
    assert load_second_encoder(out).version == "lfwcnn3"
    shutil.rmtree(run)
    assert export.main(["--run", str(run), *more]) == 2
    assert "train first" in capsys.readouterr().err
    assert export.main(["--run", str(run), "--data", str(tmp_path / "none.zip")]) == 2
    assert "there is no" in capsys.readouterr().err


def test_the_command_for_the_earlier_system(
    lfw_zip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["--data", str(lfw_zip), "--threads", "1", "--fp32", "--out", str(tmp_path)]
    assert train.main(["--config", "seed-a", "--epochs", "1", *common]) == 0
    assert "published: 80.7 %" in capsys.readouterr().out
    assert (tmp_path / "history.png").stat().st_size > 1000


def test_the_command_names_missing_and_damaged_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train.main(["--config", "seed-a", "--data", str(tmp_path / "lfw.zip")]) == 2
    assert "there is no" in capsys.readouterr().err
    (tmp_path / "lfw.zip").write_bytes(b"PK but no archive")
    assert train.main(["--config", "second", "--data", str(tmp_path)]) == 2
    assert "damaged or no zip archive" in capsys.readouterr().err


def test_the_projection_makes_light_of_what_differs_in_one_person() -> None:
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(200), 4)
    centres = random.normal(size=(200, 6))
    noise = random.normal(size=(800, 6)) * [3.0, 0.1, 0.1, 0.1, 0.1, 0.1]
    rows = centres[labels] + noise
    weight, bias = within_class(rows, labels)
    moved = rows @ weight.T + bias
    within = (moved - np.stack([moved[labels == k].mean(axis=0) for k in range(200)])[labels]).std(axis=0)
    assert np.allclose(moved.mean(axis=0), 0, atol=1e-3)
    assert weight[0, 0] < 0.2 * weight[1, 1]
    assert within.max() < 5 * within.min()  # it was thirty times
    with pytest.raises(TrainingError, match="nobody is shown in two photos"):
        within_class(rows[:3], np.arange(3))


def test_frames_are_kept_and_made_anew_for_another_set(lfw_zip: Path, tmp_path: Path) -> None:
    data = Lfw(lfw_zip)
    kept_frames(data, tmp_path / "cache")
    frames, found = frames_of(data, tmp_path / "cache")
    assert len(frames) == len(data.names)
    assert found.all()
    assert len(splits.training_rows(data, splits.held_out(data), found)[0]) < len(frames)
