"""The real worker, second network and all, with an engine that knows one face; it can be asked what it remembers.

A photo whose left half is blue shows the student of the test, a little different each time; every other photo somebody
else. One whose right half is bright green is looked at until the file ``GO_ON`` names is there.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from types import SimpleNamespace

import django
import numpy as np

from config.celery import app

django.setup()

from attendance import engines, enrolment, galleries, pipeline  # noqa: E402
from recognition.types import Box, Detection, Face, Quality  # noqa: E402
from tests.stress.left_behind import ENGINE, face_of_the_student  # noqa: E402


class KnowingEngine:
    version = ENGINE
    detector = SimpleNamespace(name="knowing")

    def analyse(self, image: np.ndarray) -> list[Face]:
        if image[60, 130, 1] > 200:
            _wait_for(Path(os.environ["GO_ON"]))
        rng = np.random.default_rng(int(image.astype(np.int64).sum()))
        blue = image[60, 10, 2] > 200 and image[60, 10, 0] < 60
        encoding = face_of_the_student() + rng.normal(size=128) * 0.002 if blue else rng.normal(size=128)
        chip = rng.integers(0, 255, (150, 150, 3), dtype=np.uint8)
        quality = Quality(1, 1, 1, 1, 1, 0.9, 80.0)
        return [Face(Detection(Box(10, 10, 40, 40), None, 0.9), chip, encoding.astype(np.float32), quality)]


def _wait_for(sign: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not sign.exists() and time.monotonic() < deadline:
        time.sleep(0.05)


def knowing() -> KnowingEngine:
    return KnowingEngine()


for module in (engines, enrolment, pipeline):
    module.current_engine = knowing  # type: ignore[assignment]


@app.task(name="tests.remembered")
def remembered(answer: str) -> None:
    """Write down every number this process holds of anybody's face, and of whom."""
    first, second = galleries.remembered()
    held = [gallery.encodings.astype("<f4").tobytes().hex() for gallery in first]
    held += [gallery.means.astype("<f4").tobytes().hex() for gallery in second]
    people = [list(gallery.subject_ids) for gallery in first] + [list(gallery.students) for gallery in second]
    Path(f"{answer}.part").write_text(json.dumps({"numbers": held, "people": people}))
    Path(f"{answer}.part").rename(answer)


__all__ = ["app"]
