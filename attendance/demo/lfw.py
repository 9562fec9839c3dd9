"""Labeled Faces in the Wild, fetched where there is internet: for trying out a class of thirty, never shipped."""

from __future__ import annotations

import hashlib
import tarfile
import tempfile
import urllib.request
from collections.abc import Callable
from pathlib import Path

from django.conf import settings

from attendance.demo.errors import PhotosUnavailable

URL = "https://ndownloader.figshare.com/files/5976015"
"""The funneled edition, at the address and with the digest that scikit-learn's ``fetch_lfw_people`` uses."""
SHA256 = "b47c8422c8cded889dc5a13418c4bc2abbda121092b3533a83306f90d900100a"
SECONDS = 60


def fetch(say: Callable[[str], object]) -> Path:
    """The folder of people, downloaded once (244 MB). Raises PhotosUnavailable."""
    home = Path(settings.DATA_DIR) / "demo-photos" / "lfw"
    people = home / "lfw_funneled"
    if people.is_dir():
        return people
    say("Downloading Labeled Faces in the Wild (244 MB, for research only; see docs/demo.md)")
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home) as scratch:
        archive = Path(scratch) / "lfw.tgz"
        _download(archive)
        with tarfile.open(archive) as packed:
            packed.extractall(scratch, filter="data")
        (Path(scratch) / people.name).replace(people)
    return people


def _download(target: Path) -> None:
    digest = hashlib.sha256()
    try:
        with urllib.request.urlopen(URL, timeout=SECONDS) as answer, target.open("wb") as out:
            while block := answer.read(1 << 20):
                digest.update(block)
                out.write(block)
    except OSError as error:
        raise PhotosUnavailable(
            f"Labeled Faces in the Wild could not be fetched from {URL} ({getattr(error, 'reason', None) or error}); "
            "unpack it by hand and use --faces FOLDER."
        ) from error
    if digest.hexdigest() != SHA256:
        raise PhotosUnavailable(f"What {URL} sent is not the pinned archive of Labeled Faces in the Wild.")
