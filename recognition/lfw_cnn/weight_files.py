"""The files of the second opinion and their check sums; needs no torch."""

from __future__ import annotations

from pathlib import Path

from recognition.errors import SecondOpinionUnavailable
from recognition.lfw_cnn import CHECKSUMS
from recognition.model_files import sha256_of


def checked(path: Path) -> Path:
    """The path, once its SHA-256 is the one in ``SHA256SUMS`` beside it. Raises SecondOpinionUnavailable."""
    if not path.is_file():
        raise SecondOpinionUnavailable(
            f"there is no {path}: attendance works without it, the second opinion does not"
        )
    sums = path.with_name(CHECKSUMS)
    try:
        lines = [line.split() for line in sums.read_text().splitlines()]
    except (OSError, UnicodeDecodeError) as problem:
        raise SecondOpinionUnavailable(f"{sums} cannot be read ({problem})") from problem
    wanted = {fields[1].lstrip("*"): fields[0] for fields in lines if len(fields) == 2}
    if path.name not in wanted:
        raise SecondOpinionUnavailable(f"{sums} has no line for {path.name}")
    found = sha256_of(path)
    if wanted[path.name] != found:
        raise SecondOpinionUnavailable(
            f"{path} has SHA-256 {found}, not {wanted[path.name]}: it is damaged or another file"
        )
    return path


def write_sums(folder: Path) -> None:
    """Write ``SHA256SUMS`` for the safetensors and JSON files of a folder."""
    files = sorted([*folder.glob("*.safetensors"), *folder.glob("*.json")])
    (folder / CHECKSUMS).write_text("".join(f"{sha256_of(path)}  {path.name}\n" for path in files))
