"""File storage whose answer means "on disk": fsync, then rename, then fsync of the folder."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage


class DurableStorage(FileSystemStorage):
    """Writes beside, syncs, renames: a reader sees the whole file or none, also after a power cut."""

    def _save(self, name: str, content: File[bytes]) -> str:
        target = Path(self.path(name))
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
        try:
            with beside.open("xb") as out:
                for chunk in content.chunks():
                    out.write(chunk)
                out.flush()
                os.fsync(out.fileno())
            beside.rename(target)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return name


def unguessable_name(kind: str, extension: str = "jpg") -> str:
    """``kind/ab/<32 hex digits>.jpg``: 128 random bits, spread over 256 folders."""
    token = secrets.token_hex(16)
    return f"{kind}/{token[:2]}/{token}.{extension}"
