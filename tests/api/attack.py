"""Attacks the API by its own description for as long as is asked, over a real server:

    DATABASE_URL=... ROLLCALL_DATA_DIR=... python -m tests.api.attack --minutes 7 [administrator teacher camera]

Fills the database it is given (an empty one, never a school's) with a small class, serves the application with
gunicorn and has schemathesis ask every operation as an administrator, a teacher and a camera, each that long. Ends
with 1 where something was found. The short, repeatable run of the tests is test_schemathesis.py.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
REPORTS = Path("runs/attack")
LEFT_OUT = "positive_data_acceptance,use_after_free,ensure_resource_availability"
"""The school's rules refuse much that the schema allows, and what is made by one request may be private to another."""


def fill() -> dict[str, str]:
    """A class with photos and faces; the header of each who asks."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from attendance import api_tokens, cameras, marks
    from tests import factories as make

    administrator, owner = make.administrator(), make.teacher()
    room = make.room()
    course = make.course(owner, students=6)
    make.course(make.teacher(), students=3)
    session = make.session(course, room=room)
    students = list(course.students.order_by("number"))
    camera, key = cameras.create("front", room, administrator)
    for minute in range(3):
        snapshot = make.snapshot(session, minute=minute, camera=camera)
        for index, student in enumerate(students[:3]):
            make.sighting(snapshot, student, index=index)
    make.template(students[0])
    marks.recompute(session.pk)
    return {
        "administrator": f"Token {api_tokens.make(administrator, 'attack', 30)[1]}",
        "teacher": f"Token {api_tokens.make(owner, 'attack', 30)[1]}",
        "camera": f"Camera {key}",
    }


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=7)
    parser.add_argument("who", nargs="*", default=["administrator", "teacher", "camera"])
    asked = parser.parse_args()
    headers = fill()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    REPORTS.mkdir(parents=True, exist_ok=True)
    site = f"http://127.0.0.1:{port}"
    gunicorn = (sys.executable, "-m", "gunicorn", "config.wsgi:application", "--bind", f"127.0.0.1:{port}")
    with (REPORTS / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [*gunicorn, "--worker-class", "gthread", "--threads", "4"], stdout=log, stderr=log
        )
    try:
        _wait_for(f"{site}/healthz")
        return max([_attack(site, who, headers, asked.minutes) for who in asked.who])
    finally:
        server.terminate()
        server.wait(20)


def _attack(site: str, who: str, headers: dict[str, str], minutes: float) -> int:
    schema = REPORTS / "openapi.json"
    request = urllib.request.Request(f"{site}/api/schema/?format=json")
    request.add_header("Authorization", headers["administrator"])
    with urllib.request.urlopen(request) as answer:
        schema.write_bytes(answer.read())
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "run", str(schema), "--url", site,
        "-H", f"Authorization:{headers[who]}", "--checks", "all", "--exclude-checks", LEFT_OUT,
        "--max-time", str(int(minutes * 60)), "--continue-on-failure", "--suppress-health-check", "all",
        "--request-timeout", "30", "--report", "ndjson", "--report-ndjson-path", str(REPORTS / f"{who}.ndjson"),
    ]  # fmt: skip
    with (REPORTS / f"{who}.txt").open("wb") as out:
        code = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, check=False).returncode
    print(f"{who}: {'nothing found' if code == 0 else 'see'} {REPORTS / f'{who}.txt'}", flush=True)
    return code


def _wait_for(address: str, seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(address).close()
            return
        except (urllib.error.HTTPError, OSError) as error:
            if isinstance(error, urllib.error.HTTPError) or time.monotonic() > until:
                return
            time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
