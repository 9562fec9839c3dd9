"""It runs with the network unplugged: no page, model or font comes from outside, and nothing is sent out."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from csp.constants import NONCE, NONE, SELF
from django.conf import settings

from tests.stress.site import ROOT

MAY_CALL = {
    "attendance/demo/camera.py": "plays a camera in front of this site's own server",
    "attendance/demo/lfw.py": "fetches photos of public figures for the demo, when asked to by its command",
    "attendance/mailing.py": "e-mail that was set up",
    "config/logs.py": "tells which of our own servers did not answer",
}
CALLERS = {
    "urllib.request",
    "http.client",
    "requests",
    "httpx",
    "aiohttp",
    "smtplib",
    "ftplib",
    "urllib3",
    "torch.hub",
}
LOADED = re.compile(
    r"""<(?:script|img|iframe|source|video|audio|embed|object|link)\b[^>]*?\s(?:src|href|data|srcset)=["']?(?:https?:)?//"""
    r"""|url\(\s*["']?(?:https?:)?//|@import\s+(?:url\()?["']?(?:https?:)?//"""
    r"""|\b(?:fetch|import|importScripts|Worker|EventSource|WebSocket)\(\s*["'`](?:https?:|wss?:)?//""",
    re.IGNORECASE,
)


@pytest.mark.worker
@pytest.mark.timeout(600)
def test_a_whole_site_runs_without_a_route_and_calls_nobody(
    tmp_path: Path, shared_data: Path, chromium_path: str
) -> None:
    if os.geteuid() != 0 or shutil.which("unshare") is None or shutil.which("ip") is None:
        pytest.skip("not here: network namespaces (they need root, unshare and the ip command)")
    photo = shared_data / "groups" / "dlib_2007_007763.jpg"
    inner = [sys.executable, "-m", "tests.stress.unplugged", str(tmp_path), str(photo), chromium_path]
    env = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *inner],
        cwd=ROOT, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    found = json.loads(done.stdout.strip().splitlines()[-1])
    assert (found["outside"], found["calls"]) == ([], "")
    assert found["faces"] >= 2, "the models that came with it found nobody"
    assert found["pages"] >= 20


def ours(*folders: str, endings: tuple[str, ...]) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in (ROOT / folder).rglob("*") if path.suffix in endings)


def test_no_page_style_or_script_loads_from_another_address() -> None:
    looked_at = list(ours("templates", "static", endings=(".html", ".css", ".js", ".svg", ".txt")))
    assert len(looked_at) > 100
    found = {
        str(path.relative_to(ROOT)): LOADED.findall(path.read_text(errors="replace")) for path in looked_at
    }
    assert {path: what for path, what in found.items() if what} == {}


def test_the_browser_is_told_to_load_from_here_alone() -> None:
    for name, sources in settings.CONTENT_SECURITY_POLICY["DIRECTIVES"].items():
        assert set(sources) <= {SELF, NONE, NONCE, "data:", "blob:"}, name


def test_only_modules_that_must_can_call_other_machines() -> None:
    found = set()
    for path in ours("attendance", "config", "recognition", "emotion", endings=(".py",)):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
            if CALLERS & set(names):
                found.add(str(path.relative_to(ROOT)))
    assert found == set(MAY_CALL), (
        "a module that can call other machines is new, or one that is listed is not"
    )


@pytest.mark.parametrize(
    "call", ["socket.create_connection(('192.0.2.1', 80), 1)", "socket.getaddrinfo('a.example', 80)"]
)
def test_a_call_to_the_outside_would_be_noticed(tmp_path: Path, call: str) -> None:
    from tests.stress.unplugged import listened

    calls = tmp_path / "calls.txt"
    done = subprocess.run(
        [sys.executable, "-c", f"import socket; {call}"],
        env=os.environ | listened(calls), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "a call to the outside" in done.stderr
    assert calls.read_text().startswith("socket.")
