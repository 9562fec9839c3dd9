"""Secrets, each from ``NAME`` or from the file that ``NAME_FILE`` names, as containers and systemd hand them over."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

MAX_BYTES = 64 * 1024
"""More than this is not a secret but the wrong file."""


def secret(name: str, default: str = "", env: Mapping[str, str] = os.environ) -> str:
    """The secret's text without space around it; ``default`` where neither variable is set.

    Raises:
        ImproperlyConfigured: both are set, or the file is missing, unreadable, empty, too large or not text.
    """
    given, path = env.get(name, ""), env.get(f"{name}_FILE", "")
    if not path:
        return given or default
    if given:
        raise ImproperlyConfigured(f"Set {name} or {name}_FILE, not both.")
    return _content(name, Path(path))


def _content(name: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        text = raw.decode("utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE: {path} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise ImproperlyConfigured(f"{name}_FILE: {path} is not text.") from error
    if len(raw) > MAX_BYTES:
        raise ImproperlyConfigured(f"{name}_FILE: {path} is larger than a secret can be.")
    if not text:
        raise ImproperlyConfigured(f"{name}_FILE: {path} is empty.")
    return text
