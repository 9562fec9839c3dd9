"""Every command of ours on an empty, an unmigrated and an absent database: one sentence, never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from attendance import doctor

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = [
    ["audit"],
    ["backup", "{folder}/backup"],
    ["demo", "--remove"],
    ["doctor"],
    ["forget_again", "{folder}/forgotten.jsonl"],
    ["keys", "check"],
    ["keys", "rotate"],
    ["reencode"],
    ["restore", "{folder}/none"],
    ["retention"],
    ["retention", "--dry-run", "--files"],
    ["retention", "--vacuum"],
    ["second_factor", "list"],
    ["second_factor", "reset", "head"],
    ["token", "head", "import"],
]
ASK = """
import io, json, sys, traceback
import django
django.setup()
from django.core.management import CommandError, get_commands, load_command_class
from django.core.management import call_command
said = {}
for command in json.loads(sys.argv[1]):
    out = io.StringIO()
    try:
        call_command(*command, stdout=out, stderr=out)
    except CommandError as error:
        found = str(error)
    except BaseException as error:
        found = "TRACEBACK " + "".join(traceback.format_exception(error))[-1500:]
    else:
        found = ""
    said[" ".join(command)] = [out.getvalue(), found]
print(json.dumps({"said": said, "ours": [name for name, app in get_commands().items() if app == "attendance"]}))
"""
Said = dict[str, tuple[str, str]]


def said_by_all(database: str, folder: Path, **env: str) -> Said:
    """What each command prints, and what it ends with."""
    commands = [[part.format(folder=folder) for part in command] for command in COMMANDS]
    (folder / "forgotten.jsonl").write_text("")
    done = subprocess.run(
        [sys.executable, "-c", ASK, json.dumps(commands)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
        env=os.environ | {
            "DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": database, "REDIS_URL": "redis://127.0.0.1:1/0",
            "ROLLCALL_DATA_DIR": str(folder), "PYTHONPATH": str(ROOT), **env,
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert set(told["ours"]) == {command[0] for command in COMMANDS}, "a new command belongs here as well"
    said: Said = {name.replace(str(folder), ""): tuple(words) for name, words in told["said"].items()}
    assert not [f"{name}: {end}" for name, (_out, end) in said.items() if "TRACEBACK" in end]
    return said


def test_tables_that_are_not_there(tmp_path: Path) -> None:
    said = said_by_all(f"sqlite:///{tmp_path / 'empty.sqlite3'}", tmp_path)
    for name in (
        "audit",
        "keys check",
        "keys rotate",
        "retention",
        "second_factor list",
        "token head import",
    ):
        assert said[name][1].endswith("so the database lacks tables. First: ./run manage migrate"), name
    assert "migrations have not run" in said["doctor"][0]
    assert "parts need a hand" in said["doctor"][1]


def test_a_database_that_does_not_answer(tmp_path: Path) -> None:
    said = said_by_all("postgres://rollcall@127.0.0.1:1/none?connect_timeout=2", tmp_path)
    for name in (
        "audit",
        "keys check",
        "reencode",
        "retention",
        "second_factor reset head",
        "token head import",
    ):
        assert said[name][1] == "The database does not answer. Start it, or mend DATABASE_URL.", name
    assert "The database does not answer." in said["doctor"][0]


@pytest.mark.django_db
def test_a_key_that_is_none(settings: Any) -> None:
    settings.ROLLCALL_KEYS = ["not-a-key"]
    with pytest.raises(CommandError, match="ROLLCALL_KEYS"):
        call_command("keys", "check")
    assert "Mend ROLLCALL_KEYS" in doctor._keys().next_step
