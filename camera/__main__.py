"""``python -m camera``: set up, run, and look after a classroom camera."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from camera import __version__, config
from camera.faults import CameraProblem

log = logging.getLogger("rollcall-camera")


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=config.NAME, description="Sends photos of a classroom to Rollcall.")
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("--config", type=Path, help=f"settings file (default: {config.default_path()})")
    commands = parser.add_subparsers(dest="command", required=True)
    setup = commands.add_parser("setup", help="pair with the server, choose the lens, install the service")
    setup.add_argument("--server", default="", help="address, such as https://rollcall.school.example")
    setup.add_argument("--code", default="", help="pairing code shown on the camera page")
    setup.add_argument("--name", default="", help="what the camera is called")
    setup.add_argument("--source", default="", help="the lens: usb:0, rtsp://..., http://..., folder:/...")
    setup.add_argument("--indicator", help="command called with on and off")
    setup.add_argument("--ca-file", default="", help="certificate of the school's own authority")
    setup.add_argument("--face-model", default="", help="YuNet file (ONNX) for finding faces")
    setup.add_argument(
        "--delete-after", action="store_true", help="delete photos of a watched folder once taken"
    )
    setup.add_argument("--no-service", action="store_true", help="install no systemd service")
    setup.add_argument("--no-page", action="store_true", help="show the picture in the terminal only")
    run = commands.add_parser("run", help="shoot while sessions are open, until stopped")
    run.add_argument("--every", type=float, help="seconds between shots instead of the server's")
    run.add_argument("--dry-run", action="store_true", help="shoot, but keep and send nothing")
    once = commands.add_parser("once", help="one shot for the session that is open now")
    once.add_argument("--dry-run", action="store_true", help="send nothing")
    once.add_argument("--out", default="", help="also write the photo to this file")
    commands.add_parser("status", help="how the agent does")
    commands.add_parser("doctor", help="what works and what does not")
    return parser


def main(words: list[str] | None = None) -> int:
    # Read by OpenCV when it is first imported, which is later; what goes wrong is said by the agent itself.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
    given = _arguments().parse_args(words)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    os.umask(0o077)
    try:
        return _do(given)
    except CameraProblem as problem:
        print(problem, file=sys.stderr)
        return 1
    except (KeyboardInterrupt, EOFError):
        print(file=sys.stderr)
        return 130


def _do(given: argparse.Namespace) -> int:
    try:
        import cv2  # noqa: F401
    except ImportError as error:
        raise CameraProblem(
            f"OpenCV is missing ({error}). Install it: sudo apt install python3-opencv python3-cryptography "
            '(or: python3 -m pip install "opencv-python-headless<5" cryptography).'
        ) from error
    settings = config.load(given.config)
    if given.command == "setup":
        from camera.setup import setup

        return setup(settings, given)
    if given.command == "doctor":
        from camera import doctor

        return doctor.report(settings)
    if given.command == "status":
        from camera.status import status

        return status(settings)
    if given.command == "once":
        from camera.once import once

        return once(settings, dry_run=given.dry_run, out=given.out)
    return _run(settings, given)


def _run(settings: config.Config, given: argparse.Namespace) -> int:
    from camera.agent import Agent

    agent = Agent(settings, every=given.every, dry_run=given.dry_run)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: agent.stop())
    threading.excepthook = _end_of_a_thread
    agent.run()
    return 0


def _end_of_a_thread(failed: threading.ExceptHookArgs) -> None:
    """Half an agent is none: it ends, and is started again with everything still on disk."""
    log.critical("a part of the agent failed", exc_info=failed.exc_value)
    os._exit(70)


if __name__ == "__main__":
    sys.exit(main())
