"""Build the camera agent as one file: ``python scripts/build_camera.py`` makes ``dist/rollcall-camera.pyz``.

The same source gives the same bytes, so that a file can be compared with what a school runs.
"""

from __future__ import annotations

import argparse
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHEBANG = b"#!/usr/bin/env python3\n"
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)
START = "import sys\n\nfrom camera.__main__ import main\n\nsys.exit(main())\n"


def build(target: Path) -> Path:
    """Write the file; it needs Python 3.9 or later with OpenCV and ``cryptography`` where it runs."""
    target.parent.mkdir(parents=True, exist_ok=True)
    sources = {
        path.relative_to(ROOT).as_posix(): path.read_text() for path in (ROOT / "camera").rglob("*.py")
    }
    beside = target.with_name(target.name + ".part")
    with beside.open("wb") as file:
        file.write(SHEBANG)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in sorted({**sources, "__main__.py": START}.items()):
                archive.writestr(zipfile.ZipInfo(name, _FIRST_DAY), text, zipfile.ZIP_DEFLATED)
    beside.chmod(0o755)
    return beside.replace(target)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Build the camera agent as one file.")
    parser.add_argument("--to", type=Path, default=ROOT / "dist" / "rollcall-camera.pyz")
    print(build(parser.parse_args().to))
