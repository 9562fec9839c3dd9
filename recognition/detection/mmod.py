"""dlib's CNN face detector (MMOD; King 2015, arXiv 1502.00046) in torch.

``exact`` mode gives the rectangles of ``dlib.cnn_face_detection_model_v1``: the whole image pyramid in one tile, run in
bands so that memory stays bounded. ``fast`` mode runs each level of the pyramid by itself, on the scale at which the
smallest face asked for fills the network's window.
"""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor, nn

from recognition.detection.mmod_tile import UP, Corners, Layout, layout, normalised, shrunk, tiled
from recognition.detection.views import detect_in_views, plan
from recognition.dlib_weights import DetectorWeights, read_detector
from recognition.torch_layers import FusedConvolution
from recognition.types import Box, Detection, Image, checked_image

_CELL = 8
_FIRST_CENTRE = 14
"""Cell (r, c) of the score map is centred at pixel 8 c + 14, 8 r + 14 of the input."""
_HALO = 10
_REACH = 29
"""Input rows that one row of features depends on."""
BAND = 128
"""Rows of the score map run at once; fewer cost time, more cost memory."""
_FAST_BORDER = 16
MAX_PIXELS = 4_000_000
COARSE_SIDE = 1600
WINDOW = 80
"""Width of the window the network scores, and of the smallest face found without enlarging."""
LARGEST_SCALE = 2.5
"""Faces under 32 pixels are not looked for: the cost grows with the square, and other detectors find them at once."""


class MmodNetwork(nn.Module):
    """(1, 3, h, w) normalised to (rows, columns) scores of 80 x 80 windows; over 0 is a face."""

    averages: Tensor

    def __init__(self, weights: DetectorWeights) -> None:
        super().__init__()
        layers = [FusedConvolution(source) for source in weights.convolutions]
        self.strided, self.middle, self.last = (
            nn.Sequential(*layers[:3]),
            nn.Sequential(*layers[3:6]),
            layers[6],
        )
        self.register_buffer("averages", torch.tensor(weights.averages))

    def scores(self, features: Tensor) -> Tensor:
        scores: Tensor = self.last(self.middle(features), relu=False)[0, 0]
        return scores

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.scores(self.strided(x))
        return scores

    def in_bands(self, x: Tensor, rows: int = BAND) -> Tensor:
        """The same scores, ``rows`` of them at a time: each band is run with the rows its features reach to."""
        total = x.shape[2]
        for _ in range(3):
            total = (total - 5) // 2 + 1
        if total <= rows + 2 * _HALO:
            return self.forward(x)
        bands = []
        for start in range(0, total, rows):
            end = min(start + rows, total)
            low, high = max(start - _HALO, 0), min(end + _HALO, total)
            features = self.strided(x[:, :, _CELL * low : _CELL * (high - 1) + _REACH])
            bands.append(self.scores(features)[start - low : end - low])
        return torch.cat(bands)


@cache
def shared_network() -> MmodNetwork:
    """The process's one detector network, from the installed weight file."""
    return MmodNetwork(read_detector()).eval()


@cache
def _options() -> tuple[float, float, float]:
    """Half the window's side, and the two overlap limits of the file."""
    options = read_detector().options
    return (options.window_width - 1) / 2, options.overlap_iou, options.overlap_covered


def _rounded(value: float) -> int:
    """Half away from zero, as C's lround."""
    return math.floor(value + 0.5) if value >= 0 else -math.floor(-value + 0.5)


def _overlaps(a: Corners, b: Corners) -> bool:
    """dlib's test_box_overlap: the intersection against the rectangle around both, and against each."""
    _, hull_limit, covered_limit = _options()
    wide = min(a[2], b[2]) - max(a[0], b[0]) + 1
    high = min(a[3], b[3]) - max(a[1], b[1]) + 1
    if wide <= 0 or high <= 0:
        return False
    inner = wide * high
    hull = (max(a[2], b[2]) - min(a[0], b[0]) + 1) * (max(a[3], b[3]) - min(a[1], b[1]) + 1)
    areas = [(c[2] - c[0] + 1) * (c[3] - c[1] + 1) for c in (a, b)]
    return inner / hull > hull_limit or any(inner / area > covered_limit for area in areas)


def _without_overlaps(scored: list[tuple[float, Corners]]) -> list[tuple[float, Corners]]:
    kept: list[tuple[float, Corners]] = []
    for score, corners in sorted(scored, key=lambda item: -item[0]):
        if not any(_overlaps(corners, other) for _, other in kept):
            kept.append((score, corners))
    return kept


def _windows(scores: Tensor, threshold: float) -> list[tuple[float, float, float]]:
    """(score, x, y) of every window's centre above the threshold, in pixels of the network's input."""
    rows, columns = (index.tolist() for index in torch.nonzero(scores > threshold, as_tuple=True))
    values = scores[rows, columns].tolist()
    return [
        (value, _CELL * column + _FIRST_CENTRE, _CELL * row + _FIRST_CENTRE)
        for value, row, column in zip(values, rows, columns, strict=True)
    ]


def enlarged_as_dlib(image: Image) -> Image:
    """dlib's pyramid_up: (2h + 1) x (2w + 2), bilinear with aligned corners, truncated."""
    height, width = image.shape[:2]
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].double()
    return shrunk(pixels, 2 * height + 1, 2 * width + 2)[0].permute(1, 2, 0).to(torch.uint8).numpy()


def exact_rectangles(image: Image, upsamples: int = 0, threshold: float = 0.0) -> list[tuple[float, Corners]]:
    """(score, rectangle) of every face, best first: whole pixels, as dlib's detector gives them. Raises ImageError."""
    image = checked_image(image)
    for _ in range(upsamples):
        image = enlarged_as_dlib(image)
    network, places = shared_network(), layout(*image.shape[:2])
    if not places.levels:
        return []
    with torch.inference_mode():
        scores = network.in_bands(tiled(normalised(image, network.averages), places))
    found = _without_overlaps([_tile_window(places, *window) for window in _windows(scores, threshold)])
    return [(score, _shrunk_back(corners, upsamples)) for score, corners in found]


def _tile_window(places: Layout, score: float, x: float, y: float) -> tuple[float, Corners]:
    half = _options()[0]
    corners = places.in_image((x - half, y - half, x + half, y + half), places.level_of(x, y))
    left, top, right, bottom = (_rounded(value) for value in corners)
    return score, (left, top, right, bottom)


def _shrunk_back(corners: Corners, upsamples: int) -> Corners:
    left, top, right, bottom = corners
    for _ in range(upsamples):
        left, right = left / 2 - 1.25, right / 2 - 1.25
        top, bottom = top / 2 - 0.75, bottom / 2 - 0.75
    return _rounded(left), _rounded(top), _rounded(right), _rounded(bottom)


def _level_windows(
    level: Tensor, places: tuple[int, int], index: int, threshold: float
) -> list[tuple[float, Corners]]:
    """Windows of one level by itself, framed by the mean colour, on dlib's grid of cells."""
    network, half = shared_network(), _options()[0]
    left, top = (_FAST_BORDER + offset % _CELL for offset in places)
    height, width = level.shape[2:]
    canvas = torch.zeros((1, 3, top + height + _FAST_BORDER, left + width + _FAST_BORDER))
    canvas = canvas.contiguous(memory_format=torch.channels_last)
    canvas[:, :, top : top + height, left : left + width] = level
    found = []
    for score, x, y in _windows(network.in_bands(canvas), threshold):
        corners = (x - half - left, y - half - top, x + half - left, y + half - top)
        for _ in range(index):
            corners = tuple(value * UP + 0.3 for value in corners)  # type: ignore[assignment]
        found.append((score, corners))
    return found


def level_rectangles(image: Image, threshold: float = 0.0) -> list[tuple[float, Corners]]:
    """(score, rectangle) of every face, each level of the pyramid run by itself: less memory, nearly dlib's boxes.
    Raises ImageError."""
    image = checked_image(image)
    network, found = shared_network(), []
    places = layout(*image.shape[:2]).levels
    with torch.inference_mode():
        level = normalised(image, network.averages)
        for index, (left, top, width, height) in enumerate(places):
            if index:
                level = shrunk(level, height, width)
            found += _level_windows(level, (left, top), index, threshold)
    return _without_overlaps(found)


def _detections(found: list[tuple[float, Corners]]) -> list[Detection]:
    return [
        Detection(Box(left, top, right - left + 1, bottom - top + 1), None, float(score))
        for score, (left, top, right, bottom) in found
    ]


class MmodDetector:
    """The CNN detector; gives no points. A face of 80 pixels fills its window."""

    def __init__(self, min_face_pixels: int = 32, *, exact: bool = False) -> None:
        """``exact``: dlib's own enlarging (by powers of two) and tile, else any scale and level by level."""
        self.exact = exact
        self.name = "mmod_exact" if exact else "mmod"
        self.scale = min(LARGEST_SCALE, WINDOW / min_face_pixels)
        self.upsamples = min(2, max(0, round(math.log2(WINDOW / min_face_pixels))))

    def detect(self, image: Image) -> list[Detection]:
        image = checked_image(image)
        if self.exact:
            return _detections(exact_rectangles(image, self.upsamples))
        height, width = image.shape[:2]
        views = plan(height, width, self.scale, max_pixels=MAX_PIXELS, coarse_side=COARSE_SIDE)
        return detect_in_views(image, views, lambda part: _detections(level_rectangles(part)))
