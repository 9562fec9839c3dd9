"""Bytes from outside -> an upright RGB photo without metadata. Bounded before anything is decoded."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps, UnidentifiedImageError

from attendance import errors

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")  # a phone's MPO is read as JPEG
MIN_SIDE = 64
MAX_SIDE = 65_500  # libjpeg writes nothing longer
JPEG_QUALITY = 92
_EXIF_TIME, _EXIF_OFFSET = 36867, 36881  # DateTimeOriginal, OffsetTimeOriginal (EXIF 2.31)

# Pillow's own bound only warns; ours is checked on the header, before any pixel is decoded.
Image.MAX_IMAGE_PIXELS = None

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
    taken_at = _taken_at(image)
    upright = _decode(image)
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
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise errors.PhotoNotAnImage from error
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError) as error:
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
    # A phone's MPO holds a preview beside the photo; it is no animation.
    if image.format != "MPO" and getattr(image, "is_animated", False):
        raise errors.PhotoAnimated


def _decode(image: Image.Image) -> Image.Image:
    """Upright 8-bit RGB; 16-bit is scaled, transparency laid on white, CMYK converted."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image.load()
            image = ImageOps.exif_transpose(image)
            if image.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
                image = Image.fromarray(_to_8_bit(np.asarray(image)))
            if image.has_transparency_data:
                image = image.convert("RGBA")
                white = Image.new("RGBA", image.size, "white")
                white.alpha_composite(image)
                image = white
            return image.convert("RGB")
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, MemoryError) as error:
        raise errors.PhotoBroken from error


def _to_8_bit(values: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
    full = 65535.0 if float(values.max(initial=0)) > 255 else 255.0
    return np.clip(values.astype(np.float64) * (255.0 / full), 0, 255).astype(np.uint8)


def _taken_at(image: Image.Image) -> dt.datetime | None:
    """The camera's own time; None where it is absent or unreadable, for a wrong tag must not refuse a photo."""
    try:
        tags = image.getexif().get_ifd(0x8769)
        text = f"{tags.get(_EXIF_TIME, '')} {tags.get(_EXIF_OFFSET, '')}".strip("\x00 ")
    except (OSError, ValueError, SyntaxError, TypeError, KeyError, EOFError):
        return None
    for form in ("%Y:%m:%d %H:%M:%S %z", "%Y:%m:%d %H:%M:%S"):
        try:
            return dt.datetime.strptime(text, form)
        except ValueError:
            continue
    return None
