"""Django, set up once for a site and then forked for each piece of code that a test runs against it.

A process of its own for each piece takes a second of a processor before it begins; a fork takes a few milliseconds,
and what the code changes in its process is gone after it all the same. ``python -m tests.stress.ready`` is the
program that waits; ``Ready`` is the test's end of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BEFORE = "import json, sys\nV = json.loads(sys.argv[1])\nanswer = lambda v: print('ANSWER' + json.dumps(v))\n"


class Ready:
    """One waiting program with this environment; ``before`` stands before its command."""

    def __init__(self, env: Mapping[str, str], before: Sequence[str] = ()) -> None:
        self.env = dict(env)
        self._process = subprocess.Popen(
            [*before, sys.executable, "-m", "tests.stress.ready"],
            cwd=ROOT, env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def run(self, code: str, values: Mapping[str, Any]) -> Any:
        """What the code handed to ``answer``. Fails with all that was printed where the code fails."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with tempfile.TemporaryFile("w+", errors="replace") as said:
            place = f"/proc/{os.getpid()}/fd/{said.fileno()}"
            self._process.stdin.write(json.dumps([code, json.dumps(values), place]) + "\n")
            self._process.stdin.flush()
            ended = self._process.stdout.readline()
            said.seek(0)
            text = said.read()
        assert ended == "0\n", f"{ended or 'Django could not be set up'}\n{text}"
        found = [line[6:] for line in text.splitlines() if line.startswith("ANSWER")]
        return json.loads(found[-1]) if found else None

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(timeout=20)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


def wait_for_code() -> None:
    """For each line of input: fork, run the code, write the exit code."""
    import django

    django.setup()
    from tests import factories  # noqa: F401 (most code builds something; what it imports is there then)

    for line in sys.stdin:
        code, values, place = json.loads(line)
        child = os.fork()
        if child == 0:
            run_and_end(code, values, place)
        _child, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def run_and_end(code: str, values: str, place: str) -> None:
    """As ``python -c CODE VALUES`` would."""
    from django.db import connections

    out = os.open(place, os.O_WRONLY | os.O_APPEND)
    for number in (1, 2):
        os.dup2(out, number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.argv = ["-c", values]
    ended = 0
    try:
        exec(compile(BEFORE + code, "<code of a test>", "exec"), {"__name__": "__main__"})
    except BaseException:  # noqa: BLE001 (also of SystemExit the test is told)
        traceback.print_exc()
        ended = 1
    connections.close_all()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(ended)


if __name__ == "__main__":
    wait_for_code()
