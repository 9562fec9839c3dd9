"""A person cut out of a photo, with soft edges and a face of known size and place."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from attendance.demo.people import Box, FacePhoto, Outline

Pixels = npt.NDArray[np.uint8]

REACH = (1.8, 1.4, 1.8, 1.35)
"""Left, up, right and down from the middle of the face, in face widths: what is kept of a photo."""
_CUT_AT = 64
"""Width of the face, in pixels, while fore- and background are told apart."""
_BAND = 0.07
"""How far a hand-drawn outline may be off, in face widths."""


@dataclass(frozen=True, slots=True, eq=False)
class Cutout:
    """``image`` (H, W, 4) uint8 RGBA with a face ``face_width`` pixels wide whose middle is at ``centre``."""

    image: Pixels
    centre: tuple[float, float]
    face_width: float
    has_shoulders: bool


@lru_cache(maxsize=512)
def cut_out(photo: FacePhoto, box: Box, face_width: int) -> Cutout:
    """Cut out whoever has the face at ``box``. The same photo always gives the same cut-out."""
    with Image.open(photo.path) as opened:
        image = np.asarray(ImageOps.exif_transpose(opened).convert("RGB"), np.uint8)
    left, top, right, bottom = box
    scale = face_width / (right - left)
    pad_left, pad_top, pad_right, pad_bottom = (round(reach * face_width) for reach in REACH)
    size = (pad_left + pad_right, pad_top + pad_bottom)
    middle = ((left + right) / 2, (top + bottom) / 2)
    if scale < 1:  # area averaging first, as a far camera does; warping alone would leave moiré
        image = np.asarray(
            cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
        )
        middle, scale = (middle[0] * scale, middle[1] * scale), 1.0
    move = np.array(
        [[scale, 0, pad_left - middle[0] * scale], [0, scale, pad_top - middle[1] * scale]], dtype=np.float64
    )
    canvas = np.asarray(
        cv2.warpAffine(image, move, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )
    whole = np.full(image.shape[:2], 255, np.uint8)
    inside = np.asarray(cv2.warpAffine(whole, move, size, flags=cv2.INTER_NEAREST), np.uint8)
    alpha = _alpha(canvas, inside, photo.outline, face_width)
    below = inside[pad_top + round(1.3 * face_width), pad_left]
    return Cutout(
        np.dstack([canvas, alpha]), (float(pad_left), float(pad_top)), float(face_width), bool(below)
    )


def _alpha(canvas: Pixels, inside: Pixels, outline: Outline | None, face_width: int) -> Pixels:
    """Opacity 0..255 from GrabCut (Rother, Kolmogorov, Blake 2004), started from an outline or a usual shape."""
    ratio = _CUT_AT / face_width
    small = cv2.resize(canvas, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA)
    size = (small.shape[1], small.shape[0])
    guess = _drawn_guess(size, outline) if outline else _usual_guess(size)
    here = cv2.resize(inside, size, interpolation=cv2.INTER_NEAREST) > 0
    guess[~here] = cv2.GC_BGD
    cv2.setRNGSeed(1)
    unused, models = (0, 0, 1, 1), (np.zeros((1, 65), np.float64), np.zeros((1, 65), np.float64))
    labels, _, _ = cv2.grabCut(small, guess, unused, *models, 4, mode=cv2.GC_INIT_WITH_MASK)
    person = np.isin(np.asarray(labels), (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    parts = np.asarray(cv2.connectedComponents(person)[1])
    middle = (round(REACH[1] * _CUT_AT), round(REACH[0] * _CUT_AT))
    person = np.asarray(parts == parts[middle], np.uint8) * 255
    opened = cv2.morphologyEx(person, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    full = (canvas.shape[1], canvas.shape[0])
    soft = cv2.GaussianBlur(
        cv2.resize(opened, full, interpolation=cv2.INTER_CUBIC), (0, 0), 0.02 * face_width
    )
    # From half opacity on: the outer half of the soft edge would carry the old background along.
    return np.asarray(np.clip((soft.astype(np.int16) - 110) * 2, 0, 255), np.uint8)


def _to_pixels(points: Outline) -> npt.NDArray[np.int32]:
    return np.array([[(REACH[0] + x) * _CUT_AT, (REACH[1] + y) * _CUT_AT] for x, y in points], np.int32)


def _drawn_guess(size: tuple[int, int], outline: Outline) -> Pixels:
    """Sure inside a drawn outline, open in a band along it."""
    guess = np.zeros((size[1], size[0]), np.uint8)
    cv2.fillPoly(guess, [_to_pixels(outline)], 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(_BAND * _CUT_AT) + 1,) * 2)
    sure, possible = cv2.erode(guess, kernel), cv2.dilate(guess, kernel)
    answer = np.full(guess.shape, cv2.GC_BGD, np.uint8)
    answer[possible > 0] = cv2.GC_PR_BGD
    answer[guess > 0] = cv2.GC_PR_FGD
    answer[sure > 0] = cv2.GC_FGD
    return answer


def _usual_guess(size: tuple[int, int]) -> Pixels:
    """Head and shoulders where they mostly are, around a face of known size."""
    answer = np.full((size[1], size[0]), cv2.GC_BGD, np.uint8)
    middle = (round(REACH[0] * _CUT_AT), round(REACH[1] * _CUT_AT))

    def ellipse(across: float, down: float, shift: float, label: int) -> None:
        centre = (middle[0], middle[1] + round(shift * _CUT_AT))
        cv2.ellipse(answer, centre, (round(across * _CUT_AT), round(down * _CUT_AT)), 0, 0, 360, label, -1)

    ellipse(0.95, 1.15, -0.1, cv2.GC_PR_BGD)
    shoulders = ((-0.5, 0.6), (0.5, 0.6), (1.7, 1.3), (1.9, 4.0), (-1.9, 4.0), (-1.7, 1.3))
    cv2.fillPoly(answer, [_to_pixels(shoulders)], cv2.GC_PR_FGD)
    ellipse(0.66, 0.84, -0.1, cv2.GC_PR_FGD)
    ellipse(0.45, 0.7, -0.1, cv2.GC_FGD)
    chest = ((-0.2, 0.5), (0.2, 0.5), (0.8, 1.7), (0.8, 4.0), (-0.8, 4.0), (-0.8, 1.7))
    cv2.fillPoly(answer, [_to_pixels(chest)], cv2.GC_FGD)
    return answer
