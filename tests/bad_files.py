"""Makes the files that a door for photos meets sooner or later, each with the answer it must get.

Nothing is read from disk: every file is made from numbers, the same ones each time. ``odd_files()`` gives all of
them; ``python -m tests.bad_files FOLDER`` writes them out, to drop on a page by hand.
"""

from __future__ import annotations

import functools
import io
import struct
import sys
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

ORIENTATION = 0x0112
HTML = b"<!doctype html><script>document.title = 'run'</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="200" height="200"><script>alert(1)</script></svg>'


@dataclass(frozen=True)
class OddFile:
    """A file, what it calls itself, and the HTTP status a photo upload answers: 202, or the refusal."""

    name: str
    content_type: str
    status: int
    data: bytes
    about: str
    code: str = ""
    """Of the refusal; empty for a file that is taken in."""
    size: tuple[int, int] = (0, 0)
    """Width and height of what is kept of it."""

    def __repr__(self) -> str:
        return self.name


@functools.cache
def odd_files() -> tuple[OddFile, ...]:
    """All of them."""
    from tests import odd_photos  # made with what stands here

    return (
        *_not_photos(),
        *_damaged(),
        *_too_big_or_small(),
        *_moving(),
        *_unusual_but_good(),
        *_two_at_once(),
        *odd_photos.more(),
    )


def refused() -> tuple[OddFile, ...]:
    return tuple(file for file in odd_files() if file.status != 202)


def accepted() -> tuple[OddFile, ...]:
    return tuple(file for file in odd_files() if file.status == 202)


def picture(width: int = 160, height: int = 120, mode: str = "RGB") -> Image.Image:
    """A smooth picture with something in every corner, so that a wrong turn shows."""
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([255 * x / width, 255 * y / height, np.full_like(x, 96)], axis=-1).astype(np.uint8)
    pixels[: height // 4, : width // 4] = (255, 0, 0)
    return Image.fromarray(pixels).convert(mode)


def encoded(image: Image.Image, form: str = "JPEG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def png_header(width: int, height: int, *, depth: int = 8, colour: int = 2) -> bytes:
    """A PNG that only says how large it is, and has a few bytes of pixels."""
    return png_of(width, height, zlib.compress(b"\0" * 64), depth, colour)


def png_bomb(width: int, height: int) -> bytes:
    """A whole PNG of one bit a pixel, all black: megabytes of memory from a few kilobytes."""
    packer = zlib.compressobj(9)
    row = b"\0" * (1 + (width + 7) // 8)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    return png_of(width, height, data, 1, 0)


def png_of(width: int, height: int, data: bytes, depth: int, colour: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _not_photos() -> list[OddFile]:
    def no(name: str, content_type: str, data: bytes, about: str) -> OddFile:
        return OddFile(name, content_type, 415, data, about, "photo_not_an_image")

    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr("photo.jpg", encoded(picture()))
    return [
        OddFile("empty.jpg", "image/jpeg", 422, b"", "no bytes at all", "photo_empty"),
        no("one-byte.jpg", "image/jpeg", b"\xff", "a single byte"),
        no("text.jpg", "image/jpeg", b"This is a letter and no photo.\n" * 40, "text renamed"),
        no("page.jpg", "image/jpeg", HTML * 20, "HTML renamed"),
        no("drawing.png", "image/png", SVG, "SVG with a script, renamed"),
        no("drawing.svg", "image/svg+xml", SVG.replace(b"200", b"300"), "SVG as what it is"),
        no("paper.jpg", "image/jpeg", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n", "PDF renamed"),
        no(
            "script.jpg",
            "image/jpeg",
            b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 200 200\n",
            "EPS renamed",
        ),
        no("archive.jpg", "image/jpeg", archive.getvalue(), "ZIP renamed"),
        no("program.png", "image/png", b"\x7fELF" + b"\0" * 500, "a program renamed"),
        no("zeros.jpg", "image/jpeg", b"\0" * 5000, "nothing but zeros"),
        no("noise.jpg", "image/jpeg", np.random.default_rng(7).bytes(5000), "random bytes"),
        no("still.gif", "image/gif", encoded(picture(), "GIF"), "a still GIF: no camera sends one"),
        no("phone.heic", "image/heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 400, "HEIC"),
    ]


def _damaged() -> list[OddFile]:
    jpeg, png = encoded(picture(640, 480)), encoded(picture(640, 480), "PNG")
    webp, tiff = encoded(picture(640, 480), "WEBP"), encoded(picture(640, 480), "TIFF")

    def broken(name: str, data: bytes, about: str) -> OddFile:
        kind = name.rpartition(".")[2].replace("jpg", "jpeg")
        return OddFile(name, f"image/{kind}", 422, data, about, "photo_broken")

    def unknown(name: str, data: bytes, about: str) -> OddFile:
        kind = name.rpartition(".")[2].replace("jpg", "jpeg")
        return OddFile(name, f"image/{kind}", 415, data, about, "photo_not_an_image")

    text = PngInfo()
    text.add_text("comment", "a" * 20_000_000, zip=True)
    bad_sum = bytearray(png)
    bad_sum[29] ^= 0xFF  # the header's checksum
    return [
        broken("half.jpg", jpeg[: len(jpeg) // 2], "cut off in the middle"),
        broken("half.png", png[: len(png) // 2], "cut off in the middle"),
        broken("half.tiff", tiff[: len(tiff) // 2], "cut off in the middle"),
        broken("half.webp", webp[: len(webp) // 2], "cut off in the middle"),
        broken("start.png", png[:20], "cut off in the header"),
        unknown("start.jpg", jpeg[:20], "cut off in the header"),
        unknown("sum.png", bytes(bad_sum), "a header with a wrong checksum"),
        broken("text-bomb.png", encoded(picture(), "PNG", pnginfo=text), "twenty megabytes in a comment"),
        broken("no-pixels.png", png_header(400, 300), "all header and hardly a pixel"),
    ]


def _too_big_or_small() -> list[OddFile]:
    def small(name: str, width: int, height: int) -> OddFile:
        data = encoded(picture(width, height), "PNG")
        return OddFile(name, "image/png", 422, data, f"{width} by {height} pixels", "photo_too_small")

    def large(name: str, data: bytes, about: str) -> OddFile:
        return OddFile(name, "image/png", 413, data, about, "photo_too_large")

    return [
        small("one-pixel.png", 1, 1),
        small("line.png", 5000, 1),
        small("thumbnail.png", 63, 63),
        large("200-megapixels.png", png_header(20_000, 10_000), "says 200 megapixels in 150 bytes"),
        large("endless.png", png_header(2**31 - 1, 2**31 - 1), "says it is as large as a PNG can be"),
        large("ribbon.png", encoded(picture(65_600, 64, "L"), "PNG"), "too long for any JPEG"),
        large("bomb.png", png_bomb(20_000, 20_000), "400 megapixels in 50 kilobytes"),
    ]


def _moving() -> list[OddFile]:
    frames = [picture(), picture(mode="L").convert("RGB")]
    more: dict[str, Any] = {"save_all": True, "append_images": frames[1:], "duration": 100}

    def moving(name: str, form: str) -> OddFile:
        data = encoded(frames[0], form, **more)
        return OddFile(name, f"image/{form.lower()}", 422, data, f"moving {form}", "photo_animated")

    gif = encoded(frames[0], "GIF", **more)
    return [
        OddFile("moving.gif", "image/gif", 415, gif, "moving GIF", "photo_not_an_image"),
        moving("moving.png", "PNG"),
        moving("moving.webp", "WEBP"),
        moving("pages.tiff", "TIFF"),
    ]


def _unusual_but_good() -> list[OddFile]:
    def good(name: str, data: bytes, about: str, size: tuple[int, int] = (160, 120)) -> OddFile:
        kind = name.rpartition(".")[2].replace("jpg", "jpeg")
        return OddFile(name, f"image/{kind}", 202, data, about, size=size)

    deep = (np.asarray(picture(mode="L")).astype(np.uint16) * 257).astype(np.uint16)
    wrong_exif = b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\x01\x12\0\x03\xff\xff\xff\xff\xff\xff\xff\xff" * 4
    lying = bytearray(encoded(picture(), quality=81))
    return [
        *(_turned(orientation) for orientation in range(1, 9)),
        good("cmyk.jpg", encoded(picture(mode="CMYK")), "CMYK, as from a print shop"),
        good("grey.jpg", encoded(picture(mode="L")), "greyscale"),
        good("progressive.jpg", encoded(picture(), progressive=True), "progressive"),
        good("16-bit.png", encoded(Image.fromarray(deep), "PNG"), "16 bits a pixel"),
        good("see-through.png", encoded(picture(mode="RGBA"), "PNG"), "with transparency"),
        good("palette.png", encoded(picture(mode="P"), "PNG"), "256 colours"),
        good("grey-alpha.png", encoded(picture(mode="LA"), "PNG"), "grey with transparency"),
        good("black-white.png", encoded(picture(mode="1"), "PNG"), "one bit a pixel"),
        good("camera.webp", encoded(picture(), "WEBP"), "WebP"),
        good("camera.bmp", encoded(picture(), "BMP"), "BMP"),
        good("scan.tiff", encoded(picture(), "TIFF"), "TIFF"),
        good("wrong-exif.jpg", encoded(picture(), exif=wrong_exif), "metadata that makes no sense"),
        good("called-html.html", bytes(lying), "a photo with the name of a page"),
    ]


def _turned(orientation: int) -> OddFile:
    """What a phone held in one of eight ways stores; upright it is always the same picture."""
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Pillow's transposes that undo what the tag asks for
    stored = picture()
    if orientation in undo:
        stored = stored.transpose(Image.Transpose(undo[orientation]))
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    data = encoded(stored, quality=95, exif=exif)
    return OddFile(
        f"turned-{orientation}.jpg",
        "image/jpeg",
        202,
        data,
        f"EXIF orientation {orientation}",
        size=(160, 120),
    )


def _two_at_once() -> list[OddFile]:
    """Photos that are something else as well. They are taken in, and what is kept is the photo alone."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr("run.html", HTML)

    def good(name: str, data: bytes, about: str) -> OddFile:
        return OddFile(name, "image/jpeg", 202, data, about, size=(160, 120))

    return [
        good("more-behind.jpg", encoded(picture(), quality=82) + b"\0garbage" * 500, "bytes after the end"),
        good("photo-and-page.jpg", encoded(picture(), comment=HTML), "a page in its comment"),
        good("photo-and-page-behind.jpg", encoded(picture(), quality=83) + HTML, "a page after its end"),
        good("photo-and-archive.jpg", encoded(picture(), quality=84) + archive.getvalue(), "also a ZIP"),
    ]


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for file in odd_files():
        (folder / file.name).write_bytes(file.data)
        print(file.status, file.name, file.about)
