"""The agent as a service of the user who set it up: started with the machine, started again when it ends."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import sys
from pathlib import Path

from camera import config
from camera.faults import CameraProblem

UNIT = f"{config.NAME}.service"


def command(settings: Path) -> list[str]:
    """How this very agent is started: as one file, or as a package."""
    program = Path(sys.argv[0]).resolve()
    how = [str(program)] if program.suffix == ".pyz" else ["-m", "camera"]
    return [sys.executable, *how, "--config", str(settings.resolve()), "run"]


def unit(settings: Path) -> str:
    """The text of the systemd unit."""
    words = " ".join(f'"{word}"' if " " in word else word for word in command(settings))
    package = Path(__file__).resolve().parent.parent
    path = "" if Path(sys.argv[0]).suffix == ".pyz" else f"Environment=PYTHONPATH={package}\n"
    return (
        "[Unit]\nDescription=Rollcall camera\nAfter=network-online.target\nStartLimitIntervalSec=0\n\n"
        f"[Service]\nExecStart={words}\n{path}Environment=PYTHONUNBUFFERED=1\n"
        "Restart=always\nRestartSec=10\nTimeoutStopSec=30\nNice=5\nNoNewPrivileges=yes\nUMask=0077\n\n"
        "[Install]\nWantedBy=default.target\n"
    )


def unit_path() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "systemd" / "user" / UNIT


def install(settings: Path) -> list[str]:
    """Write the unit and start it; sentences about what was done. Raises CameraProblem."""
    path = unit_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(unit(settings), encoding="utf-8")
    except OSError as error:
        raise CameraProblem(f"The service cannot be written to {path}: {error.strerror}.") from error
    said = [f"Service written to {path}."]
    if shutil.which("systemctl") is None:
        return [*said, f"There is no systemd here; start the agent yourself: {' '.join(command(settings))}"]
    for words in (["daemon-reload"], ["enable", UNIT], ["restart", UNIT]):
        done = _call(["systemctl", "--user", *words])
        if done.returncode:
            why = done.stderr.strip().splitlines()
            return [
                *said,
                f"systemctl --user {' '.join(words)} did not work ({why[-1] if why else done.returncode}). "
                f"Start the agent yourself: {' '.join(command(settings))}",
            ]
    if _call(["loginctl", "enable-linger", getpass.getuser()]).returncode:
        said.append(
            f"So that it also starts without log-in, run once: sudo loginctl enable-linger {getpass.getuser()}"
        )
    return [*said, "It runs now, and after each start of this machine."]


def state() -> str:
    """What systemd says of the service: ``active``, ``inactive``, ``failed``; empty where there is none."""
    if shutil.which("systemctl") is None or not unit_path().exists():
        return ""
    return _call(["systemctl", "--user", "is-active", UNIT]).stdout.strip()


def _call(words: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            words, capture_output=True, text=True, timeout=30, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(words, 1, "", str(error))
