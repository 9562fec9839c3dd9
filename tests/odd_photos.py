"""More photos that attack their decoders, or look as if they did: each with the answer it must get."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageCms

from tests.bad_files import HTML, OddFile, chunk, encoded, picture, png_header
from tests.odd_papers import pdf, workbook, zipped

REFUSALS = {415: "photo_not_an_image", 413: "photo_too_large", 422: "photo_broken"}
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def more() -> Iterator[OddFile]:
    yield from _kinds_no_camera_sends()
    yield from _jpegs()
    yield from _pngs()
    yield from _tiffs()
    yield from _others()


def _file(
    name: str, data: bytes, status: int, about: str, *, code: str = "", size: tuple[int, int] = (160, 120)
) -> OddFile:
    kind = name.rpartition(".")[2].replace("jpg", "jpeg").replace("tif", "tiff").replace("tifff", "tiff")
    if status == 202:
        return OddFile(name, f"image/{kind}", status, data, about, size=size)
    return OddFile(name, f"image/{kind}", status, data, about, code or REFUSALS[status])


def _kinds_no_camera_sends() -> Iterator[OddFile]:
    jpeg = encoded(picture())
    for name, data, about in (
        ("gif-and-page.gif", b"GIF89a/*" + b"\0" * 300 + b"*/=1;alert(1)", "GIF and script"),
        ("gif-and-jpeg.jpg", b"GIF89a" + jpeg, "a JPEG behind the mark of a GIF"),
        ("shifted.jpg", b"\n" + jpeg, "a JPEG behind a line end"),
        ("page-first.jpg", HTML + jpeg, "a page with a JPEG behind it"),
        ("in-pdf.jpg", pdf() + jpeg, "a PDF with a JPEG behind it"),
        ("zip-bomb.jpg", zipped({"a": b"\0" * 20_000_000}), "20 MB of zeros, zipped"),
        ("workbook.jpg", workbook(), "a workbook renamed"),
        ("packed.jpg", gzip.compress(jpeg), "a JPEG in gzip"),
        ("film.jpg", b"\0\0\0\x20ftypisom" + b"\0" * 500, "a film renamed"),
        ("photo.avif", b"\0\0\0\x1cftypavif\0\0\0\0mif1avif" + b"\0" * 400, "AVIF"),
        ("photo.jxl", b"\xff\x0a" + b"\0" * 400, "JPEG XL"),
        ("photo.jp2", b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0" * 400, "JPEG 2000"),
        ("icon.ico", encoded(picture(64, 64), "ICO"), "an icon"),
        ("photo.ppm", encoded(picture(), "PPM"), "a plain pixel map"),
        ("photo.tga", encoded(picture(), "TGA"), "TGA"),
        ("photo.psd", b"8BPS\0\1" + b"\0" * 400, "a Photoshop file"),
        ("vector.wmf", b"\xd7\xcd\xc6\x9a" + b"\0" * 400, "a Windows metafile"),
        ("text-16.jpg", "no photo ".encode("utf-16") * 40, "text in UTF-16"),
        ("bare-riff.webp", b"RIFF\xff\xff\xff\xffWEBP", "a WebP of twelve bytes"),
    ):
        yield _file(name, data, 415, about)


def _jpegs() -> Iterator[OddFile]:
    jpeg = encoded(picture())
    head, rest = jpeg[:2], jpeg[2:]
    huffman = bytearray(jpeg)
    place = jpeg.index(b"\xff\xc4")
    huffman[place + 5 : place + 21] = b"\xff" * 16
    bent = bytearray(encoded(picture(640, 480)))
    bent[len(bent) // 2 : len(bent) // 2 + 40] = np.random.default_rng(5).bytes(40).replace(b"\xff", b"\0")
    yield _file("huffman.jpg", bytes(huffman), 422, "a Huffman table of impossible codes")
    yield _file(
        "bent.jpg",
        bytes(bent),
        202,
        "bytes turned over in the middle: grey where it was hit",
        size=(640, 480),
    )
    yield _file("thin.jpg", _said_size(jpeg, 1, 65_535), 422, "1 by 65,535 pixels", code="photo_too_small")
    yield _file("vast.jpg", _said_size(jpeg, 65_535, 65_535), 413, "says 4,294 megapixels")
    yield _file("no-height.jpg", _said_size(jpeg, 160, 0), 415, "no height")
    yield _file(
        "scans.jpg", many_scans(5000), 422, "5,000 passes over every pixel", code="photo_too_intricate"
    )
    yield _file(
        "some-scans.jpg", many_scans(20), 202, "thirty passes, as a careful program makes", size=(320, 240)
    )
    yield _file(
        "restarts.jpg",
        encoded(picture(640, 480), restart_marker_blocks=1),
        202,
        "thousands of restart markers",
        size=(640, 480),
    )
    yield _file(
        "12-bit.jpg", jpeg.replace(b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x0c"), 415, "12 bits a colour"
    )
    yield _file("lossless.jpg", jpeg.replace(b"\xff\xc0", b"\xff\xc3"), 422, "says it is lossless")
    yield _file(
        "endless-comment.jpg", head + b"\xff\xfe\xff\xff" + rest[:40], 422, "a comment longer than the file"
    )
    yield _file("comments.jpg", head + b"\xff\xfe\0\x03x" * 20_000 + rest, 202, "20,000 comments")
    yield _file(
        "megabytes.jpg", head + (b"\xff\xe5\xff\xff" + b"a" * 65_533) * 60 + rest, 202, "4 MB of segments"
    )
    yield _file("exif-loop.jpg", head + _exif(_looping()) + rest, 202, "metadata that points to itself")
    yield _file("exif-huge.jpg", head + _exif(_crowded()) + rest, 202, "5,000 tags in its metadata")
    yield _file(
        "exif-turn-9.jpg", head + _exif(_tags((0x0112, 3, 1, 9))) + rest, 202, "turned by a ninth way"
    )
    yield _file(
        "exif-turn-text.jpg", head + _exif(_tags((0x0112, 2, 4, 0x61616161))) + rest, 202, "turned by letters"
    )
    yield _file("colours.jpg", encoded(picture(), icc_profile=b"\0" * 4000), 202, "a colour profile of zeros")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    yield _file("lab.jpg", encoded(picture(), icc_profile=profile), 202, "a colour profile for another space")
    yield _file("two.jpg", jpeg + encoded(picture(320, 240)), 202, "two photos, one behind the other")
    yield _file(
        "stereo.jpg",
        encoded(picture(), "MPO", save_all=True, append_images=[picture(80, 60)]),
        202,
        "a phone's photo with its preview",
    )
    yield _file(
        "javascript.jpg",
        head + b"\xff\xe0\x2f\x2a" + b"\0" * 0x2F28 + b"\xff\xfe\0\x1c*/=alert(1)/*<script>xxxx*/" + rest,
        202,
        "a JPEG that reads as JavaScript",
    )


def _pngs() -> Iterator[OddFile]:
    png = encoded(picture(), "PNG")
    ihdr, rest = png[:33], png[33:]
    broken_sum = bytearray(png)
    broken_sum[-20] ^= 0xFF
    palette = encoded(picture(mode="P"), "PNG")
    plte = palette.index(b"PLTE")
    length = int.from_bytes(palette[plte - 4 : plte], "big")
    short = palette[: plte - 4] + chunk(b"PLTE", palette[plte + 4 : plte + 7]) + palette[plte + 8 + length :]
    yield _file(
        "chunks.png", ihdr + chunk(b"teSt", b"a" * 1_000_000) * 3 + rest, 202, "3 MB of chunks nobody knows"
    )
    yield _file("many-chunks.png", ihdr + chunk(b"teSt", b"") * 30_000 + rest, 202, "30,000 empty chunks")
    yield _file("endless-chunk.png", ihdr + b"\xff\xff\xff\xffIDAT" + b"\0" * 100, 422, "a chunk of 4 GB")
    yield _file(
        "profile-bomb.png",
        ihdr + chunk(b"iCCP", b"x\0\0" + zlib.compress(b"\0" * 30_000_000)) + rest,
        422,
        "30 MB in a colour profile",
    )
    yield _file(
        "profile.png", ihdr + chunk(b"iCCP", b"x\0\0nothing") + rest, 202, "a colour profile that is none"
    )
    yield _file("page.png", ihdr + chunk(b"tEXt", b"Comment\0" + HTML) + rest, 202, "a page in its text")
    yield _file("sum-behind.png", bytes(broken_sum), 422, "pixels whose checksum is wrong")
    yield _file("interlaced.png", _interlaced(), 202, "interlaced", size=(128, 128))
    yield _file("few-colours.png", short, 202, "a palette shorter than its pixels ask for")
    yield _file(
        "no-palette.png", palette[: plte - 4] + palette[plte + 8 + length :], 422, "no palette at all"
    )
    yield _file(
        "endless-film.png",
        ihdr + chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0)) + rest,
        422,
        "a film of two thousand million frames",
        code="photo_animated",
    )
    yield _file(
        "no-frames.png", ihdr + chunk(b"acTL", struct.pack(">II", 0, 0)) + rest, 202, "a film of no frames"
    )
    yield _file("two-heads.png", ihdr + png[8:], 202, "two headers")
    yield _file("colour-9.png", png_header(400, 300, colour=9), 415, "a kind of colour there is not")
    yield _file("depth-3.png", png_header(400, 300, depth=3), 415, "three bits a pixel")
    yield _file("tail.png", png + b"PK\x03\x04garbage<script>" * 100, 202, "bytes after the end")


def _tiffs() -> Iterator[OddFile]:
    grey = np.full((120, 160), np.nan, np.float32)
    yield _file(
        "not-a-number.tiff", encoded(Image.fromarray(grey), "TIFF"), 202, "pixels that are no numbers"
    )
    yield _file(
        "negative.tiff",
        encoded(Image.fromarray(np.full((120, 160), -7, np.int32)), "TIFF"),
        202,
        "negative pixels",
    )
    yield _file("cmyk.tiff", encoded(picture(mode="CMYK"), "TIFF"), 202, "CMYK")
    yield _file("lzw.tiff", encoded(picture(), "TIFF", compression="tiff_lzw"), 202, "packed by LZW")
    yield _file(
        "fax.tiff", encoded(picture(mode="1"), "TIFF", compression="group4"), 202, "as a fax is packed"
    )
    yield _file("jpeg.tiff", encoded(picture(), "TIFF", compression="jpeg"), 202, "a JPEG in a TIFF")
    tiff = bytearray(encoded(picture(), "TIFF"))
    start = int.from_bytes(tiff[4:8], "little")
    count = int.from_bytes(tiff[start : start + 2], "little")
    loop = bytearray(tiff)
    loop[start + 2 + 12 * count : start + 6 + 12 * count] = start.to_bytes(4, "little")
    yield _file("loop.tiff", bytes(loop), 202, "its next page is itself")
    yield _file(
        "nowhere.tiff",
        bytes(tiff[:4]) + b"\xff\xff\xff\x7f" + bytes(tiff[8:]),
        415,
        "its page lies beyond its end",
    )
    wide = bytearray(tiff)
    for entry in range(count):
        at = start + 2 + 12 * entry
        if int.from_bytes(wide[at : at + 2], "little") in (256, 257):
            wide[at + 2 : at + 12] = struct.pack("<HII", 4, 1, 2**31 - 1)
    yield _file("vast.tiff", bytes(wide), 413, "as large as a TIFF can say")


def _others() -> Iterator[OddFile]:
    bmp = bytearray(encoded(picture(), "BMP"))
    tall = bytes(bmp[:22]) + struct.pack("<i", -(2**31)) + bytes(bmp[26:])
    rle = struct.pack("<2sIHHI", b"BM", 54 + 1024 + 4, 0, 0, 54 + 1024)
    rle += struct.pack("<IiiHHIIiiII", 40, 160, 120, 1, 8, 1, 4, 0, 0, 256, 0) + bytes(range(256)) * 4
    yield _file("tall.bmp", tall, 413, "turned round and endless")
    yield _file("rle.bmp", rle + b"\xa0\x07\0\0" * 120 + b"\0\1", 202, "packed by runs")
    yield _file(
        "rle-jumps.bmp", rle + b"\0\2\xff\xff" * 2000 + b"\0\1", 202, "runs that jump out of the picture"
    )
    webp = encoded(picture(mode="RGBA"), "WEBP", lossless=True)
    yield _file("see-through.webp", webp, 202, "WebP with transparency")
    yield _file("one-frame.webp", encoded(picture(), "WEBP", save_all=True), 202, "a film of one frame")
    lying = bytearray(webp)
    lying[4:8] = b"\xff\xff\xff\x7f"
    yield _file("size.webp", bytes(lying), 422, "says it is 2 GB")


def _said_size(jpeg: bytes, width: int, height: int) -> bytes:
    at = jpeg.index(b"\xff\xc0")
    return jpeg[: at + 5] + struct.pack(">HH", height, width) + jpeg[at + 9 :]


def many_scans(more: int) -> bytes:
    """A progressive JPEG whose second pass is there ``more`` times: fifteen bytes each, and every pixel again."""
    data = encoded(Image.new("RGB", (320, 240), (90, 120, 30)), progressive=True)
    first = data.index(b"\xff\xda")
    second = data.index(b"\xff\xda", first + 2)
    behind = data.index(b"\xff\xc4", second)
    return data[:behind] + data[second:behind] * more + data[behind:]


def _exif(tiff: bytes) -> bytes:
    body = b"Exif\0\0" + tiff
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def _tags(*tags: tuple[int, int, int, int], behind: int = 0) -> bytes:
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + struct.pack("<I", behind)


def _looping() -> bytes:
    """The page's next is itself, and so are its sub-pages."""
    return _tags((0x8769, 4, 1, 8), (0x8825, 4, 1, 8), (0xA005, 4, 1, 8), (0x0112, 3, 1, 1), behind=8)


def _crowded() -> bytes:
    return _tags(*((0x9000 + n % 3000, 2, 60_000, 8) for n in range(5000)))


def _interlaced() -> bytes:
    """Adam7: seven smaller pictures, here all of one grey."""
    passes = ((16, 16), (16, 16), (32, 16), (32, 32), (64, 32), (64, 64), (128, 64))
    rows = b"".join((b"\0" + b"\x80" * width) * height for width, height in passes)
    header = struct.pack(">IIBBBBB", 128, 128, 8, 0, 0, 0, 1)
    return SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
