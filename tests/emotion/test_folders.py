"""Folders of pictures: by class, AffectNet's layout, age and gender in the name; and folders that are none of it."""

from __future__ import annotations

import csv
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from emotion import configs, detectors, evaluate, folders, train
from emotion.data import Samples
from emotion.errors import DataProblem
from emotion.framing import SQUARE
from emotion.training import BEST, CHECKPOINT


def picture(path: Path, value: int, size: int = 20) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(value).integers(0, 255, (size, size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    for label, name in enumerate(("anger", "happy", "sad")):
        for number in range(4):
            picture(tmp_path / name / f"{number}.png", 10 * label + number)
    return tmp_path


def test_subfolders_are_classes(classes: Path) -> None:
    samples = folders.load_classes(classes, 24).samples
    assert samples.images.shape == (12, 3, 24, 24)
    assert samples.targets["folder"].sum(dim=0).tolist() == [4, 4, 4]


def test_a_limit_is_spread_over_the_classes(classes: Path) -> None:
    samples = folders.load_classes(classes, 24, max_images=6).samples
    assert samples.targets["folder"].sum(dim=0).tolist() == [2, 2, 2]


def test_pictures_that_cannot_be_read_are_left_out(classes: Path, caplog: pytest.LogCaptureFixture) -> None:
    (classes / "sad" / "0.png").write_bytes(b"no picture")
    (classes / "sad" / "notes.txt").write_text("not one either")
    assert len(folders.load_classes(classes, 24).samples) == 11
    assert "1 of 12 pictures could not be read" in caplog.text


def broken_png(path: Path) -> bytes:
    """A picture with a chunk whose name no PNG has."""
    return path.read_bytes().replace(b"IDAT", b"\x01\x02\x03\x04")


def test_one_picture_that_is_damaged_forbidden_or_a_folder_stops_nothing(
    classes: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (classes / "sad" / "0.png").write_bytes(broken_png(classes / "sad" / "0.png"))
    (classes / "sad" / "folder.jpg").mkdir()
    read_bytes = Path.read_bytes

    def forbidden(path: Path) -> bytes:
        if path.name == "1.png":
            raise PermissionError(13, "Permission denied", str(path))
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", forbidden)
    assert len(folders.load_classes(classes, 24).samples) == 12 - 1 - 3
    assert "4 of 12 pictures could not be read" in caplog.text


def test_one_damaged_crop_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crops = tmp_path / "crops"
    for age in (5, 30, 60):
        picture(crops / f"{age}_1_c.png", age)
    (crops / "30_1_c.png").write_bytes(broken_png(crops / "30_1_c.png"))
    (crops / "40_1_folder.png").mkdir()
    with zipfile.ZipFile(tmp_path / "crops.zip", "w") as archive:
        for file in sorted(crops.iterdir()):
            archive.write(file, file.name)
    whole = (tmp_path / "crops.zip").read_bytes()
    start = whole.index(b"IDAT", whole.index(b"60_1_c.png"))
    (tmp_path / "crops.zip").write_bytes(whole[:start] + b"????" + whole[start + 4 :])  # its sum is wrong now
    for source, left in ((crops, [0, 3]), (tmp_path / "crops.zip", [0])):
        assert folders.load_gender_age(source, 24).samples.targets["age"].argmax(1).tolist() == left

    def forbidden(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", forbidden)
    with pytest.raises(DataProblem, match="no readable picture"):
        folders.load_gender_age(crops, 24)


def test_folders_without_classes_or_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match="not a folder"):
        folders.load_classes(tmp_path / "missing", 24)
    with pytest.raises(DataProblem, match="at least two subfolders"):
        folders.load_classes(tmp_path, 24)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "broken.jpg").write_bytes(b"\xff\xd8 no")
    with pytest.raises(DataProblem, match="no readable picture"):
        folders.load_classes(tmp_path, 24)


def test_affectnets_own_layout(tmp_path: Path) -> None:
    for number, label in enumerate((0, 7, 3)):
        picture(tmp_path / "images" / f"{number}.jpg", number)
        (tmp_path / "annotations").mkdir(exist_ok=True)
        np.save(tmp_path / "annotations" / f"{number}_exp.npy", np.array(label))
    samples = folders.load_classes(tmp_path, 24).samples
    assert samples.targets["folder"].argmax(1).tolist() == [0, 7, 3]
    np.save(tmp_path / "annotations" / "1_exp.npy", np.array(8))
    with pytest.raises(DataProblem, match="label 8"):
        folders.load_classes(tmp_path, 24)
    (tmp_path / "annotations" / "1_exp.npy").unlink()
    with pytest.raises(DataProblem, match=r"not the label of 1\.jpg"):
        folders.load_classes(tmp_path, 24)


def test_age_and_gender_come_from_the_name_and_copies_are_dropped(tmp_path: Path) -> None:
    first = picture(tmp_path / "17_0_2_a.png", 1)
    picture(tmp_path / "18_1_0_b.png", 2)
    picture(tmp_path / "59_1_x.png", 3)
    picture(tmp_path / "60_0_y.png", 4)
    (tmp_path / "17_0_2_copy.png").write_bytes(first.read_bytes())
    samples = folders.load_gender_age(tmp_path, 24).samples
    assert samples.targets["age"].argmax(1).tolist() == [0, 1, 2, 3]
    assert samples.targets["gender"].argmax(1).tolist() == [0, 1, 1, 0]


def test_a_zip_of_crops_is_read_too(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "crops.zip", "w") as archive:
        for age in (5, 30):
            archive.write(picture(tmp_path / f"{age}_1_c.png", age), f"faces/{age}_1_c.png")
    assert len(folders.load_gender_age(tmp_path / "crops.zip", 24, limit=1).samples) == 1
    (tmp_path / "bad.zip").write_bytes(b"PK no")
    with pytest.raises(DataProblem, match="neither a folder nor"):
        folders.load_gender_age(tmp_path / "bad.zip", 24)


def test_names_without_an_age_are_refused(tmp_path: Path) -> None:
    picture(tmp_path / "ann.png", 1)
    with pytest.raises(DataProblem, match=r"named \[age\]"):
        folders.load_gender_age(tmp_path, 24)


def test_a_face_is_cut_out_first_when_asked(tmp_path: Path) -> None:
    picture(tmp_path / "20_0_a.png", 1)
    picture(tmp_path / "30_1_b.png", 2, size=40)
    samples = folders.load_gender_age(
        tmp_path, 24, cut=lambda photo: photo[:10, :10] if len(photo) == 40 else None
    ).samples
    assert samples.targets["age"].argmax(1).tolist() == [1]
    with pytest.raises(DataProblem, match="no readable picture"):
        folders.load_gender_age(tmp_path, 24, cut=lambda _: None)


def test_the_command_line_trains_on_folders(classes: Path, tmp_path: Path) -> None:
    common = ["--epochs", "1", "--threads", "1", "--out", str(tmp_path / "run")]
    assert (
        train.main(["--config", "resnet18_folder", "--data", str(classes), "--max-images", "9", *common]) == 0
    )
    crops = tmp_path / "crops"
    for age in (10, 20, 40, 70):
        picture(crops / f"{age}_1_c.png", age)
    assert train.main(["--config", "gender_age", "--data", str(crops), *common]) == 0


def crops(folder: Path, ages: range) -> Path:
    for age in ages:
        picture(folder / f"{age:03}_{age % 2}_c.png", age, size=20 + age % 3)
    return folder


def trained_on(config: str, data: Path, out: Path, *more: str) -> None:
    run = ["--config", config, "--data", str(data), "--out", str(out), "--epochs", "1", "--threads", "1"]
    assert train.main([*run, *more]) == 0


def measured(
    capsys: pytest.CaptureFixture[str], weights: Path, data: Path, *more: str
) -> tuple[dict[str, str], str]:
    """The ``name: value`` lines, and all that was printed."""
    capsys.readouterr()
    assert evaluate.main(["--weights", str(weights), "--data", str(data), "--views", "straight", *more]) == 0
    printed = capsys.readouterr().out
    return dict(line.split(": ") for line in printed.rpartition("\n\n")[2].strip().splitlines()), printed


def accuracy_of(folder: Path) -> float:
    with (folder / "history.csv").open() as file:
        (epoch,) = csv.DictReader(file)
    return float(epoch["validation_accuracy"])


def test_gender_and_age_group_are_measured_on_the_part_kept_for_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = crops(tmp_path / "crops", range(1, 81))
    trained_on("gender_age", data, tmp_path)
    values, printed = measured(capsys, tmp_path / CHECKPOINT, data)
    assert values["pictures"] == "24"
    assert float(values["gender_accuracy"]) == pytest.approx(accuracy_of(tmp_path), abs=0.09)
    assert 0 <= float(values["age_accuracy"]) <= 1
    assert "0 of 80 pictures were left out" in printed
    assert "honest" not in printed
    assert "honest" in measured(capsys, tmp_path / BEST, data)[1]


def test_pictures_that_are_left_out_move_no_other_to_the_other_side() -> None:
    def sides(places: list[int]) -> list[list[int]]:
        images = torch.tensor(places, dtype=torch.uint8).view(-1, 1, 1, 1)
        samples = Samples(images, {"a": torch.ones(len(places), 1)}, {"a": torch.ones(len(places))})
        pictures = folders.Pictures(samples, np.array(places), 60)
        return [
            part.images.flatten().tolist() for part in train.cut_in_two(configs.get("gender_age"), pictures)
        ]

    learned, kept = sides(list(range(60)))
    assert (len(learned), len(kept)) == (42, 18)
    some = [place for place in range(60) if place % 3]
    assert sides(some) == [[at for at in learned if at % 3], [at for at in kept if at % 3]]


def test_what_a_run_was_given_is_found_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = crops(tmp_path / "crops", range(1, 91))  # every third is 20 pixels large: the detector misses it

    def find(photo: np.ndarray) -> list[tuple[float, float, float, float]]:
        return [] if len(photo) == 20 else [(0.0, 0.0, 20.0, 20.0)]

    monkeypatch.setattr(detectors, "hog", lambda: (find, SQUARE))
    trained_on("gender_age", data, tmp_path, "--detect", "--limit", "60")
    values, printed = measured(capsys, tmp_path / CHECKPOINT, data)
    assert "20 of 60 pictures were left out" in printed
    assert 8 <= int(values["pictures"]) < 18
    assert float(values["gender_accuracy"]) == pytest.approx(accuracy_of(tmp_path), abs=0.15)
    again = ["--config", "gender_age", "--data", str(data), "--out", str(tmp_path), "--resume"]
    assert train.main(again) == 1
    assert "other pictures" in capsys.readouterr().err


def test_a_checkpoint_from_before_was_given_all_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = crops(tmp_path / "crops", range(1, 81))
    trained_on("gender_age", data, tmp_path)
    state = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    del state["chosen"]
    torch.save(state, tmp_path / "old.pt")
    assert measured(capsys, tmp_path / "old.pt", data)[0]["pictures"] == "24"


def test_a_run_on_classes_is_measured_on_the_part_kept_for_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for label, name in enumerate(("angry", "bored", "calm")):
        for number in range(20):
            picture(tmp_path / "data" / name / f"{number}.png", 100 * label + number)
    trained_on("resnet18_folder", tmp_path / "data", tmp_path, "--max-images", "50")
    values, printed = measured(
        capsys, tmp_path / BEST, tmp_path / "data", "--figures", str(tmp_path / "figures")
    )
    assert values["pictures"] == "5"
    assert float(values["accuracy"]) == pytest.approx(accuracy_of(tmp_path), abs=0.21)
    assert {"macro_f1", "ece", "ms_per_face_batch1", "ms_per_face_batch32"} <= values.keys()
    assert "specificity" in printed
    assert "bored" in printed
    assert (tmp_path / "figures" / "confusion-folder.png").is_file()


def test_another_folder_is_measured_whole_with_the_classes_of_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for label, name in enumerate(("angry", "bored", "calm")):
        for number in range(8):
            picture(tmp_path / "data" / name / f"{number}.png", 100 * label + number)
    trained_on("resnet18_folder", tmp_path / "data", tmp_path)
    for name in ("bored", "calm"):
        picture(tmp_path / "other" / name / "a.png", 1)
    values, printed = measured(capsys, tmp_path / CHECKPOINT, tmp_path / "other", "--whole")
    assert values["pictures"] == "2"
    assert re.search(r"^angry +0 ", printed, re.MULTILINE)
    picture(tmp_path / "other" / "happy" / "a.png", 1)
    weights = ["--weights", str(tmp_path / CHECKPOINT), "--data", str(tmp_path / "other")]
    assert evaluate.main(weights) == 1
    assert "not those of the run: angry, bored, calm" in capsys.readouterr().err


def test_a_run_on_affectnets_layout_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data" / "annotations").mkdir(parents=True)
    for number in range(24):
        picture(tmp_path / "data" / "images" / f"{number}.jpg", number)
        np.save(tmp_path / "data" / "annotations" / f"{number}_exp.npy", np.array(number % 8))
    trained_on("resnet18_folder", tmp_path / "data", tmp_path)
    values, printed = measured(capsys, tmp_path / CHECKPOINT, tmp_path / "data")
    assert values["pictures"] == "2"
    assert "Contempt" in printed


def test_crops_are_no_data_for_a_network_of_emotions(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate.main(["--weights", str(trained / CHECKPOINT), "--data", str(tmp_path)]) == 1
    assert "reads challenge, ferplus" in capsys.readouterr().err
