"""Copy the third-party browser files Rollcall serves from an npm install into static/vendor.

    npm install --prefix DIR @tabler/icons@3.51.0 htmx.org@2.0.11 idiomorph@0.8.0 \
        @fontsource-variable/atkinson-hyperlegible-next@5.3.0 axe-core@4.14.1 echarts@6.1.0
    python scripts/vendor_static.py DIR/node_modules

Only what a page uses is copied. The icons become one SVG sprite; each package gets its licence and
version in static/vendor/README.md. Standard library only; nothing here runs when Rollcall is served.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "static" / "vendor"
AXE = ROOT / "tests" / "browser" / "vendor"

ICONS = (
    "alert-circle", "alert-triangle", "arrow-back-up", "arrow-left", "arrow-right", "ban", "bolt", "building",
    "calendar", "calendar-event", "camera", "camera-off", "camera-plus", "chart-histogram", "check", "checks",
    "chevron-down", "chevron-left", "chevron-right", "circle-check", "circle-dashed", "clipboard-check", "clock",
    "cloud-upload", "copy", "device-mobile", "dots", "download", "eye", "eye-off", "face-id", "file-spreadsheet",
    "file-text", "filter", "hand-stop", "heart-rate-monitor", "home", "hourglass", "info-circle", "key", "keyboard",
    "language", "list-check", "lock", "lock-open", "logout", "moon", "photo", "photo-off", "photo-plus",
    "player-play", "player-stop", "plus", "power", "qrcode", "refresh", "school", "search", "send", "server",
    "settings", "shield-check", "shield-off", "sun", "sun-moon", "trash", "upload", "user", "user-check", "user-off",
    "user-plus", "user-question", "users", "users-group", "wand", "x",
)  # fmt: skip

FILES = (
    ("htmx.org", "dist/htmx.min.js", "htmx/htmx.min.js"),
    ("htmx.org", "LICENSE", "htmx/LICENSE"),
    ("idiomorph", "dist/idiomorph-ext.min.js", "idiomorph/idiomorph-ext.min.js"),
    ("idiomorph", "LICENSE", "idiomorph/LICENSE"),
    ("echarts", "dist/echarts.common.min.js", "echarts/echarts.common.min.js"),
    ("echarts", "LICENSE", "echarts/LICENSE"),
    ("echarts", "NOTICE", "echarts/NOTICE"),
    ("echarts", "licenses/LICENSE-d3", "echarts/LICENSE-d3"),
    ("@tabler/icons", "LICENSE", "tabler-icons/LICENSE"),
    ("@fontsource-variable/atkinson-hyperlegible-next", "LICENSE", "atkinson-hyperlegible-next/LICENSE"),
    *(
        (
            "@fontsource-variable/atkinson-hyperlegible-next",
            f"files/atkinson-hyperlegible-next-{subset}-wght-normal.woff2",
            f"atkinson-hyperlegible-next/{subset}.woff2",
        )
        for subset in ("latin", "latin-ext")
    ),
)
PACKAGES = (
    ("@tabler/icons", "tabler-icons/", "the icons in use, as one sprite"),
    ("echarts", "echarts/", "charts of a course"),
    ("htmx.org", "htmx/", "parts of a page that change in place"),
    ("idiomorph", "idiomorph/", "keeps focus and loaded photos while a part changes"),
    ("@fontsource-variable/atkinson-hyperlegible-next", "atkinson-hyperlegible-next/", "the typeface"),
)


def sprite(icons: Path) -> str:
    """One SVG with a <symbol> for each icon, drawn with the current text colour."""
    symbols = []
    for name in ICONS:
        svg = (icons / "outline" / f"{name}.svg").read_text(encoding="utf-8")
        body = re.sub(r"^.*?<svg[^>]*>|</svg>\s*$", "", svg, flags=re.S)
        body = re.sub(r'<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*/>', "", body)
        body = re.sub(r"\s+", " ", body).strip()
        symbols.append(
            f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" '
            f'stroke-linecap="round" stroke-linejoin="round">{body}</symbol>'
        )
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"


def without_source_map(path: Path) -> None:
    """Drop the pointer to a map that is not served: the manifest storage would look for it."""
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"/[/*][#@] sourceMappingURL=\S+(?: \*/)?", "", text), encoding="utf-8")


def main(modules: Path) -> None:
    shutil.rmtree(VENDOR, ignore_errors=True)
    for package, source, target in FILES:
        destination = VENDOR / target
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(modules / package / source, destination)
        if destination.suffix in {".css", ".js"}:
            without_source_map(destination)
    (VENDOR / "tabler-icons" / "sprite.svg").write_text(
        sprite(modules / "@tabler/icons" / "icons"), encoding="utf-8"
    )
    rows = ["| package | version | licence | folder | for |", "|---|---|---|---|---|"]
    for package, folder, purpose in PACKAGES:
        about = json.loads((modules / package / "package.json").read_text(encoding="utf-8"))
        rows.append(f"| {package} | {about['version']} | {about['license']} | {folder} | {purpose} |")
    (VENDOR / "README.md").write_text(
        "# Third-party files\n\nCopied by `scripts/vendor_static.py`, unchanged but for source-map pointers.\n\n"
        + "\n".join(rows)
        + "\n",
        encoding="utf-8",
    )
    AXE.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(modules / "axe-core" / "axe.min.js", AXE / "axe.min.js")
    shutil.copyfile(modules / "axe-core" / "LICENSE", AXE / "axe.LICENSE")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
