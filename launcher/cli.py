"""The words ``./run`` understands."""

from __future__ import annotations

import argparse
import errno
import os
from collections.abc import Sequence

from launcher import quality, services
from launcher.console import complain
from launcher.environment import DEFAULT_HOST, DEFAULT_PORT, settings_environment
from launcher.errors import LaunchError, Stopped
from launcher.packages import ensure_packages
from launcher.places import PYTHON, ROOT, DataFolder
from launcher.signals import Interruption
from launcher.start import start

USAGE = """\
usage: ./run [--port N] [--host ADDRESS] [--no-demo]
       ./run web | worker | office | beat | redis
       ./run manage ARGUMENTS...
       ./run test [PYTEST ARGUMENTS...]
       ./run lint
       ./run setup

With no word: set up what is missing, then start Rollcall on this machine and stop it with Ctrl-C.

  --port N        the web server's port (ROLLCALL_PORT, else 8000)
  --host ADDRESS  the address it listens on (ROLLCALL_HOST, else 127.0.0.1: this machine only)
  --no-demo       leave the database empty

  web, worker, office, beat, redis   run one of the five programs alone, in this terminal
  manage                     a management command: ./run manage demo, ./run manage createsuperuser
  test                       the whole test suite, or what the arguments name
  lint                       ruff, mypy and the import rules
  setup                      only make .venv, for an image or an unattended installation

docs/operations.md tells the environment variables and how to run Rollcall for a school."""


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says; every foreseen failure is one sentence and exit code 1."""
    interruption = Interruption()
    try:
        return run(list(arguments), interruption)
    except LaunchError as error:
        complain(f"rollcall: {error}")
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            complain("rollcall: The disk is full: make room and start again.")
        elif error.errno in (errno.EROFS, errno.EACCES) and error.filename:
            complain(f"rollcall: {error.filename} cannot be written: {error.strerror}.")
        else:
            raise
    except Stopped:
        complain("Stopped.")
        return 130
    return 1


def run(arguments: list[str], interruption: Interruption) -> int:
    word = arguments[0] if arguments else ""
    if word == "test":
        return quality.test(arguments[1:])
    if word == "lint":
        return quality.lint()
    if word == "setup":
        ensure_packages(DataFolder.from_environment().logs, development=False)
        return 0
    if word == "manage":
        return manage(arguments[1:])
    options = parse(arguments)
    host = options.host or os.environ.get("ROLLCALL_HOST") or DEFAULT_HOST
    data = DataFolder.from_environment()
    if options.service:
        return single(options.service, data, host, options.port)
    return start(data, host, options.port, interruption, demo=not options.no_demo)


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run", usage=USAGE.removeprefix("usage: "), add_help=False)
    parser.add_argument("service", nargs="?", choices=services.NAMES)
    parser.add_argument("--port", type=port_number)
    parser.add_argument("--host")
    parser.add_argument("--no-demo", action="store_true")
    parser.add_argument("-h", "--help", action="store_true")
    options = parser.parse_args(arguments)
    if options.help:
        print(USAGE)
        raise SystemExit(0)
    return options


def port_number(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text) < 65536:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a port (1 to 65535; usual is {DEFAULT_PORT})")


def manage(arguments: list[str]) -> int:
    """Become ``manage.py``, in the folder the user stands in."""
    data = DataFolder.from_environment()
    ensure_packages(data.logs, development=False)
    env = settings_environment(data)
    os.execve(PYTHON, [str(PYTHON), str(ROOT / "manage.py"), *arguments], env)


def single(name: str, data: DataFolder, host: str, port: int | None) -> int:
    """Become one of the five programs."""
    ensure_packages(data.logs, development=False)
    env = settings_environment(data, port=port)
    service = {
        "redis": lambda: services.redis(data),
        "web": lambda: services.web(host, env),
        "worker": lambda: services.worker(data, env),
        "office": lambda: services.office(data),
        "beat": lambda: services.beat(data),
    }[name]()
    os.chdir(ROOT)
    os.execve(service.command[0], service.command, env)
