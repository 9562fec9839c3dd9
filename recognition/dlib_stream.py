"""The primitives of dlib's serialisation, read strictly from bytes (dlib/serialize.h, dlib/float_details.h).

Every failed expectation raises DlibWeightsError with the source's name and the byte offset of the offending item.
"""

from __future__ import annotations

import struct
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from recognition.errors import DlibWeightsError

_MAX_STRING = 64
_MAX_DIMENSION = 1 << 24


class DlibStream:
    """A cursor over the bytes of a dlib file."""

    def __init__(self, data: bytes, source: str) -> None:
        self._data = data
        self.source = source
        self.offset = 0

    @property
    def remaining(self) -> int:
        return len(self._data) - self.offset

    def fail(self, problem: str, offset: int | None = None) -> NoReturn:
        """Raise DlibWeightsError at ``offset`` (default: the cursor)."""
        raise DlibWeightsError(self.source, self.offset if offset is None else offset, problem)

    def take(self, count: int, what: str) -> bytes:
        """The next ``count`` bytes."""
        if count > self.remaining:
            self.fail(f"the file ends inside {what}: {count} bytes wanted, {self.remaining} left")
        start = self.offset
        self.offset += count
        return self._data[start : self.offset]

    def integer(self, what: str) -> int:
        """A signed integer: a control byte (sign, length 1..8), then the magnitude, little endian and minimal."""
        start = self.offset
        control = self.take(1, what)[0]
        length = control & 0x0F
        if control & 0x70 or not 1 <= length <= 8:
            self.fail(f"{what}: 0x{control:02x} does not begin an integer", start)
        magnitude = self.take(length, what)
        if length > 1 and magnitude[-1] == 0:
            self.fail(f"{what}: an integer with leading zero bytes", start)
        value = int.from_bytes(magnitude, "little")
        return -value if control & 0x80 else value

    def size(self, what: str) -> int:
        """A count or dimension, 0 or more."""
        start = self.offset
        value = self.integer(what)
        if not 0 <= value <= _MAX_DIMENSION:
            self.fail(f"{what}: {value} is out of range", start)
        return value

    def expect_integer(self, expected: int, what: str) -> None:
        start = self.offset
        value = self.integer(what)
        if value != expected:
            self.fail(f"{what}: {value} where {expected} was expected", start)

    def real(self, what: str) -> float:
        """A float or double: mantissa * 2**exponent, two integers. Infinities and NaN are refused."""
        start = self.offset
        mantissa, exponent = self.integer(what), self.integer(what)
        if abs(exponent) > 1100 or mantissa.bit_length() > 64:
            self.fail(f"{what}: not a finite number (mantissa {mantissa}, exponent {exponent})", start)
        try:
            return float(mantissa) * 2.0**exponent
        except OverflowError:
            self.fail(f"{what}: a number too large", start)

    def single(self, what: str) -> float:
        """A float or double as the float32 nearest to it."""
        start = self.offset
        try:
            return float32(self.real(what))
        except OverflowError:
            self.fail(f"{what}: a number too large for float32", start)

    def boolean(self, what: str) -> bool:
        """One ASCII character, "0" or "1"."""
        start = self.offset
        value = self.take(1, what)
        if value not in b"01":
            self.fail(f"{what}: 0x{value.hex()} where '0' or '1' was expected", start)
        return value == b"1"

    def expect_name(self, expected: str, what: str) -> None:
        """A string that must be ``expected``."""
        start = self.offset
        length = self.integer(f"the name of {what}")
        if not 0 <= length <= _MAX_STRING:
            self.fail(f"the name of {what}: a length of {length}", start)
        found = self.take(length, f"the name of {what}").decode("latin-1")
        if found != expected:
            self.fail(f"{what}: found {found!r} where {expected!r} was expected", start)

    def alias(self, expected: tuple[int, int, int, int], what: str) -> None:
        """A tensor shape without data (alias_tensor), which must be ``expected``."""
        self.expect_integer(1, f"version of {what}")
        start = self.offset
        shape = tuple(self.size(f"shape of {what}") for _ in range(4))
        if shape != expected:
            self.fail(f"{what}: shape {shape} where {expected} was expected", start)

    def tensor(self, what: str, expected: tuple[int, int, int, int] | None = None) -> npt.NDArray[np.float32]:
        """A tensor, flat float32, of the ``expected`` shape if one is given; every value finite."""
        self.expect_integer(2, f"version of {what}")
        start = self.offset
        shape = tuple(self.size(f"shape of {what}") for _ in range(4))
        if expected is not None and shape != expected:
            self.fail(f"{what}: shape {shape} where {expected} was expected", start)
        count = shape[0] * shape[1] * shape[2] * shape[3]
        if count * 4 > self.remaining:
            self.fail(f"the file ends inside {what}: {count * 4} bytes wanted, {self.remaining} left", start)
        start = self.offset
        values = np.frombuffer(self.take(count * 4, what), "<f4").astype(np.float32)
        if not np.isfinite(values).all():
            first = int(np.flatnonzero(~np.isfinite(values))[0])
            self.fail(f"{what}: value {first} is not finite", start + 4 * first)
        return values

    def end(self) -> None:
        """Raises unless the last byte has been read."""
        if self.remaining:
            self.fail(f"{self.remaining} bytes after the end of the network")


def float32(value: float) -> float:
    """The value rounded once to float32, as dlib does when it reads a float. Raises OverflowError."""
    return float(struct.unpack("<f", struct.pack("<f", value))[0])
