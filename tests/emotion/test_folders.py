"""Folders of pictures: by class, AffectNet's layout, age and gender in the name; and folders that are none of it."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emotion import evaluate, folders, train
from emotion.errors import DataProblem
from emotion.training import CHECKPOINT


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
    samples = folders.load_classes(classes, 24)
    assert samples.images.shape == (12, 3, 24, 24)
    assert samples.targets["folder"].sum(dim=0).tolist() == [4, 4, 4]


def test_a_limit_is_spread_over_the_classes(classes: Path) -> None:
    samples = folders.load_classes(classes, 24, max_images=6)
    assert samples.targets["folder"].sum(dim=0).tolist() == [2, 2, 2]


def test_pictures_that_cannot_be_read_are_left_out(classes: Path, caplog: pytest.LogCaptureFixture) -> None:
    (classes / "sad" / "0.png").write_bytes(b"no picture")
    (classes / "sad" / "notes.txt").write_text("not one either")
    assert len(folders.load_classes(classes, 24)) == 11
    assert "1 pictures could not be read" in caplog.text


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
    samples = folders.load_classes(tmp_path, 24)
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
    samples = folders.load_gender_age(tmp_path, 24)
    assert samples.targets["age"].argmax(1).tolist() == [0, 1, 2, 3]
    assert samples.targets["gender"].argmax(1).tolist() == [0, 1, 1, 0]


def test_a_zip_of_crops_is_read_too(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "crops.zip", "w") as archive:
        for age in (5, 30):
            archive.write(picture(tmp_path / f"{age}_1_c.png", age), f"faces/{age}_1_c.png")
    assert len(folders.load_gender_age(tmp_path / "crops.zip", 24, limit=1)) == 1
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
    )
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


def test_gender_and_age_group_are_measured_on_the_part_kept_for_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for age in range(1, 81):
        picture(tmp_path / "crops" / f"{age}_{age % 2}_c.png", age)
    run = ["--epochs", "1", "--threads", "1", "--out", str(tmp_path)]
    assert train.main(["--config", "gender_age", "--data", str(tmp_path / "crops"), *run]) == 0
    measured = ["--weights", str(tmp_path / "last.pt"), "--data", str(tmp_path / "crops")]
    capsys.readouterr()
    assert evaluate.main([*measured, "--views", "straight"]) == 0
    values = dict(line.split(": ") for line in capsys.readouterr().out.strip().splitlines()[-7:])
    assert values["pictures"] == "24"
    with (tmp_path / "history.csv").open() as file:
        (epoch,) = csv.DictReader(file)
    assert float(values["gender_accuracy"]) == pytest.approx(float(epoch["validation_accuracy"]), abs=0.09)
    assert 0 <= float(values["age_accuracy"]) <= 1


def test_crops_are_no_data_for_a_network_of_emotions(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate.main(["--weights", str(trained / CHECKPOINT), "--data", str(tmp_path)]) == 1
    assert "reads challenge, ferplus" in capsys.readouterr().err
