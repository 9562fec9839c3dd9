"""Files whose "written" means "on disk": a kill or a power cut leaves the old one or the new one, never half."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

TEMPORARY = ".part"


def write(path: Path, content: bytes | str) -> None:
    """Replace a file durably; only its owner may read it. Raises OSError."""
    data = content.encode() if isinstance(content, str) else content
    beside = path.with_name(path.name + TEMPORARY)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """A new name is on disk once its folder is."""
    if os.name == "nt":  # folders cannot be opened there; NTFS keeps a journal of names
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def private_folder(folder: Path) -> Path:
    """The folder, made where it is missing, readable by its owner alone. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def read_json(path: Path) -> dict[str, Any]:
    """What a file of ours holds; empty where it is missing or no JSON object."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
