"""Build the camera agent as one file: ``python -m scripts.build_camera`` makes ``dist/rollcall-camera.pyz``."""

from __future__ import annotations

import argparse
from pathlib import Path

from camera.bundle import NAME, bundle

ROOT = Path(__file__).resolve().parent.parent


def build(target: Path) -> Path:
    """Write the file, whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(target.name + ".part")
    beside.write_bytes(bundle())
    beside.chmod(0o755)
    return beside.replace(target)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Build the camera agent as one file.")
    parser.add_argument("--to", type=Path, default=ROOT / "dist" / NAME)
    print(build(parser.parse_args().to))
