"""What stands in the way of a start is told in one sentence."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from launcher import checks
from launcher.errors import DiskFull, LaunchError

ROOT = Path(__file__).resolve().parents[2]


def test_a_taken_port_is_named_with_the_way_out() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(LaunchError, match=rf"^Port {port} is taken by another program.*--port N\.$"):
            checks.need_free_port("127.0.0.1", port)


def test_a_free_port_passes_and_stays_free() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    checks.need_free_port("127.0.0.1", port)
    checks.need_free_port("127.0.0.1", port)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(LaunchError, match=r"The address 203\.0\.113\.7:8000 cannot be used"):
        checks.need_free_port("203.0.113.7", 8000)


def test_a_full_disk_is_told_with_what_is_needed_and_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=5 * checks.MIB)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage)
    with pytest.raises(DiskFull, match=r"^The disk is full: Rollcall needs 300 MiB .* and 5 MiB are free\.$"):
        checks.need_free_disk(tmp_path / "not" / "made" / "yet", 300 * checks.MIB, "Rollcall")
    checks.need_free_disk(tmp_path, 5 * checks.MIB, "Rollcall")


def test_run_finds_no_suitable_python_and_says_so(tmp_path: Path) -> None:
    """Only an old ``python3`` on the path, one that answers like Python 3.9 would."""
    for tool in ("dirname", "sh"):
        found = shutil.which(tool)
        assert found
        (tmp_path / tool).symlink_to(found)
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2 && exit 0\nexit 1\n')
    old.chmod(0o755)
    script = tmp_path / "run"
    # The real script, looking only at the path: what this machine has in fixed places is not its business here.
    text = (ROOT / "run").read_text(encoding="utf-8")
    script.write_text(text.replace("/usr/", "/nowhere/").replace("/opt/", "/nowhere/"), encoding="utf-8")
    answer = subprocess.run(
        ["/bin/sh", script],
        env={"PATH": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.count("\n") == 1
    assert "Python 3.11 or 3.12 is needed and none was found (python3 is Python 3.9.2)" in answer.stderr


@pytest.mark.parametrize("words", [["--port", "0"], ["--port", "70000"], ["--port", "eighty"], ["wbe"]])
def test_a_wrong_word_is_refused_before_anything_happens(words: list[str], tmp_path: Path) -> None:
    env = {**os.environ, "ROLLCALL_DATA_DIR": str(tmp_path / "data")}
    answer = subprocess.run([ROOT / "run", *words], env=env, capture_output=True, text=True)
    assert answer.returncode == 2
    assert words[-1] in answer.stderr.splitlines()[-1]
    assert not (tmp_path / "data").exists()
