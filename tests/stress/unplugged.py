"""A whole site in a network namespace without a route: ``python -m tests.stress.unplugged FOLDER PHOTO CHROMIUM``.

Redis, web server, the real worker with its models, a photo sent as a camera would, and Chromium from page to page.
Prints JSON: ``{"faces", "pages", "outside", "calls"}``; the last two hold what tried to leave.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Error, Request, sync_playwright

from tests.conftest import BROWSER_ARGUMENTS
from tests.stress.site import REAL_WORKER, ROOT, Site, kill, site_in

ADDRESS = "http://127.0.0.1:8765"
MOST_PAGES = 45
CLASS = """
from django.contrib.auth.models import User
from attendance import cameras
from tests import factories as make
admin = make.administrator()
room = make.room()
session = make.session(make.course(admin, students=2), room=room)
answer([session.pk, cameras.create("door", room, admin)[1], admin.username, make.PASSWORD])
"""


def main(folder: Path, photo: Path, chromium: str) -> None:
    calls = folder / "calls.txt"
    calls.touch()
    assert is_unplugged(), "this machine can be reached: nothing would be shown"
    with redis_in(folder) as redis_url, site_in(folder, redis_url, **listened(calls)) as site:
        session, key, username, password = site.python(CLASS)
        web = start(site, [sys.executable, "-m", "gunicorn", "config.wsgi:application", "--bind",
                           urlsplit(ADDRESS).netloc, "--threads", "4", "--no-control-socket"], "web")  # fmt: skip
        beat = start(site, [sys.executable, "-m", "celery", "-A", REAL_WORKER, "beat", "--pidfile="], "beat")
        site.worker(REAL_WORKER)
        wait_for_web()
        send(session, key, photo)
        pages, outside = crawl(chromium, username, password, f"/sessions/{session}/")
        site.wait(lambda now: now.get("done", 0) == 1, seconds=200)
        faces = site.states()["sightings"]
        kill(web)
        kill(beat)
    print(json.dumps({"faces": faces, "pages": pages, "outside": outside, "calls": calls.read_text()}))


def is_unplugged() -> bool:
    with socket.socket() as probe:
        try:
            probe.connect(("192.0.2.1", 80))
        except OSError as error:
            return "unreachable" in str(error)
    return False


def listened(calls: Path) -> dict[str, str]:
    """Settings under which each Python program of the site writes down what it calls; no e-mail is set up."""
    path = f"{ROOT / 'tests' / 'stress' / 'listening'}{os.pathsep}{ROOT}"
    return {"ROLLCALL_CALLS": str(calls), "PYTHONPATH": path, "ROLLCALL_LEASE_SECONDS": "180",
            "ROLLCALL_SECOND_OPINION": "on", "EMAIL_HOST": "", "HF_HUB_OFFLINE": ""}  # fmt: skip


@contextlib.contextmanager
def redis_in(folder: Path) -> Iterator[str]:
    program, place = shutil.which("redis-server"), folder / "redis.sock"
    assert program is not None
    with subprocess.Popen([program, "--port", "0", "--unixsocket", str(place), "--dir", str(folder), "--save", ""],
                          stdout=subprocess.DEVNULL) as process:  # fmt: skip
        try:
            yield f"unix://{place}"
        finally:
            process.terminate()


def start(site: Site, command: list[str], name: str) -> subprocess.Popen[bytes]:
    with (site.folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            command, cwd=ROOT, env=site.env, stdout=log, stderr=log, start_new_session=True
        )


def wait_for_web() -> None:
    for _again in range(600):
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"{ADDRESS}/healthz", timeout=10).read()
            return
        time.sleep(0.1)
    raise AssertionError("the web server never answered")


def send(session: int, key: str, photo: Path) -> None:
    headers = {"Authorization": f"Camera {key}", "Content-Type": "image/jpeg"}
    request = urllib.request.Request(
        f"{ADDRESS}/api/sessions/{session}/snapshots/", photo.read_bytes(), headers
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 202, answer.status


def crawl(chromium: str, username: str, password: str, first: str) -> tuple[int, list[str]]:
    """Sign in and follow links from page to page, each kind of page a few times; what asked for another host."""
    outside: list[str] = []

    def asked(request: Request) -> None:
        if not request.url.startswith((f"{ADDRESS}/", "data:", "blob:")):
            outside.append(request.url)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(BROWSER_ARGUMENTS))
        page = browser.new_page()
        page.set_default_timeout(120_000)
        page.on("request", asked)
        page.goto(f"{ADDRESS}/sign-in/")
        page.fill("input[name=username]", username)
        page.fill("input[name=password]", password)
        page.click("form:has(input[name=password]) .btn--primary")
        page.wait_for_url(lambda url: "sign-in" not in url)
        due, seen = [first, "/", "/site/"], set[str]()
        while due and len(seen) < MOST_PAGES:
            path = due.pop(0)
            kind = "".join("#" if letter.isdigit() else letter for letter in path)
            if kind in seen:
                continue
            seen.add(kind)
            try:
                answer = page.goto(f"{ADDRESS}{path}")
            except Error as error:
                if "Download is starting" in str(error):
                    continue
                raise
            assert answer is not None
            assert answer.status < 500, (path, answer.status)
            links = page.eval_on_selector_all("a[href]:not([download])", "all => all.map(one => one.href)")
            outside += [
                link for link in links if link.startswith("http") and not link.startswith(f"{ADDRESS}/")
            ]
            due += [urlsplit(link).path for link in links if is_page(link)]
        browser.close()
    return len(seen), outside


def is_page(link: str) -> bool:
    path = urlsplit(link).path
    return (
        link.startswith(f"{ADDRESS}/") and path.endswith("/") and not path.startswith(("/sign-out", "/api/"))
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
