"""The virtual environment: filled once, repaired when interrupted, with the right build of PyTorch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from launcher import checks, packages
from launcher.console import Step
from launcher.errors import DiskFull, LaunchError, Stopped
from launcher.packages import Installer


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder with lists of packages and no ``.venv``; making one is quick and empty."""
    root = tmp_path / "project"
    root.mkdir()
    for name in (*packages.RUNTIME_LISTS, packages.DEVELOPMENT_LIST):
        (root / name).write_text(f"# {name}\n")
    (root / "requirements-torch.txt").write_text("# why\ntorch==2.13.0\n")
    monkeypatch.setattr(packages, "ROOT", root)
    monkeypatch.setattr(packages, "VENV", root / ".venv")
    monkeypatch.setattr(packages, "PYTHON", root / ".venv" / "bin" / "python")
    monkeypatch.setattr(packages, "UNFINISHED", root / ".venv" / "unfinished")
    monkeypatch.setattr(packages, "make_environment", lambda: make_link(root))
    return root


def make_link(root: Path) -> None:
    (root / ".venv" / "bin").mkdir(parents=True, exist_ok=True)
    link = root / ".venv" / "bin" / "python"
    if not link.exists():
        link.symlink_to(sys.executable)


class Record:
    """Stands in for the installing itself: what was asked for, and what should happen."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.failure: BaseException | None = None

    def __call__(self, installer: Installer, lists: Sequence[str]) -> None:
        self.asked.append(list(lists))
        if self.failure:
            raise self.failure


@pytest.fixture
def installing(bare: Path, monkeypatch: pytest.MonkeyPatch) -> Record:
    record = Record()
    monkeypatch.setattr(packages, "install", record)
    return record


def test_a_second_start_installs_nothing(bare: Path, installing: Record) -> None:
    packages.ensure_packages(bare / "log", development=False)
    packages.ensure_packages(bare / "log", development=False)
    assert installing.asked == [list(packages.RUNTIME_LISTS)]


def test_a_changed_list_and_the_test_packages_are_installed_when_asked_for(
    bare: Path, installing: Record
) -> None:
    packages.ensure_packages(bare / "log", development=False)
    packages.ensure_packages(bare / "log", development=True)
    assert packages.DEVELOPMENT_LIST in installing.asked[1]
    (bare / "requirements.txt").write_text("# changed\n")
    packages.ensure_packages(bare / "log", development=False)
    assert len(installing.asked) == 3


@pytest.mark.parametrize("failure", [Stopped(), DiskFull("full"), KeyboardInterrupt()])
def test_an_interrupted_set_up_is_made_anew_at_the_next_start(
    failure: BaseException, bare: Path, installing: Record
) -> None:
    installing.failure = failure
    with pytest.raises(type(failure)):
        packages.ensure_packages(bare / "log", development=False)
    (bare / ".venv" / "half-written").touch()
    installing.failure = None
    packages.ensure_packages(bare / "log", development=False)
    assert not (bare / ".venv" / "half-written").exists()
    assert packages.stored_stamp("requirements.txt") == packages.stamp("requirements.txt")


def test_a_failed_download_keeps_what_is_there_and_is_tried_again(bare: Path, installing: Record) -> None:
    installing.failure = LaunchError("no network")
    with pytest.raises(LaunchError, match="no network"):
        packages.ensure_packages(bare / "log", development=False)
    (bare / ".venv" / "kept").touch()
    installing.failure = None
    packages.ensure_packages(bare / "log", development=False)
    assert (bare / ".venv" / "kept").exists()
    assert len(installing.asked) == 2


def test_an_environment_whose_python_is_gone_is_made_anew(bare: Path, installing: Record) -> None:
    packages.ensure_packages(bare / "log", development=False)
    link = bare / ".venv" / "bin" / "python"
    link.unlink()
    link.symlink_to("/nowhere/python")
    packages.ensure_packages(bare / "log", development=False)
    assert len(installing.asked) == 2
    assert os.path.realpath(link) == os.path.realpath(sys.executable)


def test_too_little_room_is_told_before_anything_is_made(
    bare: Path, installing: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(folder: Path, needed: int, what: str) -> None:
        raise DiskFull(f"{what} {needed}")

    monkeypatch.setattr(checks, "need_free_disk", full)
    with pytest.raises(DiskFull, match=f"Setting up {checks.NEEDED_FOR_PACKAGES}"):
        packages.ensure_packages(bare / "log", development=False)
    assert not (bare / ".venv").exists()
    assert installing.asked == []


@pytest.mark.parametrize("development", [False, True])
def test_packages_are_compiled_once_on_all_cores_and_not_at_all_for_tests(
    installer: Installer, monkeypatch: pytest.MonkeyPatch, development: bool
) -> None:
    done: list[list[str]] = []
    monkeypatch.setattr(
        packages, "run_logged", lambda command, *rest, **more: done.append(list(command)) or 0
    )
    monkeypatch.setattr(packages, "installed_torch", lambda: "")
    lists = [*packages.RUNTIME_LISTS, *([packages.DEVELOPMENT_LIST] if development else [])]
    packages.install(installer, lists)
    by_pip = [command for command in done if "pip" in command]
    assert len(by_pip) == len(lists)
    assert all("--no-compile" in command for command in by_pip)
    assert [command[-3:-1] for command in done if "compileall" in command] == [["-j", "0"]] * (
        not development
    )


class TorchAnswers:
    """pip's side of choosing a build: whether a local folder has it, and what was installed in the end."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, local: bool, gpu: bool) -> None:
        self.local = local
        self.installed: list[str] = []
        monkeypatch.setattr(Installer, "pip", lambda installer, arguments, progress: self.pip(arguments))
        monkeypatch.setattr(packages, "installed_torch", lambda: "")
        monkeypatch.setattr(packages, "has_gpu", lambda: gpu)
        monkeypatch.setattr(sys, "platform", "linux")

    def pip(self, arguments: Sequence[str]) -> int:
        if "--no-index" in arguments and not self.local:
            return 1
        self.installed = list(arguments)
        return 0


@pytest.fixture
def installer(bare: Path) -> Installer:
    make_link(bare)
    return Installer(bare / "log", dict(os.environ))


def test_a_cpu_build_in_a_local_folder_is_taken(
    installer: Installer, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = TorchAnswers(monkeypatch, local=True, gpu=False)
    packages.install_torch(installer, Step("torch"))
    assert {"--no-index", "--no-deps"} <= set(answers.installed)


def test_without_a_gpu_cuda_packages_are_never_brought(
    installer: Installer, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = TorchAnswers(monkeypatch, local=False, gpu=False)
    packages.install_torch(installer, Step("torch"))
    assert answers.installed[answers.installed.index("--index-url") + 1] == packages.TORCH_CPU_INDEX
    assert "--no-deps" in answers.installed


def test_with_a_gpu_torch_comes_with_cuda_and_moves_no_other_pin(
    installer: Installer, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = TorchAnswers(monkeypatch, local=True, gpu=True)
    packages.install_torch(installer, Step("torch"))
    held = Path(answers.installed[answers.installed.index("-c") + 1]).read_text()
    assert "setuptools==" in held
    assert "--no-deps" not in answers.installed


def test_torch_that_is_there_is_left_alone(installer: Installer, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = TorchAnswers(monkeypatch, local=True, gpu=False)
    monkeypatch.setattr(packages, "installed_torch", lambda: "2.13.0")
    assert packages.install_torch(installer, Step("torch")) == "already there"
    assert answers.installed == []


def test_pips_last_words_are_shown_when_it_fails(
    installer: Installer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(packages, "PYTHON", Path("/bin/echo"))
    monkeypatch.setattr(packages, "run_logged", failing_run)
    with pytest.raises(LaunchError, match=r"^The packages could not be installed; all that pip said is in "):
        installer.install(["-r", "x"], Step("packages"), "The packages")
    assert "pip | ERROR: no route to the index" in capsys.readouterr().err


def failing_run(command: Sequence[str], log: Path, **rest: object) -> int:
    log.write_text("ERROR: no route to the index\n")
    return 1


def test_every_hash_list_is_complete() -> None:
    """pip itself checks: each entry of the hashed lists is pinned by == and has a hash."""
    root = Path(__file__).resolve().parents[2]
    for name in ("requirements.txt", "requirements-nodeps.txt", "requirements-dev.txt"):
        entries = (root / name).read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
        pins = [line for line in entries if line.strip() and not line.lstrip().startswith("#")]
        assert pins
        assert [line for line in pins if "==" not in line or "--hash=sha256:" not in line] == []


def test_what_is_installed_is_what_is_pinned() -> None:
    """The environment the tests run in agrees with the lists, so what passed here is what a school gets."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "list", "--format=json"], capture_output=True, text=True, check=True
    )
    installed = {
        item["name"].lower().replace("_", "-"): item["version"] for item in json.loads(listed.stdout)
    }
    root = Path(__file__).resolve().parents[2]
    text = (root / "requirements.txt").read_text(encoding="utf-8")
    pins = dict(
        line.split(" ")[0].split("==") for line in text.splitlines() if "==" in line and ";" not in line
    )
    wrong = {name: (installed.get(name), pin) for name, pin in pins.items() if installed.get(name) != pin}
    assert wrong == {}
