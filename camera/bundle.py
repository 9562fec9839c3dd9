"""The agent as one file, ``rollcall-camera.pyz``. The same source gives the same bytes: files can be compared."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

NAME = "rollcall-camera.pyz"
SHEBANG = b"#!/usr/bin/env python3\n"
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)
START = "import sys\n\nfrom camera.__main__ import main\n\nsys.exit(main())\n"


def bundle() -> bytes:
    """The file's content; it needs Python 3.9 or later with OpenCV and ``cryptography`` where it runs."""
    folder = Path(__file__).resolve().parent
    sources = {
        path.relative_to(folder.parent).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*.py")
    }
    out = io.BytesIO()
    out.write(SHEBANG)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted({**sources, "__main__.py": START}.items()):
            archive.writestr(zipfile.ZipInfo(name, _FIRST_DAY), text, zipfile.ZIP_DEFLATED)
    return out.getvalue()
