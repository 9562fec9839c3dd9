"""Several hosts in one machine: Linux network namespaces on one switch, whose cables can be pulled."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.s3_server import KEY, SECRET
from tests.stress.site import ROOT, STAND_IN, Site, kill

NETWORK = "10.77.0"
ADDRESSES = {"hub": 1, "store": 2, "one": 11, "two": 12}
BUCKET = "school-photos"


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


@dataclass
class Hosts:
    """Names of the namespaces, and what runs in them."""

    tag: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def inside(self, host: str) -> list[str]:
        return ["ip", "netns", "exec", f"{self.tag}-{host}"]

    def start(
        self, host: str, command: Sequence[str], env: dict[str, str], log: Path, user: str | None = None
    ) -> subprocess.Popen[bytes]:
        as_user = ["runuser", "-u", user, "--"] if user else []
        with log.open("wb") as out:
            process = subprocess.Popen(
                [*self.inside(host), *as_user, *command],
                cwd="/" if user else ROOT, env=env, stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def pull(self, host: str) -> None:
        """Nothing goes to this host or comes from it, and nobody is told."""
        ip("-n", f"{self.tag}-switch", "link", "set", host, "down")

    def plug_in(self, host: str) -> None:
        ip("-n", f"{self.tag}-switch", "link", "set", host, "up")

    def stop(self) -> None:
        for process in reversed(self.processes):
            kill(process)


@contextlib.contextmanager
def four_hosts() -> Iterator[Hosts]:
    """Hub, store and two workers, each with a cable to the switch; skips where the machine does not allow it."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("not here: network namespaces (they need root and the ip command)")
    hosts = Hosts(f"rc{uuid.uuid4().hex[:6]}")
    names = [*ADDRESSES, "switch"]
    try:
        try:
            for name in names:
                ip("netns", "add", f"{hosts.tag}-{name}")
        except subprocess.CalledProcessError as error:
            pytest.skip(f"not here: network namespaces ({error.stderr.strip()})")
        switch = f"{hosts.tag}-switch"
        ip("-n", switch, "link", "add", "bridge", "type", "bridge")
        ip("-n", switch, "link", "set", "bridge", "up")
        for name, last in ADDRESSES.items():
            host = f"{hosts.tag}-{name}"
            ip("link", "add", "eth0", "netns", host, "type", "veth", "peer", "name", name, "netns", switch)
            ip("-n", switch, "link", "set", name, "master", "bridge", "up")
            ip("-n", host, "address", "add", f"{NETWORK}.{last}/24", "dev", "eth0")
            ip("-n", host, "link", "set", "eth0", "up")
            ip("-n", host, "link", "set", "lo", "up")
        yield hosts
    finally:
        hosts.stop()
        for name in names:
            subprocess.run(["ip", "netns", "del", f"{hosts.tag}-{name}"], check=False, capture_output=True)


@dataclass
class FarSite(Site):
    """A site whose parts are on several hosts. Only questions to the database go by its socket, past the network."""

    hosts: Hosts = field(default_factory=lambda: Hosts(""))
    database: str = ""

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        import psycopg

        with psycopg.connect(self.database) as connection:
            return list(connection.execute(sql))  # type: ignore[arg-type]

    def worker_on(self, host: str, **env: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "celery", "-A", STAND_IN, "worker", "-c", "1", "--loglevel", "INFO",
                   "-n", f"{host}@test", "--without-gossip", "--without-mingle"]  # fmt: skip
        return self.hosts.start(host, command, self.env | env, self.folder / f"worker-{host}.log")


@contextlib.contextmanager
def far_site(folder: Path, **settings: str) -> Iterator[FarSite]:
    """PostgreSQL, Redis and the web server on one host, a real S3 protocol server on another, two hosts for workers."""
    with four_hosts() as hosts:
        hub, store = (f"{NETWORK}.{ADDRESSES[name]}" for name in ("hub", "store"))
        database = _postgresql(hosts, folder)
        env = os.environ | {
            "DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONPATH": str(ROOT),
            "DATABASE_URL": f"postgres://rollcall@{hub}:5432/postgres", "REDIS_URL": f"redis://{hub}:6379/0",
            "ROLLCALL_S3_BUCKET": BUCKET, "ROLLCALL_S3_ENDPOINT": f"http://{store}:9000",
            "ROLLCALL_S3_ACCESS_KEY": KEY, "ROLLCALL_S3_SECRET_KEY": SECRET,
            "ROLLCALL_DATA_DIR": str(folder / "data"), "ROLLCALL_TORCH_THREADS": "1",
            "ALLOWED_HOSTS": f"{hub},localhost", "SECRET_KEY": uuid.uuid4().hex * 2, **settings,
        }  # fmt: skip
        log = folder / "hosts.log"
        redis = shutil.which("redis-server") or pytest.skip("not here: redis-server")
        hosts.start("hub", [redis, "--bind", hub, "--protected-mode", "no", "--save", ""], env, log)
        s3 = folder / "s3.log"
        hosts.start("store", [sys.executable, "-m", "tests.s3_server", store, "9000", BUCKET], env, s3)
        on_the_hub = tuple(hosts.inside("hub"))
        site = FarSite(folder, env["REDIS_URL"], dict(env), inside=on_the_hub, hosts=hosts, database=database)
        try:
            site.python(
                "from django.core.management import call_command\ncall_command('migrate', verbosity=0)"
            )
            _wait_for(s3, "ready")
            web = folder / "web.log"
            command = [sys.executable, "-m", "gunicorn", "config.wsgi:application", "--bind", f"{hub}:8000",
                       "--worker-class", "gthread", "--threads", "2", "--no-control-socket"]  # fmt: skip
            hosts.start("hub", command, env, web)
            _wait_for(web, "Booting worker")
            yield site
        finally:
            site.forget_python()


def _postgresql(hosts: Hosts, folder: Path) -> str:
    """A cluster of its own on the hub; its address by the socket, which is no matter of the network."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("not here: PostgreSQL (no initdb)")
    programs, data = found[-1].parent, folder / "postgresql"
    data.mkdir()
    for place in (data, *folder.parents):
        if place.owner() == "root" and place != Path("/") and len(place.parts) > 2:
            place.chmod(place.stat().st_mode | 0o011)  # postgres may pass through pytest's private folders
    folder.chmod(0o711)
    shutil.chown(data, "postgres")
    as_postgres = ["runuser", "-u", "postgres", "--"]
    subprocess.run(
        [*as_postgres, str(programs / "initdb"), "-D", f"{data}/d", "-U", "rollcall", "-A", "trust", "-E", "UTF8",
         "--locale", "C.UTF-8", "--no-sync"], check=True, capture_output=True, cwd="/",
    )  # fmt: skip
    with (data / "d" / "pg_hba.conf").open("a") as rules:
        rules.write(f"host all all {NETWORK}.0/24 trust\n")
    command = [str(programs / "postgres"), "-D", f"{data}/d", "-k", str(data), "-c", "fsync=off",
               "-c", f"listen_addresses={NETWORK}.{ADDRESSES['hub']}"]  # fmt: skip
    hosts.start("hub", command, dict(os.environ), folder / "postgresql.log", user="postgres")
    _wait_for(folder / "postgresql.log", "ready to accept connections")
    return f"postgres://rollcall@/postgres?host={data}"


def _wait_for(log: Path, words: str, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while words not in (log.read_text(errors="replace") if log.exists() else ""):
        assert time.monotonic() < deadline, f"{words!r} never came: {log.read_text(errors='replace')[-3000:]}"
        time.sleep(0.1)
