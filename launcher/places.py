"""Where things are."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LONGEST_SOCKET_PATH = 100
"""Bytes a unix socket's path may have: 108 with the final zero on Linux, 104 on macOS."""


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The folder of everything Rollcall writes: database, photos, logs, Redis' own data."""

    path: Path

    @classmethod
    def from_environment(cls) -> DataFolder:
        """``ROLLCALL_DATA_DIR``, or ``var`` in the repository."""
        return cls(Path(os.environ.get("ROLLCALL_DATA_DIR") or ROOT / "var").absolute())

    @property
    def logs(self) -> Path:
        return self.path / "log"

    @property
    def redis(self) -> Path:
        return self.path / "redis"

    @property
    def secret_key(self) -> Path:
        return self.path / "secret_key"

    @property
    def sealing_keys(self) -> Path:
        """Keys of photos and encodings, separated by commas, the newest first."""
        return self.path / "sealing_keys"

    @property
    def redis_socket(self) -> Path:
        """The embedded Redis' socket; in the temporary folder if the path would not do here or in a URL."""
        beside = self.redis / "redis.sock"
        if len(os.fsencode(beside)) <= LONGEST_SOCKET_PATH and re.fullmatch(
            r"[\w./-]+", str(beside), re.ASCII
        ):
            return beside
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"rollcall-{os.getuid()}-{digest}" / "redis.sock"
