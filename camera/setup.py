"""Set-up in a terminal: server, code, lens, a look through it, and the service. Nobody types a key."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from pathlib import Path
from typing import Callable

from camera import __version__, best, service, sources, timetable
from camera.client import Answer, Server, Unreachable, normalised
from camera.config import NAME, Config
from camera.faults import CameraProblem
from camera.sources.folder import WatchedFolder
from camera.timetable import Policy
from camera.view import Page, lines, look

Ask = Callable[[str], str]


def setup(config: Config, given: Namespace, ask: Ask = input, say: Callable[[str], None] = print) -> int:
    """Raises CameraProblem where an answer given on the command line cannot be used."""
    asking = sys.stdin.isatty() or ask is not input
    if given.ca_file:
        config.ca_file = str(Path(given.ca_file).resolve())
    _pair(config, given, ask if asking else None, say)
    policy = _policy(config)
    _lens(config, given, policy, ask if asking else None, say)
    if given.indicator is not None:
        config.indicator = given.indicator
    config.delete_after = given.delete_after or config.delete_after
    config.save()
    if given.no_service:
        say(f"Set up. Start it with: {' '.join(service.command(config.path))}")
        return 0
    for sentence in service.install(config.path):
        say(sentence)
    say(f"How it does: {NAME} status. What is wrong: {NAME} doctor.")
    return 0


def _pair(config: Config, given: Namespace, ask: Ask | None, say: Callable[[str], None]) -> None:
    """Server and key; keeps those there are when neither a code is given nor a new pairing wanted."""
    if config.key and not given.code:
        if given.server:
            config.server = normalised(given.server)
            config.save()
        if ask is None or ask("This camera is paired already. Pair it anew? [y/N] ").strip().lower() not in (
            "y",
            "yes",
        ):
            return
    server: Server | None = None
    name = given.name
    while True:
        try:
            if server is None:
                address = given.server or _asked(ask, "Address of the Rollcall server: ", "--server")
                server = _reached(address, config.ca_file)
            code = given.code or _asked(ask, "Code shown on the camera page: ", "--code")
            if ask is not None and not name:
                name = ask("A name for this camera, such as front left [none]: ")
            _exchange(config, server, code, name)
            say(f"Paired with {config.room}.")
            return
        except CameraProblem as problem:
            if ask is None or (given.code and given.server):
                raise
            say(str(problem))
            given.code = ""
            given.server = ""


def _reached(address: str, ca_file: str) -> Server:
    """The server behind an address typed with or without https://. Raises CameraProblem."""
    first = Server(address, ca_file=ca_file)
    try:
        first.get("/api/camera/schedule/")
        return first
    except Unreachable:
        if "://" in address:
            raise
    plain = Server(f"http://{address.strip()}", ca_file=ca_file)
    try:
        plain.get("/api/camera/schedule/")
    except Unreachable:
        first.get("/api/camera/schedule/")
    return plain


def _exchange(config: Config, server: Server, code: str, name: str) -> None:
    answer = server.post_json(
        "/api/camera/pair/", {"code": code, "name": name.strip(), "version": __version__}
    )
    if answer.status != 201:
        raise CameraProblem(_why_not_paired(answer))
    said = answer.json
    try:
        key, room, camera = str(said["key"]), str(said["room"]["name"]), int(said["camera"])
    except (KeyError, TypeError, ValueError) as error:
        raise CameraProblem(_why_not_paired(answer)) from error
    if config.key and config.key != key:
        config.old_keys = [config.key, *config.old_keys][:5]
    config.server, config.key, config.room, config.camera = server.address, key, room, camera
    config.name = str(said.get("name", name))
    config.save()  # at once: the code works only this one time


def _why_not_paired(answer: Answer) -> str:
    if answer.code in ("pairing-code-unknown", "pairing-code-used", "pairing-code-expired"):
        return answer.detail
    if answer.status == 429:
        return "Too many codes were tried from here; wait a minute."
    if answer.status >= 500:
        return f"The server has trouble of its own ({answer.status}); try again in a minute."
    return "What answers at this address is not Rollcall. Copy the address from the browser's line."


def _policy(config: Config) -> Policy:
    try:
        answer = Server(config.server, config.key, ca_file=config.ca_file).get("/api/camera/schedule/")
        return timetable.parsed(answer.json).policy
    except CameraProblem:
        return Policy()


def _lens(
    config: Config, given: Namespace, policy: Policy, ask: Ask | None, say: Callable[[str], None]
) -> None:
    if given.face_model:
        config.face_model = str(Path(given.face_model).resolve())
    finder = best.FaceFinder(config.face_model)
    wanted = given.source
    while True:
        try:
            found = _found_devices()
            usual = config.source or (found[0] if found else "")
            hint = f" [{sources.without_password(usual)}]" if usual else ""
            address = wanted or _asked(
                ask,
                f"Lens ({', '.join([*found, *sources.EXAMPLES.split(', ')[1:]])}){hint}: ",
                "--source",
                usual,
            )
            source = sources.made(address)
            if isinstance(source, WatchedFolder):
                source.ready(set(), time.time())
                say(f"Photos put into {source.folder} are sent.")
            else:
                _show(source, finder, policy, None if given.no_page else ask, say)
            config.source = address.strip()
            return
        except CameraProblem as problem:
            if ask is None or wanted:
                raise
            say(str(problem))


def _show(
    source: sources.Source,
    finder: best.FaceFinder,
    policy: Policy,
    ask: Ask | None,
    say: Callable[[str], None],
) -> None:
    """Look through the lens once, and for as long as the person wants on a page of this machine."""
    try:
        source.open()
        view = look(source.frames(1)[0], finder, policy.min_face_pixels)
        for line in lines(view):
            say(line)
        if ask is None:
            return
        page = Page()
        try:
            page.show(view)
            say(f"Live in a browser on this machine: {page.address}")
            while ask("Enter: look again. Any letter and Enter: it stands well. ").strip() == "":
                source.open()
                view = look(source.frames(1)[0], finder, policy.min_face_pixels)
                page.show(view)
                for line in lines(view):
                    say(line)
        finally:
            page.close()
    finally:
        source.close()


def _asked(ask: Ask | None, question: str, option: str, fallback: str = "") -> str:
    if ask is None:
        if fallback:
            return fallback
        raise CameraProblem(f"There is nobody to ask here: give {option}.")
    return ask(question).strip() or fallback


def _found_devices() -> list[str]:
    return [f"usb:{path.name[5:]}" for path in sorted(Path("/dev").glob("video[0-9]*"))][:4]
