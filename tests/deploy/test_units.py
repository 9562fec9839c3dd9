"""The systemd units: systemd itself reads them without a complaint, and none may do more than it must."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UNITS = sorted(unit for unit in (ROOT / "deploy" / "systemd").iterdir() if unit.suffix != ".env")
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
MOST_EXPOSED = 2.0
"""The highest score ``systemd-analyze security`` may give: 0 is shut, 10 is open; an ordinary service has 9.6."""


@pytest.fixture
def analyze() -> str:
    program = shutil.which("systemd-analyze")
    assert program, "systemd-analyze (Debian: apt-get install systemd) is needed to check deploy/systemd"
    return program


@pytest.fixture
def here(tmp_path: Path) -> list[str]:
    """The units for a Rollcall that lies in this folder, so that what they start exists."""
    for unit in UNITS:
        (tmp_path / unit.name).write_text(unit.read_text().replace("/srv/rollcall", str(ROOT)))
    return [str(tmp_path / unit.name) for unit in UNITS]


def test_systemd_has_nothing_to_say_about_them(analyze: str, here: list[str], tmp_path: Path) -> None:
    done = subprocess.run([analyze, "verify", *here], capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if "rollcall" in line]
    assert (done.returncode, said) == (0, [])
    broken = tmp_path / "rollcall-web.service"
    broken.write_text(broken.read_text().replace("MemoryMax", "MemoryMaximum"))
    again = subprocess.run([analyze, "verify", *here], capture_output=True, text=True, check=False)
    assert "MemoryMaximum" in again.stderr


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_each_may_do_little(analyze: str, unit: Path) -> None:
    done = subprocess.run(
        [analyze, "security", "--offline=true", "--no-pager", str(unit)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    score = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert score, done.stdout + done.stderr
    assert float(score[1]) <= MOST_EXPOSED


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_each_has_limits_a_user_and_no_secret_in_it(unit: Path) -> None:
    lines = unit.read_text().splitlines()
    for wanted in ("User=rollcall", "NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet="):
        assert wanted in lines
    assert any(line.startswith("MemoryMax=") for line in lines)
    assert any(line.startswith("TasksMax=") for line in lines)
    assert not re.search(r"^Environment=.*(PASSWORD|TOKEN)=", unit.read_text(), re.M)


def test_the_target_starts_every_program_and_the_nightly_backup() -> None:
    wanted = re.findall(r"^Wants=(.+)$", (ROOT / "deploy/systemd/rollcall.target").read_text(), re.M)
    programs = {f"rollcall-{name}.service" for name in ("redis", "web", "worker", "office", "beat")}
    assert programs | {"rollcall-backup.timer"} <= set(" ".join(wanted).split())
    timer = configparser.ConfigParser(strict=False, interpolation=None)
    timer.read(ROOT / "deploy/systemd/rollcall-backup.timer")
    assert timer["Timer"]["Persistent"] == "yes"
    calendar = subprocess.run(
        ["systemd-analyze", "calendar", timer["Timer"]["OnCalendar"]], capture_output=True, check=False
    )
    assert calendar.returncode == 0
