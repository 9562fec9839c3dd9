"""Classroom photos put together from cut-out people: the same request gives the same photo, byte for byte."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from attendance.demo import room
from attendance.demo.cutout import Cutout, Pixels, cut_out
from attendance.demo.people import Box, FacePhoto

_CLOTHES: tuple[room.Colour, ...] = (
    (70, 92, 120), (122, 78, 84), (84, 108, 88), (140, 118, 82), (96, 88, 124), (62, 66, 74)
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sitter:
    """Somebody in one photo. ``photo`` None: bent over the paper, no face to be seen."""

    seat: room.Seat
    photo: FacePhoto | None
    box: Box | None = None
    """Of the face in ``photo``."""
    unclear: float = 0.0
    """From 0 (as the camera sees everybody) to 1 (out of focus and in the dark)."""


@dataclass(frozen=True, slots=True)
class Composed:
    """A photo as JPEG, and where each sitter's face is in it (None without one), in the sitters' order."""

    jpeg: bytes
    faces: tuple[Box | None, ...]


@dataclass(frozen=True, slots=True)
class Shot:
    """One photo to be taken: who sits where, which photo of the lesson it is, what the clock shows."""

    sitters: Sequence[Sitter]
    seats: Sequence[room.Seat]
    number: int
    time: dt.time
    seed: int = 1


def compose(shot: Shot) -> Composed:
    """Draw the room, seat the people from back to front, and look at it through a camera."""
    rng = np.random.default_rng((shot.seed, 101, shot.number))
    image = room.back_wall(shot.seed).copy()
    room.clock(image, shot.time)
    camera = _camera(rng)
    faces: list[Box | None] = [None] * len(shot.sitters)
    for row in sorted({seat.row for seat in shot.seats}):
        taken = {sitter.seat: index for index, sitter in enumerate(shot.sitters) if sitter.seat.row == row}
        places = [seat for seat in shot.seats if seat.row == row]
        for seat in places:
            index = taken.get(seat)
            if index is None:
                room.chair(image, seat)
            elif shot.sitters[index].photo is None:
                room.bowed(image, seat, shot.seed)
            else:
                corners = _seat_person(image, shot.sitters[index], shot)
                faces[index] = _seen_through(camera, corners)
        for seat in places:
            room.desk(image, seat, shot.seed)
    return Composed(_expose(image, camera, rng), tuple(faces))


def _seat_person(image: Pixels, sitter: Sitter, shot: Shot) -> npt.NDArray[np.float64]:
    """Lay one person over ``image``; the four corners of the face."""
    assert sitter.photo is not None
    assert sitter.box is not None
    seat = sitter.seat
    rng = np.random.default_rng((shot.seed, shot.number, round(seat.x), round(seat.y)))
    cut = cut_out(sitter.photo, sitter.box, round(seat.face_width))
    if not cut.has_shoulders:
        room.shoulders(image, seat, _CLOTHES[(round(seat.x) + round(seat.y)) % len(_CLOTHES)])
    move = _pose(cut, seat, rng)
    layer = _lit(cut.image, seat, rng, sitter.unclear)
    middle = np.array([cut.centre])
    half = cut.face_width / 2
    corners = middle + np.array([[-half, -half], [half, -half], [half, half], [-half, half]])
    _lay_over(image, layer, move)
    return _apply(move, corners)


def _pose(cut: Cutout, seat: room.Seat, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """A small turn, shift and change of size, and the mild perspective of a head that is not straight on."""
    angle, size = np.radians(rng.uniform(-5, 5)), seat.face_width / cut.face_width * rng.uniform(0.95, 1.05)
    x, y = cut.centre
    aside = rng.uniform(-0.1, 0.1, 2) * seat.face_width
    lean = rng.uniform(-0.06, 0.06, 2) / max(cut.image.shape[:2])
    to_middle = np.array([[1, 0, -x], [0, 1, -y], [0, 0, 1]])
    perspective = np.array([[1, 0, 0], [0, 1, 0], [lean[0], lean[1], 1]])
    turn = np.array(
        [
            [size * np.cos(angle), -size * np.sin(angle), 0],
            [size * np.sin(angle), size * np.cos(angle), 0],
            [0, 0, 1],
        ]
    )
    back = np.array([[1, 0, seat.x + aside[0]], [0, 1, seat.y + abs(aside[1])], [0, 0, 1]])
    return np.asarray(back @ turn @ perspective @ to_middle, dtype=np.float64)


def _lit(layer: Pixels, seat: room.Seat, rng: np.random.Generator, unclear: float) -> Pixels:
    """The room's light on a person: brighter towards the window, softer farther from the camera."""
    gain = rng.uniform(0.92, 1.06) * (1.05 - 0.13 * seat.x / room.WIDTH) * (1 - 0.45 * unclear)
    warmth = np.array([1.02, 1.0, 0.97]) ** rng.uniform(-1, 1)
    colour = layer[..., :3].astype(np.float32) * (gain * warmth).astype(np.float32)
    # A room's light is flatter than a studio's.
    colour = (colour - 128) * 0.94 + 126
    blur = rng.uniform(0.2, 0.5) + 0.075 * unclear * seat.face_width
    soft = cv2.GaussianBlur(colour, (0, 0), float(blur))
    alpha = cv2.GaussianBlur(layer[..., 3], (0, 0), float(blur))
    return np.dstack([soft.clip(0, 255).astype(np.uint8), alpha])


def _lay_over(image: Pixels, layer: Pixels, move: npt.NDArray[np.float64]) -> None:
    height, width = layer.shape[:2]
    corners = _apply(move, np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64))
    left, top = np.maximum(np.floor(corners.min(0)).astype(int), 0)
    right, bottom = np.minimum(np.ceil(corners.max(0)).astype(int), (image.shape[1], image.shape[0]))
    if left >= right or top >= bottom:
        return
    shift = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]], np.float64)
    placed = cv2.warpPerspective(
        layer, shift @ move, (int(right - left), int(bottom - top)), flags=cv2.INTER_AREA
    )
    alpha = placed[..., 3:].astype(np.float32) / 255
    under = image[top:bottom, left:right].astype(np.float32)
    image[top:bottom, left:right] = (placed[..., :3] * alpha + under * (1 - alpha)).astype(np.uint8)


def _camera(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """The camera was nudged since the last photo: a hair closer, turned by half a degree at most."""
    angle, size = np.radians(rng.uniform(-0.5, 0.5)), 1.03 + rng.uniform(0, 0.01)
    x, y = room.WIDTH / 2, room.HEIGHT / 2
    cos, sin = size * np.cos(angle), size * np.sin(angle)
    dx, dy = rng.uniform(-6, 6, 2)
    lean = rng.uniform(-4e-6, 4e-6, 2)
    turn = np.array(
        [[cos, -sin, x - cos * x + sin * y + dx], [sin, cos, y - sin * x - cos * y + dy], [*lean, 1]]
    )
    return np.asarray(turn, dtype=np.float64)


def _expose(image: Pixels, camera: npt.NDArray[np.float64], rng: np.random.Generator) -> bytes:
    """Darker corners, the light of that minute, noise, JPEG."""
    seen = cv2.warpPerspective(
        image, camera, (room.WIDTH, room.HEIGHT), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.float32)
    y, x = np.mgrid[-1 : 1 : room.HEIGHT * 1j, -1 : 1 : room.WIDTH * 1j].astype(np.float32)
    seen *= ((1.0 - 0.07 * (x * x + y * y)) * rng.uniform(0.96, 1.08))[..., None].astype(np.float32)
    grain = rng.standard_normal((room.HEIGHT, room.WIDTH, 1), dtype=np.float32)
    seen += cv2.GaussianBlur(grain, (0, 0), 0.6)[..., None] * 3.0
    out = io.BytesIO()
    Image.fromarray(seen.clip(0, 255).astype(np.uint8)).save(out, "JPEG", quality=90)
    return out.getvalue()


def _apply(move: npt.NDArray[np.float64], points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    moved = np.hstack([points, np.ones((len(points), 1))]) @ move.T
    return np.asarray(moved[:, :2] / moved[:, 2:], dtype=np.float64)


def _seen_through(camera: npt.NDArray[np.float64], corners: npt.NDArray[np.float64]) -> Box:
    seen = _apply(camera, corners)
    (left, top), (right, bottom) = seen.min(0), seen.max(0)
    return float(left), float(top), float(right), float(bottom)
