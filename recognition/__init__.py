"""Faces in photos, found, aligned, encoded and identified. A library of its own: no Django, no network.

``import recognition`` is quick: torch, dlib and OpenCV are imported when a model is first used.
``OMP_WAIT_POLICY=PASSIVE`` is set here, before torch can be imported, because OpenMP's spinning threads make every
process on a shared machine several times slower (an explicit setting in the environment is kept).
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
