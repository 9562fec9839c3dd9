"""Where the demo's photos come from: files inside Python packages, pinned by SHA-256. Terms: ``docs/demo.md``."""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from attendance.demo.errors import PhotosUnavailable

FETCH_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Archive:
    """A file of the package index, the same one for every machine."""

    requirement: str
    sha256: str
    arguments: tuple[str, ...]
    """What makes pip choose exactly this file."""


# The one platform is only the name of a file: nothing of it is ever run.
_ONE_WHEEL = (
    *("--only-binary", ":all:", "--implementation", "cp", "--python-version", "3.11", "--abi", "cp311"),
    *("--platform", "manylinux_2_28_x86_64", "--platform", "manylinux_2_24_x86_64"),
)
FACE_RECOGNITION = Archive(
    "face_recognition==1.3.0",
    "5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec",
    ("--no-binary", ":all:", "--no-build-isolation"),
)
SCIKIT_IMAGE = Archive(
    "scikit-image==0.26.0", "74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af", _ONE_WHEEL
)
MATHICS = Archive(
    "mathics3==10.0.1",
    "9358266ed80c530a930bd3457f270cc7dc65edc27f9cf91ba33b4efd831a1d9f",
    ("--only-binary", ":all:", "--implementation", "py", "--python-version", "3.11", "--abi", "none",
     "--platform", "any"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """One photo, and where it is inside which package. ``archive`` None: matplotlib, which is installed."""

    name: str
    archive: Archive | None
    member: str
    sha256: str


SOURCES = (
    Source("obama.jpg", FACE_RECOGNITION, "face_recognition-1.3.0/tests/test_images/obama.jpg",
           "0930e3aa8cae5920329c0c8cbc6a2ab70f47b0e67b432875beaa95cbf7e741f6"),
    Source("obama2.jpg", FACE_RECOGNITION, "face_recognition-1.3.0/tests/test_images/obama2.jpg",
           "a7efcc907375274796f39646510704aa86672d59f6d5469d69af3c85590976a6"),
    Source("obama3.jpg", FACE_RECOGNITION, "face_recognition-1.3.0/tests/test_images/obama3.jpg",
           "76ac6bf97c36dc2da0ad16a537d6a5ac1b10f48d49aac29a0cca9a17cdbc3ca3"),
    Source("biden.jpg", FACE_RECOGNITION, "face_recognition-1.3.0/tests/test_images/biden.jpg",
           "3c17508bb91554c637a2eabddfae790e5bb1caba93130814fc2ac50be9760c4c"),
    Source("collins.png", SCIKIT_IMAGE, "skimage/data/astronaut.png",
           "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5"),
    Source("einstein.jpg", MATHICS, "mathics/data/ExampleData/Einstein.jpg",
           "3b08e40016bf8d18b8df6baa581f11b4bf4ceeafc19814bacbcc895c999ae047"),
    Source("lamarr.tif", MATHICS, "mathics/data/ExampleData/hedy.tif",
           "c1bef2ea0085746fb18cccb4714e1ce7d98b78ca525e111ada2907aabb131be0"),
    Source("hopper.jpg", None, "mpl-data/sample_data/grace_hopper.jpg",
           "a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130"),
)  # fmt: skip


def folder() -> Path:
    """Where fetched photos are kept between two demos."""
    return Path(settings.DATA_DIR) / "demo-photos"


def missing() -> list[Source]:
    """The photos that are not on disk, or are not the pinned ones."""
    return [source for source in SOURCES if _digest(folder() / source.name) != source.sha256]


def fetch() -> dict[str, Path]:
    """All photos by name, fetched where they are not here yet. Raises PhotosUnavailable."""
    wanted = missing()
    if wanted:
        folder().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="rollcall-demo-") as scratch:
            for archive in {source.archive for source in wanted}:
                own = [source for source in wanted if source.archive is archive]
                package = _installed_matplotlib() if archive is None else _download(archive, Path(scratch))
                _take_out(package, own)
    return {source.name: folder() / source.name for source in SOURCES}


def _download(archive: Archive, scratch: Path) -> Path:
    """One archive by pip, whose index, cache and certificates are the ones this machine is set up with."""
    where = scratch / archive.requirement.split("==")[0]
    where.mkdir()
    requirements = where / "requirements.txt"
    requirements.write_text(f"{archive.requirement} --hash=sha256:{archive.sha256}\n", encoding="ascii")
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check"),
        *("--require-hashes", "--dest", str(where), *archive.arguments, "--requirement", str(requirements)),
    ]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=FETCH_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PhotosUnavailable(
            f"The demo's photos could not be fetched: pip did not finish ({error})."
        ) from error
    found = [path for path in where.iterdir() if _digest(path) == archive.sha256]
    if done.returncode != 0 or not found:
        said = next((line for line in reversed(done.stderr.splitlines()) if line.startswith("ERROR")), "")
        raise PhotosUnavailable(
            f"The demo's photos could not be fetched: pip did not get {archive.requirement} from the package "
            f"index; is this machine online?{f' ({said})' if said else ''}"
        )
    return found[0]


def _installed_matplotlib() -> Path:
    spec = importlib.util.find_spec("matplotlib")
    if spec is None or spec.origin is None:
        raise PhotosUnavailable("The demo's photos could not be fetched: matplotlib is not installed.")
    return Path(spec.origin).parent


def _take_out(package: Path, sources: Iterable[Source]) -> None:
    """Copy photos out of a wheel, a source archive or a folder; each is checked before it gets its name."""
    for source in sources:
        try:
            content = _read_member(package, source.member)
        except (OSError, KeyError, tarfile.TarError, zipfile.BadZipFile) as error:
            raise PhotosUnavailable(f"The demo's photo {source.member} is not in {package.name}.") from error
        if hashlib.sha256(content).hexdigest() != source.sha256:
            raise PhotosUnavailable(
                f"The demo's photo {source.name} in {package.name} is not the pinned one."
            )
        partial = folder() / f"{source.name}.partial"
        partial.write_bytes(content)
        partial.replace(folder() / source.name)


def _read_member(package: Path, member: str) -> bytes:
    if package.is_dir():
        return (package / member).read_bytes()
    if package.suffix == ".whl":
        with zipfile.ZipFile(package) as wheel:
            return wheel.read(member)
    with tarfile.open(package) as archive:
        stream = archive.extractfile(member)
        if stream is None:
            raise KeyError(member)
        return stream.read()


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""
