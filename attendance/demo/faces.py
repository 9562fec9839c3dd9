"""Where the face is in a photo of one person."""

from __future__ import annotations

from functools import cache

import numpy as np
from PIL import Image, ImageOps

from attendance.demo.people import Box, FacePhoto
from attendance.engines import current_engine

_USUAL_SHARE = 0.5
"""Width of the face in a portrait in which none was found: it is taken to be in the middle."""


@cache
def box_of(photo: FacePhoto) -> Box:
    """Given with the photo, else the largest face found, else the middle: nobody is left out for being hard to find."""
    if photo.box is not None:
        return photo.box
    with Image.open(photo.path) as opened:
        image = np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
    found = current_engine().detector.detect(image)
    if found:
        box = max(found, key=lambda face: face.box.area).box
        return box.left, box.top, box.left + box.width, box.top + box.height
    height, width = image.shape[:2]
    side = _USUAL_SHARE * min(height, width)
    return (width - side) / 2, (height - side) / 2, (width + side) / 2, (height + side) / 2
