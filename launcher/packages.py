"""The virtual environment: made once, filled from pinned lists without compiling, repaired if need be."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from launcher import checks
from launcher.commands import explain_disk_full, run_logged
from launcher.console import Step, say, show_end_of, step
from launcher.errors import DiskFull, LaunchError
from launcher.places import PYTHON, ROOT, VENV

RUNTIME_LISTS = ("requirements.txt", "requirements-nodeps.txt", "requirements-torch.txt")
DEVELOPMENT_LIST = "requirements-dev.txt"
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
UNFINISHED = VENV / "unfinished"
"""Present while pip works: found at a start, it tells that an earlier set-up was killed half-way."""
WHEELS_ONLY = ("--only-binary", ":all:")


@dataclass(frozen=True, slots=True)
class Installer:
    """pip in the project's environment, its output in one log."""

    log: Path
    env: dict[str, str]

    def pip(self, arguments: Sequence[str], progress: Step) -> int:
        def show(line: str) -> None:
            if line.startswith(("Collecting ", "Building wheel", "Installing collected")):
                progress.note(" ".join(line.split()[:3]).removeprefix("Collecting "))

        command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", *arguments]
        return run_logged(command, self.log, env=self.env, on_line=show)

    def install(self, arguments: Sequence[str], progress: Step, what: str) -> None:
        """Raise with a sentence, after showing the end of the log, if pip fails."""
        if self.pip(["install", "--progress-bar", "off", "--no-compile", *arguments], progress) != 0:
            explain_disk_full(self.log, VENV)
            show_end_of(self.log, "pip")
            raise LaunchError(f"{what} could not be installed; all that pip said is in {self.log}.")


def ensure_packages(log_folder: Path, *, development: bool) -> None:
    """Make ``.venv`` hold what the pinned lists say; returns at once when it does already."""
    lists = [*RUNTIME_LISTS, *([DEVELOPMENT_LIST] if development else [])]
    with only_one_at_a_time():
        if UNFINISHED.exists() or not interpreter_works():
            remove_environment()
        if all(stamp(name) == stored_stamp(name) for name in lists):
            return
        checks.need_free_disk(VENV, checks.NEEDED_FOR_PACKAGES if not PYTHON.exists() else 0, "Setting up")
        log = log_folder / "install.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
        make_environment()
        UNFINISHED.touch()
        try:
            install(Installer(log, pip_environment()), lists)
        except DiskFull:
            raise  # half-written packages may be there: the next start makes .venv anew
        except LaunchError:
            UNFINISHED.unlink()
            raise
        for name in lists:
            (VENV / f"{name}.stamp").write_text(stamp(name), encoding="ascii")
        UNFINISHED.unlink()


def install(installer: Installer, lists: Sequence[str]) -> None:
    with step("Installing packages (one to three minutes the first time)") as progress:
        installer.install(
            ["--require-hashes", *WHEELS_ONLY, "-r", listed(lists[0])], progress, "The packages"
        )
    with step("Installing face_recognition and its models") as progress:
        # One of these is no wheel but data to be packed; the setuptools installed above does it.
        flags = ["--no-deps", "--no-build-isolation", *WHEELS_ONLY, "--no-binary", "face_recognition_models"]
        installer.install(["--require-hashes", *flags, "-r", listed(lists[1])], progress, "face_recognition")
    with step("Installing PyTorch") as progress:
        progress.outcome = install_torch(installer, progress)
    if DEVELOPMENT_LIST in lists:
        with step("Installing what tests and lint need") as progress:
            flags = ["--require-hashes", *WHEELS_ONLY]
            installer.install([*flags, "-r", listed(DEVELOPMENT_LIST)], progress, "The test packages")
    else:
        with step("Compiling the packages"):
            compile_all(installer)
    with step("Trying the packages"):
        try_imports(installer)


def install_torch(installer: Installer, progress: Step) -> str:
    """Install the pinned version, as the CPU build where there is no GPU; returns which build was taken.

    On Linux PyPI's own file is the CUDA build, which wants gigabytes more; whether pip would take it is not asked,
    because older pips answer only after downloading all of it.
    """
    pinned = [*WHEELS_ONLY, "-r", listed("requirements-torch.txt")]
    if installed_torch() == pinned_torch():
        return "already there"
    if has_gpu():
        installer.install(["-c", held_versions(installer), *pinned], progress, "PyTorch's CUDA build")
        return "done, CUDA build"
    alone = ["--no-deps", *pinned]
    if sys.platform != "linux":
        installer.install(alone, progress, "PyTorch")
        return "done"
    if installer.pip(["install", "--no-compile", "--no-index", *alone], progress) == 0:
        return "done, CPU build from a local folder"
    patience = ["--timeout", "30", "--retries", "2"]
    installer.install(["--index-url", TORCH_CPU_INDEX, *patience, *alone], progress, "PyTorch's CPU build")
    return "done, CPU build"


def held_versions(installer: Installer) -> str:
    """A file of everything that is installed now, so that what comes next moves none of it."""
    command = [str(PYTHON), "-m", "pip", "list", "--format=freeze", "--exclude", "pip"]
    listing = subprocess.run(command, env=installer.env, check=True, capture_output=True, text=True)
    held = VENV / "held-versions.txt"
    held.write_text(listing.stdout, encoding="utf-8")
    return str(held)


def has_gpu() -> bool:
    """Whether the driver's own tool sees an NVIDIA GPU."""
    tool = shutil.which("nvidia-smi")
    return tool is not None and subprocess.run([tool, "-L"], capture_output=True, check=False).returncode == 0


def installed_torch() -> str:
    """The version in the environment without the name of the build; empty if there is none."""
    question = "from importlib.metadata import version; print(version('torch').partition('+')[0])"
    answer = subprocess.run([PYTHON, "-c", question], capture_output=True, text=True, check=False)
    return answer.stdout.strip()


def pinned_torch() -> str:
    lines = (ROOT / "requirements-torch.txt").read_text(encoding="utf-8").splitlines()
    return next(line for line in lines if line.startswith("torch==")).removeprefix("torch==")


def compile_all(installer: Installer) -> None:
    """What pip would do one file after the other, on all cores. Tests and lint compile what they import, as they go.

    Its exit code is not asked: some packages carry examples that are no Python.
    """
    command = [str(PYTHON), "-m", "compileall", "-qq", "-j", "0", str(VENV / "lib")]
    run_logged(command, installer.log, env=installer.env)


def try_imports(installer: Installer) -> None:
    """Import what has compiled parts or unusual installs, so that a broken set-up is found here."""
    modules = "cv2, dlib, django, face_recognition, numpy, psycopg, scipy, torch"
    command = [str(PYTHON), "-W", "ignore", "-c", f"import {modules}"]
    if run_logged(command, installer.log, env=installer.env) != 0:
        show_end_of(installer.log, "import")
        raise LaunchError("The packages are installed but cannot be imported; the reason stands above.")


def make_environment() -> None:
    if PYTHON.exists():
        return
    with step(f"Making .venv with Python {sys.version.split()[0]}") as progress:
        command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            shutil.rmtree(VENV, ignore_errors=True)
            said = made.stdout + made.stderr
            if "ensurepip" in said:
                package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
                raise LaunchError(f"This Python cannot make a virtual environment: install {package} first.")
            raise LaunchError(f"The virtual environment {VENV} could not be made: {said.strip()[-300:]}")
        progress.outcome = "done"


def remove_environment() -> None:
    if VENV.exists():
        say("  An earlier set-up was interrupted or no longer works: making .venv anew.")
        shutil.rmtree(VENV)


def interpreter_works() -> bool:
    """Whether ``.venv`` has a Python that starts (the one it was made from may have been removed)."""
    if not PYTHON.exists():
        return not VENV.exists()
    return subprocess.run([PYTHON, "-c", ""], capture_output=True, check=False).returncode == 0


@contextmanager
def only_one_at_a_time() -> Iterator[None]:
    """Two starts at once must not fill one environment; the second waits."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("  Waiting for another set-up in this folder to finish.")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def listed(name: str) -> str:
    return str(ROOT / name)


def stamp(name: str) -> str:
    return hashlib.sha256((ROOT / name).read_bytes()).hexdigest()


def stored_stamp(name: str) -> str:
    try:
        return (VENV / f"{name}.stamp").read_text(encoding="ascii")
    except OSError:
        return ""


def pip_environment() -> dict[str, str]:
    """The user's own environment, less what would point pip or Python at other folders."""
    unwanted = {"PYTHONPATH", "PYTHONHOME", "PIP_REQUIRE_VIRTUALENV", "PIP_TARGET", "PIP_PREFIX", "PIP_USER"}
    return {name: value for name, value in os.environ.items() if name not in unwanted}
