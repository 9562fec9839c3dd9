"""Fuzzing guided by coverage: ``pip install atheris``, then

    python -m tests.fuzz photos runs/fuzz/photos -max_total_time=1800

Targets are ``photos``, ``rosters`` and ``weights`` (targets.py). The folder keeps what was found interesting and is
filled with seeds on the first run; more of libFuzzer's options may follow. It ends at the first finding: the input
is left in a file called crash-..., and ``python -m tests.fuzz photos crash-...`` runs that one again. With
``ROLLCALL_FUZZ_FINDINGS=folder`` it goes on instead, and each kind of finding is written there once with its input.
"""

from __future__ import annotations

import hashlib
import os
import sys
import traceback
import zlib
from collections.abc import Callable
from pathlib import Path

PER_INPUT = ("-timeout=60", "-rss_limit_mb=3000")


def mended(png: bytes) -> bytes:
    """A PNG whose checksums fit again: otherwise nothing that was changed in it would ever be read."""
    out, at = bytearray(png[:8]), 8
    while at + 12 <= len(png):
        length = int.from_bytes(png[at : at + 4], "big")
        body = png[at + 4 : at + 8 + length]
        if at + 12 + length > len(png):
            break
        out += png[at : at + 4] + body + zlib.crc32(body).to_bytes(4, "big")
        at += 12 + length
    return bytes(out) + png[at:]


def going_on(run: Callable[[bytes], None], folder: Path) -> Callable[[bytes], None]:
    """Writes down what comes out of a target, once for each place it comes from, and goes on."""
    folder.mkdir(parents=True, exist_ok=True)

    def noting(data: bytes) -> None:
        try:
            run(data)
        except Exception as error:  # noqa: BLE001 (whatever it is, it is written down)
            frames = traceback.extract_tb(error.__traceback__)
            place = f"{type(error).__name__}-{Path(frames[-1].filename).stem}-{frames[-1].lineno}"
            if not (folder / place).exists():
                (folder / place).write_bytes(data)
                (folder / f"{place}.txt").write_text(traceback.format_exc())

    return noting


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        import atheris
    except ImportError:
        sys.exit("atheris is not installed here: pip install atheris (Linux, Python 3.11 to 3.13)")
    with atheris.instrument_imports(include=["attendance", "recognition", "PIL", "csv"]):
        import django

        django.setup()
        from tests.fuzz.targets import TARGETS

    name, where, *options = sys.argv[1:]
    target = TARGETS[name]
    if not Path(where).is_file():
        folder = Path(where)
        folder.mkdir(parents=True, exist_ok=True)
        for seed in target.seeds():
            (folder / hashlib.sha256(seed).hexdigest()[:20]).write_bytes(seed)

    def mutate(data: bytes, max_size: int, seed: int) -> bytes:
        changed = atheris.Mutate(data, max_size)
        is_png = changed.startswith(b"\x89PNG\r\n\x1a\n")
        mended_png: bytes = mended(changed)[:max_size] if is_png and seed % 4 else changed
        return mended_png

    arguments = [sys.argv[0], where, f"-max_len={target.max_length}", *PER_INPUT, *options]
    more = {"custom_mutator": mutate} if name == "photos" else {}
    findings = os.environ.get("ROLLCALL_FUZZ_FINDINGS")
    run = going_on(target.run, Path(findings)) if findings else target.run
    atheris.Setup(arguments, run, **more)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
