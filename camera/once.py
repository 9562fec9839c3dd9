"""One shot, now."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Callable

from camera.agent import Agent
from camera.config import Config
from camera.faults import CameraProblem
from camera.lock import only_one
from camera.sources.folder import WatchedFolder
from camera.view import look

PATIENCE = 60.0
"""Seconds the photo may take to the server; after that it waits in the spool for the next start."""


def once(config: Config, *, dry_run: bool, out: str = "", say: Callable[[str], None] = print) -> int:
    """Shoot for the session that is open now and send it; a dry run looks only. Raises CameraProblem."""
    agent = Agent(config, dry_run=dry_run)
    if isinstance(agent.source, WatchedFolder):
        raise CameraProblem("A watched folder has no lens to shoot with: put a photo into it.")
    agent.reporter.ask()
    session = agent.session_now()
    if not dry_run and session is None:
        raise CameraProblem(_nothing_open(agent))
    choice, photo, taken = agent.one_shot(None)
    say(look(choice.frame, agent.finder, agent.policy().min_face_pixels).words())
    if out:
        Path(out).write_bytes(photo)
        say(f"Photo written to {out}.")
    if dry_run or session is None:
        where = f"for “{session.course}”" if session else "nowhere: no session is open"
        say(f"Dry run: {len(photo)} bytes would be sent {where}.")
        return 0
    with only_one(config.data_folder / "lock"):
        agent.keep(session, photo, taken)
        until = time.monotonic() + PATIENCE
        while agent.spool.waiting() and time.monotonic() < until:
            time.sleep(min(5.0, agent.uploader.step()))
    for sentence in agent.faults.sentences():
        say(f"WRONG {sentence}")
    left = len(agent.spool.waiting())
    say(f"{agent.uploader.sent} photos sent to “{session.course}”, {left} wait.")
    return 1 if left else 0


def _nothing_open(agent: Agent) -> str:
    wrong = agent.faults.sentences()
    if wrong:
        return wrong[0]
    return f"No session is open in {agent.reporter.timetable.room} now; nothing was shot."
