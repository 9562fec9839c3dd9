"""Bytes from outside -> an upright RGB photo without metadata. Bounded before anything is decoded."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import re
import struct
import warnings
import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from django.utils.translation import gettext_lazy as _
from PIL import Image, UnidentifiedImageError

from attendance import errors

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")  # a phone's MPO is read as JPEG
MIN_SIDE = 64
MAX_SIDE = 65_500  # libjpeg writes nothing longer
JPEG_QUALITY = 92
MAX_SCANS = 100
"""Passes over a progressive JPEG; cameras make up to about a dozen. Each costs time for every pixel, and a file of a
few hundred kilobytes could ask for thousands."""
_EXIF_TIME, _EXIF_OFFSET = 36867, 36881  # DateTimeOriginal, OffsetTimeOriginal (EXIF 2.31)
_ORIENTATION = 0x0112
STUMBLES = (
    OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, AttributeError, ArithmeticError,
    AssertionError, RecursionError, NotImplementedError, MemoryError, struct.error, zlib.error,
)  # fmt: skip
"""What decoders raise over damaged files, beside what they say they do."""
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What brings a photo with this EXIF orientation upright."""

# Pillow's own bound only warns; ours is checked on the header, before any pixel is decoded.
Image.MAX_IMAGE_PIXELS = None
# What it has to say about odd metadata is no news, and no line for each in the log. For good, as threads share filters.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

UprightPhoto = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class CleanPhoto:
    """A photo as it is kept: re-encoded JPEG, upright, no metadata."""

    jpeg: bytes
    width: int
    height: int
    sha256: str
    """Hex digest of the bytes as they arrived."""
    taken_at: dt.datetime | None
    """From EXIF, naive where the camera gave no offset."""


def clean(data: bytes, *, max_bytes: int, max_pixels: int) -> CleanPhoto:
    """Check and re-encode an uploaded photo.

    Raises PhotoEmpty, PhotoTooLarge, PhotoTooSmall, PhotoNotAnImage, PhotoAnimated or PhotoBroken.
    """
    if not data:
        raise errors.PhotoEmpty
    if len(data) > max_bytes:
        raise errors.PhotoTooLarge(
            _("The photo is larger than %(limit)d MB.") % {"limit": max_bytes // (1024 * 1024)}
        )
    image = _open(data)
    _check_header(image, max_pixels)
    check_scans(data)
    upright = _decode(image)
    taken_at = _taken_at(
        image
    )  # afterwards: looking for metadata decodes a PNG, and a second try hides what failed
    upright.info.clear()  # a comment would be written again
    out = io.BytesIO()
    upright.save(out, "JPEG", quality=JPEG_QUALITY)
    return CleanPhoto(
        out.getvalue(), upright.width, upright.height, hashlib.sha256(data).hexdigest(), taken_at
    )


def load_upright(data: bytes) -> UprightPhoto:
    """Decode a stored photo to RGB uint8 (height, width, 3). Raises PhotoBroken."""
    return np.asarray(_decode(_open(data)), dtype=np.uint8)


def encode_jpeg(image: UprightPhoto, quality: int = JPEG_QUALITY) -> bytes:
    """RGB uint8 (height, width, 3) -> JPEG bytes."""
    out = io.BytesIO()
    Image.fromarray(image).save(out, "JPEG", quality=quality)
    return out.getvalue()


def _open(data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise errors.PhotoNotAnImage from error
    except STUMBLES as error:
        raise errors.PhotoBroken from error


def _check_header(image: Image.Image, max_pixels: int) -> None:
    width, height = image.size
    if width * height > max_pixels:
        raise errors.PhotoTooLarge(
            _("The photo has %(have)d megapixels; at most %(limit)d can be used.")
            % {"have": width * height // 1_000_000, "limit": max_pixels // 1_000_000}
        )
    if min(width, height) < MIN_SIDE:
        raise errors.PhotoTooSmall
    if max(width, height) > MAX_SIDE:
        raise errors.PhotoTooLarge(
            _("The photo is more than %(limit)d pixels wide or high.") % {"limit": MAX_SIDE}
        )
    try:
        moves = bool(getattr(image, "is_animated", False))
    except STUMBLES as error:
        raise errors.PhotoBroken from error
    # A phone's MPO holds a preview beside the photo; it is no animation.
    if moves and image.format != "MPO":
        raise errors.PhotoAnimated


_MARKER = re.compile(rb"\xff([^\x00\xff])")
_ALONE = frozenset([0x01, *range(0xD0, 0xD9)])


def check_scans(data: bytes) -> None:
    """Count the passes of a JPEG marker by marker, as the decoder will meet them (ITU-T T.81, B.1.1).

    Raises PhotoTooIntricate.
    """
    if not data.startswith(b"\xff\xd8"):
        return
    at, scans = 2, 0
    while found := _MARKER.search(data, at):
        marker, at = found[1][0], found.end()
        if marker == 0xD9:
            return
        if marker in _ALONE:
            continue
        if marker == 0xDA:
            scans += 1
            if scans > MAX_SCANS:
                raise errors.PhotoTooIntricate
        at += max(int.from_bytes(data[at : at + 2], "big"), 2)


def _decode(image: Image.Image) -> Image.Image:
    """Upright 8-bit RGB; 16-bit is scaled, transparency laid on white, CMYK converted.

    At 50 megapixels every copy counts: nothing is copied that need not be.
    """
    try:
        image.load()
        turn = _TURNS.get(_orientation(image))
        if turn is not None:
            image = image.transpose(turn)
        if image.mode.startswith(("I", "F")):
            image = _to_8_bit(image)
        if image.has_transparency_data:
            return _on_white(image)
        return image if image.mode == "RGB" else image.convert("RGB")
    except STUMBLES as error:
        raise errors.PhotoBroken from error


def _orientation(image: Image.Image) -> int:
    """1 (upright) where the tag is absent or unreadable, for a wrong tag must not refuse a photo."""
    try:
        value = image.getexif().get(_ORIENTATION)
    except STUMBLES:
        return 1
    return value if isinstance(value, int) else 1


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        image = image.convert("RGBA")
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image)
    return white


def _to_8_bit(image: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits, whole numbers or not, as 8 bits; a few rows at a time."""
    full = 65535.0 if (image.getextrema()[1] or 0) > 255 else 255.0  # type: ignore[operator]
    grey = np.empty((image.height, image.width), np.uint8)
    for top in range(0, image.height, 256):
        rows = np.asarray(image.crop((0, top, image.width, min(top + 256, image.height))), np.float64)
        scaled = np.nan_to_num(rows, nan=0.0, posinf=full, neginf=0.0) * (255.0 / full)
        grey[top : top + 256] = np.clip(scaled, 0, 255).astype(np.uint8)
    return Image.fromarray(grey)


def _taken_at(image: Image.Image) -> dt.datetime | None:
    """The camera's own time; None where it is absent or unreadable, for a wrong tag must not refuse a photo."""
    try:
        tags = image.getexif().get_ifd(0x8769)
        text = f"{tags.get(_EXIF_TIME, '')} {tags.get(_EXIF_OFFSET, '')}".strip("\x00 ")
    except STUMBLES:
        return None
    for form in ("%Y:%m:%d %H:%M:%S %z", "%Y:%m:%d %H:%M:%S"):
        try:
            return dt.datetime.strptime(text, form)
        except ValueError:
            continue
    return None
