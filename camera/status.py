"""How the running agent does, from what it keeps on disk."""

from __future__ import annotations

import datetime as dt
from typing import Callable

from camera import files, timetable
from camera.config import MEBIBYTE, Config
from camera.faults import CameraProblem
from camera.lock import only_one
from camera.sealing import Sealer
from camera.sources import without_password
from camera.spool import Spool


def status(config: Config, say: Callable[[str], None] = print) -> int:
    """0 where the agent runs and says that nothing is wrong."""
    config.paired()
    data = config.data_folder
    state = files.read_json(data / "state.json")
    runs = _runs(config)
    say(f"{config.name or 'camera'}, {config.room}: {without_password(config.source)} -> {config.server}")
    say("The agent runs." if runs else "The agent does not run.")
    if state.get("last_shot"):
        say(
            f"Last shot {dt.datetime.fromtimestamp(float(state['last_shot'])).astimezone():%Y-%m-%d %H:%M:%S}."
        )
    spool = Spool(
        data / "spool", Sealer([config.key]), config.spool_mib * MEBIBYTE, config.spool_days * 86400
    )
    photos, size = spool.size()
    say(f"{photos} photos ({size / 1e6:.1f} MB) wait to be sent.")
    faults = [str(each) for each in state.get("faults", [])] if runs else []
    for sentence in faults:
        say(f"WRONG {sentence}")
    try:
        table = timetable.parsed(timetable.load(data / "timetable.json")["content"])
    except (KeyError, CameraProblem):
        say("It never had a timetable: it has not reached the server yet.")
    else:
        say(f"On now: {state['session']}." if runs and state.get("session") else "Off now.")
        say(timetable.words(list(table.sessions)) or "No session is planned for today and tomorrow.")
    return 0 if runs and not faults else 1


def _runs(config: Config) -> bool:
    try:
        with only_one(config.data_folder / "lock"):
            return False
    except CameraProblem:
        return True
