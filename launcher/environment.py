"""The settings the programs are started with, as environment variables."""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from launcher.places import VENV, DataFolder

DEFAULT_PORT = 8000
DEFAULT_HOST = "127.0.0.1"


def settings_environment(data: DataFolder, *, port: int | None = None) -> dict[str, str]:
    """This process's environment, with what was not set filled in for one machine.

    The secret key and the key that seals photos are made once and kept in the data folder; Redis is the embedded
    one unless ``REDIS_URL`` is set.
    """
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    env["PATH"] = f"{VENV / 'bin'}{os.pathsep}{env.get('PATH', os.defpath)}"
    env["VIRTUAL_ENV"] = str(VENV)
    env["ROLLCALL_DATA_DIR"] = str(data.path)
    env.setdefault("ROLLCALL_PORT", str(DEFAULT_PORT))
    if port is not None:
        env["ROLLCALL_PORT"] = str(port)
    if not is_given("REDIS_URL", env):
        env["REDIS_URL"] = f"unix://{data.redis_socket}"
    if not is_given("SECRET_KEY", env):
        env["SECRET_KEY"] = local_secret(data.secret_key, secrets.token_urlsafe(50))
    if not is_given("ROLLCALL_KEYS", env):
        fresh = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        env["ROLLCALL_KEYS"] = local_secret(data.sealing_keys, fresh)
    env["PYTHONUNBUFFERED"] = "1"
    env.setdefault("PYTHONWARNINGS", "ignore:pkg_resources is deprecated:UserWarning")
    return env


def is_given(name: str, env: Mapping[str, str]) -> bool:
    """Whether a person set it, or named a file that holds it; the settings read that file."""
    return bool(env.get(name) or env.get(f"{name}_FILE"))


def local_secret(file: Path, fresh: str) -> str:
    """The secret kept in ``file``, at the first call ``fresh``; readable by its owner only."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as out:
            out.write(fresh)
    return file.read_text(encoding="ascii").strip()
