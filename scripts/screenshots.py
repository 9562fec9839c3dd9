"""Take a screenshot of every page, at laptop and phone width, from a running Rollcall with its demo class.

    ./run --port 8000                       # in another terminal, on an empty data folder
    .venv/bin/python -m scripts.screenshots http://localhost:8000

Signs in with the demo's logins and writes ``docs/screenshots/*.png``. The demo shows public figures in
public-domain photos; pictures of anybody else have no place in the repository. Needs Playwright and a
Chromium (``ROLLCALL_CHROMIUM``, or one on the path).
"""

from __future__ import annotations

import io
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
PASSWORD = "rollcall-demo"  # noqa: S105 (the demo's, told to everybody who starts it)
LAPTOP, PHONE = (1280, 800), (390, 780)
ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@dataclass(frozen=True)
class Shot:
    name: str
    go: tuple[str, ...]
    """A path, then selectors of links to follow, one after the other."""
    who: str = "teacher"
    size: tuple[int, int] = LAPTOP
    dark: bool = False
    click: str = ""


FIRST_SESSION = "a[href^='/sessions/']"
FIRST_COURSE = ".course-card h2 a"
FIRST_STUDENT = "#roster tbody a"


def both(name: str, *go: str, who: str = "teacher") -> tuple[Shot, Shot]:
    """The same page on a laptop and on a phone."""
    return Shot(name, go, who), Shot(f"{name}-phone", go, who, size=PHONE)


def tab(name: str, end: str) -> tuple[Shot, Shot]:
    """A page of the first course, by how its address ends."""
    return both(name, "/courses/", FIRST_COURSE, f"a[href$='{end}']")


SHOTS = (
    *both("today", "/"),
    *both("session", "/", FIRST_SESSION),
    Shot("session-dark", ("/", FIRST_SESSION), dark=True),
    Shot("face", ("/", FIRST_SESSION), click=".box--uncertain"),
    *both("mark-history", "/", FIRST_SESSION, "a[href$='/history/']"),
    *both("numbers", "/", FIRST_SESSION, "a[href$='/numbers/']"),
    *both("courses", "/courses/"),
    *both("desk", "/review/"),
    *both("many", "/review/many/"),
    *both("digest", "/review/by-email/"),
    Shot("desk-dark", ("/review/",), dark=True),
    *both("roster", "/courses/", FIRST_COURSE),
    *both("student", "/courses/", FIRST_COURSE, FIRST_STUDENT),
    *both("import", "/courses/", FIRST_COURSE, "a[href$='/import/']"),
    *tab("sessions", "/sessions/"),
    *tab("timetable", "/timetable/"),
    *tab("attendance", "/attendance/"),
    *tab("course-cameras", "/cameras/"),
    *tab("learned", "/learned/"),
    *both("calendars", "/calendar/"),
    *both("warnings", "/courses/", FIRST_COURSE, "a[href$='/attendance/']", "a[href$='/warnings/']"),
    *both("excuses", "/excuses/"),
    *both("reports", "/reports/"),
    *both("site", "/site/", who="admin"),
    *both("models", "/site/models/", who="admin"),
    *both("cameras", "/site/cameras/", who="admin"),
    *both("pairing", "/cameras/pair/", who="admin"),
    *both("audit", "/site/audit/", who="admin"),
    *both("place", "/site/where/", who="admin"),
    *both("mood", "/site/mood/", who="admin"),
    *both("rules", "/site/rules/", who="admin"),
    *both("site-learned", "/site/learned/", who="admin"),
    *both("warning-texts", "/site/warnings/", who="admin"),
    *both("holidays", "/site/holidays/", who="admin"),
    Shot("phone-camera", ("/camera/",), size=PHONE),
)
CLASS_LIST = """number;first name;last name;email
2031;Ada;Byron;ada@school.example
2032;Alan;Mathison;
2032;Alan;Again;
"""


def sign_in(page: Page, server: str, who: str) -> None:
    page.goto(f"{server}/sign-in/")
    page.locator("[name=username]").fill(who)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("form .btn--primary").click()
    page.wait_for_url(f"{server}/")


def take(browser: Browser, server: str, shot: Shot) -> None:
    phone = shot.size == PHONE
    context = browser.new_context(
        viewport={"width": shot.size[0], "height": shot.size[1]},
        color_scheme="dark" if shot.dark else "light",
        device_scale_factor=1.5 if phone else 1.25,
        is_mobile=phone,
        has_touch=phone,
        reduced_motion="reduce",
        locale="en",
    )
    page = context.new_page()
    sign_in(page, server, shot.who)
    path, *links = shot.go
    page.goto(server + path)
    for link in links:
        address = page.locator(link).first.get_attribute("href")
        if not address:
            raise SystemExit(f"{shot.name}: no link {link} on {page.url}")
        page.goto(server + address)
    if shot.name.startswith("import"):
        page.locator("textarea").fill(CLASS_LIST)
        page.locator("form .btn--primary").click()
    if shot.click:
        page.locator(shot.click).first.click()
    page.wait_for_load_state("networkidle")
    picture = page.screenshot()
    context.close()
    with Image.open(io.BytesIO(picture)) as image:
        # 256 colours: a quarter of the size, and the eye sees no difference at the width of a README.
        image.convert("RGB").quantize(256).save(FOLDER / f"{shot.name}.png", optimize=True)


def main(server: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    chromium = (
        os.environ.get("ROLLCALL_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        for shot in SHOTS:
            take(browser, server, shot)
            print(f"{shot.name}.png")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/") if len(sys.argv) > 1 else "http://localhost:8000")
