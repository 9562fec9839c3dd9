"""A PostgreSQL server of a benchmark's own: made in a folder, gone with it."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "shared_buffers": "512MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "30min",
    "max_parallel_workers_per_gather": "0",
}
"""A small server's. What is durable stays durable, so that accepting a photo costs what it costs a school; one process
answers a question, so that its processor time can be read."""


@contextmanager
def server(**settings: str) -> Iterator[str]:
    """The address of a fresh server's database ``postgres``, as ``DATABASE_URL`` takes it."""
    with tempfile.TemporaryDirectory(prefix="rollcall-postgresql-") as name:
        folder = Path(name)
        with running(folder, **settings) as address:
            yield address


@contextmanager
def running(folder: Path, **settings: str) -> Iterator[str]:
    """The address of the server whose data lie in ``folder``, made where there are none. It stops at the end."""
    programs = programs_folder()
    folder.chmod(0o711)
    data = folder / "data"
    if os.getuid() == 0:
        subprocess.run(["chown", "postgres", str(folder)], check=True)
    if not data.exists():
        made = [str(programs / "initdb"), "-D", str(data), "-U", "rollcall", "-A", "trust", "-E", "UTF8"]
        _as_postgres([*made, "--locale", "C.UTF-8"])
    port = free_port()
    options = {**SETTINGS, **settings, "port": str(port), "unix_socket_directories": str(folder)}
    given = " ".join(f"-c {name}={value}" for name, value in options.items())
    control = [str(programs / "pg_ctl"), "-D", str(data), "-w", "-l", str(folder / "log")]
    _as_postgres([*control, "-o", given, "start"])
    try:
        yield f"postgres://rollcall@127.0.0.1:{port}/postgres"
    finally:
        _as_postgres([*control, "-m", "fast", "stop"])


def programs_folder() -> Path:
    """Where ``initdb`` lies. Raises SystemExit where PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        raise SystemExit("PostgreSQL's server is not installed: apt install postgresql")
    return found[-1].parent


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _as_postgres(command: list[str]) -> None:
    """The server refuses to run as root."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    subprocess.run([*prefix, *command], cwd="/", check=True, stdout=subprocess.DEVNULL)
