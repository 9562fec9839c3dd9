"""The engine as the rest of the house sees it, and the recipes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from recognition import recipes, threads
from recognition.dlib_reference import DlibEncoder
from recognition.encoding import shared_encoder
from recognition.engine import Engine, load_engine
from recognition.errors import ImageError, UnknownName
from recognition.evaluate.detect import read_image
from recognition.recipes import RECIPES, Jitter, Recipe, encode_views, recipe_named
from recognition.types import Box, Detection, Image
from tests.recognition.faces import drawn_face

CASES = [
    ("default", None, "fast"),
    ("default", None, "accurate"),
    ("default", "hog", "accurate"),
    ("dlib", None, None),
]


@pytest.fixture(scope="module")
def scene() -> Image:
    image = np.full((420, 640, 3), (150, 165, 180), np.uint8)
    for left, size in ((460, 60), (10, 150), (330, 50)):
        image[40 : 40 + 2 * size, left : left + 2 * size] = drawn_face(size)
    return image


@pytest.mark.parametrize(("name", "detector", "recipe"), CASES)
def test_faces_of_a_scene(scene: Image, name: str, detector: str | None, recipe: str | None) -> None:
    faces = load_engine(name, detector=detector, recipe=recipe).analyse(scene)
    assert len(faces) == 3
    lefts = [face.detection.box.left for face in faces]
    assert lefts == sorted(lefts)
    for face in faces:
        assert face.chip.shape == (150, 150, 3)
        assert face.chip.dtype == np.uint8
        assert face.encoding.shape == (128,)
        assert face.encoding.dtype == np.float32
        assert 1.0 < np.linalg.norm(face.encoding) < 2.0
    # One drawn person three times over.
    distances = [np.linalg.norm(faces[0].encoding - face.encoding) for face in faces[1:]]
    assert max(distances) < 0.6


@pytest.mark.parametrize(("name", "detector", "recipe"), CASES)
def test_no_face(name: str, detector: str | None, recipe: str | None) -> None:
    engine = load_engine(name, detector=detector, recipe=recipe)
    assert engine.analyse(np.full((64, 64, 3), 90, np.uint8)) == []
    chips, encodings = engine.encode(np.full((64, 64, 3), 90, np.uint8), [])
    assert chips.shape == (0, 150, 150, 3)
    assert encodings.shape == (0, 128)


@pytest.mark.parametrize("name", ["default", "dlib"])
@pytest.mark.parametrize("shape", [(30, 30), (30, 30, 4), (0, 30, 3)])
def test_wrong_image(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageError):
        load_engine(name).analyse(np.zeros(shape, np.uint8))


def test_version_names_encoder_detector_and_recipe() -> None:
    assert load_engine().version == "dlibresnet1.centerface.accurate"
    assert load_engine(recipe="fast").version == "dlibresnet1.centerface.fast"
    assert load_engine("dlib").version == "dlibresnet1.hog.plain"


def test_one_engine_a_process_for_the_same_arguments() -> None:
    assert load_engine() is load_engine()
    assert load_engine(min_face_pixels=20) is not load_engine()


@pytest.mark.parametrize(
    "arguments",
    [
        {"name": "tensorflow"},
        {"detector": "haar"},
        {"recipe": "best"},
        {"name": "dlib", "recipe": "accurate"},
    ],
)
def test_unknown_names(arguments: dict[str, str]) -> None:
    with pytest.raises(UnknownName):
        load_engine(**arguments)  # type: ignore[arg-type]


def test_torch_and_dlib_agree_on_a_photo(scene: Image) -> None:
    """The same boxes and recipe through both: the chips differ by OpenCV's rounding alone."""
    ours = Engine(load_engine("dlib").detector, shared_encoder(), recipe_named("plain")).analyse(scene)
    theirs = load_engine("dlib").analyse(scene)
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert np.linalg.norm(one.encoding - other.encoding) < 0.06


def test_a_mirrored_photo_has_nearly_the_same_encodings(scene: Image) -> None:
    engine = load_engine()
    faces, mirrored = engine.analyse(scene), engine.analyse(np.ascontiguousarray(scene[:, ::-1]))
    for one, other in zip(faces, reversed(mirrored), strict=True):
        assert np.linalg.norm(one.encoding - other.encoding) < 0.25


def test_points_at_the_edge_do_no_harm() -> None:
    face = drawn_face(150)
    for cut in (face[:, 150:], face[:190], face[120:, :200]):
        for found in load_engine(min_face_pixels=20).analyse(np.ascontiguousarray(cut)):
            assert found.quality.completeness <= 1.0
            assert np.isfinite(found.encoding).all()


def test_sources_count_alike_however_many_views_they_have() -> None:
    image = drawn_face(150)
    found = load_engine().detector.detect(image)

    def encoded(*sources: str, jitters: tuple[Jitter, ...] = ()) -> np.ndarray:
        recipe = Recipe("test", sources, mirror=False, jitters=jitters)
        return encode_views(image, found, recipe, shared_encoder(), "centerface")[1][0]

    points, dlib5 = encoded("points"), encoded("dlib5")
    assert np.allclose(encoded("points", "dlib5"), (points + dlib5) / 2, atol=1e-5)
    still = (Jitter(), Jitter())
    assert np.allclose(encoded("points", "dlib5", jitters=still), (points + dlib5) / 2, atol=1e-5)


def test_mirror_averages_both_sides() -> None:
    image = drawn_face(150)
    found = load_engine().detector.detect(image)
    recipe = Recipe("test", ("points",), mirror=True)
    chips, encodings = encode_views(image, found, recipe, shared_encoder(), "centerface")
    both = shared_encoder().encode(np.stack([chips[0], chips[0][:, ::-1]]))
    assert np.allclose(encodings[0], both.mean(0), atol=1e-5)


def test_a_detection_without_points_is_aligned_by_landmarks() -> None:
    image = drawn_face(150)
    bare = [Detection(Box(75, 90, 150, 150), None, 1.0)]
    encodings = [
        encode_views(image, bare, RECIPES[name], shared_encoder(), "hog")[1] for name in ("fast", "accurate")
    ]
    assert np.allclose(encodings[0], encodings[1])


def test_frame_of_each_detector_is_the_same_face() -> None:
    image = drawn_face(200)
    boxes = []
    for name in ("centerface", "mmod", "hog"):
        engine = load_engine(detector=name, min_face_pixels=80)
        boxes += [recipes.framed(found, name) for found in engine.detector.detect(image)]
    assert len(boxes) == 3
    assert all(one.iou(boxes[2]) > 0.6 for one in boxes)


def test_thread_limit() -> None:
    import torch

    before, before_cv = torch.get_num_threads(), cv2.getNumThreads()
    try:
        threads.limit(1)
        assert torch.get_num_threads() == 1
        assert cv2.getNumThreads() == 1
        with pytest.raises(ValueError, match="at least one"):
            threads.limit(0)
    finally:
        torch.set_num_threads(before)
        cv2.setNumThreads(before_cv)


def test_known_people_are_nearest_to_themselves(shared_data: Path) -> None:
    engine = load_engine()
    train = {
        folder.name: [engine.analyse(read_image(path))[0].encoding for path in sorted(folder.iterdir())]
        for folder in sorted((shared_data / "known_people" / "train").iterdir())
    }
    for who, picture in (("obama", "obama1.jpg"), ("alex_lacamoire", "alex_lacamoire1.jpg")):
        (face,) = engine.analyse(read_image(shared_data / "known_people" / "test" / picture))
        nearest = {name: min(np.linalg.norm(face.encoding - e) for e in rows) for name, rows in train.items()}
        assert min(nearest, key=lambda name: float(nearest[name])) == who
        assert nearest[who] < 0.5


def test_reference_engine_gives_face_recognitions_encodings(shared_data: Path) -> None:
    image = read_image(shared_data / "known_people" / "train" / "obama" / "obama.jpg")
    (face,) = load_engine("dlib").analyse(image)
    by_hand = DlibEncoder().encode(face.chip[None])[0]
    assert np.array_equal(face.encoding, by_hand)
