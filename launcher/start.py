"""``./run``: everything from a bare clone to a page in the browser, and back to no process at all."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from launcher import checks, services
from launcher.commands import explain_disk_full, run_logged
from launcher.console import say, show_end_of, step
from launcher.environment import DEFAULT_HOST, settings_environment
from launcher.errors import LaunchError, Stopped
from launcher.packages import ensure_packages
from launcher.places import PYTHON, ROOT, DataFolder
from launcher.signals import Interruption
from launcher.supervisor import Supervisor

MANAGE = (str(PYTHON), str(ROOT / "manage.py"))
STATE = """
import json
from django.contrib.auth.models import User
from attendance.demo import logins
from attendance.models import Course
names = User.objects.filter(groups__name=logins.GROUP).order_by("pk").values_list("username", flat=True)
print(json.dumps([Course.objects.exists(), list(names), logins.PASSWORD]))
"""


def start(data: DataFolder, host: str, port: int | None, interruption: Interruption, *, demo: bool) -> int:
    """Set up, start everything, wait for a signal, stop everything."""
    env = settings_environment(data, port=port)
    with only_start(data):
        checks.need_free_port(host, int(env["ROLLCALL_PORT"]))
        checks.need_free_disk(data.path, checks.NEEDED_FOR_DATA, "Rollcall")
        ensure_packages(data.logs, development=False)
        prepare_database(data, env)
        supervisor = Supervisor(data.logs, env, interruption)
        try:
            begin_services(supervisor, data, host, env)
            if demo:
                load_demo_if_empty(data, host, env)
            greet(host, env["ROLLCALL_PORT"], data)
            supervisor.watch()
        except Stopped:
            say("\nStopping; press Ctrl-C once more to stop at once.")
        finally:
            supervisor.stop()
    say("Stopped.")
    return 0


def begin_services(supervisor: Supervisor, data: DataFolder, host: str, env: Mapping[str, str]) -> None:
    """Redis first where it is ours; the others start side by side."""
    if env.get("REDIS_URL") == f"unix://{data.redis_socket}":
        supervisor.start(services.redis(data))
    others = [
        services.web(host, env),
        services.worker(data, env),
        services.office(data),
        services.beat(data),
    ]
    for service in others:
        supervisor.begin(service)
    for service in others:
        with step(f"Starting {service.name}"):
            supervisor.await_ready(service)


def prepare_database(data: DataFolder, env: Mapping[str, str]) -> None:
    log = data.logs / "prepare.log"
    log.unlink(missing_ok=True)
    for title, arguments in (
        ("Bringing the database up to date", ("migrate", "--no-input")),
        ("Collecting static files", ("collectstatic", "--no-input")),
    ):
        with step(title):
            if run_logged([*MANAGE, *arguments], log, env=env) != 0:
                explain_disk_full(log, data.path)
                show_end_of(log, arguments[0])
                raise LaunchError(f"{title} failed; all that was said is in {log}.")


def load_demo_if_empty(data: DataFolder, host: str, env: Mapping[str, str]) -> None:
    """Fill an empty database with the demo class, sent through the running server as a camera would.

    Where it was loaded before, its logins are told again (the demo tells them itself when it is loaded).
    """
    asked = subprocess.run(
        [*MANAGE, "shell", "-v", "0", "-c", STATE], env=env, capture_output=True, text=True, check=False
    )
    if asked.returncode != 0:
        raise LaunchError(f"The database could not be read: {last_line(asked.stderr)}")
    used, logins, password = json.loads(last_line(asked.stdout))
    if used:
        if logins:
            say(f"  Demo logins: {', '.join(logins)}; the password of each is {password}")
        return
    say("  Loading the demo class (leave it out with ./run --no-demo)")
    log = data.logs / "demo.log"
    server = f"http://{services.reachable(host, env['ROLLCALL_PORT'])}"
    command = [*MANAGE, "demo", "--server", server]
    if run_logged(command, log, env=env, on_line=lambda line: say(f"    {line}")) != 0:
        say(f"  The demo class could not be loaded ({log}); try again with ./run manage demo.")


def last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]


def greet(host: str, port: str, data: DataFolder) -> None:
    shown = "localhost" if host in (DEFAULT_HOST, *services.EVERYWHERE) else host
    say()
    say(f"Rollcall is ready: http://{services.bound(shown, port)}/")
    say(f"Data and logs are in {data.path}; Ctrl-C stops everything.")


@contextmanager
def only_start(data: DataFolder) -> Iterator[None]:
    """One running Rollcall for one data folder."""
    data.path.mkdir(parents=True, exist_ok=True)
    with (data.path / "running.lock").open("a+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise LaunchError(
                f"Rollcall already runs on this data folder ({data.path}, process {lock.read().strip()}): "
                "stop that one first, or set ROLLCALL_DATA_DIR."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
