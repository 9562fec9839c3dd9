"""An empty classroom, drawn: the back wall, and rows of desks as the camera beside the board sees them."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

Pixels = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]

WIDTH, HEIGHT = 1920, 1080
_FLOOR_AT = 560
_CLOCK = (1330, 150, 46)
_WOOD: Colour = (214, 184, 143)
_PAPERS: tuple[Colour, ...] = (
    (247, 243, 232), (233, 196, 106), (132, 169, 140), (109, 152, 186), (231, 111, 81), (244, 222, 203)
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seat:
    """A place in the room: the middle of the sitter's face, and how wide a face is there, in pixels."""

    x: float
    y: float
    face_width: float
    row: int
    """0 at the back wall."""


_SMALL = (
    *(Seat(x, 385, 66, 0) for x in (420.0, 850.0, 1290.0, 1700.0)),
    *(Seat(x, 560, 88, 1) for x in (230.0, 715.0, 1200.0, 1680.0)),
    *(Seat(x, 795, 118, 2) for x in (470.0, 955.0, 1440.0)),
)


def seats(count: int) -> list[Seat]:
    """At least ``count`` places, the front row last; rows of near places are wider apart."""
    if count <= len(_SMALL):
        return list(_SMALL)
    placed = []
    for row, (places, width, y) in enumerate(_rows(count)):
        gap = WIDTH / places
        shift = (0.5 + (0.16 if row % 2 else -0.12)) * gap
        placed += [Seat(shift + gap * i, y, width, row) for i in range(places)]
    return placed


def _rows(count: int) -> list[tuple[int, float, float]]:
    """Places, face width and height in the photo of each row, from the back."""
    rows = max(3, min(5, math.ceil(count / 8)))
    per_row = math.ceil(count / rows)
    nearest = min(108.0, WIDTH / per_row / 2.0)
    widths = np.linspace(0.52, 1.0, rows) * nearest
    heights = np.linspace(300, 805, rows)
    return [(per_row, float(width), float(y)) for width, y in zip(widths, heights, strict=True)]


@lru_cache(maxsize=4)
def back_wall(seed: int) -> Pixels:
    """Wall, window, pin board, door and floor, a little out of focus; (HEIGHT, WIDTH, 3) uint8 RGB."""
    rng = np.random.default_rng((seed, 7))
    image = Image.fromarray(_surfaces())
    draw = ImageDraw.Draw(image)
    _window(draw, rng)
    _pin_board(draw, rng)
    _door(draw)
    draw.rectangle((0, _FLOOR_AT - 16, WIDTH, _FLOOR_AT), fill=(178, 168, 152))
    return np.asarray(cv2.GaussianBlur(np.asarray(image), (0, 0), 2.2), np.uint8)


def clock(image: Pixels, time: dt.time) -> None:
    """Hang the clock, showing ``time``, into ``image``."""
    x, y, radius = _CLOCK
    cv2.circle(image, (x + 3, y + 5), radius, (205, 198, 184), -1, cv2.LINE_AA)
    cv2.circle(image, (x, y), radius, (70, 72, 76), -1, cv2.LINE_AA)
    cv2.circle(image, (x, y), radius - 5, (250, 249, 245), -1, cv2.LINE_AA)
    for turn, length, thick in (
        ((time.hour % 12 + time.minute / 60) / 12, 0.5, 4),
        (time.minute / 60, 0.74, 3),
    ):
        angle = 2 * math.pi * turn
        tip = (x + round(math.sin(angle) * radius * length), y - round(math.cos(angle) * radius * length))
        cv2.line(image, (x, y), tip, (45, 47, 52), thick, cv2.LINE_AA)


def chair(image: Pixels, seat: Seat) -> None:
    """The back of an empty chair behind its desk."""
    w, x, y = seat.face_width, seat.x, seat.y
    _polygon(image, [(x - 0.62 * w, y + 0.72 * w), (x + 0.62 * w, y + 0.72 * w), (x + 0.68 * w, y + 1.5 * w),
                     (x - 0.68 * w, y + 1.5 * w)], (92, 112, 128))  # fmt: skip
    _polygon(image, [(x - 0.55 * w, y + 0.79 * w), (x + 0.55 * w, y + 0.79 * w), (x + 0.6 * w, y + 1.5 * w),
                     (x - 0.6 * w, y + 1.5 * w)], (112, 134, 150))  # fmt: skip


def desk(image: Pixels, seat: Seat, seed: int) -> None:
    """A desk in front of its sitter, with something to write on."""
    rng = np.random.default_rng((seed, round(seat.x), round(seat.y)))
    w, x, top = seat.face_width, seat.x, seat.y + 1.22 * seat.face_width
    back, front, lip = top, top + 0.34 * w, top + 0.43 * w
    for side in (-1, 1):
        _polygon(image, [(x + side * 1.55 * w, lip), (x + side * 1.63 * w, lip), (x + side * 1.6 * w, lip + 1.5 * w),
                         (x + side * 1.52 * w, lip + 1.5 * w)], (98, 102, 108))  # fmt: skip
    _polygon(image, [(x - 1.5 * w, lip), (x + 1.5 * w, lip), (x + 1.47 * w, lip + 0.8 * w),
                     (x - 1.47 * w, lip + 0.8 * w)], (168, 172, 176))  # fmt: skip
    _polygon(image, [(x - 1.62 * w, back), (x + 1.62 * w, back), (x + 1.76 * w, front), (x - 1.76 * w, front)],
             _WOOD)  # fmt: skip
    _polygon(image, [(x - 1.76 * w, front), (x + 1.76 * w, front), (x + 1.76 * w, lip), (x - 1.76 * w, lip)],
             (188, 156, 116))  # fmt: skip
    left = x + (float(rng.uniform(-0.75, 0.1)) * w)
    paper = _PAPERS[int(rng.integers(len(_PAPERS)))]
    _polygon(image, [(left, back + 0.1 * w), (left + 0.6 * w, back + 0.08 * w), (left + 0.66 * w, front - 0.04 * w),
                     (left - 0.04 * w, front - 0.03 * w)], paper)  # fmt: skip


def bowed(image: Pixels, seat: Seat, seed: int) -> None:
    """Somebody bent over the paper: hair, shoulders and arms, and no face to be seen."""
    rng = np.random.default_rng((seed, 31, round(seat.x)))
    w, x, y = seat.face_width, seat.x, seat.y
    hair: Colour = ((46, 36, 32), (98, 68, 46), (172, 138, 92))[int(rng.integers(3))]
    cloth: Colour = ((86, 112, 134), (132, 92, 98), (96, 122, 98))[int(rng.integers(3))]
    patch = image.copy()
    _polygon(patch, _curve(x, y + 1.5 * w, 1.15 * w, 0.74 * w), cloth)
    head, size = _at(x, y + 0.86 * w), (round(0.47 * w), round(0.46 * w))
    cv2.ellipse(patch, head, size, 0, 0, 360, hair, -1, cv2.LINE_AA)
    dark: Colour = (round(hair[0] * 0.72), round(hair[1] * 0.72), round(hair[2] * 0.72))
    for tilt in range(-60, 61, 15):  # strands from the crown
        tip = _at(
            x + 0.44 * w * math.sin(math.radians(tilt)),
            y + 0.86 * w + 0.44 * w * math.cos(math.radians(tilt)),
        )
        cv2.line(patch, _at(x + 0.06 * w, y + 0.56 * w), tip, dark, max(1, round(0.02 * w)), cv2.LINE_AA)
    image[:] = cv2.GaussianBlur(patch, (0, 0), 1.0)


def shoulders(image: Pixels, seat: Seat, colour: Colour) -> None:
    """A plain pullover for somebody of whom the photo shows the head alone."""
    w, x, y = seat.face_width, seat.x, seat.y
    _polygon(image, _curve(x, y + 1.9 * w, 1.05 * w, 1.2 * w), colour)


def _curve(x: float, bottom: float, half: float, height: float) -> list[tuple[float, float]]:
    """The outline of shoulders: a flattened half ellipse (exponent 2.6)."""
    turns = np.linspace(0, math.pi, 40)
    power = 2 / 2.6
    return [
        (
            x + half * math.copysign(abs(math.cos(turn)) ** power, math.cos(turn)),
            bottom - height * math.sin(turn) ** power,
        )
        for turn in turns
    ]


def _surfaces() -> Pixels:
    """Wall and floor with light falling in from the window on the left."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    wall = np.array([240, 236, 226], np.float32) * (1.04 - 0.13 * (x / WIDTH)[..., None])
    depth = ((y - _FLOOR_AT) / (HEIGHT - _FLOOR_AT)).clip(0, 1)[..., None]
    floor = (
        np.array([190, 178, 160], np.float32) * (0.92 + 0.14 * depth) * (1.04 - 0.12 * (x / WIDTH)[..., None])
    )
    return np.asarray(np.where(y[..., None] < _FLOOR_AT, wall, floor).clip(0, 255), np.uint8)


def _window(draw: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    left, top, right, bottom = 70, 40, 560, 300
    draw.rectangle((left - 16, top - 16, right + 16, bottom + 16), fill=(248, 246, 240))
    for line in range(top, bottom):
        share = (line - top) / (bottom - top)
        draw.line((left, line, right, line), fill=tuple(round(a + (b - a) * share) for a, b in
                  ((188, 236), (214, 240), (236, 238))))  # fmt: skip
    for _ in range(46):
        x, y, r = rng.uniform(left, right), rng.uniform(bottom - 95, bottom), rng.uniform(14, 34)
        green = (int(rng.integers(116, 158)), int(rng.integers(150, 186)), int(rng.integers(112, 140)))
        box = (max(left, x - r), max(top, y - r), min(right, x + r), min(bottom, y + r))
        if box[0] < box[2] and box[1] < box[3]:
            draw.ellipse(box, fill=green)
    middle = (left + right) // 2
    draw.rectangle((middle - 7, top, middle + 7, bottom), fill=(248, 246, 240))
    draw.rectangle((left - 30, bottom + 14, right + 30, bottom + 34), fill=(226, 222, 212))


def _pin_board(draw: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    left, top, right, bottom = 720, 56, 1200, 290
    draw.rectangle((left - 10, top - 10, right + 10, bottom + 10), fill=(150, 120, 86))
    draw.rectangle((left, top, right, bottom), fill=(203, 172, 128))
    for column in range(5):
        for line in range(2):
            x, y = left + 22 + column * 92 + rng.uniform(-6, 6), top + 18 + line * 110 + rng.uniform(-6, 6)
            width, height = rng.uniform(56, 74), rng.uniform(66, 92)
            draw.rectangle((x, y, x + width, y + height), fill=_PAPERS[int(rng.integers(len(_PAPERS)))])


def _door(draw: ImageDraw.ImageDraw) -> None:
    left, top, right = 1560, 40, 1790
    draw.rectangle((left - 16, top - 16, right + 16, _FLOOR_AT), fill=(228, 222, 208))
    draw.rectangle((left, top, right, _FLOOR_AT), fill=(166, 128, 92))
    draw.rectangle((left + 62, top + 50, right - 62, top + 210), fill=(206, 218, 222))
    draw.ellipse((left + 14, 330, left + 34, 350), fill=(214, 208, 192))


def _at(x: float, y: float) -> tuple[int, int]:
    return round(x), round(y)


def _polygon(image: Pixels, corners: list[tuple[float, float]], colour: Colour) -> None:
    # Sixteenths of a pixel, so that edges of neighbouring shapes meet.
    points = np.array([[round(x * 16), round(y * 16)] for x, y in corners], np.int32)
    cv2.fillPoly(image, [points], colour, cv2.LINE_AA, 4)
