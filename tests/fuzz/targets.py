"""What is attacked: a function that takes any bytes, the seeds it starts from, and what may come of it.

A target returns or raises; only the named errors of what it calls are swallowed, so that whatever else comes out is
a finding. What it lets through is looked at too: a photo that was taken in must be what is promised of it.
"""

from __future__ import annotations

import functools
import io
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from PIL import Image

from attendance import class_lists, excusing, logos, photos
from attendance.errors import PhotoRefused, RosterFileRefused
from recognition import dlib_weights, model_files
from recognition.dlib_stream import DlibStream
from recognition.errors import DlibWeightsError
from tests import bad_files, odd_papers

MOST_SECONDS = 5.0
"""Of processor time for one input, on a machine that is slowed down by the instrumentation."""
MOST_MEMORY = 400 * 1024 * 1024
"""By how much one input may raise the process's peak."""
MAX_PIXELS = 4_000_000


class TooExpensive(Exception):
    """An input took more time or memory than a request may."""


@dataclass(frozen=True, slots=True)
class Target:
    name: str
    run: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]
    max_length: int


@contextmanager
def bounded() -> Iterator[None]:
    """Raises TooExpensive behind an input that took too much."""
    before, began = _peak(), time.process_time()
    yield
    seconds, grown = time.process_time() - began, _peak() - before
    if seconds > MOST_SECONDS or grown > MOST_MEMORY:
        raise TooExpensive(f"{seconds:.1f} s of processor time, {grown >> 20} MiB more at the peak")


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


# --- photos ---------------------------------------------------------------------------------------
def take_in_a_photo(data: bytes) -> None:
    """The way of a classroom photo and a portrait, of a logo and of a letter."""
    with bounded():
        try:
            kept = photos.clean(data, max_bytes=1 << 20, max_pixels=MAX_PIXELS)
        except PhotoRefused:
            kept = None
    if kept is not None:
        with Image.open(io.BytesIO(kept.jpeg)) as image:
            assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (kept.width, kept.height))
            assert not image.getexif()
        assert photos.load_upright(kept.jpeg).shape == (kept.height, kept.width, 3)
    with bounded():
        try:
            logo = logos.clean(data)
        except logos.LogoRefused:
            return
        assert logo.mode == "RGBA"
        assert max(logo.size) <= logos.SIDE


def take_in_a_letter(data: bytes) -> None:
    try:
        kind, _kept = excusing.clean_attachment(data)
    except (excusing.AttachmentRefused, PhotoRefused):
        return
    assert kind in (excusing.PDF, excusing.JPEG)


def _photos(data: bytes) -> None:
    take_in_a_photo(data)
    if len(data) < 20_000:
        take_in_a_letter(data)


@functools.cache
def _photo_seeds() -> list[bytes]:
    return [file.data for file in bad_files.odd_files() if 0 < len(file.data) <= 200_000]


# --- class lists ----------------------------------------------------------------------------------
def read_a_class_list(data: bytes) -> None:
    """Bytes of a file -> cells -> rows with their problems; all that happens before the database is asked."""
    with bounded():
        try:
            found = class_lists.parse(data)
        except RosterFileRefused:
            return
        assert len(found.rows) <= class_lists.MAX_ROWS
        for _line, values in found.rows:
            assert set(values) == {"number", "given_name", "family_name", "email"}
            for problem in class_lists.problems_of(values):
                assert str(problem).endswith(".")


@functools.cache
def _list_seeds() -> list[bytes]:
    return [file.data for file in odd_papers.class_lists() if len(file.data) <= 200_000]


# --- dlib's weights -------------------------------------------------------------------------------
@functools.cache
def _networks() -> tuple[bytes, bytes]:
    return tuple(model_files.find(which).read_bytes() for which in (model_files.MMOD, model_files.ENCODER))  # type: ignore[return-value]


@functools.cache
def _places(which: int) -> tuple[int, ...]:
    """Where the small items of a file begin: what an attacker would change, between megabytes of plain numbers."""
    found: list[int] = []
    take = DlibStream.take

    def noting(self: DlibStream, count: int, what: str) -> bytes:
        if count <= 64:
            found.append(self.offset)
        return take(self, count, what)

    DlibStream.take = noting  # type: ignore[method-assign]
    try:
        _parsers()[which](_networks()[which])
    finally:
        DlibStream.take = take  # type: ignore[method-assign]
    return tuple(found)


def _parsers() -> tuple[Callable[[bytes], object], Callable[[bytes], object]]:
    return dlib_weights.parse_detector, dlib_weights.parse_encoder


def read_weights(data: bytes) -> None:
    """The first byte says how the rest is meant: as a file, or as edits to one of the real ones."""
    if not data:
        return
    way, rest = data[0], data[1:]
    which = 1 if way % 16 == 3 else way & 1  # the encoder's 22 MB are patched seldom
    with bounded():
        try:
            _parsers()[which](rest if way & 2 == 0 else _patched(0 if way % 16 != 3 else 1, rest))
        except DlibWeightsError:
            return


def _patched(which: int, edits: bytes) -> bytes:
    """The real file with pieces written over, taken out or put in: place (2 bytes), kind and length (1), bytes."""
    file, places = bytearray(_networks()[which]), _places(which)
    at = 0
    while at + 3 <= len(edits) and at < 60:
        offset = places[int.from_bytes(edits[at : at + 2], "little") % len(places)]
        kind, length = edits[at + 2] & 3, (edits[at + 2] >> 2) & 15
        piece = edits[at + 3 : at + 3 + length]
        if kind == 0:
            file[offset : offset + len(piece)] = piece
        elif kind == 1:
            file[offset:offset] = piece
        elif kind == 2:
            del file[offset : offset + length]
        else:
            del file[offset + length :]
        at += 3 + length
    return bytes(file)


@functools.cache
def _weight_seeds() -> list[bytes]:
    detector, encoder = _networks()
    whole = [b"\0" + detector[:4000], b"\1" + encoder[:4000], b"\0" + detector[:200], b"\1" + encoder[:400]]
    edits = [
        bytes([2, place & 255, place >> 8, (length << 2) | kind]) + b"\x81\xff\x7f\x08"[:length]
        for place in (0, 1, 2, 7, 40, 90, 200, 400)
        for kind, length in ((0, 1), (0, 4), (1, 2), (2, 3), (3, 0))
    ]
    return [*whole, *edits, b"\3\x05\0\x04\x7f"]


TARGETS = {
    target.name: target
    for target in (
        Target("photos", _photos, _photo_seeds, 65_536),
        Target("rosters", read_a_class_list, _list_seeds, 4_096),
        Target("weights", read_weights, _weight_seeds, 8_192),
    )
}
