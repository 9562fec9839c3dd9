"""What the agent knows about itself: server, key, lens. One file that only its owner may read."""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from camera import files
from camera.faults import CameraProblem

NAME = "rollcall-camera"
MEBIBYTE = 1024 * 1024


def _folder(variable: str, fallback: Path) -> Path:
    return Path(os.environ.get(variable) or fallback) / NAME


def default_path() -> Path:
    """``ROLLCALL_CAMERA_CONFIG``, or the place the system keeps such files in."""
    stated = os.environ.get("ROLLCALL_CAMERA_CONFIG")
    if stated:
        return Path(stated)
    if os.name == "nt":
        return _folder("APPDATA", Path.home() / "AppData" / "Roaming") / "config.json"
    return _folder("XDG_CONFIG_HOME", Path.home() / ".config") / "config.json"


def default_data() -> Path:
    if os.name == "nt":
        return _folder("LOCALAPPDATA", Path.home() / "AppData" / "Local")
    return _folder("XDG_DATA_HOME", Path.home() / ".local" / "share")


@dataclass
class Config:
    """Everything ``setup`` asks for. ``data``: the folder of spool and state."""

    path: Path = field(default_factory=default_path)
    server: str = ""
    key: str = ""
    old_keys: list[str] = field(default_factory=list)
    """Keys before the last pairing: photos sealed with them may still wait in the spool."""
    camera: int = 0
    name: str = ""
    room: str = ""
    source: str = ""
    indicator: str = ""
    ca_file: str = ""
    face_model: str = ""
    delete_after: bool = False
    data: str = ""
    spool_mib: int = 1024
    spool_days: float = 7.0

    @property
    def data_folder(self) -> Path:
        return Path(self.data) if self.data else default_data()

    def save(self) -> None:
        """Raises CameraProblem where the file cannot be written."""
        kept = {key: value for key, value in dataclasses.asdict(self).items() if key != "path"}
        try:
            files.private_folder(self.path.parent)
            files.write(self.path, json.dumps(kept, indent=2) + "\n")
        except OSError as error:
            raise CameraProblem(
                f"The settings cannot be written to {self.path}: {error.strerror}."
            ) from error

    def paired(self) -> Config:
        """Itself, once it has a server and a key. Raises CameraProblem before that."""
        if not self.server or not self.key:
            raise CameraProblem(f"This camera is not set up yet ({self.path}): run `{NAME} setup`.")
        return self


def load(path: Path | None = None) -> Config:
    """The settings; defaults where there is no file yet. Raises CameraProblem for a damaged one."""
    config = Config(path=path or default_path())
    if not config.path.exists():
        return config
    found = files.read_json(config.path)
    if not found:
        raise CameraProblem(f"The settings in {config.path} cannot be read: run `{NAME} setup` again.")
    for each in dataclasses.fields(config):
        if each.name == "path" or each.name not in found:
            continue
        value, present = found[each.name], getattr(config, each.name)
        if isinstance(present, float) and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not type(present):
            raise CameraProblem(f"{config.path}: “{each.name}” must be like {present!r}, not {value!r}.")
        setattr(config, each.name, value)
    return config
