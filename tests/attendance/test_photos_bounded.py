"""What a photo may cost, before it is believed: passes, markers, copies."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time

import pytest

from attendance import errors, photos
from tests import bad_files, odd_photos

BOUNDS = {"max_bytes": 25 << 20, "max_pixels": 50_000_000}

MEMORY = """
import os, resource, zlib
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
import django
django.setup()
from attendance import photos
from tests import bad_files
packer = zlib.compressobj(1)
row = b"\\0" * (1 + 5000 * {bits} // 8)
data = b"".join(packer.compress(row) for _ in range(4000)) + packer.flush()
png = bad_files.png_of(5000, 4000, data, {depth}, {colour})
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
kept = photos.clean(png, max_bytes=25 << 20, max_pixels=50_000_000)
assert (kept.width, kept.height) == (5000, 4000)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 // (5000 * 4000))
"""


@pytest.mark.parametrize(
    ("bits", "depth", "colour", "most"), [(24, 8, 2, 7), (32, 8, 6, 12), (16, 16, 0, 11)],
    ids=["RGB", "with transparency", "16 bits"],
)  # fmt: skip
def test_a_photo_takes_few_bytes_for_a_pixel(bits: int, depth: int, colour: int, most: int) -> None:
    """At the peak, beside what the process had: a copy of 50 megapixels is 200 MB."""
    script = MEMORY.format(bits=bits, depth=depth, colour=colour)
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(said.stdout.split()[-1]) <= most


def test_passes_are_counted_and_a_careful_program_s_are_allowed() -> None:
    few, many = odd_photos.many_scans(60), odd_photos.many_scans(200)
    assert photos.clean(few, **BOUNDS).width == 320
    with pytest.raises(errors.PhotoTooIntricate):
        photos.clean(many, **BOUNDS)


@pytest.mark.parametrize("filling", [b"\xff", b"\xff\xd0", b"\xff\x00", b"\xff\xfe\x00\x02", b"\xff\xda\x00"])
def test_counting_passes_takes_no_time_whatever_stands_there(filling: bytes) -> None:
    jpeg = bad_files.encoded(bad_files.picture())
    data = jpeg[:2] + filling * (4_000_000 // len(filling)) + b"\0" + jpeg[2:]
    began = time.process_time()
    with contextlib.suppress(errors.PhotoTooIntricate):
        photos.check_scans(data)
    assert time.process_time() - began < 3
